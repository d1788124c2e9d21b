"""Is there still a face? Two measures that need no network of their own.

`plausibility` is an estimate from geometry alone, for landmark networks without a presence output: it says that the points
look like a face seen from somewhere, not that the picture shows one. `Appearance` compares the crop with the face so far.
"""

import math
from functools import lru_cache

import numpy as np

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
        mean = _cell_means(patch.shape[1])
        pattern: F32 = (mean @ patch[1] @ mean.T).reshape(-1)
        pattern -= np.add.reduce(pattern) / np.float32(len(pattern))
        length = math.sqrt(pattern @ pattern)
        if length > 0:
            pattern /= np.float32(length)
        return pattern

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
def _cell_means(size: int) -> F32:
    """(16, size): along one side, what each pixel counts in the mean of each cell; every second pixel of a cell counts."""
    out = np.zeros((_CELLS, size), np.float32)
    for cell in range(_CELLS):
        first, count = cell * size // _CELLS, (size // _CELLS + 1) // 2
        out[cell, first : first + 2 * count : 2] = 1 / count
    return out
