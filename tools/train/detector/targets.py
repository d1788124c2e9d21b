"""What each anchor should say: the teacher's word, corrected where the truth of the composite is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.networks.retinaface import VARIANCES

F32 = NDArray[np.float32]

SURE = 0.5
COVERED_IOU = 0.4
MATCH_IOU = 0.35
ALARM = 0.05
ALARM_IOU = 0.2
TAUGHT = 0.9


@dataclass(frozen=True)
class Targets:
    """score, weight (P,): the face probability to reach and what it counts; loc (P, 4), marks (P, 10): offsets to reach
    where regress (P,) is above 0, which is what the regression counts there."""

    score: F32
    weight: F32
    loc: F32
    marks: F32
    regress: F32


def overlaps(a: F32, b: F32) -> F32:
    """(N, M) intersection over union of boxes (N, 4) and (M, 4), x1 y1 x2 y2."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(axis=1), (b[:, 2:] - b[:, :2]).prod(axis=1)
    result: F32 = shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-6)
    return result


def encode(boxes: F32, points: F32, anchors: F32) -> tuple[F32, F32]:
    """Offsets (N, 4) and (N, 10) that `tools.networks.retinaface.decode` turns into these boxes (N, 4) and points (N, 5, 2).

    anchors: (N, 4) cx, cy, w, h in the same unit as boxes and points.
    """
    centre = ((boxes[:, :2] + boxes[:, 2:]) / 2 - anchors[:, :2]) / (VARIANCES[0] * anchors[:, 2:])
    extent = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3) / anchors[:, 2:]) / VARIANCES[1]
    marks = (points - anchors[:, None, :2]) / (VARIANCES[0] * anchors[:, None, 2:])
    return np.concatenate([centre, extent], axis=1).astype(np.float32), marks.reshape(-1, 10).astype(np.float32)


def build(
    score: F32,
    loc: F32,
    marks: F32,
    anchors: F32,
    teacher_boxes: F32,
    truth_boxes: F32,
    truth_points: F32,
    complete: bool,
) -> Targets:
    """The targets of one picture.

    score (P,), loc (P, 4), marks (P, 10): the teacher's outputs; anchors (P, 4) cx, cy, w, h and teacher_boxes (P, 4) in
    pixels; truth_boxes (K, 4), truth_points (K, 5, 2): faces known to be there; complete: there are no others.
    - Where the teacher is sure, its scores and offsets stand.
    - A known face that no sure anchor of the teacher covers is taught from the truth, on the anchors that overlap it.
    - In a complete picture, an anchor that speaks up away from every known face is taught to be silent.
    """
    score, loc, marks = score.copy(), loc.copy(), marks.copy()
    weight = np.ones_like(score)
    regress = np.where(score >= SURE, score, 0).astype(np.float32)
    met = overlaps(teacher_boxes, truth_boxes)
    if complete:
        away = met.max(axis=1, initial=0.0) < ALARM_IOU
        alarm = away & (score > ALARM)
        score[alarm] = 0.0
        regress[away] = 0.0
    covered = (met[regress > 0] >= COVERED_IOU).any(axis=0)
    if not covered.all():
        corners = np.concatenate([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], axis=1)
        near = overlaps(corners, truth_boxes)
        for k in np.flatnonzero(~covered):
            chosen = near[:, k] >= MATCH_IOU
            chosen[near[:, k].argmax()] = True
            chosen &= regress == 0
            count = int(chosen.sum())
            boxes, points = np.repeat(truth_boxes[k : k + 1], count, 0), np.repeat(truth_points[k : k + 1], count, 0)
            loc[chosen], marks[chosen] = encode(boxes, points, anchors[chosen])
            score[chosen] = np.maximum(score[chosen], TAUGHT)
            regress[chosen] = SURE
            # Between "this anchor" and "not this anchor" nothing is claimed.
            weight[(near[:, k] >= MATCH_IOU - 0.1) & ~chosen & (score < SURE)] = 0.0
    return Targets(score, weight.astype(np.float32), loc, marks, regress)
