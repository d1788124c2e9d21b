"""Has the picture changed altogether? A thumbnail's worth of samples says so for a few microseconds."""

import numpy as np

from realtime.jit import njit
from realtime.types import F32, U8

_ROWS, _COLUMNS = 18, 32


@njit(nogil=True)
def thumbnail(image: U8, out: F32) -> None:
    """(18, 32) mean-free brightness, white = 1: each cell is the mean of 4 x 4 green samples spread over it.

    Args:
        image: (H, W, 3) uint8 BGR.
        out: (18, 32) float32, filled.
    """
    height, width = image.shape[0], image.shape[1]
    rows, columns = out.shape
    across = np.empty(4 * columns, np.int64)
    for i in range(4 * columns):
        across[i] = ((2 * i + 1) * width) // (columns * 8)
    total = 0.0
    counts = np.empty(columns, np.int64)
    for r in range(rows):
        counts[:] = 0
        for j in range(4):  # row after row, so that memory is read in its order
            line = image[((r * 8 + 2 * j + 1) * height) // (rows * 8)]
            for c in range(columns):
                for i in range(4):
                    counts[c] += line[across[4 * c + i], 1]
        for c in range(columns):
            out[r, c] = counts[c] / 4080.0
            total += out[r, c]
    mean = np.float32(total / (rows * columns))
    for r in range(rows):
        for c in range(columns):
            out[r, c] -= mean


@njit(nogil=True)
def _changes(one: F32, other: F32, least: float) -> tuple[float, int]:
    """Sum of the cells' changes, and how many of them changed by more than `least`."""
    total, many = 0.0, 0
    for r in range(one.shape[0]):
        for c in range(one.shape[1]):
            change = abs(one[r, c] - other[r, c])
            total += change
            many += change > least
    return total, many


class SceneChange:
    """Compares each picture with the one before. Brightness as a whole does not count (auto exposure, a lamp).

    Args:
        difference: mean change of the cells, 0..1 of white.
        share: cells that must have changed by half of that.
    """

    def __init__(self, difference: float, share: float) -> None:
        self._difference = difference
        self._share = share
        self._last: F32 | None = None
        self._next = np.empty((_ROWS, _COLUMNS), np.float32)

    def update(self, image: U8) -> bool:
        """Is this (H, W, 3) picture another scene than the last one given?

        Args:
            image: (H, W, 3) uint8 BGR.
        """
        thumbnail(image, self._next)
        last, self._last = self._last, self._next
        self._next = np.empty_like(self._next) if last is None else last
        if last is None:
            return False
        total, many = _changes(self._last, last, self._difference / 2)
        return total > self._difference * last.size and many > self._share * last.size
