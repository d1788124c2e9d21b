"""Which row each picture of a recording belongs to, by their times: both are the camera's own, to within the file's clock tick."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.exchange.moments import nearest_places
from realtime.types import F64

_TOLERANCE = 0.0011
"""Seconds. Matroska's clock ticks in milliseconds; no camera takes two pictures within two."""
_PROBED = 24


@dataclass(frozen=True, slots=True)
class Placement:
    """Where N pictures stand among the rows.

    Attributes:
        rows: (N,) the row of each picture; -1: there is none.
        origin: capture time of the film's time 0, seconds; None: it could not be found.
        sure: whether the film said so itself, or its times fit in one place only.
    """

    rows: NDArray[np.int32]
    origin: float | None
    sure: bool


def place(film: F64, rows: F64, origin: float | None, likely: NDArray[np.bool_]) -> Placement:
    """Find each picture's row.

    Args:
        film: (N,) times of the pictures on the film's clock, seconds.
        rows: (M,) capture times of the rows, ascending, seconds.
        origin: what the film says of its time 0, seconds, if anything.
        likely: (M,) rows whose frame was shown, any of which can be the first picture's.
    """
    nowhere = np.full(len(film), -1, np.int32)
    if not len(film) or not len(rows):
        return Placement(nowhere, None, sure=False)
    if origin is not None:
        return Placement(_nearest(film + origin, rows), origin, sure=True)
    found = _origins(film, rows, np.flatnonzero(likely))
    if not found:
        return Placement(nowhere, None, sure=False)
    return Placement(_nearest(film + found[0], rows), found[0], sure=len(found) == 1)


def _nearest(times: F64, rows: F64) -> NDArray[np.int32]:
    """The row taken at each time; -1 where there is none."""
    best = nearest_places(rows, times)
    return np.where(np.abs(rows[best] - times) <= _TOLERANCE, best, -1).astype(np.int32)


def _origins(film: F64, rows: F64, candidates: NDArray[np.intp]) -> list[float]:
    """Capture times of the film's beginning at which nearly every picture has a row, best first."""
    first = film[0]
    spread = np.unique(np.linspace(0, len(film) - 1, _PROBED).astype(int))
    left = candidates
    for number in spread:  # each picture rules candidates out, so that the later ones cost nothing
        if len(left) <= 1:
            break
        hit = _nearest(rows[left] + (film[number] - first), rows) >= 0
        if hit.any():
            left = left[hit]
    scores = [((_nearest(film - first + rows[one], rows) >= 0).mean(), -int(one)) for one in left[:200]]
    good = sorted((score for score in scores if score[0] >= 0.9), reverse=True)
    if good:
        good = [score for score in good if score[0] >= good[0][0] - 1e-9]
    return [float(rows[-place] - first) for _, place in good]
