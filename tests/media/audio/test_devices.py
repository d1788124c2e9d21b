"""What is measured of sound against picture, and the beeps that it is measured with. The whole path: tests/live."""

from pathlib import Path

import pytest

from realtime.media.audio import sync_beeps
from realtime.media.audio.av_offset import Offset


def test_a_measurement_is_kept_for_sessions_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_beeps, "_place", lambda: tmp_path / "kept" / "av_sync.json")
    assert sync_beeps.stored_measurement() is None
    found = sync_beeps.summary([Offset(1.0, 0.010)])
    sync_beeps.keep(found)
    assert sync_beeps.stored_measurement() == found


def test_the_median_is_told_and_the_spread() -> None:
    found = sync_beeps.summary([Offset(1.0, 0.010), Offset(2.0, 0.012), Offset(3.0, 0.040)])
    assert (found["offset_ms"], found["spread_ms"], found["beeps"]) == (12.0, 30.0, 3)


def test_beeps_begin_at_their_time() -> None:
    beeps = sync_beeps.Beeps(10.0, 48_000)
    sound = beeps.samples(2 * 48_000, 9.5)
    starts = (sound != 0).nonzero()[0]
    assert starts[0] / 48_000 == pytest.approx(0.5, abs=1e-4)
    assert starts[-1] / 48_000 == pytest.approx(1.55, abs=1e-3)
    assert abs(sound).max() <= 0.2
