"""Moments of one clock among those of another."""

import numpy as np
from numpy.typing import NDArray

from realtime.types import F64


def nearest_places(times: F64, wanted: F64) -> NDArray[np.intp]:
    """(M,) the place of the nearest of N rising times for each of M others.

    Args:
        times: (N,), N > 0.
        wanted: (M,).
    """
    after = np.searchsorted(times, wanted).clip(1, max(1, len(times) - 1))
    before = after - 1
    after = np.minimum(after, len(times) - 1)
    closer = np.abs(times[before] - wanted) <= np.abs(times[after] - wanted)
    return np.where(closer, before, after)
