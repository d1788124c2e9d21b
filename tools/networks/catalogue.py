"""What the tools know of each of OpenFace 3.0's networks: how it is built, fed and read. Data, so that a tool needs no cases."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realtime.errors import ModelFileError, UserInputError
from tools import checkpoints
from tools.networks import multitask, retinaface, star

ACADEMIC = "OpenFace 3.0: academic and non-commercial research only"


@dataclass(frozen=True, slots=True)
class InputScale:
    """How uint8 pixels become the network's input: (value - mean) / std, per channel, in this channel order."""

    order: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __str__(self) -> str:
        mean, std = ("/".join(f"{v:.4g}" for v in values) for values in (self.mean, self.std))
        return f"{self.order}, (x - {mean}) / {std}"

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W, 3) uint8 BGR -> (1, 3, H, W) float32 as the network wants it."""
        ordered = picture if self.order == "BGR" else picture[..., ::-1]
        scaled = (ordered.astype(np.float32) - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


@dataclass(frozen=True, slots=True)
class Network:
    """One network. size: height, width of the input; build: from a state dictionary, or None for the usual shape."""

    name: str
    title: str
    checkpoint: str
    licence: str
    scale: InputScale
    size: tuple[int, int]
    outputs: tuple[str, ...]
    build: Callable[[dict[str, Tensor] | None], nn.Module]


def _build_star(state: dict[str, Tensor] | None) -> nn.Module:
    if state is None:
        return star.StackedHourglass()
    points, edges, stacks = star.shape_of(state)
    return star.StackedHourglass(points, edges, stacks)


NETWORKS = {
    network.name: network
    for network in (
        Network(
            "retinaface",
            "RetinaFace, MobileNet-0.25",
            "Alignment_RetinaFace.pth",
            "MIT",
            InputScale("BGR", retinaface.MEAN, (1.0, 1.0, 1.0)),
            (480, 640),
            ("loc", "conf", "landmarks"),
            lambda _: retinaface.RetinaFace(),
        ),
        Network(
            "star",
            "STAR, StackedHGNetV1",
            "Landmark_98.pkl",
            ACADEMIC,
            InputScale("BGR", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
            (star.CROP, star.CROP),
            ("landmarks",),
            _build_star,
        ),
        Network(
            "multitask",
            "Multi-task net, EfficientNet-B0",
            "MTL_backbone.pth",
            ACADEMIC,
            InputScale(
                "RGB",
                (255 * multitask.MEAN[0], 255 * multitask.MEAN[1], 255 * multitask.MEAN[2]),
                (255 * multitask.STD[0], 255 * multitask.STD[1], 255 * multitask.STD[2]),
            ),
            (multitask.SIZE, multitask.SIZE),
            ("emotion", "gaze", "au"),
            lambda _: multitask.MultitaskNet(),
        ),
    )
}


def named(name: str) -> Network:
    """The network of this name. Raises UserInputError for another."""
    if name not in NETWORKS:
        raise UserInputError(f"there is no network '{name}'; there are {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def load(name: str, path: Path, *, expect_sha256: str | None = None) -> tuple[nn.Module, checkpoints.Checkpoint]:
    """The network with a checkpoint's weights, in evaluation mode, and the checkpoint.

    Raises ModelFileError: unreadable, or another network's checkpoint, or tensors that do not fit.
    """
    network = named(name)
    checkpoint = checkpoints.read(path, expect_sha256=expect_sha256)
    if checkpoint.network != name:
        other = (
            f"a checkpoint of {checkpoint.network}" if checkpoint.network else "of a network this program does not know"
        )
        raise ModelFileError(f"{path.name} is {other}, not of {name} (as {network.checkpoint} would be).")
    try:
        module = network.build(checkpoint.state)
        module.load_state_dict(checkpoint.state)
    except (RuntimeError, KeyError) as error:
        problem = next((line.strip() for line in str(error).splitlines()[1:]), str(error))
        raise ModelFileError(f"{path.name} does not fit {network.title}: {problem}") from None
    return module.eval().requires_grad_(False), checkpoint


def example(network: Network, seed: int = 0) -> Tensor:
    """A smooth random picture as the network's input, (1, 3, H, W): faces are smooth too, white noise is not."""
    height, width = network.size
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 12, 12, generator=generator)
    fine = torch.rand(1, 3, height, width, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
    pixels = (255 * (0.85 * smooth + 0.15 * fine)).clamp(0, 255)
    mean, std = (torch.tensor(values)[:, None, None] for values in (network.scale.mean, network.scale.std))
    return (pixels - mean) / std
