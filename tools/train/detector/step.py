"""One training step of the detector: what the teacher says of a batch, the losses, and old batches to go over again."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.networks.folding import fold_batch_norm
from tools.networks.retinaface import RetinaFace, decode, priors
from tools.train.detector import targets as detector_targets
from tools.train.detector.data import Batch
from tools.train.detector.loss import Outputs, chosen, hint_loss, marks_loss, offset_loss, score_loss, with_hints

F32 = NDArray[np.float32]

BOX_WEIGHT = 1.0


@lru_cache(maxsize=8)
def _priors(size: int) -> F32:
    return priors(size, size)


def frozen_teacher(network: RetinaFace) -> RetinaFace:
    """A copy for inference alone, BatchNorm folded."""
    teacher = RetinaFace()
    teacher.load_state_dict(network.state_dict())
    result: RetinaFace = fold_batch_norm(teacher.eval().requires_grad_(False))
    return result


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


@dataclass(frozen=True)
class Lesson:
    """A batch with all that the teacher says of it, on the device.

    x: (N, 3, S, S); wanted: what `targets` gives; maps: the teacher's maps as `with_hints` gives them, in half precision.
    """

    x: Tensor
    wanted: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    maps: list[Tensor]


def prepare(teacher: RetinaFace, batch: Batch, device: torch.device) -> Lesson:
    """Ask the teacher."""
    x = batch.input().to(device)
    with torch.no_grad():
        maps, outputs = with_hints(teacher, x)
    score, weight, loc, marks, regress = (t.to(device) for t in targets(outputs, batch))
    return Lesson(x, (score, weight, loc, marks, regress), [m.to(torch.bfloat16) for m in maps])


def losses(student: RetinaFace, lesson: Lesson, *, half: bool = False, apart: bool = False) -> dict[str, Tensor]:
    """The parts of the loss on one lesson: score, box, marks, hint.

    half: the student in bfloat16. apart: its parts learn each by itself (see `with_hints`), from all maps.
    """
    score, weight, loc, marks, regress = lesson.wanted
    with torch.autocast(lesson.x.device.type, dtype=torch.bfloat16, enabled=half):
        our_maps, ours = with_hints(student, lesson.x, apart=apart)
    pairs = (our_maps, lesson.maps) if apart else (chosen(our_maps), chosen(lesson.maps))
    return {
        "score": score_loss(ours[1].float(), score, weight),
        "box": offset_loss(ours[0].float(), loc, regress),
        "marks": marks_loss(ours[2].float(), marks, loc, regress),
        "hint": hint_loss(*pairs),
    }


class Notebook:
    """The last lessons, to be gone over again: a second look costs half of a new lesson."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._pages: list[Lesson] = []
        self._rng = np.random.default_rng(seed)

    def add(self, lesson: Lesson) -> None:
        """Keep a lesson; when the book is full, a random old one makes way."""
        if len(self._pages) < self._size:
            self._pages.append(lesson)
        elif self._size:
            self._pages[int(self._rng.integers(self._size))] = lesson

    def draw(self, count: int) -> list[Lesson]:
        """`count` random lessons, fewer while there are few."""
        count = min(count, len(self._pages) // 4)
        return [self._pages[int(k)] for k in self._rng.choice(len(self._pages), count, replace=False)] if count else []


def hold_statistics(network: nn.Module) -> None:
    """BatchNorm keeps the means and variances it has: batches of composites differ too much to be normalised by their own."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def total(parts: dict[str, Tensor], hints: float, marks: float) -> Tensor:
    """The weighted sum that is minimised. hints, marks: weights of the inner maps and of the five points."""
    return parts["score"] + BOX_WEIGHT * parts["box"] + marks * parts["marks"] + hints * parts["hint"]
