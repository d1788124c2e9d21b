"""What is measured of sound against picture, and the beeps that it is measured with. The whole path: tests/live."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from realtime.media.audio import player, sync_beeps
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


@pytest.mark.parametrize(
    ("milliseconds", "steady"),
    [
        ([8, 9, 7, 8, 30], True),
        ([0, 0, 65, 65, 102, 130], False),
        ([10, 12], False),
        ([92, 20, 163, 90, 140, 60, 93, 20], False),
    ],
)
def test_beeps_that_sound_was_lost_between_are_no_measurement(milliseconds: list[float], steady: bool) -> None:
    offsets = [Offset(float(number), 1e-3 * late) for number, late in enumerate(milliseconds)]
    assert sync_beeps.are_steady(offsets) is steady


class Output:
    """A sound card whose callback is called by hand. It hears block after block, and pauses when told to."""

    latency = 0.02

    def __init__(self, callback: Callable[..., None]) -> None:
        self.now = 100.0
        self._callback = callback

    def start(self) -> None:
        pass

    def play(self, blocks: int, *, gap: float = 0.0) -> None:
        for number in range(blocks):
            lost = gap if number == 0 else 0.0
            self.now += lost + 480 / 48_000
            times = SimpleNamespace(currentTime=self.now, outputBufferDacTime=self.now + 0.05)
            self._callback(np.zeros((480, 1), np.float32), 480, times, SimpleNamespace(output_underflow=lost > 0))


def test_after_a_gap_in_the_output_the_sound_is_at_its_time_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Output] = []

    def open_stream(_kind: object, _device: int, _rate: int, callback: Callable[..., None]) -> Output:
        opened.append(Output(callback))
        return opened[0]

    monkeypatch.setattr(player, "portaudio", lambda: SimpleNamespace(OutputStream=None, PortAudioError=OSError))
    monkeypatch.setattr(player, "choose", lambda _module, _device, _kind: (0, 48_000))
    monkeypatch.setattr(player, "open_stream", open_stream)
    errors: list[float] = []

    def synthesiser(_rate: int) -> Callable[[int, float], Any]:
        def samples(count: int, heard: float) -> Any:
            errors.append(heard - (opened[0].now + 0.05))
            return np.zeros(count, np.float32)

        return samples

    sound = player.Player("", lambda: opened[0].now, synthesiser)
    opened[0].play(500)
    opened[0].play(100, gap=0.09)
    sound.close()
    assert len(errors) == 600
    assert max(abs(error) for error in errors) < 1e-6


def test_beeps_begin_at_their_time() -> None:
    beeps = sync_beeps.Beeps(10.0, 48_000)
    sound = beeps.samples(2 * 48_000, 9.5)
    starts = (sound != 0).nonzero()[0]
    assert starts[0] / 48_000 == pytest.approx(0.5, abs=1e-4)
    assert starts[-1] / 48_000 == pytest.approx(1.55, abs=1e-3)
    assert abs(sound).max() <= 0.2
