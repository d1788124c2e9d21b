"""STAR rewritten for running: the same numbers from fewer and cheaper operations.

What changes: batch normalisation after a convolution is folded into it; skip convolutions that are never used are gone;
coordinate channels are constant, so their share of a convolution is a constant map; the three heads of a stack are one
convolution, the maps they yield are merged back by one; the expectation is one matrix product; stacks after the wanted
one, and outputs nobody reads, are not there at all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from realtime.errors import UserInputError
from tools.networks import star

LANES = 16  # convolution kernels work on blocks of 16 channels; the head's 205 are padded to 208


class Residual(nn.Module):
    """Pre-activation bottleneck with its second and third normalisation folded away."""

    def __init__(self, block: star.ResidualBlock) -> None:
        super().__init__()
        self.norm: nn.Module = block.bn1
        self.conv1 = fuse_conv_bn_eval(block.conv1.conv, block.bn2)
        self.conv2 = fuse_conv_bn_eval(block.conv2.conv, block.bn3)
        self.conv3 = block.conv3.conv
        self.skip = block.skip_layer.conv if block.uses_skip else None

    def forward(self, x: Tensor) -> Tensor:
        out = torch.relu(self.conv1(torch.relu(self.norm(x))))
        out = self.conv3(torch.relu(self.conv2(out)))
        return out + (x if self.skip is None else self.skip(x))


class Stem(nn.Module):
    """The first CoordConv: a convolution of the picture plus the constant share of the coordinates."""

    share: Tensor

    def __init__(self, block: star.CoordConv) -> None:
        super().__init__()
        if block.bn is None:
            raise TypeError("the stem has a batch normalisation")
        self.conv, extra = split_inputs(fuse_conv_bn_eval(block.conv, block.bn), 3)
        self.register_buffer("share", constant_share(extra, block.addcoords.coordinates))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x) + self.share)


class Entry(nn.Module):
    """An hourglass's CoordConv: a 1x1 convolution, plus what the coordinate and boundary channels add.

    Without a boundary that is a constant map; with one it is a convolution of five channels, far cheaper than a second
    constant map and a choice between the two, and one that an integer engine knows.
    """

    share: Tensor
    coordinates: Tensor

    def __init__(self, block: star.CoordConv, channels: int) -> None:
        super().__init__()
        self.conv, extra = split_inputs(block.conv, channels)
        self.register_buffer("coordinates", block.addcoords.coordinates)
        self.extra = extra if extra.in_channels > 3 else None
        if self.extra is None:
            self.register_buffer("share", constant_share(extra, self.coordinates))

    def forward(self, x: Tensor, last_heat: Tensor | None) -> Tensor:
        x = self.conv(x)
        if last_heat is None or self.extra is None:
            return x + self.share
        boundary = (last_heat > star.BOUNDARY_LEVEL).to(x.dtype) * self.coordinates[:, :2]
        coordinates = self.coordinates.expand(x.shape[0], -1, -1, -1)
        return x + self.extra(torch.cat([coordinates, boundary], dim=1))


class Hourglass(nn.Module):
    """The recursion below an hourglass's entry."""

    def __init__(self, block: star.Hourglass) -> None:
        super().__init__()
        self.up1 = Residual(block.up1)
        self.low1 = Residual(block.low1)
        below = block.low2
        self.low2: nn.Module = Hourglass(below) if isinstance(below, star.Hourglass) else Residual(below)
        self.low3 = Residual(block.low3)

    def forward(self, x: Tensor) -> Tensor:
        low = self.low3(self.low2(self.low1(functional.max_pool2d(x, 2))))
        return self.up1(x) + functional.interpolate(low, scale_factor=2.0, mode="nearest")


class Decoder(nn.Module):
    """Heat, point and edge logits (1, P + P + E, 64, 64) -> landmarks (1, P, 2) in [-1, 1]."""

    grid: Tensor

    def __init__(self, spread: star.EdgesToPoints) -> None:
        super().__init__()
        self.spread = spread
        self.points, self.edges = int(spread.weight.shape[0]), int(spread.weight.shape[1])
        down, along, _ = star.coordinate_channels(star.GRID)
        self.register_buffer("grid", torch.stack([along, down, torch.ones_like(along)], dim=-1).reshape(-1, 3))

    def forward(self, heat: Tensor, attention: Tensor) -> Tensor:
        points = attention[:, : self.points]
        edges = attention[:, self.points : self.points + self.edges]
        fused = self.spread(edges) * points * heat
        sums = fused.flatten(2) @ self.grid
        return sums[..., :2] / sums[..., 2:].clamp(min=star.MIN_MASS)


