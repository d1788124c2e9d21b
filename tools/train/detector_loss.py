"""The detector's losses: quality focal loss on soft scores, smooth L1 on offsets, and hints from the teacher's inner maps."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.networks.retinaface import RetinaFace

Outputs = tuple[Tensor, Tensor, Tensor]

ENDS = (5, 11, 13)


def blocks(network: RetinaFace) -> list[nn.Module]:
    """The fourteen blocks of the trunk in order; numbers `ENDS` feed the pyramid."""
    return [block for stage in (network.body.stage1, network.body.stage2, network.body.stage3) for block in stage]


def with_hints(network: RetinaFace, x: Tensor) -> tuple[list[Tensor], Outputs]:
    """The network's outputs together with the maps after each trunk block, the pyramid and the context modules."""
    maps: list[Tensor] = []
    for block in blocks(network):
        x = block(x)
        maps.append(x)
    pyramid = network.fpn(tuple(maps[k] for k in ENDS))
    context = (network.ssh1(pyramid[0]), network.ssh2(pyramid[1]), network.ssh3(pyramid[2]))
    return [*maps, *pyramid, *context], network.read_out(context)


def blockwise(network: RetinaFace, x: Tensor, theirs: list[Tensor]) -> tuple[list[Tensor], Outputs]:
    """The same, but every part is fed the teacher's map instead of what the part before it made.

    So all parts learn at once, each a shallow problem (blockwise distillation: Li et al., CVPR 2020). From random weights
    this reached in 160 batches what the chained network had not after 500.
    """
    trunk = blocks(network)
    count = len(trunk)
    maps = [block(given) for block, given in zip(trunk, [x, *theirs[: count - 1]], strict=True)]
    pyramid = network.fpn(tuple(theirs[k] for k in ENDS))
    fine, middle, coarse = theirs[count : count + 3]
    context = (network.ssh1(fine), network.ssh2(middle), network.ssh3(coarse))
    last = theirs[count + 3], theirs[count + 4], theirs[count + 5]
    return [*maps, *pyramid, *context], network.read_out(last)


def hint_loss(ours: list[Tensor], theirs: list[Tensor]) -> Tensor:
    """Mean over the maps of the squared difference, each channel in units of its own spread in the teacher's map."""
    total = ours[0].new_zeros((), dtype=torch.float32)
    for a, b in zip(ours, theirs, strict=True):
        spread = b.float().pow(2).mean(dim=(0, 2, 3), keepdim=True)
        floor = spread.mean() * 0.05 + 1e-6
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
