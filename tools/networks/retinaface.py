"""RetinaFace with a MobileNet-0.25 trunk (Deng et al., CVPR 2020, arXiv 1905.00641), rebuilt in torch.

Module names follow the public checkpoint's keys, so that official weights load unchanged.
Input: (N, 3, H, W) float32 BGR, 0..255 minus `MEAN`, any H and W.
Output of `RetinaFace.forward`: loc (N, P, 4), logits (N, P, 2), landmarks (N, P, 10), rows in the order of `priors`.
"""

import math
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from realtime.errors import ModelFileError

MEAN = (104.0, 117.0, 123.0)
STEPS = (8, 16, 32)
MIN_SIZES = ((16, 32), (64, 128), (256, 512))
VARIANCES = (0.1, 0.2)
SLOPE = 0.1
FPN_CHANNELS = 64
ANCHORS_PER_CELL = 2
PARAMETERS = 426_608


def _conv_bn(inputs: int, outputs: int, stride: int = 1, kernel: int = 3, slope: float | None = SLOPE) -> nn.Sequential:
    """Convolution and BatchNorm, then a leaky ReLU unless `slope` is None."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if slope is not None:
        layers.append(nn.LeakyReLU(slope, inplace=True))
    return nn.Sequential(*layers)


def _depthwise(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A MobileNetV1 block: 3x3 per channel, then 1x1 across channels."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.LeakyReLU(SLOPE, inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(SLOPE, inplace=True),
    )


class Trunk(nn.Module):
    """MobileNetV1 at a quarter of its width; returns the maps at strides 8, 16 and 32 (64, 128, 256 channels)."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(
            _conv_bn(3, 8, 2),
            _depthwise(8, 16, 1),
            _depthwise(16, 32, 2),
            _depthwise(32, 32, 1),
            _depthwise(32, 64, 2),
            _depthwise(64, 64, 1),
        )
        self.stage2 = nn.Sequential(_depthwise(64, 128, 2), *(_depthwise(128, 128, 1) for _ in range(5)))
        self.stage3 = nn.Sequential(_depthwise(128, 256, 2), _depthwise(256, 256, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.stage1(x)
        middle = self.stage2(fine)
        return fine, middle, self.stage3(middle)


def _grow(coarse: Tensor, like: Tensor) -> Tensor:
    """Nearest-neighbour doubling, cut to `like`'s size.

    For the sizes that occur (twice, or twice less one) this equals an interpolation to `like`'s size exactly, and a constant
    scale lets an inference engine keep its blocked memory layout.
    """
    doubled = functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
    return doubled[:, :, : like.shape[2], : like.shape[3]]


class Pyramid(nn.Module):
    """Feature pyramid: three maps of 64 channels, information flowing from coarse to fine."""

    def __init__(self) -> None:
        super().__init__()
        self.output1 = _conv_bn(64, FPN_CHANNELS, kernel=1)
        self.output2 = _conv_bn(128, FPN_CHANNELS, kernel=1)
        self.output3 = _conv_bn(256, FPN_CHANNELS, kernel=1)
        self.merge1 = _conv_bn(FPN_CHANNELS, FPN_CHANNELS)
        self.merge2 = _conv_bn(FPN_CHANNELS, FPN_CHANNELS)

    def forward(self, maps: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        fine, middle, coarse = self.output1(maps[0]), self.output2(maps[1]), self.output3(maps[2])
        middle = self.merge2(middle + _grow(coarse, middle))
        fine = self.merge1(fine + _grow(middle, fine))
        return fine, middle, coarse


class ContextModule(nn.Module):
    """SSH's context module: 3x3, 5x5 and 7x7 views (as stacked 3x3) side by side (Najibi et al., ICCV 2017)."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = FPN_CHANNELS // 2, FPN_CHANNELS // 4
        self.conv3X3 = _conv_bn(FPN_CHANNELS, half, slope=None)
        self.conv5X5_1 = _conv_bn(FPN_CHANNELS, quarter)
        self.conv5X5_2 = _conv_bn(quarter, quarter, slope=None)
        self.conv7X7_2 = _conv_bn(quarter, quarter)
        self.conv7x7_3 = _conv_bn(quarter, quarter, slope=None)

    def forward(self, x: Tensor) -> Tensor:
        wider = self.conv5X5_1(x)
        views = (self.conv3X3(x), self.conv5X5_2(wider), self.conv7x7_3(self.conv7X7_2(wider)))
        return functional.relu(torch.cat(views, dim=1))


class Head(nn.Module):
    """A 1x1 convolution read out as one row of `values` numbers per anchor: (N, H*W*anchors, values)."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(FPN_CHANNELS, ANCHORS_PER_CELL * values, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv1x1(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1, self.values)


class RetinaFace(nn.Module):
    """The whole detector; 426,608 trainable parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Trunk()
        self.fpn = Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = ContextModule(), ContextModule(), ContextModule()
        self.ClassHead = nn.ModuleList(Head(2) for _ in STEPS)
        self.BboxHead = nn.ModuleList(Head(4) for _ in STEPS)
        self.LandmarkHead = nn.ModuleList(Head(10) for _ in STEPS)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three maps (N, 64, ceil(H/step), ceil(W/step)) the heads read."""
        fine, middle, coarse = self.fpn(self.body(x))
        return self.ssh1(fine), self.ssh2(middle), self.ssh3(coarse)

    def read_out(self, maps: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Box offsets (N, P, 4), class logits (N, P, 2: background, face) and point offsets (N, P, 10)."""
        loc = torch.cat([head(m) for head, m in zip(self.BboxHead, maps, strict=True)], dim=1)
        logits = torch.cat([head(m) for head, m in zip(self.ClassHead, maps, strict=True)], dim=1)
        points = torch.cat([head(m) for head, m in zip(self.LandmarkHead, maps, strict=True)], dim=1)
        return loc, logits, points

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.read_out(self.features(x))


def priors(height: int, width: int) -> NDArray[np.float32]:
    """(P, 4) anchors cx, cy, w, h as fractions of the input, for an input of that size in pixels."""
    rows = []
    for step, sizes in zip(STEPS, MIN_SIZES, strict=True):
        ys, xs = np.meshgrid(np.arange(math.ceil(height / step)), np.arange(math.ceil(width / step)), indexing="ij")
        centre = np.stack([(xs + 0.5) * step / width, (ys + 0.5) * step / height], axis=-1)
        for_sizes = [
            np.concatenate([centre, np.broadcast_to([size / width, size / height], centre.shape)], axis=-1)
            for size in sizes
        ]
        rows.append(np.stack(for_sizes, axis=2).reshape(-1, 4))
    return np.concatenate(rows).astype(np.float32)


def decode(
    loc: NDArray[np.float32], landmarks: NDArray[np.float32], anchors: NDArray[np.float32], height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (P, 4) x1, y1, x2, y2 and points (P, 5, 2), pixels of the input, from offsets (P, 4) and (P, 10)."""
    size = np.array([width, height], dtype=np.float32)
    centre = anchors[:, :2] + loc[:, :2] * VARIANCES[0] * anchors[:, 2:]
    half = anchors[:, 2:] * np.exp(np.clip(loc[:, 2:] * VARIANCES[1], -10, 10)) / 2
    boxes = np.concatenate([(centre - half) * size, (centre + half) * size], axis=1)
    points = anchors[:, None, :2] + landmarks.reshape(-1, 5, 2) * VARIANCES[0] * anchors[:, None, 2:]
    return boxes.astype(np.float32), (points * size).astype(np.float32)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """A checkpoint's tensors, read without running code from the file; `module.` prefixes are taken off.

    Raises ModelFileError: missing, not a torch checkpoint, or one that wants to run code.
    """
    if not path.is_file():
        raise ModelFileError(f"{path} is not there; name the checkpoint file of the detector.")
    try:
        with warnings.catch_warnings():
            # torch warns of pickles by other writers; whether they are harmless is decided by the reading itself.
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelFileError(
            f"{path} holds more than numbers, and it was refused unread: {_first_line(error)}"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelFileError(f"{path} is no torch checkpoint, or it is cut short: {_first_line(error)}") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise ModelFileError(f"{path} is a torch file but holds no table of tensors.")
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def load(path: Path) -> RetinaFace:
    """The network with a checkpoint's weights, in evaluation mode. Raises ModelFileError when it is another network's."""
    tensors = read_state_dict(path)
    network = RetinaFace()
    expected = network.state_dict()
    missing = sorted(expected.keys() - tensors.keys())
    foreign = sorted(tensors.keys() - expected.keys())
    shapes = sorted(k for k in expected.keys() & tensors.keys() if expected[k].shape != tensors[k].shape)
    if missing or foreign or shapes:
        example = (missing or foreign or shapes)[0]
        raise ModelFileError(
            f"{path} is not a RetinaFace MobileNet-0.25 checkpoint: {len(missing)} tensors missing, {len(foreign)} foreign, "
            f"{len(shapes)} of another shape (for example {example})."
        )
    network.load_state_dict(tensors)
    result: RetinaFace = network.eval()
    return result
