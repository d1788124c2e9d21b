"""Two clocks apart, seen through jittery callbacks: ten minutes in simulation."""

import numpy as np
import pytest

from realtime.media.audio.sample_clock import SoundClock
from realtime.media.audio.track import SoundTrack, interpolate

RATE = 48_000
BLOCK = 480


@pytest.mark.parametrize("ppm", [-200.0, 0.0, 200.0])
def test_ten_minutes_of_jittered_callbacks(ppm: float) -> None:
    random = np.random.default_rng(1)
    clock, true_rate, errors = SoundClock(RATE), RATE * (1 + ppm * 1e-6), []
    for index in range(0, 600 * RATE, BLOCK):
        true = 1000.0 + index / true_rate
        late = random.exponential(0.002) + (0.2 if random.random() < 0.01 else 0.0)
        clock.update(index, true + late)
        if clock.updates > 25:
            errors.append(clock.time_of(index) - true)
    assert np.abs(errors).max() < 0.020
    settled = np.array(errors[len(errors) // 20 :])
    assert np.ptp(settled) < 0.005
    assert clock.ppm == pytest.approx(ppm, abs=5)
    assert clock.index_at(clock.time_of(12345.5)) == pytest.approx(12345.5, abs=1e-3)


def test_samples_lost_unnoticed_are_noticed() -> None:
    clock = SoundClock(RATE)
    for index in range(0, 30 * RATE, BLOCK):
        clock.update(index, index / RATE + (0.1 if index >= 15 * RATE else 0.0))
    assert clock.steps == 1
    assert clock.time_of(30 * RATE) == pytest.approx(30.1, abs=0.002)


def test_interpolation_keeps_a_sine() -> None:
    time = np.arange(4000) / RATE
    samples = np.sin(2 * np.pi * 5000 * time).astype(np.float32)
    positions = 20 + np.arange(3900) * 1.0002
    expected = np.sin(2 * np.pi * 5000 * positions / RATE)
    assert np.abs(interpolate(samples, positions) - expected).max() < 2e-3


def clicks(track: SoundTrack, begin: float, seconds: float, first: int = 0, ppm: float = 0.0) -> None:
    """A stream from `begin` on, every sample telling its own time modulo a second."""
    rate = RATE * (1 + ppm * 1e-6)
    for index in range(0, int(seconds * RATE), BLOCK):
        times = begin + (index + np.arange(BLOCK)) / rate
        track.put(first + index, begin + index / rate, np.sin(2 * np.pi * 10 * times).astype(np.float32))


def test_a_gap_is_silence_of_its_own_length() -> None:
    track = SoundTrack(RATE)
    track.start(100.0)
    clicks(track, 100.0, 3.0)
    parts = [track.take(103.0)]
    track.lost()
    parts += [track.take(t) for t in np.arange(103.0, 107.0, 0.1)]
    clicks(track, 107.0, 3.0)
    parts.append(track.take(110.0))
    sound = np.concatenate(parts)
    quiet = np.flatnonzero(sound == 0.0)
    quiet = quiet[(quiet > 2.9 * RATE) & (quiet < 7.1 * RATE)]
    assert (quiet[0] / RATE, quiet[-1] / RATE) == pytest.approx((3.0, 7.0), abs=0.001)
    times = 100 + np.arange(len(sound)) / RATE
    expected = np.sin(2 * np.pi * 10 * times)
    for start, end in ((0.1, 2.9), (7.1, 9.9)):
        part = slice(int(start * RATE), int(end * RATE))
        assert np.abs(sound[part] - expected[part]).max() < 0.01


def test_blocks_lost_on_the_way_are_silence_in_their_place() -> None:
    track = SoundTrack(RATE)
    track.start(5.0)
    clicks(track, 5.0, 1.0)
    clicks(track, 6.5, 1.0, first=int(1.5 * RATE))
    sound = track.take(7.5)
    assert not sound[int(1.01 * RATE) : int(1.49 * RATE)].any()
    assert np.abs(sound[int(1.6 * RATE) : int(2.4 * RATE)]).max() > 0.9


def test_a_missing_microphone_is_silence_a_second_behind() -> None:
    track = SoundTrack(RATE)
    track.start(0.0)
    assert len(track.take(0.9)) == 0
    sound = track.take(3.0)
    assert len(sound) == 2 * RATE
    assert not sound.any()
    assert track.silence == 2 * RATE
