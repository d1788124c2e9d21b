"""Checkpoint to ML Program: 16-bit, fixed shape, Neural Engine and CPU, pixel scaling inside the package."""

import copy
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from realtime.errors import UserInputError
from tools.coreml import quiet
from tools.coreml.palette import palette
from tools.export.star_graph import DeployedStar
from tools.networks import catalogue, multitask, retinaface, retinaface_onnx, star
from tools.networks.folding import fold_batch_norm

COMPRESSIONS = ("none", "int8", "palette4", "palette6", "palette8")


@dataclass(frozen=True, slots=True)
class PixelScale:
    """What Core ML does to a pixel before the network: value * scale + bias (per channel, in the order of the picture)."""

    order: str
    scale: float
    bias: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network ready for tracing, and the pixel scaling that belongs to it."""

    module: nn.Module
    pixels: PixelScale
    outputs: tuple[str, ...]
    size: tuple[int, int]


def prepare(module: nn.Module, size: tuple[int, int] | None = None, stacks: int | None = None) -> Prepared:
    """The deployed form of a loaded network.

    STAR's pixels go to [-1, 1]: scale 2/255, bias -1. (1/255, as is often written, feeds it half of its range.)
    The multi-task network's division by the standard deviation moves into its first convolution, since a package has
    one scale for all channels. RetinaFace: no scale, minus the mean.
    """
    if isinstance(module, star.StackedHourglass):
        return Prepared(
            DeployedStar(module, stacks),
            PixelScale("BGR", 2 / 255, (-1.0, -1.0, -1.0)),
            ("landmarks",),
            (star.CROP, star.CROP),
        )
    if isinstance(module, multitask.MultitaskNet):
        scaled = copy.deepcopy(module)
        with torch.no_grad():
            scaled.base_model.conv_stem.weight.div_(torch.tensor(multitask.STD)[None, :, None, None])
        red, green, blue = multitask.MEAN
        pixels = PixelScale("RGB", 1 / 255, (-red, -green, -blue))
        return Prepared(scaled.eval(), pixels, ("emotion", "gaze", "au"), (multitask.SIZE, multitask.SIZE))
    if isinstance(module, retinaface.RetinaFace):
        folded = fold_batch_norm(copy.deepcopy(module).eval())
        blue, green, red = retinaface.MEAN
        pixels = PixelScale("BGR", 1.0, (-blue, -green, -red))
        return Prepared(
            retinaface_onnx.Deployed(folded).eval(), pixels, ("loc", "conf", "landmarks"), size or (480, 640)
        )
    raise UserInputError(f"there is no Core ML form of {type(module).__name__}.")


def convert(
    name: str,
    checkpoint: Path,
    out: Path,
    *,
    stacks: int | None = None,
    size: tuple[int, int] | None = None,
    compression: str = "none",
) -> Path:
    """Write network `name` with a checkpoint's weights as an .mlpackage. compression: one of COMPRESSIONS.

    Raises UserInputError (options, NumPy, coremltools missing) and ModelFileError (checkpoint).
    """
    if out.suffix != ".mlpackage":
        raise UserInputError(f"a Core ML package is called something.mlpackage, not {out.name}.")
    if compression not in COMPRESSIONS:
        raise UserInputError(f"--compress takes {', '.join(COMPRESSIONS)}, not '{compression}'.")
    if stacks is not None and name != "star":
        raise UserInputError(f"--stacks cuts STAR; {name} has no stacks.")
    if size is not None and name != "retinaface":
        raise UserInputError(f"--size is for retinaface; {name} has one size.")
    network = catalogue.named(name)
    module, read = catalogue.load(name, checkpoint)
    model = convert_module(prepare(module, size, stacks))
    model.author = "facemirror-live"
    model.short_description = network.title
    model.license = network.licence
    facts = {
        "network": name,
        "source": read.path.name,
        "source_sha256": read.sha256,
        "outputs": ", ".join(network.outputs),
    }
    model.user_defined_metadata.update(
        facts | ({"stacks": str(stacks)} if stacks else {}) | {"compression": compression}
    )
    if compression != "none":
        model = compress(model, compression)
    if out.exists():
        shutil.rmtree(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    model.save(str(out))
    return out


def convert_module(prepared: Prepared) -> Any:
    """A prepared network as a coremltools model, traced with channels last."""
    ct = quiet.coremltools()
    height, width = prepared.size
    example = torch.rand(1, 3, height, width).contiguous(memory_format=torch.channels_last)
    with quiet.converting(), torch.no_grad():
        module = prepared.module.eval().to(memory_format=torch.channels_last)
        traced = torch.jit.trace(module, example, check_trace=False)
        picture = ct.ImageType(
            name="image",
            shape=(1, 3, height, width),
            scale=prepared.pixels.scale,
            bias=list(prepared.pixels.bias),
            color_layout=ct.colorlayout.BGR if prepared.pixels.order == "BGR" else ct.colorlayout.RGB,
        )
        return ct.convert(
            traced,
            inputs=[picture],
            outputs=[ct.TensorType(name=name) for name in prepared.outputs],
            convert_to="mlprogram",
            compute_precision=ct.precision.FLOAT16,
            compute_units=ct.ComputeUnit.CPU_AND_NE,
            minimum_deployment_target=ct.target.iOS17,
            skip_model_load=True,
        )


def compress(model: Any, compression: str) -> Any:
    """Weights as 8-bit integers with a scale per channel, or as indices of 4, 6 or 8 bits into a palette found by k-means."""
    ct = quiet.coremltools()
    optimise = ct.optimize.coreml
    with quiet.converting():
        if compression == "int8":
            settings = optimise.OpLinearQuantizerConfig(mode="linear_symmetric")
            return optimise.linear_quantize_weights(model, optimise.OptimizationConfig(global_config=settings))
        bits = int(compression.removeprefix("palette"))
        settings = optimise.OpPalettizerConfig(mode="custom", lut_function=lambda weights: palette(weights, bits))
        return optimise.palettize_weights(model, optimise.OptimizationConfig(global_config=settings))
