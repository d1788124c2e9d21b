"""STAR's landmark network: four stacked hourglasses with coordinate channels and attention maps.

Built from the STAR paper (CVPR 2023, arXiv 2306.02763), ADNet's attention maps (ICCV 2021) and CoordConv (NeurIPS 2018).
Attribute names are those of the published checkpoints, so that their state dictionaries load unchanged.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CROP = 256  # pixels a side of the square input
GRID = CROP // 4  # cells a side of every map inside and of the heat maps
CHANNELS = 256
MIN_MASS = 1e-6  # a heat map's sum is taken as at least this
BOUNDARY_LEVEL = 0.05  # where the last heat map is above this, the boundary coordinates are passed on

WFLW_EDGES = (
    range(33),
    range(33, 42),
    range(42, 51),
    range(51, 55),
    range(55, 60),
    range(60, 68),
    range(68, 76),
    range(76, 88),
    range(88, 96),
)
IBUG_EDGES = (
    range(17),
    range(17, 22),
    range(22, 27),
    range(27, 31),
    range(31, 36),
    range(36, 42),
    range(42, 48),
    range(48, 60),
    range(60, 68),
)
EDGES = {98: WFLW_EDGES, 68: IBUG_EDGES}


@dataclass(frozen=True, slots=True)
class StarOutput:
    """What one stack says: landmarks (B, P, 2) x, y in [-1, 1]; point maps (B, P, 64, 64); edge maps (B, E, 64, 64);
    fused heat maps (B, P, 64, 64), whose expectation the landmarks are."""

    landmarks: Tensor
    point_maps: Tensor
    edge_maps: Tensor
    fused: Tensor


def coordinate_channels(size: int) -> Tensor:
    """(3, size, size): first coordinate (it runs DOWN the rows, as in the published weights), second (along the columns),
    and the radius divided by its largest value; the coordinates run from -1 to 1 inclusive."""
    line = torch.arange(size, dtype=torch.float32) / (size - 1) * 2 - 1
    down = line[:, None].expand(size, size)
    along = line[None, :].expand(size, size)
    radius = torch.sqrt(down**2 + along**2)
    return torch.stack([down, along, radius / radius.max()])


def expectation(heat: Tensor) -> Tensor:
    """Landmarks (B, P, 2) as the expected x, y in [-1, 1] of non-negative maps (B, P, H, W)."""
    height, width = heat.shape[2:]
    across = torch.arange(width, dtype=heat.dtype, device=heat.device) / (width - 1) * 2 - 1
    down = torch.arange(height, dtype=heat.dtype, device=heat.device) / (height - 1) * 2 - 1
    mass = heat.sum((2, 3)).clamp(min=MIN_MASS)
    x = (heat.sum(2) * across).sum(2) / mass
    y = (heat.sum(3) * down).sum(2) / mass
    return torch.stack([x, y], dim=-1)


class ConvBlock(nn.Module):
    """Convolution with bias, "same" padding, and on request batch normalisation and ReLU after it."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        norm: bool = False,
        relu: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2)
        self.relu = nn.ReLU() if relu else None
        self.bn = nn.BatchNorm2d(outputs) if norm else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        return x if self.relu is None else self.relu(x)


class ResidualBlock(nn.Module):
    """Pre-activation bottleneck. The checkpoints hold a skip convolution for every block; it is used only where the
    number of channels changes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = outputs // 2
        self.relu = nn.ReLU()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = ConvBlock(inputs, middle, 1)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv2 = ConvBlock(middle, middle, 3)
        self.bn3 = nn.BatchNorm2d(middle)
        self.conv3 = ConvBlock(middle, outputs, 1)
        self.skip_layer = ConvBlock(inputs, outputs, 1)
        self.uses_skip = inputs != outputs

    def forward(self, x: Tensor) -> Tensor:
        residual = self.skip_layer(x) if self.uses_skip else x
        out = self.conv1(self.relu(self.bn1(x)))
        out = self.conv2(self.relu(self.bn2(out)))
        out = self.conv3(self.relu(self.bn3(out)))
        return out + residual


class AddCoordinates(nn.Module):
    """Appends the coordinate channels, and with a heat map the two boundary channels: the coordinates where its last
    channel, clamped to 0..1, exceeds 0.05, and zero elsewhere."""

    coordinates: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("coordinates", coordinate_channels(size)[None], persistent=False)

    def forward(self, x: Tensor, heat: Tensor | None = None) -> Tensor:
        coordinates = self.coordinates.expand(x.shape[0], -1, -1, -1)
        if heat is None:
            return torch.cat([x, coordinates], dim=1)
        boundary = (heat[:, -1:].clamp(0.0, 1.0) > BOUNDARY_LEVEL).to(x.dtype)
        return torch.cat([x, coordinates, boundary * coordinates[:, :2]], dim=1)


class CoordConv(nn.Module):
    """A convolution that sees where it is."""

    def __init__(
        self,
        size: int,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        boundary: bool = False,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.addcoords = AddCoordinates(size)
        extra = 5 if boundary else 3
        self.conv = nn.Conv2d(inputs + extra, outputs, kernel, stride, padding=(kernel - 1) // 2)
        self.relu = nn.ReLU() if norm else None
        self.bn = nn.BatchNorm2d(outputs) if norm else None

    def forward(self, x: Tensor, heat: Tensor | None = None) -> Tensor:
        x = self.conv(self.addcoords(x, heat))
        if self.bn is not None and self.relu is not None:
            x = self.relu(self.bn(x))
        return x


class Hourglass(nn.Module):
    """Recursive encoder and decoder with a residual block on every level; the outermost begins with a CoordConv."""

    def __init__(self, levels: int, channels: int, *, outermost: bool = False, boundary: bool = False) -> None:
        super().__init__()
        self.coordconv = CoordConv(GRID, channels, channels, 1, boundary=boundary) if outermost else None
        self.up1 = ResidualBlock(channels, channels)
        self.pool1 = nn.MaxPool2d(2)
        self.low1 = ResidualBlock(channels, channels)
        self.low2: nn.Module = Hourglass(levels - 1, channels) if levels > 1 else ResidualBlock(channels, channels)
        self.low3 = ResidualBlock(channels, channels)
        self.up2 = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: Tensor, heat: Tensor | None = None) -> Tensor:
        if self.coordconv is not None:
            x = self.coordconv(x, heat)
        low = self.low3(self.low2(self.low1(self.pool1(x))))
        return self.up1(x) + self.up2(low)


class Activation(nn.Module):
    """Sigmoid for the attention maps; instance normalisation without weights, then ReLU, for the heat maps.

    The normalisation is a function call, not a module: a report that lists modules does not see it.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "sigmoid":
            return torch.sigmoid(x)
        return functional.relu(functional.instance_norm(x))

    def extra_repr(self) -> str:
        return self.kind


