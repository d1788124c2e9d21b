"""A person's neutral: what the descriptor is at rest.

Most of the time a face is near rest, so the running median of the descriptor is a neutral that needs no ceremony; an
explicit calibration replaces it.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_LOWEST, _HIGHEST, _BINS = -0.8, 0.8, 640  # inter-ocular distances; a bin is 0.0025


class RunningMedian:
    """Per-dimension median of all values so far, by histogram: bounded memory, cheap to feed.

    Reading it sums the histograms (about 0.2 ms for 196 dimensions), so it is read now and then, not on every frame.
    """

    def __init__(self, dimensions: int) -> None:
        self._counts = np.zeros((dimensions, _BINS), np.int32)
        self._rows = np.arange(dimensions)
        self.values = 0

    def update(self, vector: F32) -> None:
        """Take in one (dimensions,) vector; values outside the range count at its ends."""
        bins = ((vector - _LOWEST) * (_BINS / (_HIGHEST - _LOWEST))).astype(np.int32)
        self._counts[self._rows, np.clip(bins, 0, _BINS - 1)] += 1
        self.values += 1

    def median(self) -> F32:
        """(dimensions,) centre of the first bin by which half of the values have been counted."""
        reached = np.cumsum(self._counts, axis=1) >= (self.values + 1) // 2
        return (_LOWEST + (reached.argmax(axis=1) + 0.5) * ((_HIGHEST - _LOWEST) / _BINS)).astype(np.float32)


@dataclass(slots=True)
class Neutral:
    """The neutral in force. shape: (98, 2) descriptor at rest, or None while too little has been seen.

    settle: values before the running median counts. refresh: updates between two readings of it.
    max_angle: descriptors from heads turned further (degrees) are not taken in.
    """

    settle: int = 30
    refresh: int = 15
    max_angle: float = 20.0
    calibrated: bool = False
    shape: F32 | None = None
    _median: RunningMedian = field(default_factory=lambda: RunningMedian(98 * 2))

    def update(self, shape: F32, pose: tuple[float, float, float]) -> None:
        """Take in a frame's descriptor (98, 2), seen at `pose` (degrees)."""
        if self.calibrated or max(abs(pose[0]), abs(pose[1])) > self.max_angle:
            return
        self._median.update(shape.reshape(-1))
        seen = self._median.values
        if seen >= self.settle and (self.shape is None or seen % self.refresh == 0):
            self.shape = self._median.median().reshape(-1, 2)

    def calibrate(self, shape: F32) -> None:
        """From now on this is the neutral."""
        self.shape, self.calibrated = shape, True

    def forget(self) -> None:
        """Another person: start anew."""
        self.shape, self.calibrated = None, False
        self._median = RunningMedian(98 * 2)
