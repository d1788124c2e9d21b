"""Smooth curves through few points: lids, brows and lips between the landmarks."""

import itertools
from collections.abc import Sequence

import numpy as np

from realtime.types import F64

_LEAST_STEP = 1e-9


class Curve:
    """Natural cubic spline y(x) through points in order of x (de Boor 1978); pure, costs some ten microseconds.

    Lay the curve.

    Args:
        points: (N, 2), N at least 3, x rising. A curve that turns back is none: every value of it is NaN.
    """

    def __init__(self, points: F64) -> None:
        self._x: Sequence[float] = points[:, 0].tolist()
        self._y: Sequence[float] = points[:, 1].tolist()
        self._bend = _second_derivatives(self._x, self._y)

    def __call__(self, x: float) -> float:
        """The height at `x`; NaN outside the points."""
        knots, bend = self._x, self._bend
        if bend is None or not knots[0] <= x <= knots[-1]:
            return float("nan")
        right = next(i for i in range(1, len(knots)) if x <= knots[i])
        step = knots[right] - knots[right - 1]
        a, b = (knots[right] - x) / step, (x - knots[right - 1]) / step
        bent = (a**3 - a) * bend[right - 1] + (b**3 - b) * bend[right]
        return a * self._y[right - 1] + b * self._y[right] + bent * step * step / 6


def _second_derivatives(x: Sequence[float], y: Sequence[float]) -> Sequence[float] | None:
    """At every knot, 0 at both ends; None where x does not rise. Solves the tridiagonal system."""
    steps = [after - before for before, after in itertools.pairwise(x)]
    if not all(step > _LEAST_STEP for step in steps):
        return None
    slopes = [(after - before) / step for before, after, step in zip(y, y[1:], steps, strict=False)]
    above, right = [0.0] * len(x), [0.0] * len(x)
    for i in range(1, len(x) - 1):
        pivot = 2 * (steps[i - 1] + steps[i]) - steps[i - 1] * above[i - 1]
        above[i] = steps[i] / pivot
        right[i] = (6 * (slopes[i] - slopes[i - 1]) - steps[i - 1] * right[i - 1]) / pivot
    bend = [0.0] * len(x)
    for i in range(len(x) - 2, 0, -1):
        bend[i] = right[i] - above[i] * bend[i + 1]
    return bend


def polygon_area(corners: F64) -> float:
    """Area of a polygon (N, 2) by its corners in order (Gauss's formula)."""
    x, y = corners[:, 0], corners[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def left_of(corners: F64, x: float) -> F64:
    """The part of a polygon (N, 2) whose points have a greater x than `x`, (M, 2), M may be 0 (Sutherland and Hodgman).

    Args:
        corners: (N, 2).
        x: of the line.
    """
    kept: list[tuple[float, float]] = []
    ring = corners.tolist()
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (ax > x) != (bx > x):
            share = (x - ax) / (bx - ax)
            kept.append((x, ay + share * (by - ay)))
        if bx > x:
            kept.append((bx, by))
    return np.array(kept, np.float64).reshape(-1, 2)
