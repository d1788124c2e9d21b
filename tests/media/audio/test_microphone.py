"""A microphone that comes late, stalls, vanishes and returns: on a clock of the test's own."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from realtime.app.nodes.audio import RunSound
from realtime.errors import DeviceError, UserInputError
from realtime.media.audio.devices import choose, portaudio
from realtime.media.audio.microphone import Deliver, Microphone
from realtime.media.audio.tone import ToneSettings

RATE = 48_000
BLOCK = 480


class World:
    """A clock, and a microphone plugged in or not."""

    def __init__(self) -> None:
        self.now = 100.0
        self.plugged = True
        self.deliver: Deliver | None = None
        self.opened: list[float] = []
        self.closed = 0
        self.rate = RATE
        self.name = "test"

    def clock(self) -> float:
        return self.now

    def open(self, deliver: Deliver) -> "World":
        self.opened.append(self.now)
        if not self.plugged:
            raise DeviceError("No microphone was found.")
        self.deliver = deliver
        return self

    def alive(self) -> bool:
        return self.plugged

    def close(self) -> None:
        self.closed += 1

    def live(self, seconds: float, microphone: Microphone, between: Callable[[], None] = lambda: None) -> None:
        for _ in range(round(seconds * RATE / BLOCK)):
            if self.plugged and microphone._stream is not None:
                assert self.deliver is not None
                self.deliver(np.full(BLOCK, 0.5, np.float32), self.now, False)
            self.now += BLOCK / RATE
            microphone.check(self.now)
            between()


def test_a_microphone_that_vanishes_and_returns_leaves_silence_of_that_length() -> None:
    world = World()
    microphone = Microphone(world.clock, world.open)
    microphone.start(100.0)
    parts: list[np.ndarray] = []

    def between() -> None:
        parts.append(microphone.read(world.now))

    world.live(5.0, microphone, between)
    world.plugged = False
    world.live(3.0, microphone, between)
    world.plugged = True
    back_at_most = world.now + 8.0
    world.live(5.0, microphone, between)
    sound = np.concatenate(parts)
    quiet = np.flatnonzero(np.abs(sound) < 0.25) / RATE
    quiet = quiet[quiet > 1.0]
    returned = world.opened[-1] - 100.0
    assert quiet[0] == pytest.approx(5.0, abs=0.002)
    assert quiet[-1] == pytest.approx(returned, abs=0.002)
    assert world.opened[-1] < back_at_most
    assert len(quiet) / RATE == pytest.approx(returned - 5.0, abs=0.002)
    waits = np.diff(world.opened[1:])
    assert (waits[1:] >= waits[:-1] - 0.02).all()
    assert microphone.outages == world.closed == 1
    assert len(microphone.notices) == 1
    assert "was gone for" in microphone.notices[0]


def test_a_device_that_stops_calling_back_is_opened_again() -> None:
    world = World()
    microphone = Microphone(world.clock, world.open)
    world.live(1.0, microphone)
    for _ in range(30):
        world.now += 0.1
        microphone.check(world.now)
    assert len(world.opened) >= 2
    assert microphone.outages >= 1


def test_one_that_never_returns_is_said_at_the_end() -> None:
    world = World()
    microphone = Microphone(world.clock, world.open)
    world.live(0.5, microphone)
    world.plugged = False
    world.live(0.5, microphone)
    microphone.close()
    microphone.close()
    assert [("did not return" in notice) for notice in microphone.notices] == [True]


def test_a_reader_that_is_late_loses_the_oldest_and_counts_it() -> None:
    world = World()
    microphone = Microphone(world.clock, world.open)
    microphone.start(100.0)
    world.live(1.0, microphone)
    microphone.read(world.now)
    world.live(12.0, microphone)
    sound = microphone.read(world.now)
    assert microphone.overflows == 1
    assert np.count_nonzero(sound == 0) / RATE == pytest.approx(7.0, abs=0.1)
    assert len(sound) / RATE == pytest.approx(12.0, abs=0.05)
    microphone.close()
    assert "lost 1 times" in microphone.notices[-1]


class Devices(ModuleType):
    """What PortAudio would list."""

    class PortAudioError(Exception):
        pass

    def __init__(self, names: list[tuple[str, int, int]]) -> None:
        super().__init__("sounddevice")
        listed = [
            {"name": n, "max_input_channels": i, "max_output_channels": o, "default_samplerate": 44100.0}
            for n, i, o in names
        ]
        self.default = SimpleNamespace(device=(-1, -1))
        self.query_devices = lambda: listed
        self.check_input_settings = self.check_output_settings = lambda **_: None


def test_devices_by_name_and_what_is_said_without() -> None:
    devices = Devices([("Built-in", 1, 2), ("USB Headset", 1, 1), ("HDMI", 0, 2)])
    assert choose(devices, "headset", "input") == (1, 48_000)
    assert choose(devices, "2", "output") == (2, 48_000)
    with pytest.raises(UserInputError, match="no microphone 'HDMI'; there are: Built-in; USB Headset"):
        choose(devices, "HDMI", "input")
    with pytest.raises(DeviceError, match="No microphone was found"):
        choose(Devices([("HDMI", 0, 2)]), "", "input")


def test_without_portaudio_one_sentence_each_and_all_else_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(DeviceError, match="PortAudio library is missing"):
        portaudio()
    sound = RunSound.open("", 12, "", ToneSettings(), lambda: 0.0)
    assert (sound.microphone, sound.tone) == (None, None)
    assert [notice.split(". ")[-1] for notice in sound.notices] == [
        "Recording goes on without sound.",
        "There is no tone.",
    ]
    assert sound.metrics() == {"recorded": None, "tone": None}
    sound.close()