class EdgesToPoints(nn.Module):
    """Spreads each edge's map to that edge's points; a point on no edge gets the constant 1."""

    weight: Tensor
    bias: Tensor

    def __init__(self, points: int, edges: int) -> None:
        super().__init__()
        matrix = torch.zeros(points, edges)
        for edge, members in enumerate(EDGES.get(points, ())[:edges]):
            matrix[list(members), edge] = 1
        self.register_buffer("weight", matrix[:, :, None, None].clone())
        self.register_buffer("bias", (matrix.sum(1) < 0.5).float())

    def forward(self, edge_maps: Tensor) -> Tensor:
        return functional.conv2d(edge_maps, self.weight, self.bias)


class StackedHourglass(nn.Module):
    """(B, 3, 256, 256) BGR in [-1, 1] -> one StarOutput per stack, of the first `stacks` or all. points: 98 (WFLW) or 68 (300W)."""

    def __init__(self, points: int = 98, edges: int = 9, stacks: int = 4, levels: int = 4) -> None:
        super().__init__()
        self.stacks = stacks
        width = CHANNELS
        self.pre = nn.Sequential(
            CoordConv(CROP, 3, 64, 7, 2, norm=True),
            ResidualBlock(64, 128),
            nn.MaxPool2d(2),
            ResidualBlock(128, 128),
            ResidualBlock(128, width),
        )
        self.hgs = nn.ModuleList(Hourglass(levels, width, outermost=True, boundary=k > 0) for k in range(stacks))
        self.features = nn.ModuleList(
            nn.Sequential(ResidualBlock(width, width), ConvBlock(width, width, 1, norm=True, relu=True))
            for _ in range(stacks)
        )
        self.out_heatmaps = nn.ModuleList(ConvBlock(width, points, 1) for _ in range(stacks))
        self.e2h_transform = EdgesToPoints(points, edges)
        self.out_edgemaps = nn.ModuleList(ConvBlock(width, edges, 1) for _ in range(stacks))
        self.out_pointmaps = nn.ModuleList(ConvBlock(width, points, 1) for _ in range(stacks))
        self.merge_edgemaps = nn.ModuleList(ConvBlock(edges, width, 1) for _ in range(stacks - 1))
        self.merge_pointmaps = nn.ModuleList(ConvBlock(points, width, 1) for _ in range(stacks - 1))
        self.edgemap_act = Activation("sigmoid")
        self.pointmap_act = Activation("sigmoid")
        self.merge_features = nn.ModuleList(ConvBlock(width, width, 1) for _ in range(stacks - 1))
        self.merge_heatmaps = nn.ModuleList(ConvBlock(points, width, 1) for _ in range(stacks - 1))
        self.heatmap_act = Activation("instance_norm+relu")

    def forward(self, image: Tensor, stacks: int | None = None) -> list[StarOutput]:
        wanted = self.stacks if stacks is None else stacks
        x = self.pre(image)
        outputs: list[StarOutput] = []
        heat: Tensor | None = None
        for k in range(wanted):
            feature = self.features[k](self.hgs[k](x, heat))
            heat = self.heatmap_act(self.out_heatmaps[k](feature))
            points = self.pointmap_act(self.out_pointmaps[k](feature))
            edges = self.edgemap_act(self.out_edgemaps[k](feature))
            fused = self.e2h_transform(edges) * points * heat
            outputs.append(StarOutput(expectation(fused), points, edges, fused))
            if k < wanted - 1:
                x = x + self.merge_features[k](feature) + self.merge_heatmaps[k](heat)
                x = x + self.merge_pointmaps[k](points) + self.merge_edgemaps[k](edges)
        return outputs


def shape_of(state: dict[str, Tensor]) -> tuple[int, int, int]:
    """Points, edges and stacks of a checkpoint's state dictionary."""
    stacks = sum(1 for key in state if key.startswith("out_heatmaps.") and key.endswith(".conv.weight"))
    return state["out_heatmaps.0.conv.weight"].shape[0], state["out_edgemaps.0.conv.weight"].shape[0], stacks
