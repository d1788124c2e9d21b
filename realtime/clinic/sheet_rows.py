"""The lengths that a sheet, a course and a table list: each side's mean and spread over the repetitions, with names for both readers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realtime.action_units.names import name_of
from realtime.clinic.statistics import Spread, spread
from realtime.clinic.trials import Side, Trial, length, missing, resting, trials, unit
from realtime.clinic.types import Examination, Movement, Snapshot
from realtime.types import Sides

SIDES: Sides[Side] = Sides("left", "right")


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of one examination.

    Attributes:
        name: how files call it, for example "open_smile.commissure".
        term: for the clinician.
        words: for the person.
        movement: at which movement's peak it was taken; "rest": at rest.
        unit: "mm" or "of 5".
        sides: mean and spread of each side; None: not measured.
        reason: one sentence, where nothing was measured.
        moving: it is an excursion, of which the healthy side makes the most: a share of it means something.
    """

    name: str
    term: str
    words: str
    movement: Movement
    unit: str
    sides: Sides[Spread | None]
    reason: str = ""
    moving: bool = True

    @property
    def sdc(self) -> float:
        """SDC95 of one repetition of one side, the larger one; NaN: unknown."""
        return max((one.sdc for one in self._noisy), default=math.nan)

    @property
    def sdc_of_mean(self) -> float:
        """SDC95 of the mean of one side, the larger one; NaN: unknown."""
        return max((one.sdc_of_mean for one in self._noisy), default=math.nan)

    @property
    def _noisy(self) -> list[Spread]:
        return [one for one in self.sides if one is not None and math.isfinite(one.sd)]

    def share(self, affected: str) -> float:
        """The affected side's share of the healthy side's value; of the weaker side where none is affected. NaN: unknown."""
        left, right = self.sides
        if left is None or right is None or not self.moving:
            return math.nan
        weak, strong = (left.mean, right.mean) if affected == "left" else (right.mean, left.mean)
        if affected not in ("left", "right"):
            weak, strong = sorted((weak, strong), key=abs)
        return weak / strong if abs(strong) >= _LEAST else math.nan


_LEAST = 0.5
"""Excursion of the healthy side, mm or intensity, below which no share is given."""

_REST = (
    ("brow_height", "brow height", "height of the eyebrow"),
    ("fissure_height", "palpebral fissure", "opening of the eye"),
    ("mrd1", "MRD1", "pupil to upper lid"),
    ("mrd2", "MRD2", "pupil to lower lid"),
    ("corner_height", "mouth corner height", "height of the mouth's corner"),
    ("commissure", "commissure position", "middle of the lip to the corner"),
)


def _rise(name: str) -> Callable[[Trial, Side], float]:
    return lambda trial, side: length(trial.peak, name, side) - length(trial.rest, name, side)


def _fall(name: str) -> Callable[[Trial, Side], float]:
    return lambda trial, side: length(trial.rest, name, side) - length(trial.peak, name, side)


def _at_peak(name: str) -> Callable[[Trial, Side], float]:
    return lambda trial, side: length(trial.peak, name, side)


def _intensity(number: int) -> Callable[[Trial, Side], float]:
    return lambda trial, side: unit(trial.peak, number, side) - unit(trial.rest, number, side)


def _unit_name(number: int) -> str:
    return f"AU {number} {name_of(number)}"


_Row = tuple[Movement, str, str, str, Callable[[Trial, Side], float], bool]
_MOVING: tuple[_Row, ...] = (
    ("brow_raise", "elevation", "brow elevation", "raising the eyebrow", _rise("brow_height"), True),
    ("gentle_closure", "gap", "lid gap, gentle closure", "gap left when closing gently", _at_peak("fissure_height"), False),
    ("tight_closure", "gap", "lid gap, tight closure", "gap left when closing tightly", _at_peak("fissure_height"), False),
    ("open_smile", "commissure", "commissure excursion, open smile", "smiling", _rise("commissure"), True),
    ("open_smile", "dental_show", "dental show, open smile", "teeth shown in a smile", _at_peak("dental_show"), True),
    ("open_smile", "fissure", "palpebral fissure, open smile", "opening of the eye in a smile", _at_peak("fissure_height"), False),
    ("closed_smile", "commissure", "commissure excursion, closed smile", "smiling with shut lips", _rise("commissure"), True),
    ("snarl", "AU09", f"snarl: {_unit_name(9)}", "wrinkling the nose", _intensity(9), True),
    ("snarl", "AU10", f"snarl: {_unit_name(10)}", "raising the upper lip", _intensity(10), True),
    ("pucker", "commissure", "commissure shortening, pucker", "puckering the lips", _fall("commissure"), True),
    ("pucker", "fissure", "palpebral fissure, pucker", "opening of the eye in a pucker", _at_peak("fissure_height"), False),
    ("eee", "lower_lip", 'lower lip lowering, "eee"', "lowering the lower lip", _fall("lower_lip_height"), True),
)  # fmt: skip


def measures(examination: Examination) -> list[Measure]:
    """List every measure, rest first, in the order of the movements. What is missing says why."""
    return [*_at_rest(examination), *(_moved(examination, row) for row in _MOVING)]


def _at_rest(examination: Examination) -> list[Measure]:
    found = resting(examination)
    return [
        _filled(
            Measure(
                f"rest.{name}", f"{term}, rest", f"{words}, at rest", "rest", "mm", Sides(None, None), moving=False
            ),
            Sides(*([length(one, name, side) for one in found] for side in SIDES)),
            missing(examination, "rest", term),
        )
        for name, term, words in _REST
    ]


def _moved(examination: Examination, row: _Row) -> Measure:
    movement, name, term, words, value, moving = row
    found = trials(examination, movement)
    return _filled(
        Measure(
            f"{movement}.{name}",
            term,
            words,
            movement,
            "of 5" if name.startswith("AU") else "mm",
            Sides(None, None),
            moving=moving,
        ),
        Sides(*([value(trial, side) for trial in found] for side in SIDES)),
        missing(examination, movement, term),
    )


def _filled(measure: Measure, values: Sides[Sequence[float]], reason: str) -> Measure:
    sides = Sides(spread(values.left), spread(values.right))
    return Measure(
        measure.name,
        measure.term,
        measure.words,
        measure.movement,
        measure.unit,
        sides,
        "" if sides.left is not None or sides.right is not None else reason,
        measure.moving,
    )


def deviation(examination: Examination) -> Spread | None:
    """The philtrum's deviation from the middle at rest, positive to the patient's left; None: not measured."""

    def of(snapshot: Snapshot) -> float:
        return snapshot.midline.get("philtrum_deviation", math.nan)

    return spread(of(one) for one in resting(examination))
