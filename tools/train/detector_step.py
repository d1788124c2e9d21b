"""One training step of the detector, and the moving average of its weights."""

import copy
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.networks.retinaface import RetinaFace, decode, priors
from tools.networks.retinaface_onnx import fold_batch_norm
from tools.train import detector_targets
from tools.train.detector_data import Batch
from tools.train.detector_loss import Outputs, blockwise, hint_loss, offset_loss, score_loss, with_hints

F32 = NDArray[np.float32]

BOX_WEIGHT, MARKS_WEIGHT = 1.0, 0.5


@lru_cache(maxsize=8)
def _priors(size: int) -> F32:
    return priors(size, size)


def frozen_teacher(network: RetinaFace) -> RetinaFace:
    """A copy for inference alone, BatchNorm folded."""
    teacher = RetinaFace()
    teacher.load_state_dict(network.state_dict())
    teacher.eval().requires_grad_(False)
    fold_batch_norm(teacher)
    return teacher


def targets(outputs: Outputs, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """score, weight (N, P), loc (N, P, 4), marks (N, P, 10), regress (N, P) from the teacher's outputs and the truth."""
    loc, logits, marks = (t.float().cpu().numpy() for t in outputs)
    score = 1 / (1 + np.exp(np.clip(logits[..., 0] - logits[..., 1], -30, 30)))
    size = batch.made[0].image.shape[0]
    anchors = _priors(size)
    rows = []
    for k, made in enumerate(batch.made):
        boxes, _ = decode(loc[k], marks[k], anchors, size, size)
        rows.append(
            detector_targets.build(
                score[k], loc[k], marks[k], anchors * size, boxes, made.boxes, made.points, complete=made.complete
            )
        )
    fields = ("score", "weight", "loc", "marks", "regress")
    score_t, weight_t, loc_t, marks_t, regress_t = (
        torch.from_numpy(np.stack([getattr(r, name) for r in rows])) for name in fields
    )
    return score_t, weight_t, loc_t, marks_t, regress_t


def losses(
    student: RetinaFace, teacher: RetinaFace, batch: Batch, device: torch.device, *, half: bool, apart: bool
) -> dict[str, Tensor]:
    """The parts of the loss on one batch: score, box, marks, hint.

    half: run the student in bfloat16. apart: each block is fed the teacher's maps (see `detector_loss.blockwise`).
    """
    x = batch.input().to(device)
    with torch.no_grad():
        their_maps, their_outputs = with_hints(teacher, x)
    score, weight, loc, marks, regress = (t.to(device) for t in targets(their_outputs, batch))
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        our_maps, ours = blockwise(student, x, their_maps) if apart else with_hints(student, x)
    return {
        "score": score_loss(ours[1].float(), score, weight),
        "box": offset_loss(ours[0].float(), loc, regress),
        "marks": offset_loss(ours[2].float(), marks, regress),
        "hint": hint_loss(our_maps, their_maps),
    }


def total(parts: dict[str, Tensor], hints: float) -> Tensor:
    """The weighted sum that is minimised."""
    return parts["score"] + BOX_WEIGHT * parts["box"] + MARKS_WEIGHT * parts["marks"] + hints * parts["hint"]


class MovingAverage:
    """Exponential moving average of a network's weights and statistics, with a short memory at the start."""

    def __init__(self, network: nn.Module, decay: float = 0.998) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self._decay, (1 + step) / (10 + step))
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)
