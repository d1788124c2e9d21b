import sys
from types import SimpleNamespace

import pytest

from realtime.media import probes
from realtime.media.cameras import Camera
from realtime.media.probes import all_probes


def test_every_probe_answers_in_one_sentence_and_says_how_to_get_what_is_missing() -> None:
    answers = all_probes()
    assert list(answers) == ["display", "cameras", "virtual_camera", "audio", "encoders"]
    for probe in answers.values():
        assert probe.sentence.endswith(".")
        assert "\n" not in probe.sentence + probe.how
        assert bool(probe.how) != probe.ok
    assert answers["encoders"].ok


def test_cameras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "list_cameras", lambda: [Camera(0, "Webcam", "/dev/video0")])
    assert probes.cameras() == (True, "Cameras: 0 (Webcam).", "")


def test_a_missing_portaudio_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr("importlib.import_module", fail)
    probe = probes.audio()
    assert not probe.ok
    assert "PortAudio" in probe.sentence


def test_microphones_are_told_from_speakers(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [{"name": "Speaker", "max_input_channels": 0}, {"name": "USB mic", "max_input_channels": 1}]
    module = SimpleNamespace(query_devices=lambda: devices, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    assert probes.audio() == (True, "Microphones: USB mic.", "")
    devices.pop()
    assert not probes.audio().ok


def test_a_machine_without_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "available_encoders", list)
    assert not probes.encoders().ok
