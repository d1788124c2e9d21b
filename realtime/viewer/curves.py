"""A column as a curve of a few hundred steps, each with its least and its greatest value, so that no peak is lost."""

import numpy as np
from numpy.typing import NDArray

from realtime.types import F32, F64

MOST_STEPS = 4000


def curve(
    times: F64, values: F32, first: float, last: float, steps: int, seen: NDArray[np.bool_] | None = None
) -> tuple[F64, F32, F32]:
    """The curve between two moments.

    Args:
        times: (N,) ascending, seconds.
        values: (N,) NaN: not measured.
        first: seconds.
        last: likewise.
        steps: at most so many, where there are more values than that.
        seen: (N,) frames on which a face was seen; None: a value is missing only where none was.

    Returns:
        Times, least and greatest values; NaN where a face was seen, but not this part of it. Other steps without a value are left
        out.
    """
    known = np.isfinite(values) if seen is None else np.isfinite(values) | seen
    # One value more on either side, so that the line goes on to the edges.
    begin = _before(times, known, int(np.searchsorted(times, first, "left")))
    end = _behind(times, known, int(np.searchsorted(times, last, "right")))
    places = np.flatnonzero(known[begin:end]) + begin
    if len(places) <= 2 * steps:
        found = values[places]
        return times[places], found, found
    edges = np.linspace(first, last, steps + 1)
    inside = places[(times[places] >= first) & (times[places] <= last)]
    taken, moments = values[inside], times[inside]
    begins = np.searchsorted(moments, edges[:-1], "left")
    counts = np.diff(np.append(begins, len(moments)))
    filled = begins[counts > 0]
    middles = ((edges[:-1] + edges[1:]) / 2)[counts > 0]
    return middles, np.fmin.reduceat(taken, filled), np.fmax.reduceat(taken, filled)


def _before(times: F64, known: NDArray[np.bool_], at: int) -> int:
    earlier = np.flatnonzero(known[max(0, at - 300) : at])
    return max(0, at - 300) + int(earlier[-1]) if len(earlier) else min(at, len(times))


def _behind(times: F64, known: NDArray[np.bool_], at: int) -> int:
    later = np.flatnonzero(known[at : at + 300])
    return at + int(later[0]) + 1 if len(later) else min(at, len(times))
