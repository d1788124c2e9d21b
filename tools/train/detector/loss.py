"""The detector's losses: quality focal loss on soft scores, smooth L1 on offsets, and hints from the teacher's inner maps."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.networks.retinaface import VARIANCES, RetinaFace

Outputs = tuple[Tensor, Tensor, Tensor]

ENDS = (5, 11, 13)
SHARP = (5, 8, 11, 13)
"""Trunk blocks whose maps are compared once the network is joined: the large ones before cost more time than they teach."""


def blocks(network: RetinaFace) -> list[nn.Module]:
    """The fourteen blocks of the trunk in order; numbers `ENDS` feed the pyramid."""
    return [block for stage in (network.body.stage1, network.body.stage2, network.body.stage3) for block in stage]


def with_hints(network: RetinaFace, x: Tensor, *, apart: bool = False) -> tuple[list[Tensor], Outputs]:
    """The network's outputs together with the maps after each trunk block, the pyramid and the context modules.

    apart: no gradient passes from one of these parts to the one before it, so each learns to give the teacher's map from
    what it is given now. These are shallow problems, far quicker than the whole from random weights (greedy blockwise
    distillation, after Li et al., CVPR 2020, but with the student's own maps as input: errors do not add up).
    """

    def pass_on(value: Tensor) -> Tensor:
        return value.detach() if apart else value

    maps: list[Tensor] = []
    for block in blocks(network):
        x = block(pass_on(x))
        maps.append(x)
    pyramid = network.fpn(tuple(pass_on(maps[k]) for k in ENDS))
    context = tuple(
        module(pass_on(value))
        for module, value in zip((network.ssh1, network.ssh2, network.ssh3), pyramid, strict=True)
    )
    return [*maps, *pyramid, *context], network.read_out(tuple(pass_on(value) for value in context))


def chosen(maps: list[Tensor]) -> list[Tensor]:
    """Of the maps of `with_hints`, those compared once the network is joined."""
    return [*(maps[k] for k in SHARP), *maps[14:]]


def hint_loss(ours: list[Tensor], theirs: list[Tensor]) -> Tensor:
    """Mean over the maps of the squared difference, each channel in units of its own spread in the teacher's map."""
    total = ours[0].new_zeros((), dtype=torch.float32)
    for a, b in zip(ours, theirs, strict=True):
        spread = b.float().var(dim=(0, 2, 3), keepdim=True, correction=0)
        floor = spread.mean() * 0.02 + 1e-6
        total = total + ((a.float() - b.float()).pow(2) / (spread + floor)).mean()
    return total / len(ours)


def score_loss(logits: Tensor, score: Tensor, weight: Tensor) -> Tensor:
    """Quality focal loss (Li et al., NeurIPS 2020) of logits (N, P, 2) against soft scores (N, P), per positive anchor."""
    margin = logits[..., 1] - logits[..., 0]
    focus = (torch.sigmoid(margin) - score).abs().detach()
    loss = functional.binary_cross_entropy_with_logits(margin, score, reduction="none") * focus * weight
    return loss.sum() / (score * weight).sum().clamp(min=8.0)


def offset_loss(ours: Tensor, wanted: Tensor, regress: Tensor) -> Tensor:
    """Smooth L1 of offsets (N, P, K) where regress (N, P) counts, per positive anchor and summed over K."""
    loss = functional.smooth_l1_loss(ours, wanted, reduction="none", beta=0.5).sum(dim=-1) * regress
    return loss.sum() / regress.sum().clamp(min=8.0)


def marks_loss(ours: Tensor, wanted: Tensor, loc: Tensor, regress: Tensor) -> Tensor:
    """Distance of the five points (N, P, 10) in units of the distance between the eyes, per positive anchor and summed over coordinates.

    Nearly L1, so that a small error still pulls; as the offsets are in units of the anchor, a plain smooth L1 is already flat where
    an error of the eyes is large beside their distance. The eyes, by which a crop is levelled, count double. On a profile the eyes
    coincide: their distance counts as at least a fifth of the box. loc: (N, P, 4) wanted box offsets; regress: (N, P).
    """
    eyes = (wanted[..., 2:4] - wanted[..., 0:2]).norm(dim=-1)
    width = torch.exp(loc[..., 2].clamp(-10, 10) * VARIANCES[1]) / VARIANCES[0]
    unit = torch.maximum(eyes, 0.2 * width)
    share = wanted.new_tensor([2.0] * 4 + [1.0] * 6) * (10 / 14)
    errors = functional.smooth_l1_loss(ours / unit[..., None], wanted / unit[..., None], reduction="none", beta=0.02)
    return ((errors * share).sum(dim=-1) * regress).sum() / regress.sum().clamp(min=8.0)
