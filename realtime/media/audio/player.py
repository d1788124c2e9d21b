"""The tone through the loudspeaker."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import DeviceError
from realtime.media.audio.devices import LATENCY, choose, close_stream, open_stream, portaudio
from realtime.media.audio.microphone import playing
from realtime.media.audio.sample_clock import SoundClock

Synthesise = Callable[[int, float], NDArray[np.float32]]
"""(count, time when the first is heard) -> (count,) samples, -1..1."""


class Player:
    """Calls `synthesise` for every block that the sound output wants.

    Args:
        device: number or a part of its name; '': the default.
        clock: the program's, seconds.
        make: given the output's rate, gives `synthesise`.
    """

    def __init__(self, device: str, clock: Callable[[], float], make: Callable[[int], Synthesise]) -> None:
        module = portaudio()
        number, self.rate = choose(module, device, "output")
        synthesise = make(self.rate)

        def callback(block: NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
            ahead = time.outputBufferDacTime - time.currentTime
            if not time.outputBufferDacTime or not 0.0 <= ahead < 2.0:  # some hosts tell no time
                ahead = self.latency
            if status.output_underflow:  # there was a gap: all that follows is heard later than the samples' count says
                self._clock.restart()
            self._clock.update(self._played, clock() + ahead)
            block[:] = synthesise(frames, self._clock.time_of(self._played))[:, None]
            self._played += frames

        self.latency = LATENCY
        self._clock = SoundClock(self.rate)
        self._played = 0
        try:
            self._stream = open_stream(module.OutputStream, number, self.rate, callback)
            self.latency = float(self._stream.latency)
            self._stream.start()
        except (module.PortAudioError, ValueError) as error:
            raise DeviceError(f"The sound output cannot be opened ({error}).") from None
        playing(self, on=True)

    def close(self) -> None:
        """Let go of the device. Safe to call twice."""
        playing(self, on=False)
        close_stream(self._stream)
