"""A person's neutral: what the descriptor is at rest.

Most of the time a face is near rest, so the running median of the descriptor is a neutral that needs no ceremony; an
explicit calibration replaces it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from realtime.types import F32

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


LOOK = 128
"""Numbers by which the Action Unit network describes one side's picture, each within 0.8 of zero (see `action_units`)."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A face at rest.

    shape: (98, 2) descriptor. look: (2, LOOK) of the patient's left and right side, None where unknown. network: checksum of
    the network whose look it is; to another it says nothing.
    """

    shape: F32
    look: F32 | None = None
    network: str = ""

    def known_to(self, network: str) -> "Baseline":
        """The same rest for this network: without the look where another made it."""
        return self if self.look is None or self.network == network else Baseline(self.shape)

    def as_json(self) -> dict[str, Any]:
        """For files; `from_json` reads it."""
        look = None if self.look is None else self.look.tolist()
        return {"shape": self.shape.tolist(), "look": look, "network": self.network}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Baseline":
        """Raises KeyError, TypeError or ValueError where `content` is no rest."""
        shape = np.array(content["shape"], np.float32)
        look = None if content["look"] is None else np.array(content["look"], np.float32)
        if shape.shape != (98, 2) or not np.isfinite(shape).all():
            raise ValueError("a shape at rest is 98 finite points")
        if look is not None and (look.shape != (2, LOOK) or not np.isfinite(look).all()):
            raise ValueError(f"a look at rest is two rows of {LOOK} finite numbers")
        return cls(shape, look, str(content["network"]))


@dataclass(slots=True)
class RunningBaseline:
    """The neutral in force. rest: None while too little has been seen.

    settle: values before the running median counts. refresh: updates between two readings of it.
    max_angle: descriptors from heads turned further (degrees) are not taken in. network: checksum of the network whose looks
    are taken in.
    """

    settle: int = 30
    refresh: int = 15
    max_angle: float = 20.0
    network: str = ""
    calibrated: bool = False
    rest: Baseline | None = None
    _shapes: RunningMedian = field(default_factory=lambda: RunningMedian(98 * 2))
    _looks: RunningMedian = field(default_factory=lambda: RunningMedian(2 * LOOK))

    def update(self, shape: F32, pose: tuple[float, float, float], look: F32 | None = None) -> None:
        """Take in a frame's descriptor (98, 2), seen at `pose` (degrees), and its look (2, LOOK) where there is one."""
        if self.calibrated or max(abs(pose[0]), abs(pose[1])) > self.max_angle:
            return
        self._shapes.update(shape.reshape(-1))
        if look is not None:
            self._looks.update(look.reshape(-1))
        seen = self._shapes.values
        if seen >= self.settle and (self.rest is None or seen % self.refresh == 0):
            known = self._looks.values >= self.settle
            looks = self._looks.median().reshape(2, LOOK) if known else None
            self.rest = Baseline(self._shapes.median().reshape(-1, 2), looks, self.network)

    def calibrate(self, rest: Baseline) -> None:
        """From now on this is the neutral."""
        self.rest, self.calibrated = rest, True

    def forget(self) -> None:
        """Another person: start anew."""
        self.rest, self.calibrated = None, False
        self._shapes, self._looks = RunningMedian(98 * 2), RunningMedian(2 * LOOK)
