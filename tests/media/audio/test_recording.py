"""Sound and picture in one file: ten minutes with the two clocks apart, and known offsets found again."""

from pathlib import Path

import av
import numpy as np
import pytest

from realtime.media.audio.av_offset import av_offsets
from realtime.media.audio.track import SoundTrack
from realtime.media.encoders import ENCODERS
from realtime.media.recorder import PausableRecorder, VideoRecorder

RATE = 48_000
BLOCK_SECONDS = 0.04  # what is simulated is a clock, and its callbacks may be fewer than a card's
DARK = np.zeros((48, 64, 3), np.uint8)
BRIGHT = np.full((48, 64, 3), 255, np.uint8)


class SimulatedCard:
    """A card whose clock is `ppm` fast, with late callbacks; it beeps `late` seconds after every flash."""

    def __init__(
        self, begin: float, flashes: list[float], ppm: float = 0.0, late: float = 0.0, rate: int = RATE
    ) -> None:
        self.rate = rate
        self._block = round(rate * BLOCK_SECONDS)
        self._begin = begin
        self._true_rate = rate * (1 + ppm * 1e-6)
        self._beeps = np.array(flashes) + late
        self._random = np.random.default_rng(3)
        self._index = 0
        self.track = SoundTrack(rate)

    def start(self, origin: float) -> None:
        self.track.start(origin)

    def read(self, until: float) -> np.ndarray:
        while (taken := self._begin + (self._index + self._block) / self._true_rate) < until - 0.02:
            times = taken - np.arange(self._block, 0, -1) / self._true_rate
            samples = np.zeros(self._block, np.float32)
            for beep in self._beeps[np.abs(self._beeps - taken) < 1.0]:
                on = (times >= beep) & (times < beep + 0.05)
                samples[on] = 0.5 * np.cos(2 * np.pi * 1000 * times[on])
            self.track.put(self._index, times[0] + self._random.exponential(0.002), samples)
            self._index += self._block
        return self.track.take(until)


def record(
    path: Path, seconds: float, flashes: list[float], card: SimulatedCard, origin: float, fps: int = 10
) -> VideoRecorder:
    recorder = VideoRecorder(path, fps=fps, encoder=ENCODERS[-1], sound=card)
    times = origin + np.arange(int(seconds * fps)) / fps
    for time in times:
        lit = any(0 <= time - flash < 0.05 for flash in flashes)
        recorder.write(BRIGHT if lit else DARK, float(time))
    recorder.close()
    return recorder


@pytest.mark.parametrize("late", [0.0, 0.080, -0.045])
def test_a_known_offset_is_found(tmp_path: Path, late: float) -> None:
    origin = 700.0
    flashes = [origin + t for t in (2.0, 3.5, 6.0)]
    recorder = record(tmp_path / "video.mp4", 8, flashes, SimulatedCard(origin - 1, flashes, late=late), origin)
    assert not recorder.notices
    found = av_offsets(tmp_path / "video.mp4")
    assert [offset.at for offset in found] == pytest.approx([2.0, 3.5, 6.0], abs=0.001)
    assert [offset.seconds for offset in found] == pytest.approx([late] * 3, abs=0.006)


def test_ten_minutes_with_clocks_200_ppm_apart(tmp_path: Path) -> None:
    origin, seconds = 50.0, 600
    flashes = [origin + t for t in (1.0, 5.0, 30.0, 100.0, 300.0, 500.0, 598.0)]
    card = SimulatedCard(origin - 0.5, flashes, ppm=200.0, rate=8_000)  # fewer samples, and the same clock
    record(tmp_path / "video.mp4", seconds, flashes, card, origin, fps=2)
    offsets = np.array([offset.seconds for offset in av_offsets(tmp_path / "video.mp4")])
    assert len(offsets) == len(flashes)
    assert np.abs(offsets).max() < 0.020
    assert np.ptp(offsets) < 0.005
    assert card.track.clock.ppm == pytest.approx(200, abs=5)


def test_what_is_switched_off_is_not_heard_either(tmp_path: Path) -> None:
    flashes = [11.0, 13.0]
    card = SimulatedCard(9.0, flashes)
    recorder = PausableRecorder(
        lambda: VideoRecorder(tmp_path / "video.mp4", encoder=ENCODERS[-1], sound=card), on=True
    )
    for time in np.arange(10.0, 16.0, 0.1):
        recorder.switch(not 10.5 <= time < 12.0)
        recorder.write(BRIGHT if any(0 <= time - flash < 0.05 for flash in flashes) else DARK, float(time))
    recorder.close()
    with av.open(str(tmp_path / "video.mp4")) as container:
        frames = [(float(f.time), f.to_ndarray()[0]) for f in container.decode(audio=0)]
    at = np.concatenate([start + np.arange(len(values)) / RATE for start, values in frames])
    loud = at[np.abs(np.concatenate([values for _, values in frames])) > 0.1]
    assert loud.min() == pytest.approx(3.0, abs=0.01)


def test_pictures_do_not_wait_in_memory_for_late_sound(tmp_path: Path) -> None:
    """What a kill would leave while the microphone is away, and silence takes its place a second late."""

    class Away(SimulatedCard):
        def read(self, until: float) -> np.ndarray:
            return self.track.take(until)

    path = tmp_path / "video.mp4"
    recorder = VideoRecorder(path, fps=30, encoder=ENCODERS[-1], sound=Away(5.0, []))
    for number in range(150):
        recorder.write(DARK, 5.0 + number / 30)
    left = tmp_path / "left.mp4"
    left.write_bytes(path.read_bytes())
    recorder.close()
    with av.open(str(left)) as container:
        last = max(float(frame.time) for frame in container.decode(video=0))
    assert last > 149 / 30 - 0.75


@pytest.mark.parametrize("fps", [15, 30])
def test_a_kill_at_any_frame_loses_less_than_a_second_of_picture_and_of_sound(tmp_path: Path, fps: int) -> None:
    """Frames may wait 0.4 s for the recorder (`Policies.of`); with sound 0.3 s late, 0.5 s fragments lost 1.3 s."""

    class Late(SimulatedCard):
        def read(self, until: float) -> np.ndarray:
            return super().read(until - 0.3)

    path, left = tmp_path / "video.mp4", tmp_path / "left.mp4"
    recorder = VideoRecorder(path, fps=fps, sound=Late(5.0, []))
    lost: dict[str, float] = {"video": 0.0, "audio": 0.0}
    for number in range(4 * fps):
        recorder.write(DARK, 5.0 + number / fps)
        if number < 2 * fps:
            continue
        left.write_bytes(path.read_bytes())
        with av.open(str(left)) as container:
            ends = {"video": 0.0, "audio": 0.0}
            for packet in container.demux():
                if packet.pts is not None and packet.duration is not None:
                    ends[packet.stream.type] = float((packet.pts + packet.duration) * packet.time_base)
        lost = {kind: max(lost[kind], number / fps - end) for kind, end in ends.items()}
    recorder.close()
    assert lost["video"] < 0.5
    assert lost["audio"] < 0.7
