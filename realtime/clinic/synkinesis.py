"""The synkinesis matrix: which region moves along with which movement, on the patient's left and right.

A healthy face co-moves too (a smile narrows both eyes), so a cell compares the sides: what one side moves more than the other,
beyond what the noise of this examination and healthy people's own asymmetry explain. After Dynaface (oral-ocular: the eye's
loss of opening in a smile or pucker, affected minus healthy; ocular-oral: the mouth corner's way in eye closure, likewise).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from realtime.clinic.excursion import REGIONS, Region, excursion, happened
from realtime.clinic.statistics import SDC_OF_SEM
from realtime.clinic.trials import WORDS, Side, Trial, every_rest, missing, trials
from realtime.clinic.types import MOVEMENTS, Examination, Movement, Snapshot
from realtime.types import Sides

MOVING = tuple(movement for movement in MOVEMENTS if movement != "rest")
INTENDED: dict[Movement, frozenset[Region]] = {
    "brow_raise": frozenset({"brow"}),
    "gentle_closure": frozenset({"eye", "lids"}),
    "tight_closure": frozenset({"eye", "lids", "brow", "nose"}),
    "open_smile": frozenset({"mouth", "corner", "nose", "chin"}),
    "closed_smile": frozenset({"mouth", "corner", "nose", "chin"}),
    "snarl": frozenset({"nose", "mouth", "corner", "brow", "chin"}),
    "pucker": frozenset({"mouth", "corner", "nose", "chin"}),
    "eee": frozenset({"mouth", "corner", "nose", "chin"}),
}
"""Regions that move in the movement itself: no cell there is called synkinesis."""
FLOORS: dict[Region, float] = {
    "brow": 2.0,
    "eye": 0.15,
    "lids": 0.5,
    "nose": 1.0,
    "mouth": 2.0,
    "corner": 0.5,
    "chin": 1.0,
}
"""Least excess that is called synkinesis: mm (brow, mouth), share of the opening (eye), intensity 0..5 (the others).

Those of lids (AU 45) and corner (AU 12) were set on rendered people other than those that the evaluation draws.
"""
STEPS = (1.0, 2.0, 4.0)
"""Multiples of the threshold from which synkinesis is mild, moderate and severe."""
GRADES = ("none", "mild", "moderate", "severe")
_ORAL: tuple[Movement, ...] = ("open_smile", "closed_smile", "pucker")
_OCULAR: tuple[Movement, ...] = ("gentle_closure", "tight_closure")
_FEWEST_RESTS = 4
Pattern = Literal["oral-ocular", "ocular-oral"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One region in one movement.

    Attributes:
        movement, region: which.
        moved: how far each side moves, mean of the repetitions; NaN: not measured.
        intended: the region belongs to the movement itself: nothing is judged.
        threshold: what the sides' difference must exceed.
        side: the side that moves along, where one does.
        grade: 0 none, 1 mild, 2 moderate, 3 severe; None: not judged or not measured.
        reason: one sentence, where nothing was measured or the movement was not made.
    """

    movement: Movement
    region: Region
    moved: Sides[float]
    intended: bool
    threshold: float
    side: Side | None = None
    grade: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SynkinesisMatrix:
    """All cells, movement by movement.

    Attributes:
        cells: in the order of `MOVING` and `REGIONS`.
        noisy: noise came from too few moments of rest, so that the thresholds are the general ones.
    """

    cells: tuple[Cell, ...]
    noisy: bool

    def cell(self, movement: Movement, region: Region) -> Cell:
        """Give one cell.

        Args:
            movement: what was asked for.
            region: that moved along.
        """
        return self.cells[MOVING.index(movement) * len(REGIONS) + REGIONS.index(region)]

    def worst(self, cells: Iterable[Cell]) -> Cell | None:
        """Give the strongest of some cells; None where none of them was judged."""
        judged = [one for one in cells if one.grade is not None]
        return max(judged, key=lambda one: one.grade or 0, default=None)

    def during(self, movement: Movement) -> Cell | None:
        """Give the strongest synkinesis during a movement."""
        return self.worst(one for one in self.cells if one.movement == movement)

    def pattern(self, name: Pattern) -> Cell | None:
        """Give the strongest cell of a pattern that has a name of its own."""
        movements, regions = (_ORAL, ("eye", "lids")) if name == "oral-ocular" else (_OCULAR, ("mouth", "corner"))
        return self.worst(one for one in self.cells if one.movement in movements and one.region in regions)


def synkinesis(examination: Examination) -> SynkinesisMatrix:
    """Compute the matrix.

    Args:
        examination: where a side is named as affected, only that side is judged; else both are.
    """
    rests = every_rest(examination)
    noise = {region: _noise(rests, region) for region in REGIONS}
    cells = [_cell(examination, movement, region, noise[region]) for movement in MOVING for region in REGIONS]
    return SynkinesisMatrix(tuple(cells), len(rests) < _FEWEST_RESTS)


def _cell(examination: Examination, movement: Movement, region: Region, noise: float) -> Cell:
    threshold = max(FLOORS[region], noise)
    intended = region in INTENDED[movement]
    found = trials(examination, movement)
    sides = [(excursion(trial, region, "left"), excursion(trial, region, "right")) for trial in found]
    known = [(left, right) for left, right in sides if math.isfinite(left) and math.isfinite(right)]
    if not known:
        reason = missing(examination, movement, f"the {region}")
        return Cell(movement, region, Sides(math.nan, math.nan), intended, threshold, reason=reason)
    moved = Sides(*(sum(values) / len(known) for values in zip(*known, strict=True)))
    if intended:
        return Cell(movement, region, moved, intended, threshold)
    side, grade = _judge(excess(moved, region), threshold, examination)
    if grade == 0 and all(happened(trial, movement) is False for trial in found):
        reason = f"Neither side moved in {WORDS[movement]}: nothing could move along."
        return Cell(movement, region, moved, intended, threshold, reason=reason)
    return Cell(movement, region, moved, intended, threshold, side, grade)


def excess(moved: Sides[float], region: Region) -> float:
    """By how much the left side moves more than the right; an eye that opens does not count as moving along.

    Args:
        moved: by side.
        region: of the face.
    """
    left, right = moved
    if region == "eye":
        left, right = max(left, 0.0), max(right, 0.0)
    return abs(left) - abs(right)


def _judge(difference: float, threshold: float, examination: Examination) -> tuple[Side | None, int]:
    side: Side = "left" if difference > 0 else "right"
    if examination.affected in ("left", "right") and examination.affected != side:
        return None, 0
    grade = sum(abs(difference) > step * threshold for step in STEPS)
    return (side if grade else None), grade


def _noise(rests: Sequence[Snapshot], region: Region) -> float:
    """Beyond what difference between the sides a change is more than noise, from one moment of rest to the next; 0: unknown."""
    if len(rests) < _FEWEST_RESTS:
        return 0.0
    changes = []
    for before, after in pairwise(rests):
        trial = Trial(before, after)
        difference = excursion(trial, region, "left") - excursion(trial, region, "right")
        if math.isfinite(difference):
            changes.append(difference)
    if len(changes) < _FEWEST_RESTS - 1:
        return 0.0
    # A change from rest to rest holds the noise of two moments, as SDC95 = 1.96 sqrt(2) SEM does.
    return SDC_OF_SEM / math.sqrt(2) * math.sqrt(sum(value**2 for value in changes) / len(changes))
