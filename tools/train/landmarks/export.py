"""Write the trained landmark network as ONNX: `python -m tools.train.landmarks.export --run RUN --data DATA --to weights/landmarks98.onnx`.

Batch normalisation is folded into the convolutions, the graph is static with batch 1, and the file is compared with PyTorch
before it counts as written. The covariance is scaled so that the median squared Mahalanobis error on held-out photographs is
that of a Gaussian.
"""

import argparse
import io
import warnings
from collections.abc import Sequence
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch", "onnx"))

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from tools.data.crops import SIZE, Strength, sample_face
from tools.data.landmark_batches import FaceSet, load_photographs
from tools.data.london_labels import load_portraits
from tools.manifest import WEIGHTS
from tools.networks.folding import fold_batch_norm
from tools.networks.starlite import LID_PAIRS, StarLite, StarLiteExport, StarLiteSize, lid_stretch
from tools.synth.kit import shared_folder
from tools.train.common import load_checkpoint, mean_weights
from tools.train.landmarks.validation import to_input

OUTPUTS = ("points", "covariance", "presence")


def load_network(checkpoint: Path, others: Sequence[Path] = ()) -> StarLite:
    """The averaged network of a training run, ready to infer.

    Args:
        checkpoint: of the run.
        others: of other runs of the same network, from which this one began: the mean of all these networks' weights is taken.
    """
    state = load_checkpoint(checkpoint)
    network = StarLite(StarLiteSize(**state["size"]))
    network.load_state_dict(mean_weights([state["average"], *(load_checkpoint(other)["average"] for other in others)]))
    result: StarLite = network.eval()
    return result


@torch.no_grad()
def covariance_scale(network: StarLite, faces: FaceSet, seed: int = 5) -> float:
    """Half the robust mean of squared Mahalanobis errors on mildly degraded held-out crops."""
    rng = np.random.default_rng(seed)
    strength = Strength(bend=0.2, features=0.2, occlude=0.25, paint=0.1, hard_geometry=0.2)
    distances = []
    for picture, points, trust in zip(faces.pictures, faces.points, faces.trust, strict=True):
        sample = sample_face(picture, points, trust, rng, strength, None)
        found, covariance, _ = network(to_input(torch.from_numpy(sample.crop[None])))
        error = (found[0] - torch.from_numpy(sample.points)).double()
        xx, xy, yy = (covariance[0].double() + torch.tensor([1e-6, 0, 1e-6])).unbind(-1)
        squared = (yy * error[:, 0] ** 2 - 2 * xy * error[:, 0] * error[:, 1] + xx * error[:, 1] ** 2) / (
            xx * yy - xy**2
        )
        distances.append(squared[torch.from_numpy(sample.weight) > 0.2])
    joined = torch.cat(distances)
    # The median of a chi-square with two degrees of freedom is 2 ln 2; it does not mind the few points that are plainly lost.
    return float(joined.median() / (2 * np.log(2)))


@torch.no_grad()
def presence_shift(network: StarLite, faces: FaceSet, count: int = 800, missed: float = 0.02, seed: int = 6) -> float:
    """What to add to the presence logit so that 0.5 is passed by all but the share `missed` of whole, mildly degraded faces.

    Taken on training photographs: the rates on held-out ones are then figures, not settings.
    """
    rng = np.random.default_rng(seed)
    strength = Strength(occlude=0.25, cut=0.0)
    logits = []
    for i in rng.permutation(len(faces))[:count]:
        sample = sample_face(faces.pictures[i], faces.points[i], faces.trust[i], rng, strength, None)
        if sample.presence > 0.9:
            logits.append(float(network(to_input(torch.from_numpy(sample.crop[None])))[2]))
    return -float(np.quantile(logits, missed))


