"""A real sound server's null sink, heard through its monitor. Skipped where there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest

from realtime.errors import DeviceError
from realtime.media.sound import measuring
from realtime.media.sound.sync import Offset


def monitored() -> bool:
    """Only a null sink's monitor: tests make no noise in a room and listen to none."""
    if shutil.which("pactl") is None:
        return False
    try:
        said = subprocess.run(["pactl", "info"], capture_output=True, text=True, timeout=5, check=False).stdout
    except subprocess.TimeoutExpired:
        return False
    return "Default Source: test.monitor" in said and "Default Sink: test\n" in said


@pytest.mark.skipif(not monitored(), reason="needs PulseAudio with a null sink named test as its default")
def test_flash_and_beep_through_a_null_sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_place", lambda: tmp_path / "kept" / "av_sync.json")
    try:
        found = measuring.measure()
    except DeviceError as error:
        if "cannot be opened" in str(error) or "No microphone" in str(error):
            pytest.skip(str(error))
        raise
    assert abs(found["offset_ms"]) < 20
    assert measuring.stored_measurement() == found


def test_the_median_is_told_and_the_spread() -> None:
    found = measuring.summary([Offset(1.0, 0.010), Offset(2.0, 0.012), Offset(3.0, 0.040)])
    assert (found["offset_ms"], found["spread_ms"], found["beeps"]) == (12.0, 30.0, 3)


def test_beeps_begin_at_their_time() -> None:
    beeps = measuring.Beeps(10.0, 48_000)
    sound = beeps.samples(2 * 48_000, 9.5)
    starts = (sound != 0).nonzero()[0]
    assert starts[0] / 48_000 == pytest.approx(0.5, abs=1e-4)
    assert starts[-1] / 48_000 == pytest.approx(1.55, abs=1e-3)
    assert abs(sound).max() <= 0.2
