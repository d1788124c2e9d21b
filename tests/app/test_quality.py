"""The quality ladder judges how late results are by how often pictures come."""

import pytest

from realtime.app.nodes.quality import HALF_RATE, Quality


def after(seconds: float, fps: float, latency: float) -> Quality:
    quality = Quality(0.15)
    for number in range(round(seconds * fps)):
        quality.update(latency, number / fps, 1 / fps)
        if HALF_RATE in quality.active:
            break
    return quality


@pytest.mark.parametrize(("fps", "latency"), [(30, 0.14), (6.6, 0.149), (5, 0.19), (2, 0.45), (1, 0.9)])
def test_a_result_that_is_ready_before_the_next_picture_costs_no_quality(fps: float, latency: float) -> None:
    assert after(120, fps, latency).switches == 0


@pytest.mark.parametrize(("fps", "latency"), [(30, 0.16), (10, 0.16), (5, 0.22), (1, 1.1)])
def test_a_result_that_is_late_costs_quality_also_with_a_slow_camera(fps: float, latency: float) -> None:
    assert after(120, fps, latency).active == (HALF_RATE,)


def test_steps_that_do_not_help_are_all_given_back() -> None:
    quality = Quality(0.15)
    for number in range(60 * 30):
        quality.update(0.3, number / 30, 1 / 30)
    assert quality.switches > 3
    assert quality.active == ()
