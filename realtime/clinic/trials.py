"""An examination as scores read it: rest and peak of every repetition that counts, seen from the affected side."""

import math
from typing import Literal, NamedTuple

from realtime.clinic.types import Affected, Examination, Movement, Repetition, Snapshot
from realtime.types import Sides

Side = Literal["left", "right"]
WORDS: dict[Movement, str] = {
    "rest": "rest",
    "brow_raise": "brow raise",
    "gentle_closure": "gentle eye closure",
    "tight_closure": "tight eye closure",
    "open_smile": "open smile",
    "closed_smile": "closed smile",
    "snarl": "snarl",
    "pucker": "lip pucker",
    "eee": 'long "eee"',
}
"""How sentences and tables call the movements."""
NAN = math.nan
CLOSED = 1.0
"""Lid gaps below this count as 0, millimetres."""
NO_MILLIMETRES = "There are no millimetres"


class View(NamedTuple):
    """Which side is taken as affected, and which one as healthy.

    Attributes:
        affected: the patient's.
        healthy: likewise.
    """

    affected: Side
    healthy: Side


class Trial(NamedTuple):
    """One repetition that counts: at rest just before it, and at its peak.

    Attributes:
        rest: just before it.
        peak: of the movement.
    """

    rest: Snapshot
    peak: Snapshot


def views(affected: Affected) -> tuple[View, ...]:
    """Tell how an examination can be looked at.

    Returns:
        One view where a side is affected; both where none is; none where both are: no side is healthy then.
    """
    left, right = View("left", "right"), View("right", "left")
    return {"left": (left,), "right": (right,), "none": (left, right), "both": ()}[affected]


NO_HEALTHY_SIDE = "It compares with the healthy side, and both sides are affected."


def side_of(sides: Sides[float] | None, side: Side) -> float:
    """One side's value; NaN where nothing was measured.

    Args:
        sides: of the value, or None.
        side: the patient's.
    """
    return NAN if sides is None else float(sides.left if side == "left" else sides.right)


def length(snapshot: Snapshot | None, name: str, side: Side) -> float:
    """One length of one side; NaN where it was not measured.

    Args:
        snapshot: of the face, or None.
        name: of the length.
        side: the patient's.
    """
    return NAN if snapshot is None else side_of(snapshot.lengths.get(name), side)


def unit(snapshot: Snapshot | None, number: int, side: Side) -> float:
    """One Action Unit of one side; NaN where it was not measured.

    Args:
        snapshot: of the face, or None.
        number: of the Action Unit.
        side: the patient's.
    """
    return NAN if snapshot is None else side_of(snapshot.units.get(number), side)


def pair(snapshot: Snapshot | None, name: str, view: View) -> tuple[float, float]:
    """One length of the affected and of the healthy side; NaN where it was not measured.

    Args:
        snapshot: of the face, or None.
        name: of the length.
        view: which side is affected.
    """
    return length(snapshot, name, view.affected), length(snapshot, name, view.healthy)


def corner(snapshot: Snapshot | None, side: Side) -> tuple[float, float]:
    """Where the mouth corner lies from where the lower lip crosses the midline: millimetres across and up.

    Args:
        snapshot: of the face, or None.
        side: the patient's.
    """
    position, angle = length(snapshot, "commissure", side), length(snapshot, "smile_angle", side)
    turn = math.radians(angle - 90)
    return position * math.cos(turn), position * math.sin(turn)


def resting(examination: Examination) -> list[Snapshot]:
    """The face at rest: of the repetitions of rest, or, where there are none, just before each movement."""
    asked = [one.rest for one in examination.counted("rest") if one.rest is not None]
    return asked or every_rest(examination)


def every_rest(examination: Examination) -> list[Snapshot]:
    """Every moment of rest in the examination, in order of time."""
    return [one.rest for one in examination.repetitions if one.outcome == "counted" and one.rest is not None]


def trials(examination: Examination, movement: Movement) -> list[Trial]:
    """The repetitions of a movement that count and were measured at rest and at the peak.

    Args:
        examination: that was made.
        movement: what was asked for.
    """
    return [
        Trial(one.rest, one.at_peak)
        for one in examination.counted(movement)
        if one.rest is not None and one.at_peak is not None
    ]


def missing(examination: Examination, movement: Movement, measure: str = "") -> str:
    """Say in one sentence why nothing of a movement can be had.

    Args:
        examination: the examination.
        movement: the movement.
        measure: what was looked for, where the movement itself may be there.
    """
    tries: list[Repetition] = [one for one in examination.repetitions if one.movement == movement]
    name = WORDS[movement]
    if not tries and not examination.finished:
        return f"The examination was broken off, and {name} was not reached or not asked for."
    if not tries:
        return f"The movement {name} was not part of the examination."
    if any(one.outcome == "counted" for one in tries):
        if measure and examination.scale is None:
            return f"{NO_MILLIMETRES}, so {measure} was not measured in {name}."
        what = measure or "the face"
        return f"{what[0].upper()}{what[1:]} was not measured in {name}."
    if all(one.outcome == "skipped" for one in tries):
        return f"The movement {name} was skipped."
    return f"No repetition of {name} counted."