@torch.no_grad()
def lid_shares(network: StarLite, faces: FaceSet, rounds: int = 8, seed: int = 8) -> Tensor:
    """(3, 2) for `lid_stretch`: by which share of the opening the network's lids lie inside hand-placed ones, over both eyes.

    faces: real portraits of the training half, of which those with lids placed by hand (trust above one) are looked at.
    """
    rng, strength = (
        np.random.default_rng(seed),
        Strength(bend=0, features=0, tear=0, occlude=0, paint=0, cut=0, spoil=0.3, hard_geometry=0),
    )
    inside = torch.zeros(3, 2)
    opening = torch.zeros(3, 1)
    for picture, points, trust in zip(faces.pictures, faces.points, faces.trust, strict=True):
        if trust.max() <= 1:
            continue
        for _ in range(rounds):
            sample = sample_face(picture, points, trust, rng, strength, None)
            found = network(to_input(torch.from_numpy(sample.crop[None])))[0][0]
            truth = torch.from_numpy(sample.points)
            for place, pairs in enumerate(LID_PAIRS):
                for upper, lower in pairs:
                    apart = found[lower] - found[upper]
                    down = apart / apart.norm().clamp_min(1e-6)
                    error = found - truth
                    inside[place] += torch.stack([error[upper] @ down, -(error[lower] @ down)])
                    opening[place] += apart.norm()
    return inside / opening.clamp_min(1e-6)


def to_onnx(module: nn.Module) -> bytes:
    """The module as an ONNX file's bytes: input `crop` (1, 3, 112, 112), outputs named as in OUTPUTS."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the tracing exporter is deprecated; its graphs are smaller and need no rewriting
        torch.onnx.export(
            module.eval(), (torch.zeros(1, 3, SIZE, SIZE),), file, dynamo=False, opset_version=17,
            input_names=["crop"], output_names=list(OUTPUTS),
        )  # fmt: skip
    onnx.checker.check_model(onnx.load_from_string(file.getvalue()), full_check=True)
    return file.getvalue()


@torch.no_grad()
def largest_difference(module: nn.Module, packed: bytes, seed: int = 0) -> float:
    """Largest absolute difference of any output between PyTorch and ONNX Runtime over random crops."""
    session = ort.InferenceSession(packed, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(seed)
    worst = 0.0
    for _ in range(8):
        crop = torch.rand(1, 3, SIZE, SIZE, generator=generator) * 2 - 1
        for mine, theirs in zip(module(crop), session.run(None, {"crop": crop.numpy()}), strict=True):
            worst = max(worst, float(np.abs(mine.numpy() - theirs).max()))
    return worst


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument(
        "--portraits", type=Path, help="folder of `tools.data.london`: calibrate the lids by hand-placed ones"
    )
    parser.add_argument(
        "--mean-with",
        type=Path,
        nargs="*",
        default=[],
        help="checkpoint.pt of runs from which this one began: write the mean of all",
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = arguments.run / "checkpoint.pt"
    network = load_network(checkpoint, arguments.mean_with)
    scale = covariance_scale(network, load_photographs(arguments.data, "held"))
    shift = presence_shift(network, load_photographs(arguments.data, "train"))
    stretch = None
    if arguments.portraits:
        faces = load_portraits(arguments.portraits, shared_folder(), WEIGHTS / "retinaface.onnx", 1.0)
        shares = lid_shares(network, faces)
        stretch = lid_stretch(shares)
        print(
            "lids move outward by shares of the opening (outer, middle, inner; upper, lower): " + str(shares.tolist())
        )
    reference = StarLiteExport(network, scale, shift, stretch)
    folded = fold_batch_norm(StarLiteExport(load_network(checkpoint, arguments.mean_with), scale, shift, stretch))
    packed = to_onnx(folded)
    difference = largest_difference(reference, packed)
    if not difference < 1e-4:
        raise SystemExit(f"the ONNX file differs from PyTorch by {difference:.2g}; nothing was written")
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_bytes(packed)
    print(
        f"{arguments.to}: {len(packed):,} bytes, covariance scale {scale:.4f}, presence shift {shift:+.2f}, "
        f"largest difference from PyTorch {difference:.1e}"
    )


if __name__ == "__main__":
    main()
