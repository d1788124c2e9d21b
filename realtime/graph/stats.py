"""Distributions of durations."""

import threading
from array import array
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

_BATCH = 4096
_HIGHEST_US = 3_600_000_000  # one hour
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; all None when nothing was recorded."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


class Recorder:
    """Durations of one kind. `record` is cheap: the histogram is fed in batches, when full or when asked."""

    def __init__(self) -> None:
        self._recent = array("d")
        self._lock = threading.Lock()
        self._histogram = HdrHistogram(1, _HIGHEST_US, _DIGITS)

    def record(self, seconds: float) -> None:
        self._recent.append(seconds)
        if len(self._recent) >= _BATCH:
            self._fold()

    def _fold(self) -> None:
        with self._lock:
            recent, self._recent = self._recent, array("d")
            for seconds in recent:
                self._histogram.record_value(min(_HIGHEST_US, max(0, round(seconds * 1e6))))

    def percentiles(self) -> Percentiles:
        self._fold()
        h = self._histogram
        count = h.get_total_count()
        if count == 0:
            return Percentiles(0, None, None, None, None)
        values = [h.get_value_at_percentile(p) / 1e3 for p in (50.0, 95.0, 99.0, 100.0)]
        return Percentiles(count, *values)
