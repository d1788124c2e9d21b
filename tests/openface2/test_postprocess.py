"""Live correction and offline pass against their definitions, written out step by step."""

import numpy as np
import pytest

from realtime.openface2.postprocess import (
    EARLY_FRAMES,
    OnlineCorrection,
    Session,
    offline_intensities,
    offline_occurrences,
)


def test_online_correction_by_the_definition() -> None:
    rng = np.random.default_rng(0)
    stream = rng.normal(0.7, 1.5, (80, 4))
    stream[40] = (-9, 9, 0.02, -0.02)
    correction = OnlineCorrection(4)
    for n in range(1, len(stream) + 1):
        got = correction.update(stream[n - 1])
        for au in range(4):
            value = stream[n - 1, au]
            if n >= 10:
                counts = [0] * 200
                for past in stream[:n, au]:
                    counts[min(max(int((past + 3) * 200 / 8), 0), 199)] += 1
                total = 0
                for place, count in enumerate(counts):
                    total += count
                    if total > int(0.10 * n):
                        value = value - (-3 + place * 8 / 200)
                        break
            assert got[au] == pytest.approx(min(max(value, 0), 5), abs=1e-12)


def test_online_state_is_restored() -> None:
    rng = np.random.default_rng(1)
    stream = rng.normal(0, 1, (40, 3))
    first, second = OnlineCorrection(3), OnlineCorrection(3)
    for row in stream[:20]:
        first.update(row)
    second.restore(first.state())
    for row in stream[20:]:
        np.testing.assert_array_equal(first.update(row), second.update(row))
    first.reset()
    np.testing.assert_array_equal(first.update(np.array([2.0, -1.0, 6.0])), [2.0, 0.0, 5.0])


def session(frames: int, seed: int, lost: list[int]) -> Session:
    rng = np.random.default_rng(seed)
    frame, neutral = rng.normal(2, 1, (frames, 3)), np.cumsum(rng.normal(0, 0.02, (frames, 3)), axis=0)
    neutral[:, 0] = 0.0  # static
    frame[lost] = np.nan
    neutral[lost] = np.nan
    return Session(frame, neutral)


@pytest.mark.parametrize("missing_as_zero", [False, True])
def test_offline_pass_step_by_step(missing_as_zero: bool) -> None:
    lost = [0, 7, 8, 30]
    s = session(50, 2, lost)
    cutoffs = np.array([-1.0, 0.3, 0.5])
    got = offline_intensities(s, cutoffs, missing_as_zero)
    good = [i for i in range(50) if i not in lost]
    final = s.neutral[good[-1]]
    values = {i: s.frame[i] - final for i in good}
    for au in range(3):
        ordered = sorted(values[i][au] for i in good)
        offset = 0.0 if cutoffs[au] == -1 else ordered[int(len(ordered) * cutoffs[au])]
        clipped = {i: min(max(values[i][au] - offset, 0.0), 5.0) for i in good}
        for i in range(50):
            if i in lost:
                assert np.isnan(got[i, au])
                continue
            expected = clipped[i]
            if 0 < i < 49:
                window = [i - 1, i, i + 1]
                if missing_as_zero:
                    expected = sum(clipped.get(k, 0.0) for k in window) / 3
                else:
                    known = [clipped[k] for k in window if k in clipped]
                    expected = sum(known) / len(known)
            assert got[i, au] == pytest.approx(expected, abs=1e-12), (i, au)


def test_only_the_first_3000_measured_frames_are_predicted_again() -> None:
    s = session(EARLY_FRAMES + 40, 3, [5])
    again = s.repredicted()
    last_early = EARLY_FRAMES  # one earlier frame is lost
    np.testing.assert_allclose(again[last_early], s.frame[last_early] - s.neutral[-1])
    np.testing.assert_allclose(again[last_early + 1], s.frame[last_early + 1] - s.neutral[last_early + 1])
    assert np.isnan(again[5]).all()


def test_votes_on_occurrences() -> None:
    classes = np.array([1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0], np.float64)[:, None]
    got = offline_occurrences(classes)[:, 0]
    expected = classes[:, 0].copy()
    for i in range(3, 9):
        expected[i] = float(classes[i - 3 : i + 4, 0].mean() >= 0.5)
    np.testing.assert_array_equal(got, expected)
    classes[4] = np.nan
    assert np.isnan(offline_occurrences(classes)[4, 0])


@pytest.mark.parametrize("frames", [0, 1, 2, 6])
def test_short_sessions(frames: int) -> None:
    s = session(frames, 4, [])
    assert offline_intensities(s, np.array([-1.0, 0.3, 0.5])).shape == (frames, 3)
    assert offline_occurrences(np.ones((frames, 2))).shape == (frames, 2)


def test_nothing_measured_stays_nothing() -> None:
    s = session(9, 5, list(range(9)))
    assert np.isnan(offline_intensities(s, np.array([-1.0, 0.3, 0.5]))).all()