class Stack(nn.Module):
    """One hourglass with its features and heads; `more` also yields what the next stack reads."""

    def __init__(self, network: star.StackedHourglass, k: int) -> None:
        super().__init__()
        glass = network.hgs[k]
        if not isinstance(glass, star.Hourglass) or glass.coordconv is None:
            raise TypeError("an outermost hourglass begins with a CoordConv")
        self.entry = Entry(glass.coordconv, star.CHANNELS)
        self.glass = Hourglass(glass)
        block, reduce = network.features[k]
        self.feature = Residual(block)
        self.reduce = fuse_conv_bn_eval(reduce.conv, reduce.bn)
        heads = (network.out_heatmaps[k], network.out_pointmaps[k], network.out_edgemaps[k])
        self.heads = pad_outputs(joined_outputs([head.conv for head in heads]))
        self.points = int(heads[0].conv.weight.shape[0])

    def forward(self, x: Tensor, last_heat: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Feature (1, 256, 64, 64), heat maps (1, P, 64, 64), attention: point, edge and padding maps together."""
        feature = torch.relu(self.reduce(self.feature(self.glass(self.entry(x, last_heat)))))
        maps = self.heads(feature)
        heat = torch.relu(functional.instance_norm(maps[:, : self.points]))
        return feature, heat, torch.sigmoid(maps[:, self.points :])


class Merge(nn.Module):
    """What a stack hands to the trunk of the next."""

    def __init__(self, network: star.StackedHourglass, k: int, width: int) -> None:
        super().__init__()
        self.from_feature = network.merge_features[k].conv
        maps = (network.merge_heatmaps[k], network.merge_pointmaps[k], network.merge_edgemaps[k])
        self.from_maps = pad_inputs(joined_inputs([merge.conv for merge in maps]), width)

    def forward(self, x: Tensor, feature: Tensor, heat: Tensor, attention: Tensor) -> Tensor:
        return x + self.from_feature(feature) + self.from_maps(torch.cat([heat, attention], dim=1))


class DeployedStar(nn.Module):
    """(1, 3, 256, 256) BGR in [-1, 1] -> landmarks (1, P, 2) in [-1, 1] of stack `stacks`, the cheaper tier of the same weights.

    for_integers: the remaining normalisations become convolutions, which integer engines have; normalisation they have not.
    """

    def __init__(
        self, network: star.StackedHourglass, stacks: int | None = None, *, for_integers: bool = False
    ) -> None:
        super().__init__()
        stacks = network.stacks if stacks is None else stacks
        if not 1 <= stacks <= network.stacks:
            raise UserInputError(
                f"this STAR checkpoint has {network.stacks} stacks; --stacks takes 1 to {network.stacks}."
            )
        stem, first, _, second, third = network.pre
        self.stem = Stem(stem)
        self.pre1, self.pre2, self.pre3 = Residual(first), Residual(second), Residual(third)
        self.stacks = nn.ModuleList(Stack(network, k) for k in range(stacks))
        width = self.stacks[0].heads.out_channels
        self.merges = nn.ModuleList(Merge(network, k, width) for k in range(stacks - 1))
        self.decoder = Decoder(network.e2h_transform)
        if for_integers:
            for block in self.modules():
                if isinstance(block, Residual) and isinstance(block.norm, nn.BatchNorm2d):
                    block.norm = as_convolution(block.norm)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        x = self.pre3(self.pre2(functional.max_pool2d(self.pre1(self.stem(image)), 2)))
        last_heat = None
        for stack, merge in zip(self.stacks, [*self.merges, None], strict=True):
            feature, heat, attention = stack(x, last_heat)
            if merge is not None:
                x = merge(x, feature, heat, attention)
            last_heat = heat[:, -1:]
        return self.decoder(heat, attention)


def _conv(weight: Tensor, bias: Tensor | None, like: nn.Conv2d) -> nn.Conv2d:
    outputs, inputs, height, width = weight.shape
    conv = nn.Conv2d(inputs, outputs, (height, width), like.stride, like.padding, bias=bias is not None)
    conv.weight = nn.Parameter(weight.clone())
    if bias is not None:
        conv.bias = nn.Parameter(bias.clone())
    return conv.eval()


def as_convolution(norm: nn.BatchNorm2d) -> nn.Conv2d:
    """A batch normalisation in evaluation mode as a 1x1 convolution of each channel by itself."""
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("the normalisation keeps no statistics")
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    conv = nn.Conv2d(norm.num_features, norm.num_features, 1, groups=norm.num_features)
    conv.weight = nn.Parameter(scale[:, None, None, None].clone())
    conv.bias = nn.Parameter((norm.bias - norm.running_mean * scale).clone())
    return conv.eval()


def _bias(conv: nn.Conv2d) -> Tensor:
    return conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias


def split_inputs(conv: nn.Conv2d, first: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Two convolutions whose sum is `conv`: of its first input channels (without bias) and of the rest (with it)."""
    return _conv(conv.weight[:, :first], None, conv), _conv(conv.weight[:, first:], _bias(conv), conv)


def constant_share(conv: nn.Conv2d, constant: Tensor) -> Tensor:
    """What a convolution yields for constant input channels."""
    with torch.no_grad():
        return functional.conv2d(constant, conv.weight, conv.bias, conv.stride, conv.padding)


def joined_outputs(convs: list[nn.Conv2d]) -> nn.Conv2d:
    """One convolution with the outputs of all, one after another."""
    return _conv(torch.cat([c.weight for c in convs]), torch.cat([_bias(c) for c in convs]), convs[0])


def joined_inputs(convs: list[nn.Conv2d]) -> nn.Conv2d:
    """One convolution of the inputs of all, one after another, that yields the sum of their outputs."""
    return _conv(torch.cat([c.weight for c in convs], dim=1), torch.stack([_bias(c) for c in convs]).sum(0), convs[0])


def pad_outputs(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution with zero outputs added up to a multiple of LANES."""
    missing = -conv.out_channels % LANES
    weight = functional.pad(conv.weight, (0, 0, 0, 0, 0, 0, 0, missing))
    return _conv(weight, functional.pad(_bias(conv), (0, missing)), conv)


def pad_inputs(conv: nn.Conv2d, width: int) -> nn.Conv2d:
    """The convolution taking `width` input channels, the added ones without effect."""
    return _conv(functional.pad(conv.weight, (0, 0, 0, 0, 0, width - conv.in_channels)), _bias(conv), conv)
