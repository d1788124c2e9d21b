"""Lengths of rendered examinations against the exact points: bias, reliability over repetitions, and agreement with the truth.

Two intraclass correlations stand beside each other, both ICC(2,1), and mean different things. *Over repetitions* the judges are one
person's repetitions, the program measures all of them: it tells persons apart in spite of noise, and cannot be better than the
truth's own, for a face moves between repetitions (its gaze moves the upper lids). *Against the truth* the judges are the program and
the rendered truth of the same moment: it tells how far the program's values can stand for the true ones.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from realtime.clinic import Examination, Movement
from realtime.clinic.agreement import icc_agreement
from realtime.clinic.excursion import excursion
from realtime.clinic.statistics import reliability
from realtime.clinic.trials import Side, length, resting, trials
from realtime.types import F64
from tools.evaluate.clinic_people import Examined
from tools.evaluate.clinic_renders import CAMERA_NAMES, LIGHT_NAMES
from tools.evaluate.figures import Figure

SIDES: tuple[Side, Side] = ("left", "right")


def _smile(examination: Examination, side: Side) -> list[float]:
    found = trials(examination, "open_smile")
    return [length(t.peak, "commissure", side) - length(t.rest, "commissure", side) for t in found]


def _at_rest(name: str) -> Callable[[Examination, Side], list[float]]:
    return lambda examination, side: [length(one, name, side) for one in resting(examination)]


def _moved(movement: Movement, region: str) -> Callable[[Examination, Side], list[float]]:
    return lambda examination, side: [
        excursion(trial, region, side)  # type: ignore[arg-type]
        for trial in trials(examination, movement)
    ]


_MEASURES: tuple[tuple[str, Movement, Callable[[Examination, Side], list[float]], float | None], ...] = (
    ("commissure excursion in a smile", "open_smile", _smile, 1.5),
    ("palpebral fissure at rest", "rest", _at_rest("fissure_height"), 1.5),
    ("brow height at rest", "rest", _at_rest("brow_height"), 2.0),
    ("brow elevation", "brow_raise", _moved("brow_raise", "brow"), 2.0),
    ("mouth corner's way in a smile", "open_smile", _moved("open_smile", "mouth"), None),
    ("mouth corner's height at rest", "rest", _at_rest("corner_height"), None),
)
TRIES = 3
"""Repetitions of each movement in an examination, whose mean a sheet shows."""
_TURNED = 7.5
"""Degrees of yaw that halve the repetitions."""


def length_figures(people: Sequence[Examined]) -> Iterator[Figure]:
    """Lengths against the exact points, and how well repetitions agree."""
    for name, movement, measure, most in _MEASURES:
        rows = [measure(one.measured, side) for one in people for side in SIDES]
        exact = [measure(one.truth, side) for one in people for side in SIDES]
        found, truth = np.array(rows, np.float64), np.array(exact, np.float64)
        error = found - truth
        yield Figure("clinic", f"{name}: bias", float(np.nanmean(error)), "mm", cases=error.size)
        yield Figure("clinic", f"{name}: mean absolute error", float(np.nanmean(np.abs(error))), "mm")
        yield Figure("clinic", f"{name}: left minus right, bias", float(np.nanmean(error[::2] - error[1::2])), "mm")
        judged = reliability(found)
        if judged is not None:
            aimed = most is not None
            icc = f"{name}: ICC(2,1) over repetitions"
            yield Figure("clinic", icc, judged.icc, at_least=0.9 if aimed else None, cases=judged.people)
            yield Figure("clinic", f"{name}: SDC95 of one repetition", judged.sdc, "mm", at_most=most)
            for count in sorted({TRIES, judged.repetitions}):
                yield Figure("clinic", f"{name}: SDC95 of the mean of {count}", judged.sdc / count**0.5, "mm")
        yield from agreement_figures(name, found, truth)
        if most is not None:
            yield from _by_condition(people, name, movement, found)


def agreement_figures(name: str, found: F64, truth: F64) -> Iterator[Figure]:
    """How far the program can stand for the truth, and what of the repetitions' spread is the person's own.

    Args:
        name: of the measure.
        found: (2 x people, repetitions) by the program.
        truth: likewise, from the exact points.
    """
    for words, a, b in (
        ("one repetition", found, truth),
        (f"the mean of {found.shape[1]}", found.mean(axis=1), truth.mean(axis=1)),
    ):
        known = np.isfinite(a) & np.isfinite(b)
        agreed = icc_agreement(a[known], b[known])
        if agreed is not None:
            title = f"{name}: ICC(2,1) of program against truth, {words}"
            yield Figure("clinic", title, agreed, cases=int(known.sum()))
    error = found - truth
    own, others = reliability(error), reliability(truth)
    still = reliability(error + truth.mean(axis=1, keepdims=True))
    if own is not None and still is not None:
        yield Figure("clinic", f"{name}: SDC95 of the error alone", own.sdc, "mm", cases=own.people)
        title = f"{name}: ICC(2,1) over repetitions, had the face itself not changed"
        yield Figure("clinic", title, still.icc, cases=still.people)
    if others is not None:
        yield Figure("clinic", f"{name}: the truth itself, ICC(2,1) over repetitions", others.icc, cases=others.people)
        yield Figure("clinic", f"{name}: the truth itself, SDC95", others.sdc, "mm")


def _by_condition(people: Sequence[Examined], name: str, movement: Movement, found: F64) -> Iterator[Figure]:
    """How far single repetitions lie from the person's own mean, by light, camera and turn of the head.

    Args:
        people: whose repetitions.
        name: of the measure.
        movement: in which it is taken.
        found: (2 x people, repetitions), left and right in turn.
    """
    apart = found - np.nanmean(found, axis=1, keepdims=True)
    number = np.broadcast_to(np.arange(found.shape[1]), found.shape)
    yaws = np.repeat(np.abs([_yaws(one.measured, movement) for one in people]), 2, axis=0)
    lights = {f"light: {light}": number % len(LIGHT_NAMES) == i for i, light in enumerate(LIGHT_NAMES)}
    cameras = {f"camera: {camera}": number % len(CAMERA_NAMES) == i for i, camera in enumerate(CAMERA_NAMES)}
    turns = {f"yaw to {_TURNED:g} degrees": yaws <= _TURNED, f"yaw beyond {_TURNED:g} degrees": yaws > _TURNED}
    for condition, chosen in (lights | cameras | turns).items():
        values = apart[chosen & np.isfinite(apart)]
        if len(values):
            title = f"{name}, {condition}: root mean square off the person's own mean"
            yield Figure("clinic", title, float(np.sqrt((values**2).mean())), "mm", cases=len(values))


def _yaws(examination: Examination, movement: Movement) -> list[float]:
    """Of each repetition, in degrees."""
    if movement == "rest":
        return [one.yaw for one in resting(examination)]
    return [trial.rest.yaw for trial in trials(examination, movement)]
