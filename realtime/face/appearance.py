"""Is there still a face? Two measures that need no network of their own.

`plausibility` is an estimate from geometry alone, for landmark networks without a presence output: it says that the points
look like a face seen from somewhere, not that the picture shows one. `Appearance` compares the crop with the face so far.
"""

import math

import numpy as np

from realtime.face.pose import Pose
from realtime.jit import njit
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
        pattern = np.empty(_CELLS * _CELLS, np.float32)
        _pool(patch, pattern)
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


@njit(nogil=True)
def _pool(patch: F32, out: F32) -> None:
    size = patch.shape[1]
    cells = 16
    mean = 0.0
    for r in range(cells):
        for c in range(cells):
            total, count = 0.0, 0
            for y in range(r * size // cells, (r + 1) * size // cells, 2):
                for x in range(c * size // cells, (c + 1) * size // cells, 2):
                    total += patch[1, y, x]
                    count += 1
            out[r * cells + c] = total / max(count, 1)
            mean += out[r * cells + c]
    mean /= cells * cells
    length = 0.0
    for i in range(cells * cells):
        out[i] -= mean
        length += out[i] * out[i]
    if length > 0.0:
        out /= np.float32(np.sqrt(length))
