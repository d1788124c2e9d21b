"""The person's neutral: a running median of every descriptor value, kept as histograms so that memory stays bounded.

Definition (OpenFace): bin = int((value - low) * bins / (high - low)), clipped to the first and last bin; with n values
counted the median is the centre of the first bin at which the cumulative count reaches (n + 1) // 2; after one single
value it is that value itself, not its bin's centre.

Summing a histogram for every dimension and frame is what cost the original 47 ms. Here each dimension remembers its
median bin and how many values lie below it: one more value moves the median by at most one occupied bin. What remains
is the memory that is touched, so counts take 16 bits until the 65,535th update (over an hour of video) and 32 after it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from realtime.jit import njit
from realtime.types import F64

I32 = NDArray[np.int32]
Counts = NDArray[np.uint16] | NDArray[np.int32]

NARROW_UPDATES = 65535


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal bins over a range.

    Attributes:
        count: of bins.
        low: of the range.
        high: likewise.
    """

    count: int
    low: float
    high: float


HOG_BINS = Bins(1000, -0.005, 1.0)
GEOMETRY_BINS = Bins(10000, -60.0, 60.0)


class RunningMedian:
    """Median of each of `dimensions` values over all updates. Memory: 2, later 4 * dimensions * bins bytes, no more.

    Args:
        dimensions: values in each update.
        bins: of each.
    """

    def __init__(self, dimensions: int, bins: Bins) -> None:
        self.bins = bins
        self.count = 0
        self._histogram: Counts = _touched_zeros((dimensions, bins.count))
        self._bin: I32 = np.zeros(dimensions, np.int32)
        self._below: I32 = np.zeros(dimensions, np.int32)
        self._median: F64 = np.full(dimensions, np.nan)

    @property
    def median(self) -> F64:
        """(dimensions,) the present medians, NaN before the first update. Valid until the next update."""
        return self._median

    def update(self, values: NDArray[np.floating]) -> None:
        """Count one value per dimension.

        Raises:
            ValueError: a value is not finite; nothing is counted then.
        """
        if values.shape != self._median.shape:
            raise ValueError(f"expected {self._median.size} values, got {values.shape}")
        if not _finite(values):
            raise ValueError("a running median takes finite values only")
        if self.count == NARROW_UPDATES:
            self._histogram = self._histogram.astype(np.int32)
        self.count += 1
        low, high = self.bins.low, self.bins.high
        _update(values, low, high, self.count, self._histogram, self._bin, self._below, self._median)

    def reset(self) -> None:
        """Forget everything."""
        self.count = 0
        if self._histogram.dtype == np.uint16:
            self._histogram.fill(0)
        else:
            self._histogram = _touched_zeros(self._histogram.shape)
        self._bin[:] = 0
        self._below[:] = 0
        self._median[:] = np.nan

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything needed to go on later: histogram sparse as (dimension, bin, count) rows, the medians, the count."""
        dimension, place = np.nonzero(self._histogram)
        counts = self._histogram[dimension, place].astype(np.int32)
        return {
            "bins": np.array([self.bins.count, self.bins.low, self.bins.high]),
            "count": np.array(self.count),
            "cells": np.stack([dimension.astype(np.int32), place.astype(np.int32), counts], axis=1),
            "median": self._median.copy(),
        }

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from `state()`.

        Args:
            state: what `state` gave.

        Raises:
            UserInputError: it belongs to other dimensions or bins, or contradicts itself.
        """
        try:
            count = int(state["count"])
            cells = np.asarray(state["cells"], np.int64).reshape(-1, 3)
            median = np.asarray(state["median"], np.float64)
            bins = np.asarray(state["bins"], np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise UserInputError(f"the saved running median cannot be read: {error}") from error
        expected = np.array([self.bins.count, self.bins.low, self.bins.high])
        if median.shape != self._median.shape or not np.array_equal(bins, expected):
            raise UserInputError("the saved running median belongs to another descriptor")
        dimension, place, counts = cells.T
        inside = (dimension >= 0) & (dimension < median.size) & (place >= 0) & (place < self.bins.count) & (counts > 0)
        if not bool(inside.all()):
            raise UserInputError("the saved running median has counts outside its histogram")
        histogram = np.zeros(self._histogram.shape, np.int32)
        histogram[dimension, place] = counts
        if count < 0 or not bool(np.all(histogram.sum(axis=1) == count)):
            raise UserInputError("the saved running median's counts do not add up")
        self.reset()
        self.count = count
        self._histogram = histogram.astype(np.uint16) if count <= NARROW_UPDATES else histogram
        if count:
            _locate(self._histogram, count, self._bin, self._below)
        self._median[:] = median


def _touched_zeros(shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Zeros whose memory pages are taken now, not one by one on the first live frames."""
    out = np.empty(shape, np.uint16)
    out.fill(0)
    return out


@njit(nogil=True)
def _finite(values: NDArray[np.floating]) -> bool:
    for v in values:  # noqa: SIM110 - Numba compiles the loop, not all()
        if not np.isfinite(v):
            return False
    return True


@njit(nogil=True)
def _update(
    values: NDArray[np.floating],
    low: float,
    high: float,
    count: int,
    histogram: Counts,
    median_bin: I32,
    below: I32,
    median: F64,
) -> None:
    dimensions, bins = histogram.shape
    span = high - low
    target = (count + 1) // 2
    width = span / bins
    for d in range(dimensions):
        place = (values[d] - low) * bins / span
        index = 0 if place < 0.0 else (bins - 1 if place > bins - 1 else int(place))
        histogram[d, index] += 1
        if count == 1:
            median_bin[d] = index
            median[d] = values[d]
            continue
        m, under = median_bin[d], below[d]
        if index < m:
            under += 1
        while under >= target:
            m -= 1
            under -= histogram[d, m]
        while under + histogram[d, m] < target:
            under += histogram[d, m]
            m += 1
        median_bin[d], below[d] = m, under
        median[d] = low + m * width + 0.5 * width


@njit(nogil=True)
def _locate(histogram: Counts, count: int, median_bin: I32, below: I32) -> None:
    target = (count + 1) // 2
    for d in range(histogram.shape[0]):
        under, m = 0, 0
        while under + histogram[d, m] < target:
            under += histogram[d, m]
            m += 1
        median_bin[d], below[d] = m, under


def prepare_wide_counts() -> None:
    """Compile what is needed after the 65,535th update, so that no live frame waits for it."""
    one = np.zeros(1, np.int32)
    _update(np.zeros(1), 0.0, 1.0, 1, np.zeros((1, 2), np.int32), one, one.copy(), np.zeros(1))
