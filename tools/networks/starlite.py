"""StarLite: 98 facial points with a covariance each, and a face-presence score, from one 112-pixel crop.

Inverted residuals (ReLU only, so that every layer fuses in ONNX Runtime) down to 7x7, back up to 14x14, a 28x28 heat map per
point (four values a cell), and the expectation and second moments of its softmax. A pooled vector of the deepest layer is
added everywhere, so that a hidden point can be placed from the rest of the face.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

INPUT_SIZE = 112
POINTS = 98


@dataclass(frozen=True)
class StarLiteSize:
    """Widths and depths; the defaults are the shipped network."""

    stem: int = 16
    quarter: int = 24
    eighth: int = 40
    sixteenth: int = 96
    head: int = 64
    mixed: int = 64
    quarter_blocks: int = 2
    eighth_blocks: int = 4
    sixteenth_blocks: int = 4
    expansion: int = 3

    def as_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return asdict(self)


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True
) -> nn.Sequential:
    """Convolution without bias, batch normalisation, and ReLU where asked for."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Widen by 1x1, filter per channel, narrow by 1x1; the input is added where the shape allows (MobileNetV2)."""

    def __init__(self, inputs: int, outputs: int, hidden: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(inputs, hidden, 1),
            conv_bn(hidden, hidden, 3, stride, hidden),
            conv_bn(hidden, outputs, 1, relu=False),
        )
        self.add = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Features in, features out."""
        return x + self.body(x) if self.add else self.body(x)


class FusedResidual(nn.Module):
    """A plain 3x3 convolution in place of the first two layers: faster where channels are few and pixels many."""

    def __init__(self, inputs: int, outputs: int, hidden: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_bn(inputs, hidden, 3, stride), conv_bn(hidden, outputs, 1, relu=False))

    def forward(self, x: Tensor) -> Tensor:
        """Features in, features out."""
        return self.body(x)


def _stage(inputs: int, outputs: int, blocks: int, expansion: int, first: nn.Module | None = None) -> nn.Sequential:
    head = first if first is not None else InvertedResidual(inputs, outputs, inputs * expansion, 2)
    return nn.Sequential(head, *[InvertedResidual(outputs, outputs, outputs * expansion) for _ in range(blocks)])


def _quarter_cell_moments(cells: int) -> Tensor:
    """x, y, xx, xy, yy (4 * cells * cells, 5) of the quarter cells, from the crop's centre, quarter by quarter.

    The heat map has twice the resolution of the features: each feature cell gives four values, one per quarter. They stay
    in the order the convolution gives them, so no pixel shuffle is needed; only these positions must follow it.
    """
    corner = torch.arange(cells) / cells
    y, x = torch.meshgrid(corner, corner, indexing="ij")
    step = 1 / (4 * cells)
    x = torch.stack([x + step * (1 + 2 * (k % 2)) for k in range(4)]).flatten() - 0.5
    y = torch.stack([y + step * (1 + 2 * (k // 2)) for k in range(4)]).flatten() - 0.5
    return torch.stack([x, y, x * x, x * y, y * y], 1)


class StarLite(nn.Module):
    """Input (N, 3, 112, 112) RGB in -1..1; see `forward`."""

    grid: Tensor

    def __init__(self, size: StarLiteSize | None = None) -> None:
        super().__init__()
        self.size = size = size or StarLiteSize()
        self.stem = conv_bn(3, size.stem, 3, 2)
        first = FusedResidual(size.stem, size.quarter, 2 * size.stem, 2)
        self.quarter = _stage(size.stem, size.quarter, size.quarter_blocks, size.expansion, first)
        self.eighth = _stage(size.quarter, size.eighth, size.eighth_blocks, size.expansion)
        self.sixteenth = _stage(size.eighth, size.sixteenth, size.sixteenth_blocks, size.expansion)
        self.from_eighth = nn.Conv2d(size.eighth, size.head, 1, bias=False)
        self.from_sixteenth = nn.Conv2d(size.sixteenth, size.head, 1, bias=False)
        self.detail = nn.Conv2d(size.quarter, size.head, 3, 2, 1, bias=False)
        self.context = nn.Linear(size.sixteenth, size.head)
        self.refine = InvertedResidual(size.head, size.head, 2 * size.head)
        self.mix = nn.Sequential(
            conv_bn(size.head, size.head, 5, 1, size.head, relu=False), conv_bn(size.head, size.mixed, 1)
        )
        self.heat = nn.Conv2d(size.mixed, POINTS * 4, 1)
        self.presence = nn.Sequential(nn.Linear(size.sixteenth, 32), nn.ReLU(inplace=True), nn.Linear(32, 1))
        self.register_buffer("grid", _quarter_cell_moments(INPUT_SIZE // 8), persistent=False)

    def start_quiet(self) -> None:
        """Let every block with a shortcut begin as the identity, and the detail path as zero: layers can be added to a trained network."""
        nn.init.zeros_(self.detail.weight)
        for block in self.modules():
            if isinstance(block, InvertedResidual) and block.add:
                nn.init.zeros_(block.body[-1][-1].weight)

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points (N, 98, 2) in 0..1 of the crop; covariance (N, 98, 3): xx, xy, yy in crop units squared; presence logit (N, 1)."""
        return self.read(*self.look(crop))

    def look(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """Heat maps (N, 98, 4 * 14 * 14) before the softmax, and the presence logit (N, 1): all that bfloat16 is fine for."""
        quarter = self.quarter(self.stem(crop))
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        pooled = sixteenth.mean((2, 3))
        features = self.from_eighth(eighth) + functional.interpolate(self.from_sixteenth(sixteenth), scale_factor=2.0)
        features = features + self.detail(quarter) + self.context(pooled)[:, :, None, None]
        features = self.refine(functional.relu(features))
        return self.heat(self.mix(features)).reshape(len(crop), POINTS, -1), self.presence(pooled)

    def read(self, heat: Tensor, presence: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `forward` gives, from what `look` gives: expectation and second moments, which need float32."""
        weights = heat.softmax(-1)
        moments = weights @ self.grid
        x, y, xx, xy, yy = moments.unbind(-1)
        points = torch.stack([x, y], -1) + 0.5
        covariance = torch.stack([xx - x * x, xy - x * y, yy - y * y], -1)
        return points, covariance, presence


LID_PAIRS = (((61, 67), (71, 73)), ((62, 66), (70, 74)), ((63, 65), (69, 75)))
"""Upper and lower lid at the outer, middle and inner place of the right and the left eye."""


def lid_stretch(shares: Tensor) -> Tensor:
    """A matrix (98, 98) that moves lids away from each other, from points to points.

    shares: (3, 2) of the pair's distance by which the upper and the lower lid of each place move outward; shut lids stay shut.
    """
    out = torch.eye(POINTS)
    for place, (up, down) in zip(LID_PAIRS, shares.tolist(), strict=True):
        for upper, lower in place:
            out[upper, upper], out[upper, lower] = 1 + up, -up
            out[lower, lower], out[lower, upper] = 1 + down, -down
    return out


class StarLiteExport(nn.Module):
    """The network as the runtime sees it: a calibrated covariance, calibrated lids, and the presence as a probability."""

    stretch: Tensor

    def __init__(
        self,
        network: StarLite,
        covariance_scale: float = 1.0,
        presence_shift: float = 0.0,
        stretch: Tensor | None = None,
    ) -> None:
        """stretch: (98, 98) of `lid_stretch`; None leaves the points as they are."""
        super().__init__()
        self.register_buffer("stretch", stretch, persistent=False)
        self.network = network
        self.covariance_scale = covariance_scale
        self.presence_shift = presence_shift

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points (1, 98, 2), covariance (1, 98, 3), presence (1,)."""
        points, covariance, presence = self.network(crop)
        if self.stretch is not None:
            points = self.stretch @ points
        return points, covariance * self.covariance_scale, torch.sigmoid(presence + self.presence_shift).flatten()
