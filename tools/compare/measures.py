"""Differences between two models' values, and the verdict on them. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from tools.compare.models import Kind, Values

PIXELS = 2.0  # of a 256-pixel crop of the face
PERCENT = 2.0
CROP = 256.0
AU_THRESHOLD = 0.5
OVERLAP = 0.5
EYES = {98: (60, 72), 68: (36, 45)}  # outer corners


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured difference. limit: what it may be at most, or None where it is only told."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def within(self) -> bool:
        """Not above its limit; a value that is not a number is beyond every limit."""
        return self.limit is None or self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Pair:
    """What both models say of one picture with a face box (4,)."""

    first: Values
    second: Values
    box: NDArray[np.float32]


def figures(kind: Kind, pairs: Sequence[Pair]) -> list[Figure]:
    """The differences that matter for this kind of model."""
    return {"landmarks": _landmarks, "multitask": _multitask, "detections": _detections}[kind](pairs)


def _landmarks(pairs: Sequence[Pair]) -> list[Figure]:
    counts = {value["points"].shape[0] for pair in pairs for value in (pair.first, pair.second)}
    if len(counts) != 1:
        raise UserInputError(
            f"one model has {min(counts)} points and the other {max(counts)}; they cannot be compared."
        )
    eyes = EYES[counts.pop()]
    gaps, in_crop, relative = [], [], []
    for pair in pairs:
        a, b = pair.first["points"], pair.second["points"]
        gap = np.linalg.norm(a - b, axis=1)
        side = min(pair.box[2] - pair.box[0], pair.box[3] - pair.box[1])
        gaps.append(gap)
        in_crop.append(gap * CROP / (1.05 * side))
        relative.append(100 * gap / np.linalg.norm(a[eyes[0]] - a[eyes[1]]))
    gap, crop, share = (np.concatenate(values) for values in (gaps, in_crop, relative))
    return [
        Figure("mean distance", float(gap.mean()), "px of the picture"),
        Figure("mean distance", float(crop.mean()), "px of a 256 crop", PIXELS),
        Figure("95 % of points below", float(np.percentile(crop, 95)), "px of a 256 crop"),
        Figure("largest distance", float(crop.max()), "px of a 256 crop"),
        Figure("mean distance", float(share.mean()), "% of the inter-ocular distance", PERCENT),
    ]


def _multitask(pairs: Sequence[Pair]) -> list[Figure]:
    au_a, au_b = (np.stack([getattr(p, side)["au"] for p in pairs]) for side in ("first", "second"))
    emotion = np.mean([np.argmax(p.first["emotion"]) != np.argmax(p.second["emotion"]) for p in pairs])
    angles = [_angle(p.first["gaze"], p.second["gaze"]) for p in pairs]
    flipped = np.mean((au_a >= AU_THRESHOLD) != (au_b >= AU_THRESHOLD))
    return [
        Figure("mean AU difference", 100 * float(np.abs(au_a - au_b).mean()), "% of the scale 0 to 1", PERCENT),
        Figure("largest AU difference", 100 * float(np.abs(au_a - au_b).max()), "% of the scale 0 to 1"),
        Figure("AU decisions changed", 100 * float(flipped), "% at the threshold 0.5", PERCENT),
        Figure("emotions changed", 100 * float(emotion), "% of pictures", PERCENT),
        Figure("mean gaze difference", float(np.mean(angles)), "degrees"),
    ]


def _angle(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Degrees between two gazes given as yaw and pitch in radians."""
    first, second = (np.array((-np.cos(p) * np.sin(y), -np.sin(p), -np.cos(p) * np.cos(y))) for y, p in (a, b))
    return float(np.degrees(np.arccos(np.clip(first @ second, -1, 1))))


def _detections(pairs: Sequence[Pair]) -> list[Figure]:
    known = missed = extra = 0
    gaps, scores = [], []
    for pair in pairs:
        boxes, others = pair.first["boxes"], pair.second["boxes"]
        known += len(boxes)
        free = set(range(len(others)))
        for i, box in enumerate(boxes):
            best = max(free, key=lambda j: overlap(box, others[j]), default=None)
            if best is None or overlap(box, others[best]) < OVERLAP:
                missed += 1
                continue
            free.remove(best)
            side = min(box[2] - box[0], box[3] - box[1])
            gaps.append(np.abs(box - others[best]).mean() * CROP / side)
            scores.append(abs(float(pair.first["scores"][i] - pair.second["scores"][best])))
        extra += len(free)
    if not known:
        raise UserInputError("the first model finds no face in these pictures; there is nothing to compare.")
    mean = float(np.mean(gaps)) if gaps else float("nan")
    return [
        Figure("faces of the first model", float(known), ""),
        Figure("missed by the second", 100 * missed / known, "%", PERCENT),
        Figure("found by the second only", 100 * extra / known, "%", PERCENT),
        Figure("mean shift of a box side", mean, "px of a 256 crop", PIXELS),
        Figure(
            "mean difference of scores",
            100 * float(np.mean(scores)) if scores else float("nan"),
            "% of 0 to 1",
            PERCENT,
        ),
    ]


def overlap(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Intersection over union of two boxes x1, y1, x2, y2."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))
