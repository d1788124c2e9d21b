"""OpenFace 3.0's multi-task network: EfficientNet-B0 and three heads for emotion, gaze and Action Units.

Built from the EfficientNet paper (ICML 2019) in its TensorFlow variant ("same" padding, BatchNorm epsilon 1e-3) and from
the graph head of ME-GraphAU (IJCAI 2022). Attribute names are those of the published checkpoint.
Input: (B, 3, 224, 224) RGB in 0..1, less the ImageNet mean, over its standard deviation.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZE = 224
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
ACTION_UNITS = (1, 2, 4, 6, 9, 12, 25, 26)
FEATURES = 1280
NEIGHBOURS = 4
EPSILON = 1e-3

# Output channels, kernel, stride of the first block, expansion, number of blocks.
STAGES = (
    (16, 3, 1, 1, 1),
    (24, 3, 2, 6, 2),
    (40, 5, 2, 6, 2),
    (80, 3, 2, 6, 3),
    (112, 5, 1, 6, 3),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
)


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow pads: output size ceil(size / stride), the odd pixel of padding at the end."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, *, bias: bool = False
    ) -> None:
        # Stride 1 with an odd kernel is symmetric, and so is left to the convolution itself.
        symmetric = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding=symmetric, groups=groups, bias=bias)

    def pads(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Left, right, top, bottom padding for an input of this size."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        across, down = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in (width, height))
        return across // 2, across - across // 2, down // 2, down - down // 2

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            x = functional.pad(x, self.pads(int(x.shape[2]), int(x.shape[3])))
        return super().forward(x)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


class SqueezeExcite(nn.Module):
    """Channel attention from the mean over the picture."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, squeezed, 1)
        self.act = nn.SiLU()
        self.conv_expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        attention = self.conv_expand(self.act(self.conv_reduce(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(attention)


class SeparableBlock(nn.Module):
    """Depthwise, squeeze-excite, 1x1: the first stage, which does not expand."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = SameConv(inputs, inputs, kernel, stride, groups=inputs)
        self.bn1 = _norm(inputs)
        self.act = nn.SiLU()
        self.se = SqueezeExcite(inputs, inputs // 4)
        self.conv_pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = _norm(outputs)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv_pw(self.se(self.act(self.bn1(self.conv_dw(x))))))
        return out + x if self.residual else out


class InvertedBlock(nn.Module):
    """Expand 1x1, depthwise, squeeze-excite, project 1x1; a residual where the shape allows."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inputs * expansion
        self.conv_pw = nn.Conv2d(inputs, middle, 1, bias=False)
        self.bn1 = _norm(middle)
        self.conv_dw = SameConv(middle, middle, kernel, stride, groups=middle)
        self.bn2 = _norm(middle)
        self.act = nn.SiLU()
        self.se = SqueezeExcite(middle, inputs // 4)
        self.conv_pwl = nn.Conv2d(middle, outputs, 1, bias=False)
        self.bn3 = _norm(outputs)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        out = self.act(self.bn1(self.conv_pw(x)))
        out = self.se(self.act(self.bn2(self.conv_dw(out))))
        out = self.bn3(self.conv_pwl(out))
        return out + x if self.residual else out


class EfficientNetB0(nn.Module):
    """(B, 3, H, W) -> (B, 1280) pooled features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = SameConv(3, 32, 3, 2)
        self.bn1 = _norm(32)
        self.act = nn.SiLU()
        stages: list[nn.Module] = []
        for (inputs, *_), (outputs, kernel, stride, expansion, count) in pairwise([(32,), *STAGES]):
            blocks: list[nn.Module] = []
            for index in range(count):
                channels, step = (inputs, stride) if index == 0 else (outputs, 1)
                if expansion == 1:
                    blocks.append(SeparableBlock(channels, outputs, kernel, step))
                else:
                    blocks.append(InvertedBlock(channels, outputs, kernel, step, expansion))
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = nn.Conv2d(320, FEATURES, 1, bias=False)
        self.bn2 = _norm(FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.act(self.bn1(self.conv_stem(x))))
        return self.act(self.bn2(self.conv_head(x))).mean((2, 3))


class GraphLayer(nn.Module):
    """One step of a graph network over the AU nodes; each node listens to the nodes most like it (dot product)."""

    def __init__(self, channels: int, nodes: int, neighbours: int = NEIGHBOURS) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.U = nn.Linear(channels, channels)
        self.V = nn.Linear(channels, channels)
        self.bnv = nn.BatchNorm1d(nodes)

    def forward(self, x: Tensor) -> Tensor:
        likeness = x @ x.transpose(1, 2)
        least = likeness.topk(self.neighbours, dim=-1).values[..., -1:]
        adjacency = (likeness >= least).to(x.dtype)
        scale = adjacency.sum(-1, keepdim=True).rsqrt()
        adjacency = scale * adjacency * scale.transpose(1, 2)
        return functional.relu(x + self.bnv(adjacency @ self.V(x) + self.U(x)))


class ActionUnitHead(nn.Module):
    """(B, C) -> (B, AUs) cosine between each AU's node and its learned, non-negative direction: 0 to 1."""

    def __init__(self, channels: int = FEATURES, nodes: int = len(ACTION_UNITS)) -> None:
        super().__init__()
        self.class_linears = nn.ModuleList(nn.Linear(channels, channels) for _ in range(nodes))
        self.gnn = GraphLayer(channels, nodes)
        self.sc = nn.Parameter(torch.zeros(nodes, channels))
        nn.init.xavier_uniform_(self.sc)

    def forward(self, x: Tensor) -> Tensor:
        nodes = self.gnn(torch.stack([layer(x) for layer in self.class_linears], dim=1))
        directions = functional.normalize(functional.relu(self.sc), dim=-1)
        return (functional.normalize(nodes, dim=-1) * directions).sum(-1)


class MultitaskNet(nn.Module):
    """-> emotion logits (B, 8), gaze yaw and pitch in radians (B, 2), AUs 0..1 (B, 8) in the order of ACTION_UNITS."""

    def __init__(self) -> None:
        super().__init__()
        self.base_model = EfficientNetB0()
        self.fc_emotion = nn.Linear(FEATURES, FEATURES)
        self.fc_gaze = nn.Linear(FEATURES, FEATURES)
        self.fc_au = nn.Linear(FEATURES, FEATURES)
        self.emotion_classifier = nn.Linear(FEATURES, len(EMOTIONS))
        self.gaze_regressor = nn.Linear(FEATURES, 2)
        self.au_regressor = ActionUnitHead()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.base_model(image)
        emotion = self.emotion_classifier(functional.relu(self.fc_emotion(features)))
        gaze = self.gaze_regressor(functional.relu(self.fc_gaze(features)))
        units = self.au_regressor(functional.relu(self.fc_au(features)))
        return emotion, gaze, units


def normalised(pictures: Sequence[Tensor]) -> Tensor:
    """(B, 3, 224, 224) network input from RGB pictures (3, 224, 224) in 0..1."""
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    return (torch.stack(list(pictures)) - mean) / std
