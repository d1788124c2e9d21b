"""Why a face cannot be measured as it is seen: one reason, the most useful one first."""

import math
from collections.abc import Sequence
from statistics import median

from realtime.clinic.activity import DRIVERS, value_of
from realtime.clinic.attempt import Attempt
from realtime.clinic.language import Reason
from realtime.clinic.observation import Observation
from realtime.clinic.types import Movement, Snapshot

YAW, PITCH, ROLL = 15.0, 20.0, 20.0
"""Degrees from straight ahead at which lengths of the two sides can still be compared."""
TURNED = 12.0
"""Degrees of yaw or pitch by which the head may move between rest and peak."""
NEAR, FAR = 0.42, 0.045
"""Distance of the outer eye corners, as shares of the picture's width."""
DARK = 35.0
"""Mean grey of the face, 0 to 255."""
SURE = 0.5
"""Confidence."""


def problem(window: Sequence[Observation], movement: Movement, rest: Snapshot | None = None) -> Reason | None:
    """Judge a short span.

    Args:
        window: its frames, those without a face included.
        movement: asks for the parts that must be seen.
        rest: the same face at rest, where the head must not have moved since.
    """
    seen = [one for one in window if one.face_id is not None]
    if 2 * len(seen) <= len(window):
        return "no_face"
    if any(one.faces is not None and one.faces > 1 for one in window):
        return "second_face"
    if len({one.face_id for one in seen}) > 1:
        return "other_face"
    return _place(seen) or _turn(seen, rest) or _sight(seen, movement)


def fault_of(attempt: Attempt, rest: Snapshot | None) -> Reason | None:
    """Why a try that is over cannot be measured; None: it can.

    Args:
        attempt: with all its frames.
        rest: the face just before the signal.
    """
    if {one.face_id for one in attempt.frames if one.face_id is not None} - {attempt.face_id}:
        return "other_face"
    peak = attempt.peak()
    if peak is None:
        return problem(attempt.frames, attempt.movement) or "hidden"
    return problem(peak.window, attempt.movement, rest)


def _place(seen: Sequence[Observation]) -> Reason | None:
    width = _median([one.width for one in seen])
    if width > NEAR or 2 * sum(not one.inside for one in seen) > len(seen):
        return "too_near"
    return "too_far" if width < FAR else None


def _turn(seen: Sequence[Observation], rest: Snapshot | None) -> Reason | None:
    yaw, pitch, roll = (_median([getattr(one, name) for one in seen]) for name in ("yaw", "pitch", "roll"))
    if abs(yaw) > YAW or abs(pitch) > PITCH or abs(roll) > ROLL:
        return "turned"
    if rest is not None and (abs(yaw - rest.yaw) > TURNED or abs(pitch - rest.pitch) > TURNED):
        return "turned"
    return None


def _sight(seen: Sequence[Observation], movement: Movement) -> Reason | None:
    light = _median([one.light for one in seen if one.light is not None])
    if light < DARK:
        return "dark"
    if _median([one.confidence for one in seen]) < SURE:
        return "unsure"
    return "hidden" if _hidden(seen, movement) else None


def _hidden(seen: Sequence[Observation], movement: Movement) -> bool:
    """On one side at least, nothing that drives the movement was measured in most frames."""
    drivers = DRIVERS[movement]
    for side in (0, 1):
        measured = sum(
            any(math.isfinite(value_of(one, driver.key)[side]) for driver in drivers) for one in seen
        )  # fmt: skip
        if drivers and 2 * measured <= len(seen):
            return True
    return False


def _median(values: Sequence[float]) -> float:
    """NaN, which is beyond no limit, where nothing was measured."""
    known = [value for value in values if math.isfinite(value)]
    return median(known) if known else float("nan")
