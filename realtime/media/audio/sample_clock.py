"""How a sound card's sample count runs against the program's clock."""

from collections import deque

import numpy as np

_BUCKET_SECONDS = 1.0
_BUCKETS = 120
_SLOPE_AFTER = 8
_LIMIT = 1e-3
_STEP_SECONDS = 0.03


class SoundClock:
    """Estimates when each sample was taken, from pairs (sample number, jittery time of that sample).

    Times are gathered into seconds; each second's median offset is one point, and a Theil-Sen line through the last two
    minutes gives rate and offset (P. K. Sen, 1968: a third of the points may be wild). Two seconds in a row that are more
    than 30 ms off the line mean that samples were lost unnoticed: the line begins anew from there and keeps its rate.

    Args:
        rate: nominal, in samples per second.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.updates = 0
        self.steps = 0
        self._bucket: list[float] = []
        self._bucket_at: list[float] = []
        self._points: deque[tuple[float, float]] = deque(maxlen=_BUCKETS)
        self._strays: list[tuple[float, float]] = []
        self._reference = 0.0
        self._offset = 0.0
        self._slope = 0.0

    @property
    def ppm(self) -> float:
        """How much faster than nominal the card's samples come, in parts per million."""
        return (1 / (1 + self._slope) - 1) * 1e6

    @property
    def samples_per_second(self) -> float:
        """The card's true rate on the program's clock."""
        return self.rate / (1 + self._slope)

    def update(self, index: int, time: float) -> None:
        """Learn when a sample was taken.

        Args:
            index: number of the sample.
            time: about when, seconds on the program's clock.
        """
        at = index / self.rate
        self.updates += 1
        self._bucket.append(time - at)
        self._bucket_at.append(at)
        if at - self._bucket_at[0] >= _BUCKET_SECONDS:
            self._close()
        elif not self._points:
            self._offset = float(np.median(self._bucket))
            self._reference = at

    def restart(self) -> None:
        """Samples were lost, and the system says so: the line begins anew with the next one, and keeps its rate."""
        self._bucket, self._bucket_at, self._strays = [], [], []
        self._points.clear()
        self.steps += 1

    def time_of(self, index: float) -> float:
        """When sample `index` was taken, in seconds on the program's clock."""
        at = index / self.rate
        return at + self._offset + self._slope * (at - self._reference)

    def index_at(self, time: float) -> float:
        """The (fractional) number of the sample taken at `time`."""
        return self.rate * ((time - self._offset + self._slope * self._reference) / (1 + self._slope))

    def _close(self) -> None:
        point = float(np.mean(self._bucket_at)), float(np.median(self._bucket))
        self._bucket, self._bucket_at = [], []
        expected = self._offset + self._slope * (point[0] - self._reference)
        if self._points and abs(point[1] - expected) > _STEP_SECONDS:
            self._strays.append(point)
            if len(self._strays) < 2:
                return
            self._points.clear()
            self._points.extend(self._strays)
            self.steps += 1
        else:
            self._points.append(point)
        self._strays = []
        self._fit()

    def _fit(self) -> None:
        at, offset = np.array(self._points).T
        if len(at) >= _SLOPE_AFTER:
            first, second = np.triu_indices(len(at), 1)
            slopes = (offset[second] - offset[first]) / (at[second] - at[first])
            self._slope = float(np.clip(np.median(slopes), -_LIMIT, _LIMIT))
        self._reference = float(at[-1])
        self._offset = float(np.median(offset - self._slope * (at - self._reference)))
