import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.media.pacing import PtsNormalizer, Schedule


def test_the_line_starts_at_zero_and_follows_the_stamps() -> None:
    line = PtsNormalizer(1 / 25)
    assert [line.update(t) for t in (7.0, 7.04, 7.2, 7.21)] == pytest.approx([0, 0.04, 0.2, 0.21])


def test_frames_without_a_stamp_come_one_period_apart() -> None:
    line = PtsNormalizer(0.04)
    assert [line.update(t) for t in (None, None, None)] == pytest.approx([0, 0.04, 0.08])


def test_a_jump_back_goes_on_one_period_later_and_then_follows_the_new_stamps() -> None:
    line = PtsNormalizer(0.04)
    assert [line.update(t) for t in (5.0, 5.04, 0.0, 0.04, 0.10)] == pytest.approx([0, 0.04, 0.08, 0.12, 0.18])


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=2, max_size=50))
def test_the_line_never_stands_still(times: list[float | None]) -> None:
    line = PtsNormalizer(1 / 30)
    places = [line.update(t) for t in times]
    assert all(b > a for a, b in itertools.pairwise(places))


def test_the_schedule_never_shifts_for_a_late_reader() -> None:
    schedule = Schedule()
    assert schedule.due(0.0, now=100.0) == 100.0
    assert schedule.due(1.0, now=105.0) == 101.0
    assert schedule.due(2.0, now=105.0) == 102.0
