"""The incremental median against the definition, its bounded memory, and its state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import UserInputError
from realtime.openface2 import running_median
from realtime.openface2.descriptor import APPEARANCE, DESCRIPTOR, Neutral
from realtime.openface2.running_median import GEOMETRY_BINS, HOG_BINS, Bins, RunningMedian

SMALL = Bins(10, -1.0, 1.0)


def brute_force(values: np.ndarray, bins: Bins) -> np.ndarray:
    """The definition, from all values at once: (n, dimensions) -> medians."""
    n = len(values)
    if n == 1:
        return values[0]
    place = np.clip(((values - bins.low) * bins.count / (bins.high - bins.low)), 0, bins.count - 1).astype(int)
    out = np.empty(values.shape[1])
    for d in range(values.shape[1]):
        counts = np.bincount(place[:, d], minlength=bins.count)
        first = int(np.argmax(np.cumsum(counts) >= (n + 1) // 2))
        out[d] = bins.low + (first + 0.5) * (bins.high - bins.low) / bins.count
    return out


@pytest.mark.parametrize("bins", [HOG_BINS, GEOMETRY_BINS, SMALL])
def test_random_streams(bins: Bins) -> None:
    rng = np.random.default_rng(0)
    spread = (bins.high - bins.low) / 4
    values = rng.normal(bins.low + 2 * spread, spread, (120, 6))
    median = RunningMedian(6, bins)
    for n, row in enumerate(values, 1):
        median.update(row)
        np.testing.assert_allclose(median.median, brute_force(values[:n], bins), atol=1e-12)


@given(
    st.lists(st.sampled_from([-5.0, -1.0, -0.9999, -0.2, 0.0, 0.1999, 0.2, 0.9999, 1.0, 7.0]), min_size=1, max_size=40)
)
@settings(max_examples=150, deadline=None)
def test_adversarial_streams(stream: list[float]) -> None:
    values = np.array(stream)[:, None]
    median = RunningMedian(1, SMALL)
    for n in range(1, len(values) + 1):
        median.update(values[n - 1])
        assert median.median[0] == pytest.approx(brute_force(values[:n], SMALL)[0], abs=1e-12)


def test_leaps_between_the_ends() -> None:
    values = np.tile([[60.0], [-60.0]], (30, 1))
    median = RunningMedian(1, GEOMETRY_BINS)
    for n in range(1, 61):
        median.update(values[n - 1])
        assert median.median[0] == pytest.approx(brute_force(values[:n], GEOMETRY_BINS)[0], abs=1e-9)


def test_memory_does_not_grow() -> None:
    median = RunningMedian(3, SMALL)
    arrays = {name: value.nbytes for name, value in vars(median).items() if isinstance(value, np.ndarray)}
    for value in np.random.default_rng(1).normal(size=(5000, 3)):
        median.update(value)
    assert {name: value.nbytes for name, value in vars(median).items() if isinstance(value, np.ndarray)} == arrays
    assert median._histogram.sum() == 3 * 5000


def test_counts_grow_wide_before_they_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """One value over and over: its count passes 65,535 and the median stays right, also after saving."""
    median = RunningMedian(1, SMALL)
    median.update(np.array([0.5]))
    for value in (0.5, -0.5):
        low, high = SMALL.low, SMALL.high
        state = median.state()
        place = int((value - low) * SMALL.count / (high - low))
        cells = {(int(d), int(b)): int(n) for d, b, n in state["cells"]}
        cells[0, place] = cells.get((0, place), 0) + 40000
        rows = np.array([(d, b, n) for (d, b), n in cells.items()])
        median.restore({**state, "cells": rows, "count": np.array(median.count + 40000)})
        for _ in range(3):
            median.update(np.array([value]))
    assert median.count == 80007
    assert median._histogram.sum() == 80007
    assert median._histogram.dtype == np.int32
    narrow = RunningMedian(1, SMALL)
    monkeypatch.setattr(running_median, "NARROW_UPDATES", 20)
    values = np.random.default_rng(8).normal(0, 0.5, (50, 1))
    for n, row in enumerate(values, 1):
        narrow.update(row)
        assert narrow.median[0] == pytest.approx(brute_force(values[:n], SMALL)[0], abs=1e-12)
        assert narrow._histogram.dtype == (np.uint16 if n <= 20 else np.int32)


def test_not_finite_is_refused_and_not_counted() -> None:
    median = RunningMedian(2, SMALL)
    median.update(np.array([0.1, 0.2]))
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            median.update(np.array([0.1, bad]))
    assert median.count == 1
    with pytest.raises(ValueError, match="expected 2"):
        median.update(np.zeros(3))


def test_state_goes_on_as_if_nothing_had_happened() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.2, 0.3, (60, DESCRIPTOR))
    straight, first = Neutral(), Neutral()
    for row in values[:25]:
        straight.update(row)
        first.update(row)
    second = Neutral()
    second.restore(first.state())
    np.testing.assert_array_equal(second.median, straight.median)
    for row in values[25:]:
        straight.update(row)
        second.update(row)
    np.testing.assert_array_equal(second.median, straight.median)
    assert second.frames == straight.frames


def test_foreign_or_damaged_states_are_refused() -> None:
    median = RunningMedian(3, SMALL)
    for value in np.random.default_rng(3).normal(size=(9, 3)):
        median.update(value)
    state = median.state()
    with pytest.raises(UserInputError, match="another descriptor"):
        RunningMedian(4, SMALL).restore(state)
    with pytest.raises(UserInputError, match="another descriptor"):
        RunningMedian(3, Bins(10, -2.0, 1.0)).restore(state)
    with pytest.raises(UserInputError, match="do not add up"):
        RunningMedian(3, SMALL).restore({**state, "count": np.array(8)})
    with pytest.raises(UserInputError, match="outside its histogram"):
        RunningMedian(3, SMALL).restore({**state, "cells": np.array([[0, 10, 1]])})
    with pytest.raises(UserInputError, match="cannot be read"):
        RunningMedian(3, SMALL).restore({"count": np.array(8)})


def test_neutral_takes_every_second_frame_and_keeps_hog_above_zero() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(0.0, 0.004, (11, DESCRIPTOR))
    neutral = Neutral()
    for row in values:
        neutral.update(row)
    hog = np.maximum(brute_force(values[::2, :APPEARANCE], HOG_BINS), 0.0)
    np.testing.assert_allclose(neutral.median[:APPEARANCE], hog, atol=1e-12)
    np.testing.assert_allclose(
        neutral.median[APPEARANCE:], brute_force(values[::2, APPEARANCE:], GEOMETRY_BINS), atol=1e-9
    )
    neutral.reset()
    assert np.isnan(neutral.median).all()
    neutral.update(values[0])
    np.testing.assert_array_equal(neutral.median[APPEARANCE:], values[0, APPEARANCE:])
