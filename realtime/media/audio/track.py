"""From blocks of a sound card's samples to one gapless track on the program's clock.

The resampling is our own, a windowed sinc in polyphase form: libswresample's soft compensation is not reachable through
PyAV, and placing every output sample by its time makes a gap's silence exactly as long as the gap.
"""

import numpy as np
from numpy.typing import NDArray

from realtime.media.audio.sample_clock import SoundClock
from realtime.types import F32

PATIENCE = 1.0
"""Seconds that sound may come later than the picture before silence takes its place."""
_HALF = 8
_PHASES = 4096
_CHUNK = 4800
_WARM = 25
_JUMP_SECONDS = 0.05
_SLEW = 1e-3
_SETTLE_SECONDS = 2.0


def _table() -> F32:
    taps = np.arange(1 - _HALF, 1 + _HALF)
    away = taps[None, :] - np.arange(_PHASES + 1)[:, None] / _PHASES
    window = np.i0(8.0 * np.sqrt(np.clip(1 - (away / _HALF) ** 2, 0, None))) / np.i0(8.0)
    table = np.sinc(away) * window
    result: F32 = (table / table.sum(1, keepdims=True)).astype(np.float32)
    return result


_TABLE = _table()


def interpolate(samples: F32, positions: NDArray[np.floating]) -> F32:
    """Samples between samples: 16 taps, Kaiser window.

    Args:
        samples: (N,).
        positions: (M,) fractional indices, each at least 8 samples from both ends.

    Returns:
        (M,) float32.
    """
    whole = np.floor(positions).astype(np.int64)
    phase = np.rint((positions - whole) * _PHASES).astype(np.int64)
    taps = samples[whole[:, None] + np.arange(1 - _HALF, 1 + _HALF)]
    return np.asarray(np.einsum("ij,ij->i", taps, _TABLE[phase]), np.float32)


class _Segment:
    """What one opened stream delivered: its clock, and the samples not yet used, from number `start` on."""

    def __init__(self, rate: int) -> None:
        self.clock = SoundClock(rate)
        self.samples = np.zeros(0, np.float32)
        self.start = -1
        self.ended = False
        self._new: list[F32] = []
        self._end = 0

    def put(self, index: int, time: float, samples: F32) -> None:
        if self.start < 0:
            self.start = self._end = index
        if index > self._end:
            self._new.append(np.zeros(min(index - self._end, 60 * self.clock.rate), np.float32))
        self._new.append(samples)
        self._end = index + len(samples)
        self.clock.update(index, time)

    def gather(self) -> None:
        if self._new:
            self.samples = np.concatenate([self.samples, *self._new])
            self._new = []
            self.start = self._end - len(self.samples)

    def forget(self, before: int) -> None:
        cut = min(max(0, before - self.start), len(self.samples))
        self.samples, self.start = self.samples[cut:], self.start + cut


class SoundTrack:
    """Takes blocks as they come and gives samples that lie on the program's clock: sample k at origin + k/rate.

    The card's own rate is measured and evened out by up to 1000 ppm (1.7 cents, inaudible). Not thread-safe.

    Args:
        rate: samples a second, of the card and of the track.

    Attributes:
        origin: seconds on the program's clock of the first sample.
        silence: samples of silence put in for missing sound.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.origin = 0.0
        self.silence = 0
        self._next = 0
        self._position: float | None = None
        self._segments = [_Segment(rate)]

    @property
    def clock(self) -> SoundClock:
        """Of the stream that is open now."""
        return self._segments[-1].clock

    def start(self, origin: float) -> None:
        """Begin the track at `origin` (seconds on the program's clock); sound from before is left out."""
        self.origin, self._next, self._position = origin, 0, None

    def put(self, index: int, time: float, samples: F32) -> None:
        """Add one block of the present stream.

        Args:
            index: the number of its first sample in this stream.
            time: when that was taken, in seconds on the program's clock.
            samples: (N,) mono, -1..1.
        """
        self._segments[-1].put(index, time, samples)

    def lost(self) -> None:
        """End the present stream; the next block is of another one, with numbers and a clock of its own."""
        self._segments[-1].ended = True
        self._segments.append(_Segment(self.rate))

    def take(self, until: float) -> F32:
        """Take the next samples, without a gap: what is there, and silence for what is overdue.

        Args:
            until: about how far, in seconds on the program's clock.

        Returns:
            (N,) mono, -1..1.
        """
        goal = int((until - self.origin) * self.rate)
        parts: list[F32] = []
        while self._segments:
            segment = self._segments[0]
            segment.gather()
            if segment.clock.updates >= (1 if segment.ended else _WARM):
                while (part := self._piece(segment, goal)) is not None:
                    parts.append(part)
            if not segment.ended:
                break
            self._segments.pop(0)
            self._position = None
        parts.append(self._quiet(goal - int(PATIENCE * self.rate) - self._next))
        return np.concatenate(parts)

    def _quiet(self, count: int) -> F32:
        if count <= 0:
            return np.zeros(0, np.float32)
        self._next += count
        self.silence += count
        self._position = None
        return np.zeros(count, np.float32)

    def _piece(self, segment: _Segment, goal: int) -> F32 | None:
        """The next resampled samples of a segment, silence up to its beginning, or None when there is nothing (yet)."""
        target = segment.clock.index_at(self.origin + self._next / self.rate)
        if self._position is None or abs(target - self._position) > _JUMP_SECONDS * self.rate:
            self._position = None
            early = segment.start + _HALF - target
            if early > 0:
                count = min(int(np.ceil(early)), goal - self._next)
                return self._quiet(count) if count > 0 else None
            self._position = target
        error = (target - self._position) / (_SETTLE_SECONDS * self.rate)
        step = segment.clock.samples_per_second / self.rate + float(np.clip(error, -_SLEW, _SLEW))
        last = segment.start + len(segment.samples) - _HALF - 1
        count = min(int((last - self._position) / step), _CHUNK)
        if count <= 0:
            segment.forget(min(int(self._position) - _HALF, last))
            return None
        positions = self._position + step * np.arange(count, dtype=np.float64)
        found = interpolate(segment.samples, positions - segment.start)
        self._position += step * count
        self._next += count
        segment.forget(int(self._position) - _HALF)
        return found
