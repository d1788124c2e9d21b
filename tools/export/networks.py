"""One call per network: checkpoint in, ONNX file out, parity proved."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from realtime.errors import UserInputError
from tools import checkpoints
from tools.export import onnx_file
from tools.export.star_graph import DeployedStar
from tools.networks import catalogue, retinaface, retinaface_onnx, star

PARITY_PICTURES = 2


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and how it compares with torch."""

    path: Path
    difference: onnx_file.Difference
    facts: dict[str, str]


def export(
    name: str,
    checkpoint: Path,
    out: Path,
    *,
    stacks: int | None = None,
    batch: bool = False,
    size: tuple[int, int] | None = None,
    expect_sha256: str | None = None,
) -> Exported:
    """Write network `name` as ONNX.

    stacks: STAR only, 1 to 4. batch: leave the number of pictures open (star, multitask). size: height, width that
    RetinaFace is fixed to; without it any size goes.

    Raises:
        UserInputError: an option that this network does not have.
        ModelFileError: unreadable or foreign checkpoint, or the result differs from torch by more than 1e-4.
    """
    network = catalogue.named(name)
    if stacks is not None and name != "star":
        raise UserInputError(f"--stacks cuts STAR; {name} has no stacks.")
    if size is not None and name != "retinaface":
        raise UserInputError(f"--size is for retinaface; {name} takes {network.size[0]} x {network.size[1]} only.")
    if batch and name == "retinaface":
        raise UserInputError("--batch is for star and multitask; retinaface takes one picture of any size.")
    module, read = catalogue.load(name, checkpoint, expect_sha256=expect_sha256)
    facts = describe(network, read)
    if isinstance(module, retinaface.RetinaFace):
        return _export_retinaface(module, out, size, facts)
    if isinstance(module, star.StackedHourglass):
        deployed: nn.Module = DeployedStar(module, stacks)
        facts["stacks"] = f"{stacks or module.stacks} of {module.stacks}"
        facts["landmarks"] = "(1, P, 2) x, y in [-1, 1] of the crop; crop pixel = ((p + 1) * 256 - 1) / 2"
    else:
        deployed = module
    onnx_file.trace(deployed, catalogue.example(network), out, network.outputs, batch=batch)
    pictures = [catalogue.example(network, seed) for seed in range(100, 100 + PARITY_PICTURES)]
    difference = onnx_file.parity(out, pictures, [reference(module, p, stacks) for p in pictures], network.outputs)
    return _finish(out, difference, facts)


def reference(module: nn.Module, picture: Tensor, stacks: int | None = None) -> list[Tensor]:
    """The untouched torch network's outputs, in the order of the catalogue."""
    with torch.no_grad():
        if isinstance(module, star.StackedHourglass):
            return [module(picture, stacks)[-1].landmarks]
        return list(module(picture))


def describe(network: catalogue.Network, read: checkpoints.Checkpoint) -> dict[str, str]:
    """What an exported file says of itself."""
    height, width = network.size
    shape = "any height and width" if network.name == "retinaface" else f"{height} x {width}"
    return {
        "network": network.name,
        "title": network.title,
        "source": read.path.name,
        "source_sha256": read.sha256,
        "input": f"(N, 3, H, W) float32, {network.scale}, {shape}",
        "outputs": ", ".join(network.outputs),
        "licence": network.licence,
        "precision": "float32",
    }


def _export_retinaface(
    module: retinaface.RetinaFace, out: Path, size: tuple[int, int] | None, facts: dict[str, str]
) -> Exported:
    found = retinaface_onnx.export(module, out, source=facts["source"], licence=facts["licence"])
    if size is not None:
        _fix_size(out, size)
        facts["input"] = f"(1, 3, {size[0]}, {size[1]}) float32, {catalogue.named('retinaface').scale}"
    return _finish(out, onnx_file.Difference(found["max"], found["mean"]), facts)


def _fix_size(path: Path, size: tuple[int, int]) -> None:
    import onnx
    from onnx.tools import update_model_dims

    model = onnx.load(str(path))
    rows = len(retinaface.priors(*size))
    widths = {"loc": 4, "conf": 2, "landmarks": 10}
    shapes = {name: [1, rows, width] for name, width in widths.items()}
    model = update_model_dims.update_inputs_outputs_dims(model, {retinaface_onnx.INPUT: [1, 3, *size]}, shapes)
    onnx.save(model, str(path))
    onnx_file.fold(path)


def _finish(out: Path, difference: onnx_file.Difference, facts: dict[str, str]) -> Exported:
    onnx_file.refuse_beyond(difference, out)
    facts["parity"] = f"{difference.largest:.2e} largest, {difference.mean:.2e} mean, against torch"
    onnx_file.describe(out, facts)
    return Exported(out, difference, facts)
