"""Is there still a face? Two measures that need no network of their own.

`plausibility` is an estimate from geometry alone, for landmark networks without a presence output: it says that the points
look like a face seen from somewhere, not that the picture shows one. `Appearance` compares the crop with the face so far.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from realtime.face.pose import Pose
from realtime.types import F32

_CELLS = 16
# misfit (inter-ocular distances) and crop disagreement (crop sides) at which a sign of a face has fallen to one half
_MISFIT = 0.16
_DISAGREEMENT = 0.12


def plausibility(pose: Pose | None, shift: float, size_ratio: float) -> float:
    """0..1 from geometry: the mean face fits the points, and the crop they ask for is the one they were found in.

    Args:
        pose: of the points.
        shift: distance of that crop's middle from the used one's, in its sides.
        size_ratio: of their sides.
    """
    if pose is None:
        return 0.0
    disagreement = math.hypot(shift, math.log(max(size_ratio, 1e-6)))
    return _half_at(pose.misfit, _MISFIT) * _half_at(disagreement, _DISAGREEMENT)


def _half_at(value: float, half: float) -> float:
    """1 at 0, one half at `half`, falling smoothly."""
    return math.exp(-math.log(2) * (value / half) ** 2)


class Appearance:
    """What the tracked face has looked like lately: a 16 x 16 brightness pattern of its crop.

    Args:
        memory: share of each new crop in the pattern, 0..1.
    """

    def __init__(self, memory: float = 0.2) -> None:
        self._memory = memory
        self._pattern: F32 | None = None

    def reset(self) -> None:
        """Another face, or the same one confirmed to look otherwise now."""
        self._pattern = None

    @staticmethod
    def of(patch: F32) -> F32:
        """What is remembered of a crop: mean-free, of unit length.

        Args:
            patch: (3, S, S) as the landmark network saw it.

        Returns:
            (256,) float32.
        """
        cells = patch[1].reshape(-1)[_samples(patch.shape[1])].mean(axis=1)
        pattern = cells - cells.mean()
        length = np.sqrt(pattern @ pattern)
        return np.asarray(pattern / length if length > 0 else pattern, np.float32)

    def likeness(self, pattern: F32) -> float:
        """Correlation with the face so far, -1..1; 1 where there is none yet.

        Args:
            pattern: (256,) as `of` gives it.
        """
        if self._pattern is None:
            return 1.0
        return float(self._pattern @ pattern) / max(float(np.sqrt(self._pattern @ self._pattern)), 1e-6)

    def learn(self, pattern: F32) -> None:
        """Take this crop's pattern in."""
        if self._pattern is None:
            self._pattern = pattern.copy()
        else:
            self._pattern += np.float32(self._memory) * (pattern - self._pattern)


@lru_cache(maxsize=8)
def _samples(size: int) -> NDArray[np.intp]:
    """(256, n) where in a flat plane of size x size pixels the samples of each cell lie: every second pixel both ways."""
    starts = np.arange(_CELLS) * size // _CELLS
    count = (size // _CELLS + 1) // 2
    along = starts[:, None] + 2 * np.arange(count)
    places = along[:, None, :, None] * size + along[None, :, None, :]
    return places.reshape(_CELLS * _CELLS, -1)
