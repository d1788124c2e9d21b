"""Keys and buttons of a running session."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.app.controls import Controls, ModelChoice, model_choice
from realtime.config import Config
from realtime.dashboard.commands import Commands, Unavailable
from realtime.errors import DeviceError
from realtime.media.recorder import PausableRecorder, VideoRecorder
from realtime.models.tiers import ModelLadder
from realtime.session.markers import read_markers
from realtime.session.writer import SessionWriter
from tests.session.live_like import face_path


def app() -> SimpleNamespace:
    return SimpleNamespace(measures=face_path().measures, scene=SimpleNamespace(mode="overlay"))


def controls(folder: Path | None, recorder: PausableRecorder | None, said: list[str], **more) -> Controls:
    keeping = SessionWriter(folder, lambda: 3.5)
    return Controls.of(more.get("app", app()), keeping, recorder, own_units=more.get("own", True), say=said.append)


def picture() -> np.ndarray:
    return np.zeros((48, 64, 3), np.uint8)


def test_each_key_does_its_thing(tmp_path: Path) -> None:
    said: list[str] = []
    made: list[VideoRecorder] = []

    def make() -> VideoRecorder:
        made.append(VideoRecorder(tmp_path / "video.mp4"))
        return made[-1]

    running, recorder = app(), PausableRecorder(make, on=False)
    keys = controls(tmp_path, recorder, said, app=running)
    keys.press("c")
    assert running.measures.begin_if_asked()
    assert keys.calibrate.progress.phase == "running"
    keys.press("v")
    assert running.scene.mode == "mirrored"
    for _ in range(3):
        keys.press("v")
    assert running.scene.mode == "overlay"
    keys.press("m")
    assert not recorder.write(picture(), 1.0)
    assert made == [], "no file before it is asked for"
    keys.press("r")
    assert recorder.write(picture(), 2.0)
    keys.press("r")
    assert not recorder.write(picture(), 3.0)
    keys.press("r")
    assert recorder.write(picture(), 5.0)
    recorder.close()
    assert said == ["Recording.", "Recording is paused.", "Recording."]
    assert len(made) == 1
    assert made[0].frames == 2
    keys.press("x")
    keys.keeping.close()
    (mark,) = read_markers(tmp_path / "markers.csv")
    assert (mark.capture_time, mark.source) == (3.5, "key")


def test_what_cannot_be_done_is_said_not_raised() -> None:
    said: list[str] = []
    keys = controls(None, None, said, own=False)
    for key in "cmr":
        keys.press(key)
    assert len(said) == 3
    assert "Calibration" in said[0]
    assert all("--session" in sentence for sentence in said[1:])


def test_a_recording_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    said: list[str] = []

    def make() -> VideoRecorder:
        raise DeviceError("The disk is full.")

    recorder = PausableRecorder(make, on=False)
    keys = controls(tmp_path, recorder, said)
    keys.press("r")
    assert said == ["The disk is full."]
    assert not recorder.active
    keys.keeping.close()
    with pytest.raises(DeviceError):
        PausableRecorder(make, on=True)


def test_the_dashboard_can_describe_every_control(tmp_path: Path) -> None:
    recorder = PausableRecorder(lambda: VideoRecorder(tmp_path / "video.mp4"), on=True)
    keys = controls(tmp_path, recorder, [])
    commands = Commands(calibrate=keys.calibrate, record=keys.record, marker=keys.marker, view=keys.view)
    told = commands.describe()
    assert told["calibrate"] == {
        "reason": None,
        "phase": "idle",
        "share": 0.0,
        "sentence": "No calibration is running.",
    }
    assert told["record"] == {"reason": None, "active": True}
    assert told["marker"] == {"reason": None}
    assert told["view"]["options"] == ["overlay", "mirrored", "split", "raw"]
    keys.marker.mark("seen", capture_time=1.0, sequence=4, origin="http")
    recorder.close()
    keys.keeping.close()
    assert read_markers(tmp_path / "markers.csv")[0].sequence == 4
    assert isinstance(controls(None, None, []).record, Unavailable)


class Network:
    provider = "stand-in"

    def __init__(self, name: str) -> None:
        self.spec = SimpleNamespace(name=name, role="landmarks")

    def run(self, _image: np.ndarray) -> dict[str, np.ndarray]:
        return {"points": np.zeros(1), self.spec.name: np.zeros(1)}


def test_the_landmark_model_is_chosen_among_the_open_tiers_and_kept() -> None:
    networks = [Network("best"), Network("middle"), Network("light")]
    late = False
    tiers = ModelLadder(networks, lambda: late)  # type: ignore[arg-type]
    running = SimpleNamespace(
        tiers=tiers, models=[SimpleNamespace(name="d", role="detector"), *(n.spec for n in networks)]
    )
    choice = model_choice(Config(), running, lambda: (8, 2.5))  # type: ignore[arg-type]
    assert isinstance(choice, ModelChoice)

    def answers() -> str:
        return next(name for name in tiers.run(np.zeros(1, np.float32)) if name != "points")

    assert (choice.options, choice.value, answers()) == (("best", "light"), "best", "best")
    late = True
    assert answers() == "light", "the ladder goes on while nobody chose"
    late = False
    choice.choose("light")
    assert (choice.value, answers()) == ("light", "light")
    choice.choose("best")
    assert answers() == "best"
    late = True
    assert answers() == "light"
    assert choice.as_dict() == {
        "value": "best",
        "changes": [
            {"value": "light", "sequence": 8, "capture_time": 2.5},
            {"value": "best", "sequence": 8, "capture_time": 2.5},
        ],
    }
    raw = model_choice(Config(record="raw"), running, lambda: (0, 0.0))  # type: ignore[arg-type]
    assert "replayed" in raw.reason
    running.models = running.models[:2]
    assert "only landmark model" in model_choice(Config(), running, lambda: (0, 0.0)).reason  # type: ignore[arg-type]
