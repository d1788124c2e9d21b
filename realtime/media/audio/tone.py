"""The biofeedback tone: what it is to sound like, sample by sample. Pure arithmetic; playing it is elsewhere."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CEILING = 0.25
"""No sample is ever larger, whatever the settings say: -12 dB below full scale."""
_RAMP_SECONDS = 0.05
_GLIDE_SECONDS = 0.03
_TWO_PI = 2 * math.pi


@dataclass(frozen=True, slots=True)
class ToneSettings:
    """How a balance sounds.

    Attributes:
        low: Hz.
        high: likewise.
        dead_band: 0..1, sides that differ by less are silence.
        volume: 0..CEILING.
        hold: seconds until a value that is not renewed falls silent.
    """

    low: float = 220.0
    high: float = 880.0
    dead_band: float = 0.15
    volume: float = 0.1
    hold: float = 0.5


class Tone:
    """A sine whose pitch is the balance, on a logarithmic scale: `low` right only, `high` left only; silent when alike.

    `update` may come from another thread than `samples`. Amplitude moves by at most the ceiling per 50 ms, pitch glides,
    the phase never jumps.

    Args:
        settings: pitch, loudness, silence.
        rate: samples per second.
    """

    def __init__(self, settings: ToneSettings, rate: int) -> None:
        self.settings = settings
        self.rate = rate
        self._target: tuple[float | None, float] = (None, -math.inf)
        self._amplitude = 0.0
        self._phase = 0.0
        self._pitch = math.log(math.sqrt(settings.low * settings.high))

    def update(self, value: float | None, now: float) -> None:
        """Take in a new balance.

        Args:
            value: balance -1..1; None: silence.
            now: seconds.
        """
        self._target = (None if value is None else min(1.0, max(-1.0, value)), now)

    def samples(self, count: int, now: float) -> NDArray[np.float32]:
        """The next `count` samples (count,), each within +-CEILING.

        Args:
            count: of samples.
            now: when the first is heard, seconds.
        """
        settings = self.settings
        value, told = self._target
        heard = value is not None and abs(value) > settings.dead_band and now - told <= settings.hold
        goal = min(settings.volume, CEILING) if heard else 0.0
        if heard and value is not None:
            wish = math.log(settings.low) + (value + 1) / 2 * math.log(settings.high / settings.low)
            if self._amplitude == 0.0:
                self._pitch = wish
        else:
            wish = self._pitch
        number = np.arange(1, count + 1)
        pitch = wish + (self._pitch - wish) * np.exp(-number / (_GLIDE_SECONDS * self.rate))
        phase = self._phase + np.cumsum(np.exp(pitch)) * _TWO_PI / self.rate
        change = CEILING / (_RAMP_SECONDS * self.rate) * number
        start = self._amplitude
        amplitude = np.minimum(start + change, goal) if goal >= start else np.maximum(start - change, goal)
        if count:
            self._amplitude, self._phase = float(amplitude[-1]), float(phase[-1]) % _TWO_PI
            self._pitch = float(pitch[-1])
        result: NDArray[np.float32] = np.clip(amplitude * np.sin(phase), -CEILING, CEILING).astype(np.float32)
        return result
