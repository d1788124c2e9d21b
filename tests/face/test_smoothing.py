"""Steady, but not late: noise, steps, ramps and blinks through the smoother."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from realtime.face import wflw
from realtime.face.face_model import FACE_2D
from realtime.face.point_flow import Moved
from realtime.face.settings import SmoothingSettings
from realtime.face.smoothing import Smoother, relative_deviation
from realtime.types import F32, F64

IOD = 100.0
FACE = (FACE_2D * IOD + (300, 200)).astype(np.float32)
STILL = np.array(((1.0, 0, 0), (0, 1.0, 0)))


def moved(points: F32 | F64, shift: ArrayLike = (0.0, 0.0), found: bool = True) -> Moved | None:
    """What the flow says when the head moved by `shift` and nothing else did."""
    rigid = STILL.copy()
    rigid[:, 2] = shift
    return Moved((points + np.array(shift, np.float32)).astype(np.float32), rigid, np.full(98, found), 1.0)


def run(sequence: F32 | F64, *, flow: F64 | None = None, settings: SmoothingSettings | None = None) -> F32:
    """Shown points for (98, 2) raw points per frame at 30 fps; flow: head shift per frame, None: no flow at all."""
    smoother = Smoother(settings or SmoothingSettings())
    shown = []
    for i, raw in enumerate(sequence):
        ahead = None
        if flow is not None and smoother.steady is not None:
            ahead = moved(smoother.steady, flow[i])
        shown.append(smoother.update(raw.astype(np.float32), i / 30, moved=ahead))
    return np.array(shown)


def jitter(points: F32 | F64) -> float:
    second = np.linalg.norm(points[2:] - 2 * points[1:-1] + points[:-2], axis=2)
    return np.median(second) / IOD


@pytest.mark.parametrize("with_flow", [True, False])
def test_noise_of_a_still_face_is_cut(with_flow: bool) -> None:
    rng = np.random.default_rng(0)
    raw = FACE + rng.normal(0, 0.004 * IOD, (200, 98, 2))
    shown = run(raw, flow=np.zeros((200, 2)) if with_flow else None)
    assert jitter(shown) < (0.35 if with_flow else 0.6) * jitter(raw)
    # and not by drifting away
    assert np.abs(shown[50:].mean(axis=0) - FACE).max() < 0.004 * IOD


@pytest.mark.parametrize("with_flow", [True, False])
@pytest.mark.parametrize("size", [0.05, 0.2, 1.0])
def test_step_of_the_head_arrives_within_one_frame(with_flow: bool, size: float) -> None:
    """The whole face jumps; half may show at once, all of it one frame later."""
    shift = np.array((size * IOD, 0.0))
    raw = np.array([FACE + (shift if i >= 10 else 0) for i in range(16)])
    flow = np.zeros((16, 2))
    flow[10] = shift
    shown = run(raw, flow=flow if with_flow else None)
    arrived = (shown[:, 0, 0] - FACE[0, 0]) / shift[0]
    assert np.abs(arrived[:10]).max() < 1e-3
    assert arrived[10] >= 0.45
    assert arrived[11] == pytest.approx(1.0, abs=0.02)


def test_steady_ramp_is_at_most_half_a_frame_behind() -> None:
    speed = 3.0
    raw = np.array([FACE + np.array((speed * i, 0.0)) for i in range(30)])
    shown = run(raw, flow=np.array([(speed, 0.0)] * 30))
    behind = (raw[10:, :, 0] - shown[10:, :, 0]) / speed
    assert behind.max() <= 0.51
    assert behind.min() >= 0.0


def test_slow_camera_is_delayed_by_time_not_by_frames() -> None:
    """At six results a second half a frame would be 80 ms: the delay stays what it is in seconds."""
    smoother = Smoother(SmoothingSettings(head_delay=0.0167))
    smoother.update(FACE, 0.0)
    shown = smoother.update(FACE + np.float32(10), 0.15, moved=moved(FACE, (10.0, 10.0)))
    assert np.abs(FACE + 10 - shown).max() == pytest.approx(10 * 0.0167 / 0.15, abs=0.01)


def test_a_fast_head_is_hardly_behind() -> None:
    """Half of a fast motion would put the points beside the eyes: it is taken back by a bounded distance."""
    settings = SmoothingSettings(head_delay=0.0167, head_delay_most=0.04)
    raw = np.array([FACE + np.array((0.5 * IOD * i, 0.0), np.float32) for i in range(10)])
    shown = run(raw, settings=settings)
    assert np.linalg.norm(shown - raw, axis=2).max() <= 0.0401 * wflw.interocular(FACE)


@pytest.mark.parametrize("with_flow", [True, False])
@pytest.mark.parametrize("shape", [(0, 0.6, 1, 0.5, 0), (0, 1, 1, 0), (0, 0.4, 0.9, 1, 0.6, 0.2)])
def test_blink_keeps_its_amplitude(with_flow: bool, shape: tuple[float, ...]) -> None:
    """Flow that sees nothing of the lids (the worst case), noise, and a blink of three to five frames."""
    rng = np.random.default_rng(1)
    closed = FACE.astype(float).copy()
    for up, low in ((61, 67), (62, 66), (63, 65), (69, 75), (70, 74), (71, 73)):
        closed[up] = closed[low]
    course = np.concatenate((np.zeros(20), shape, np.zeros(10)))
    raw = np.array([FACE + c * (closed - FACE) for c in course]) + rng.normal(0, 0.002 * IOD, (len(course), 98, 2))
    shown = run(raw, flow=np.zeros((len(course), 2)) if with_flow else None)
    before = np.mean(wflw.eye_opening(FACE))
    deepest_raw = before - min(np.mean(wflw.eye_opening(p)) for p in raw)
    openings = [np.mean(wflw.eye_opening(p)) for p in shown]
    deepest = before - min(openings)
    assert deepest >= 0.8 * deepest_raw
    # in time: the deepest frame is the raw's, or the one after
    raw_at = int(np.argmin([np.mean(wflw.eye_opening(p)) for p in raw]))
    assert abs(int(np.argmin(openings)) - raw_at) <= 1


def test_lip_step_is_shown_within_one_frame() -> None:
    raw = np.array([FACE] * 10 + [FACE] * 5)
    raw[10:, list(wflw.INNER_LIP), 1] += 0.06 * IOD
    shown = run(raw, flow=np.zeros((15, 2)))
    assert (shown[11, 94, 1] - FACE[94, 1]) / (0.06 * IOD) > 0.95


def test_surer_points_follow_faster() -> None:
    covariance = np.tile(np.eye(2, dtype=np.float32), (98, 1, 1))
    covariance[0] *= 0.25
    covariance[1] *= 4.0
    smoother = Smoother()
    smoother.update(FACE, 0.0, covariance=covariance)
    target = FACE + np.float32(0.035 * IOD)
    shown = smoother.update(target, 1 / 30, moved=moved(FACE), covariance=covariance)
    gain = (shown - FACE)[:, 0] / (0.035 * IOD)
    assert gain[0] > gain[2] > gain[1]


def test_reset_and_gap_start_anew() -> None:
    smoother = Smoother()
    smoother.update(FACE, 0.0)
    far = FACE + np.float32(3)
    smoother.reset()
    assert np.array_equal(smoother.update(far, 1 / 30), far)
    assert np.array_equal(smoother.update(FACE, 5.0), FACE)


def test_off_means_raw() -> None:
    raw = FACE + np.random.default_rng(2).normal(0, 1, (5, 98, 2)).astype(np.float32)
    assert np.array_equal(run(raw, settings=SmoothingSettings(enabled=False)), raw.astype(np.float32))


def test_deviations_are_relative_to_the_median_point() -> None:
    spread = np.random.default_rng(5).uniform(0.1, 9.0, 98).astype(np.float32)
    covariance = spread[:, None, None] ** 2 * np.eye(2, dtype=np.float32)
    expected = np.clip(spread / np.median(spread), 0.5, 2.0)
    np.testing.assert_allclose(relative_deviation(covariance), expected, rtol=1e-5)
