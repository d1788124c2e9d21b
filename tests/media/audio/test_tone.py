"""The tone by its spectrum, its bounds and its smoothness."""

import math

import numpy as np
import pytest

from realtime.action_units.symmetry import balance
from realtime.media.audio.tone import CEILING, Tone, ToneSettings

RATE = 48_000


def play(tone: Tone, value: float | None, seconds: float, start: float = 0.0) -> np.ndarray:
    parts, now = [], start
    while now < start + seconds:
        tone.update(value, now)
        parts.append(tone.samples(480, now))
        now += 0.01
    return np.concatenate(parts)


def peak(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * RATE / len(sound))


@pytest.mark.parametrize(("value", "hertz"), [(-1.0, 220.0), (1.0, 880.0), (0.5, 220 * 4**0.75)])
def test_pitch_is_logarithmic_in_the_balance(value: float, hertz: float) -> None:
    sound = play(Tone(ToneSettings(), RATE), value, 2.0)[RATE:]
    assert peak(sound) == pytest.approx(hertz, abs=1.5)
    assert np.abs(sound).max() == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize("value", [None, 0.0, 0.1, -0.1])
def test_silence_within_the_dead_band_and_unmeasured(value: float | None) -> None:
    assert not play(Tone(ToneSettings(), RATE), value, 0.5).any()


def test_never_louder_than_the_ceiling_and_never_a_click() -> None:
    tone = Tone(ToneSettings(volume=5.0), RATE)
    values = [1.0, -1.0, None, 0.9, 0.0, -0.2, 1.0, None]
    sound = np.concatenate([play(tone, value, 0.07, 0.1 * i) for i, value in enumerate(values * 3)])
    assert np.abs(sound).max() <= CEILING
    assert np.abs(sound).max() > 0.9 * CEILING
    steepest = CEILING * 2 * math.pi * 880 / RATE + CEILING / (0.05 * RATE)
    assert np.abs(np.diff(sound)).max() <= steepest * 1.01


def test_a_value_not_renewed_falls_silent() -> None:
    tone = Tone(ToneSettings(), RATE)
    assert play(tone, 1.0, 0.3).any()
    tone.samples(4800, 0.9)
    assert not tone.samples(4800, 1.0).any()


def test_balance() -> None:
    assert balance(2.0, 1.0) == 0.5
    assert balance(0.0, 3.0) == -1.0
    assert balance(0.3, 0.1) is None
    assert balance(math.nan, 2.0) is None
    assert balance(None, 2.0) is None
