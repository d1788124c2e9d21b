"""The examination's sounds are short, never loud, and do not click; the system's voice is found or missed quietly."""

import numpy as np
import pytest

from realtime.media.audio import speech
from realtime.media.audio.cues import CUES, VOLUME, CueSounds, synthesise
from realtime.media.audio.speech import Voice

RATE = 48_000


@pytest.mark.parametrize("cue", CUES)
def test_a_cue_is_short_and_never_loud(cue: str) -> None:
    samples = synthesise(cue, RATE)
    assert len(samples) == sum(round(seconds * RATE) for _, seconds in CUES[cue])
    assert len(samples) < 0.8 * RATE
    assert 0.5 * VOLUME < np.abs(samples).max() <= VOLUME
    assert abs(samples[0]) < 1e-3
    assert abs(samples[-1]) < 1e-2
    # A click is a step between two samples; a sine of this pitch and loudness makes none larger.
    steepest = 2 * np.pi * max(pitch for pitch, _ in CUES[cue]) / RATE * VOLUME
    assert np.abs(np.diff(samples)).max() < 1.2 * steepest + VOLUME / (0.008 * RATE)


@pytest.mark.parametrize(("cue", "pitch"), [("tick", 440.0), ("go", 880.0), ("counted", 1046.5)])
def test_a_cue_has_its_pitch(cue: str, pitch: float) -> None:
    samples = synthesise(cue, RATE)
    spectrum = np.abs(np.fft.rfft(samples, 8 * RATE))
    assert abs(np.argmax(spectrum) / 8 - pitch) < 2


def test_the_newest_cue_wins_and_then_there_is_silence() -> None:
    sounds = CueSounds.__new__(CueSounds)  # without a sound card
    sounds._waiting = np.zeros(0, np.float32)
    make = sounds._prepare(RATE)
    assert not make(480, 0.0).any()
    sounds.play("ended")
    first = make(480, 0.0)
    assert np.array_equal(first, synthesise("ended", RATE)[:480])
    sounds.play("go")
    assert np.array_equal(make(480, 0.0), synthesise("go", RATE)[:480])
    sounds.play("stored")
    played = [make(480, 0.0) for _ in range(40)]
    assert np.concatenate(played)[: len(synthesise("go", RATE)) - 480].any()
    assert not played[-1].any()


def test_a_system_without_a_voice_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("sys.platform", "linux")
    voice = Voice("de")
    assert not voice.there
    voice.say("Jetzt!")
    voice.close()


@pytest.mark.parametrize(
    ("platform", "language", "words"),
    [
        ("darwin", "es", ["say", "-v", "Monica"]),
        ("darwin", "fr", ["say"]),
        ("linux", "de", ["/usr/bin/espeak-ng", "-v", "de"]),
    ],
)
def test_the_command_of_each_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, language: str, words: list[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/espeak-ng" if name == "espeak-ng" else None)
    monkeypatch.setattr("sys.platform", platform)
    assert list(speech.speaking_program(language) or ()) == words


def test_a_voice_that_cannot_be_started_is_silent_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "speaking_program", lambda _language: ("/no/such/voice",))
    voice = Voice("en")
    assert voice.there
    voice.say("Now!")
    assert not voice.there
