"""How far each side moves in a movement, and the affected side's share of the healthy side's excursion."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from realtime.clinic.trials import CLOSED, NAN, Side, Trial, View, corner, length, unit
from realtime.clinic.types import Movement, Snapshot

Region = Literal["brow", "eye", "lids", "nose", "mouth", "corner", "chin"]
REGIONS: tuple[Region, ...] = ("brow", "eye", "lids", "nose", "mouth", "corner", "chin")
SNARL_UNITS = (9, 10)
UNITS_OF: dict[Region, tuple[int, ...]] = {"lids": (45,), "nose": SNARL_UNITS, "corner": (12,), "chin": (17,)}
"""Regions that Action Units tell; the others are lengths."""
LEAST_INTENSITY = 0.5
"""Rise of the healthy side's Action Units that can be compared with."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a movement is made, and the least excursion of the healthy side that can be compared with.

    Attributes:
        region: the part of the face.
        least: in the region's unit: mm (brow, mouth), share of the opening (eye), intensity (nose).
        term: the muscle.
        units: the Action Units that tell the movement where there are no lengths.
    """

    region: Region
    least: float
    term: str
    units: tuple[int, ...]


TARGETS: dict[Movement, Target] = {
    "brow_raise": Target("brow", 1.0, "frontalis", (1, 2)),
    "gentle_closure": Target("eye", 0.3, "orbicularis oculi", (45,)),
    "tight_closure": Target("eye", 0.3, "orbicularis oculi", (45,)),
    "open_smile": Target("mouth", 1.5, "zygomaticus and risorius", (12,)),
    "closed_smile": Target("mouth", 1.5, "zygomaticus and risorius", (12,)),
    "snarl": Target("nose", 0.5, "levator labii superioris", SNARL_UNITS),
    "pucker": Target("mouth", 1.0, "orbicularis oris", (18,)),
}


class Displacement(NamedTuple):
    """The way of a mouth corner, in the axes of both pupils.

    Attributes:
        outward: millimetres.
        up: likewise.
    """

    outward: float
    up: float

    @property
    def size(self) -> float:
        """Millimetres."""
        return math.hypot(self.outward, self.up)


def corner_place(snapshot: Snapshot | None, side: Side) -> Displacement:
    """Where a mouth corner lies from the midline of the face and from the eyes' line.

    Args:
        snapshot: of the face, or None.
        side: the patient's.
    """
    across, _ = corner(snapshot, side)
    return Displacement(across, length(snapshot, "corner_height", side))


def corner_moved(trial: Trial, side: Side) -> Displacement:
    """By how much a mouth corner moves.

    Args:
        trial: of the movement.
        side: the patient's.
    """
    before, after = corner_place(trial.rest, side), corner_place(trial.peak, side)
    return Displacement(after.outward - before.outward, after.up - before.up)


def closure(trial: Trial, side: Side) -> float:
    """Share of its opening by which an eye closes: 1 is shut, below 0 it opens; gaps under 1 mm count as shut.

    NaN where it was not measured, and where the eye is shut at rest: it has nothing to close then.

    Args:
        trial: of the movement.
        side: the patient's.
    """
    rest, gap = (length(one, "fissure_height", side) for one in trial)
    return NAN if not rest >= CLOSED else (rest - (0.0 if gap < CLOSED else gap)) / rest


def excursion(trial: Trial, region: Region, side: Side) -> float:
    """How far one side of a region moves, in the region's unit; NaN where it was not measured.

    Args:
        trial: of the movement.
        region: of the face.
        side: the patient's.
    """
    if region == "brow":
        return length(trial.peak, "brow_height", side) - length(trial.rest, "brow_height", side)
    if region == "eye":
        return closure(trial, side)
    if region == "mouth":
        return corner_moved(trial, side).size
    return _intensity(trial, UNITS_OF[region], side)


def happened(trial: Trial, movement: Movement) -> bool | None:
    """Whether a movement was made: one side at least moves by the least excursion that can be compared with.

    Args:
        trial: of the movement.
        movement: what was asked for.

    Returns:
        None where it is not known: nothing was measured, or no region tells this movement.
    """
    target = TARGETS.get(movement)
    if target is None:
        return None
    lengths = [excursion(trial, target.region, side) for side in View("left", "right")]
    if all(math.isfinite(one) for one in lengths):
        return max(lengths) >= target.least
    units = [_intensity(trial, target.units, side) for side in View("left", "right")]
    return max(units) >= LEAST_INTENSITY if all(math.isfinite(one) for one in units) else None


def _intensity(trial: Trial, units: Sequence[int], side: Side) -> float:
    """Mean rise of some Action Units, 0 to 5."""
    return sum(unit(trial.peak, number, side) - unit(trial.rest, number, side) for number in units) / len(units)


def share(trial: Trial, movement: Movement, view: View) -> float:
    """The affected side's share of the healthy side's excursion in a movement.

    The mouth corner's way counts along the mirrored way of the healthy corner: being pulled to the healthy side is no movement.

    Args:
        trial: of the movement.
        movement: what was asked for.
        view: which side is affected.

    Returns:
        0 no movement, 1 as far as the healthy side; NaN where it was not measured or the healthy side hardly moves.
    """
    target = TARGETS[movement]
    if target.region == "mouth":
        affected, healthy = corner_moved(trial, view.affected), corner_moved(trial, view.healthy)
        size = healthy.size
        along = NAN if not size > 0 else (affected.outward * healthy.outward + affected.up * healthy.up) / size
    else:
        along, size = (excursion(trial, target.region, side) for side in view)
    return along / size if size >= target.least else NAN


def unit_share(trial: Trial, movement: Movement, view: View) -> float:
    """The same from Action Units, for examinations without millimetres. Arguments and result as for `share`.

    Args:
        trial: of the movement.
        movement: what was asked for.
        view: which side is affected.
    """
    affected, healthy = (_intensity(trial, TARGETS[movement].units, side) for side in view)
    return affected / healthy if healthy >= LEAST_INTENSITY else NAN
