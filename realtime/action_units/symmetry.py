"""Left against right, by one rule for the page, the report and the tone. Pure.

Sides are compared only where one of them moves: on a face at rest the noise of two small numbers would look like an asymmetry.
"""

import math

import numpy as np

from realtime.types import F64

QUIET = 0.5
"""Intensity (0..5) that at least one side must reach before left and right are compared."""


def balance(left: float | None, right: float | None) -> float | None:
    """Tell which side moves more.

    Args:
        left: intensity 0..5 on the patient's left; None or not finite: not measured.
        right: the same on the patient's right.

    Returns:
        (left - right) / larger: -1 only the right side moves, 0 both alike, 1 only the left; None at rest or unmeasured.
    """
    if left is None or right is None or not (math.isfinite(left) and math.isfinite(right)) or max(left, right) < QUIET:
        return None
    return (left - right) / max(left, right)


def symmetry(left: float | None, right: float | None) -> float | None:
    """Give the weaker side's share of the stronger side's intensity.

    Args:
        left: intensity 0..5 on the patient's left; None or not finite: not measured.
        right: the same on the patient's right.

    Returns:
        1 alike, 0 one side only; None at rest or unmeasured.
    """
    found = balance(left, right)
    if found is None or left is None or right is None:
        return None
    return min(left, right) / max(left, right)


def symmetry_over_time(left: F64, right: F64) -> F64:
    """`symmetry` of every row.

    Args:
        left: (N,) intensities, NaN: not measured.
        right: (N,) the same on the patient's right.

    Returns:
        (N,), NaN at rest or unmeasured.
    """
    low, high = np.fmin(left, right), np.fmax(left, right)
    known = np.isfinite(left) & np.isfinite(right) & (high >= QUIET)
    share = np.full(len(left), np.nan)
    share[known] = low[known] / high[known]
    return share
