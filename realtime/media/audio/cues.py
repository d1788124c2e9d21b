"""Short sounds that lead through an examination, made here from sines, and a player that mixes nothing: the newest wins."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from realtime.media.audio.player import Player

VOLUME = 0.2
"""Of full scale; below the ceiling of the biofeedback tone."""
_RAMP = 0.008
CUES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "instruction": ((523.25, 0.12), (659.25, 0.16)),
    "tick": ((440.0, 0.07),),
    "go": ((880.0, 0.30),),
    "relax": ((659.25, 0.12), (440.0, 0.22)),
    "counted": ((1046.5, 0.08),),
    "rejected": ((220.0, 0.14), (196.0, 0.22)),
    "ended": ((523.25, 0.14), (659.25, 0.14), (783.99, 0.3)),
}
"""By event: notes as (Hz, seconds), one behind the other."""


def synthesise(cue: str, rate: int) -> NDArray[np.float32]:
    """The samples of a cue, within +-VOLUME; each note rises and falls within milliseconds, so that nothing clicks.

    Args:
        cue: one of `CUES`.
        rate: samples a second.
    """
    notes = []
    for pitch, seconds in CUES[cue]:
        time = np.arange(round(seconds * rate)) / rate
        edge = np.minimum(1.0, np.minimum(time, seconds - time) / _RAMP)
        notes.append(VOLUME * edge * np.exp(-2.0 * time / seconds) * np.sin(2 * np.pi * pitch * time))
    return np.concatenate(notes).astype(np.float32)


class CueSounds:
    """Plays cues on a sound output.

    Args:
        device: see `Player`.
        clock: seconds.

    Raises:
        DeviceError: there is no sound output.
        UserInputError: there is none of this name.
    """

    def __init__(self, device: str, clock: Callable[[], float]) -> None:
        self._sounds: dict[str, NDArray[np.float32]] = {}
        self._waiting = np.zeros(0, np.float32)
        self._player = Player(device, clock, self._prepare)

    def play(self, cue: str) -> None:
        """Begin a cue; one that still sounds ends. Others than `CUES` are silent."""
        found = self._sounds.get(cue)
        if found is not None:
            self._waiting = found

    def close(self) -> None:
        """Let go of the device. Safe to call twice."""
        self._player.close()

    def _prepare(self, rate: int) -> Callable[[int, float], NDArray[np.float32]]:
        self._sounds = {cue: synthesise(cue, rate) for cue in CUES}
        return self.samples

    def samples(self, count: int, _time: float) -> NDArray[np.float32]:
        """The next samples, (count,)."""
        waiting = self._waiting
        block = np.zeros(count, np.float32)
        part = waiting[:count]
        block[: len(part)] = part
        if waiting is self._waiting:  # else another cue has begun meanwhile
            self._waiting = waiting[count:]
        return block
