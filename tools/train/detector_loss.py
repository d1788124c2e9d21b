"""The detector's losses: quality focal loss on soft scores, smooth L1 on offsets, and hints from the teacher's inner maps."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.networks.retinaface import RetinaFace

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
