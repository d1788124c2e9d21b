"""A microphone that may vanish and return, as one gapless track for the recording."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from realtime.errors import DeviceError, FacemirrorError
from realtime.media.audio.devices import LATENCY, choose, close_stream, open_stream, portaudio
from realtime.media.audio.track import SoundTrack
from realtime.types import F32

_RING_BLOCKS = 500
_STALL_SECONDS = 1.5
_BEGIN_SECONDS = 6.0  # PulseAudio's plugin took more than a second to its first callback
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0
_WATCH_SECONDS = 0.25

Deliver = Callable[[F32, float, bool], None]
"""Called with (N,) mono samples, the time of the first (seconds on the program's clock), and whether some were lost before."""


class Stream(Protocol):
    """An open input. It is fit to be let go of from another thread."""

    rate: int
    name: str

    def alive(self) -> bool: ...

    def close(self) -> None: ...


Open = Callable[[Deliver], Stream]


@dataclass(frozen=True, slots=True)
class _Block:
    stream: int
    index: int
    time: float
    samples: F32


class PortAudioInput:
    """The microphone through PortAudio. The callback copies, and nothing else.

    Args:
        device: number or a part of its name; '': the default.
        clock: the program's, seconds.
        deliver: called with each block and the time of its first sample.
        again: look for devices that came since PortAudio was loaded.
    """

    def __init__(self, device: str, clock: Callable[[], float], deliver: Deliver, *, again: bool = False) -> None:
        module = portaudio()
        if again:
            with contextlib.suppress(Exception):
                module._terminate()
                module._initialize()
        number, self.rate = choose(module, device, "input")

        def callback(block: F32, frames: int, time: Any, status: Any) -> None:
            now = clock()
            behind = time.currentTime - time.inputBufferAdcTime
            if not time.inputBufferAdcTime or not 0.0 <= behind < 2.0:  # some hosts tell no time
                behind = self._latency + frames / self.rate
            deliver(block[:, 0].copy(), now - behind, bool(status.input_overflow))

        self._latency = LATENCY
        try:
            self.name = str(module.query_devices(number)["name"])
            self._stream = open_stream(module.InputStream, number, self.rate, callback)
            self._latency = float(self._stream.latency)
            self._stream.start()
        except (module.PortAudioError, ValueError) as error:
            raise DeviceError(f"The microphone cannot be opened ({error}).") from None

    def alive(self) -> bool:
        """PortAudio still calls back."""
        return bool(self._stream.active)

    def close(self) -> None:
        """Let go of the device."""
        close_stream(self._stream)


class Microphone:
    """What a recording reads its sound from.

    The callback's thread puts blocks into a ring that holds five seconds; a reader that is slower loses the oldest, which become
    silence and are counted. A thread of its own (`start_watching`) reopens a device that has gone, with growing waits.

    Args:
        clock: seconds on the program's clock.
        open_stream: opens the device; what it raises is raised here.
        reopen: opens it again after an outage; None: like `open_stream`.

    Attributes:
        notices: sentences for the user.
        overflows: how often sound was lost.
        outages: how often the device vanished.
        track: the gapless track.
    """

    def __init__(self, clock: Callable[[], float], open_stream: Open, reopen: Open | None = None) -> None:
        self.notices: list[str] = []
        self.overflows = 0
        self.outages = 0
        self._clock = clock
        self._reopen = reopen or open_stream
        self._ring: deque[_Block] = deque(maxlen=_RING_BLOCKS)
        self._number = 0
        self._read_number = 0
        self._expected = 0
        self._heard = clock()
        self._begun = False
        self._wait = _FIRST_WAIT
        self._due = 0.0
        self._gone_at: float | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._stream: Stream | None = open_stream(self._deliver(0))
        self.rate = self._stream.rate
        self.name = self._stream.name
        self.track = SoundTrack(self.rate)

    def start_watching(self) -> None:
        """Start the thread that reopens a microphone that vanished."""

        def watch() -> None:
            while not self._ended.wait(_WATCH_SECONDS):
                self.check(self._clock())

        self._thread = threading.Thread(target=watch, name="microphone-watch", daemon=True)
        self._thread.start()

    def check(self, now: float) -> None:
        """Close a stream that has stopped, and try to open it again when its waiting time is over.

        Args:
            now: seconds on the clock.
        """
        stream = self._stream
        if stream is not None:
            if stream.alive() and now - self._heard <= (_STALL_SECONDS if self._begun else _BEGIN_SECONDS):
                if self._begun and self._gone_at is not None:
                    self._note_outage(self._heard - self._gone_at)
                return
            self._stream = None
            if self._gone_at is None:
                self.outages += 1
                self._gone_at, self._wait = self._heard, _FIRST_WAIT
            else:  # it was opened, but nothing came
                self._wait = min(2 * self._wait, _LONGEST_WAIT)
            self._begun, self._due = False, now + self._wait
            self._number += 1
            stream.close()
            return
        if now < self._due:
            return
        try:
            found = self._reopen(self._deliver(self._number))
        except FacemirrorError:
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
            self._due = now + self._wait
            return
        if found.rate != self.rate:
            found.close()
            self._due = now + _LONGEST_WAIT
            return
        self._heard = now
        self._stream = found

    def _note_outage(self, seconds: float) -> None:
        self._gone_at = None
        self.notices.append(f"The microphone {self.name} was gone for {seconds:.1f} s; the recording is silent there.")

    def start(self, origin: float) -> None:
        """The recording begins at this time.

        Args:
            origin: seconds on the program's clock.
        """
        self.track.start(origin)

    def read(self, until: float) -> F32:
        """Take the track's next samples.

        Args:
            until: about how far, in seconds on the program's clock.

        Returns:
            (N,) float32, -1..1.
        """
        while self._ring:
            block = self._ring.popleft()
            if block.stream != self._read_number:
                self.track.lost()
                self._read_number, self._expected = block.stream, block.index
            if block.index != self._expected:
                self.overflows += 1
            self._expected = block.index + len(block.samples)
            self.track.put(block.index, block.time, block.samples)
        return self.track.take(until)

    def close(self) -> None:
        """Let go of the device; what was heard can still be read. Safe to call twice."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2.0)
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if self._gone_at is not None:
            self.notices.append(
                f"The microphone {self.name} vanished and did not return; the recording is silent since."
            )
            self._gone_at = None
        if self.overflows:
            self.notices.append(f"Sound was lost {self.overflows} times because the computer was too busy.")
            self.overflows = 0

    def figures(self) -> dict[str, Any]:
        """For the summary."""
        return {
            "microphone": self.name,
            "rate": self.rate,
            "clock_ppm": round(self.track.clock.ppm, 1),
            "overflows": self.overflows,
            "outages": self.outages,
            "silence_seconds": round(self.track.silence / self.rate, 3),
        }

    def _deliver(self, number: int) -> Deliver:
        taken = 0

        def deliver(samples: F32, time: float, lost: bool) -> None:
            nonlocal taken
            if number != self._number:  # a stream that was given up speaks once more
                return
            self._heard, self._begun = self._clock(), True
            self.overflows += lost
            self._ring.append(_Block(number, taken, time, samples))
            taken += len(samples)

        return deliver


def open_microphone(device: str, clock: Callable[[], float]) -> Microphone:
    """A microphone, watched.

    Args:
        device: number or a part of its name; '': the default.
        clock: the program's, seconds.

    Raises:
        DeviceError: there is none.
        UserInputError: there is none of this name.
    """
    microphone = Microphone(
        clock,
        lambda deliver: PortAudioInput(device, clock, deliver),
        lambda deliver: PortAudioInput(device, clock, deliver, again=not _playing),
    )
    microphone.start_watching()
    return microphone


_playing: set[int] = set()
"""Outputs that are open: PortAudio's list of devices cannot be read anew under them."""


def playing(stream: object, *, on: bool) -> None:
    """Note that an output was opened or closed.

    Args:
        stream: the output.
        on: it was opened.
    """
    (_playing.add if on else _playing.discard)(id(stream))
