"""Keys and buttons of a running session."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from realtime.app.controls import Controls, ModelChoice, model_choice, page_commands
from realtime.app.pipeline import App
from realtime.config import Config
from realtime.dashboard.commands import Request, ShownFrame, Unavailable
from realtime.errors import DeviceError
from realtime.media.recorder import PausableRecorder, VideoRecorder
from realtime.media.source_spec import SourceKind
from realtime.media.video_source import VideoSource
from realtime.models.tiers import ModelLadder
from realtime.session.choices import LoggedChoice
from realtime.session.markers import read_markers
from realtime.session.writer import SessionWriter
from tests.session.live_like import face_path


def app() -> SimpleNamespace:
    track = SimpleNamespace(face_id=1, asked=0)
    track.ask_for_next_face = lambda: setattr(track, "asked", track.asked + 1)
    return SimpleNamespace(
        measures=face_path().measures, scene=SimpleNamespace(mode="overlay"), track=track, examination=None
    )


def controls(folder: Path | None, recorder: PausableRecorder | None, said: list[str], **more: Any) -> Controls:
    writer = more.get("writer") or SessionWriter(folder, lambda: 3.5)
    return Controls(more.get("app", app()), writer, recorder, own_units=more.get("own", True), say=said.append)


def picture() -> np.ndarray:
    return np.zeros((48, 64, 3), np.uint8)


def test_each_key_does_its_thing(tmp_path: Path) -> None:
    said: list[str] = []
    made: list[VideoRecorder] = []

    def make() -> VideoRecorder:
        made.append(VideoRecorder(tmp_path / "video.mp4"))
        return made[-1]

    running, recorder = app(), PausableRecorder(make, on=False)
    writer = SessionWriter(tmp_path, lambda: 3.5)
    keys = controls(tmp_path, recorder, said, app=running, writer=writer)
    assert keys.calibrate.describe()["phase"] == "idle"
    keys.press("c")
    assert keys.calibrate.describe()["phase"] == "running", "before the frame that it begins with"
    assert running.measures.begin_if_asked()
    assert keys.calibrate.describe()["phase"] == "running"
    keys.press("n")
    assert running.track.asked == 1
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
    writer.close()
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
    writer = SessionWriter(tmp_path, lambda: 3.5)
    controls(tmp_path, recorder, said, writer=writer).press("r")
    assert said == ["The disk is full."]
    assert not recorder.active
    writer.close()
    with pytest.raises(DeviceError):
        PausableRecorder(make, on=True)


@pytest.fixture
def file_source() -> VideoSource:
    return cast("VideoSource", SimpleNamespace(stream_info=None, spec=SimpleNamespace(kind=SourceKind.FILE)))


def test_the_page_describes_and_carries_out_every_command(tmp_path: Path, file_source: VideoSource) -> None:
    recorder = PausableRecorder(lambda: VideoRecorder(tmp_path / "video.mp4"), on=True)
    writer, running = SessionWriter(tmp_path, lambda: 3.5), app()
    written: list[dict[str, LoggedChoice]] = []
    running.models, running.tiers = [SimpleNamespace(name="only", role="landmarks")], None
    keys = controls(tmp_path, recorder, [], app=running, writer=writer)
    page = page_commands(
        keys,
        Config(source="clip.mp4"),
        cast("App", running),
        file_source,
        writer,
        lambda logged: written.append(dict(logged)),
    )
    found = page.commands.describe()
    assert list(found) == [
        *("calibrate", "record", "examination", "marker", "view", "face", "patient", "side", "camera", "model")
    ]
    assert found["calibrate"] == {
        "reason": None,
        "phase": "idle",
        "share": 0.0,
        "sentence": "No calibration is running.",
    }
    assert found["record"] == {"reason": None, "active": True}
    assert found["marker"] == {"reason": None}
    assert found["view"]["options"] == ["overlay", "mirrored", "split", "raw"]
    assert (found["view"]["label"], found["view"]["key"]) == ("View", "v")
    assert "no camera" in found["camera"]["reason"]
    assert "only landmark model" in found["model"]["reason"]

    def ask(name: str, **payload: object) -> None:
        command = page.commands.get(name)
        assert command is not None
        command.action(Request(payload, ShownFrame(1.0, 4), "http"))()

    ask("marker", text="seen")
    ask("view", value="split")
    assert running.scene.mode == "split"
    assert written == []
    ask("side", value="left")
    assert [list(logged) for logged in written] == [["affected_side"]]
    side = written[0]["affected_side"].as_dict()
    assert side is not None
    assert side["value"] == "left"
    recorder.close()
    writer.close()
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
