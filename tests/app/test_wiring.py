"""The wiring of `pipeline.build` as data, for each kind of run: edges with their policies, joins, side inputs, threads.

Nothing runs here: source, outputs and networks are stand-ins, so every case takes milliseconds.
"""

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.app.nodes.compose import Compose
from realtime.app.nodes.csv_rows import DropRows
from realtime.app.nodes.detect_track import Track
from realtime.app.nodes.millimetres import MeasureLengths
from realtime.app.nodes.quality import HALF_RATE, LIGHT_LANDMARKS, Quality
from realtime.app.nodes.sinks import RecordRaw, Show
from realtime.app.pipeline import App, Outputs, build
from realtime.clinic import LengthMeter, ScaleChoice
from realtime.config import Config
from realtime.errors import ModelFileError, UserInputError
from realtime.face.face_model import HEAD_3D
from realtime.face.point_flow import PointFlow
from realtime.face.pose import facing_angles
from realtime.graph import (
    Block,
    DropOldest,
    DropReason,
    Envelope,
    Exact,
    Hold,
    Join,
    Latest,
    LatestBefore,
    Policy,
    RealClock,
    Side,
)
from realtime.media.stream_info import StreamInfo
from realtime.models import weights_folder
from realtime.render.scene import Scene
from realtime.types import Analysis, FaceObservation, Frame, TrackedFrame
from tests.session.live_like import face_path

CAMERA = StreamInfo("camera:0", "v4l2", "mjpeg", "yuv420p", 1280, 720, 30.0, 0, True, None)


class Multitask:
    """OpenFace 3.0's place."""

    units = (1, 12)
    emotions = ("happy", "sad")


def anything(*_args: Any, **_named: Any) -> Any:
    return SimpleNamespace(
        put=anything, close=anything, write=anything, frame_shown=anything, open_expression=anything, unit=12
    )


@pytest.fixture(scope="module")
def two_tiers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder's manifest with a lighter landmark network beside the embedded one. The files are not opened."""
    folder = tmp_path_factory.mktemp("weights")
    text = (weights_folder() / "manifest.toml").read_text("utf-8")
    entry = next(part for part in text.split("[[model]]") if 'role = "landmarks"' in part)
    lighter = entry.replace('name = "landmarks98"', 'name = "lighter"\ntier = 2')
    (folder / "manifest.toml").write_text(f"{text}\n[[model]]{lighter}", "utf-8")
    shutil.copytree(weights_folder() / "cards", folder / "cards")
    for model in weights_folder().glob("*.onnx"):
        (folder / model.name).symlink_to(model)
    return folder


def wired(config: Config, outputs: Outputs | None = None, *, stream: StreamInfo = CAMERA, **parts: Any) -> App:
    """The graph of a run. The networks are those of the world of discs."""
    path = replace(face_path(), **parts)
    source: Any = SimpleNamespace(stream_info=stream, open=anything, close=anything, read=anything)
    return build(config, source, outputs or Outputs(), RealClock(), lambda *_args, **_named: path)


Edges = dict[str, tuple[Policy, str | None, Join | None]]


def edges(app: App) -> Edges:
    """policy, side name and join of every edge."""
    return {c.edge.name: (c.edge.policy, c.as_side, c.join) for c in app.graph.connections}


def threads(app: App) -> dict[str, str]:
    """Where every node runs."""
    return {name: handle.run_on for name, handle in app.graph.nodes.items()}


LIVE: Edges = {
    "camera→track": (Latest(), None, None),
    "camera→detect": (Latest(), None, None),
    "detect→track": (Latest(), "detections", LatestBefore(max_age=1.0)),
    "track→measure": (DropOldest(60), None, None),
    "camera→compose": (DropOldest(2), None, None),
    "measure→compose": (Latest(), "analysis", Hold(max_age=0.5, wait=0.008)),
}
LIVE_THREADS = {
    "track": "thread:analysis",
    "measure": "thread:analysis",
    "detect": "thread:detection",
    "compose": "thread:picture",
}


def live_join(config: Config) -> Hold:
    return Hold(config.latency.result_max_age_ms / 1e3, config.latency.wait_for_result_ms / 1e3)


def test_live() -> None:
    config = Config()
    app = wired(config)
    expected = {**LIVE, "measure→compose": (Latest(), "analysis", live_join(config))}
    assert edges(app) == expected
    assert threads(app) == LIVE_THREADS
    assert app.output == "compose"
    camera = app.graph.sources["camera"].source
    assert camera.max_age == config.max_age_ms / 1e3
    assert camera.restart is not None
    assert camera.restart.attempts == config.reconnect_attempts
    stalls = {name: handle.stall_timeout for name, handle in app.graph.nodes.items()}
    assert {stalls[name] for name in ("track", "measure", "compose")} == {config.latency.stall_seconds}
    assert app.quality.steps


def test_a_file_that_ends_is_not_opened_again() -> None:
    assert wired(Config(), stream=replace(CAMERA, live=False)).graph.sources["camera"].source.restart is None


def test_offline_loses_nothing_and_depends_on_no_timing() -> None:
    app = wired(Config(speed="max"))
    assert edges(app) == {
        "camera→track": (Block(4), None, None),
        "track→measure": (Block(8), None, None),
        "camera→compose": (Block(4), None, None),
        "measure→compose": (Block(4), "analysis", Exact()),
    }
    # The next frame is tracked while this one is measured and drawn.
    assert threads(app) == {"track": "thread:analysis", "measure": "thread:picture", "compose": "thread:picture"}
    assert app.graph.sources["camera"].source.max_age == math.inf
    for second in range(100):
        app.quality.update(10.0, float(second))
    assert app.quality.active == (), "offline nothing is given up for speed"


def test_every_output_has_its_edge() -> None:
    app = wired(
        Config(),
        Outputs(
            preview=anything,
            virtual_camera=Show(anything),
            recorder=anything(),
            audience=anything(),
            tone=anything(),
            streams={"lsl": anything, "osc": anything},
            csv=anything(),
        ),
    )
    more = {name: edge for name, edge in edges(app).items() if name not in LIVE}
    assert more == {
        "compose→preview": (Latest(), None, None),
        "compose→virtual-camera": (DropOldest(2), None, None),
        "compose→recorder": (DropOldest(12), None, None),
        "compose→web": (Latest(), None, None),
        "measure→lsl": (DropOldest(60), None, None),
        "measure→osc": (DropOldest(60), None, None),
        "measure→tone": (Latest(), None, None),
        "compose→shown-rows": (DropOldest(60), None, None),
        "measure→rows": (DropOldest(60), None, None),
    }
    assert {name: run_on for name, run_on in threads(app).items() if name not in LIVE_THREADS} == {
        "preview": "loop",
        "virtual-camera": "thread:virtual-camera",
        "recorder": "thread:recorder",
        "web": "thread:web",
        "lsl": "thread:lsl",
        "osc": "thread:osc",
        "tone": "thread:tone",
        "shown-rows": "thread:picture",
        "rows": "thread:analysis",
    }
    assert app.output == "virtual-camera"
    assert app.preview is not None


def test_lengths_are_a_node_of_their_own_and_everything_behind_gets_them() -> None:
    meter = LengthMeter(ScaleChoice("population mean"))
    csv: Any = Csv()
    app = wired(Config(), Outputs(streams={"lsl": anything}, csv=csv), meter=meter)
    found = edges(app)
    assert threads(app)["lengths"] == "thread:analysis"
    assert {name for name in found if name.startswith("measure→")} == {"measure→lengths"}
    assert {name for name in found if name.startswith("lengths→")} == {"lengths→compose", "lengths→lsl", "lengths→rows"}
    assert found["lengths→compose"][:2] == LIVE["measure→compose"][:2]
    # What is lost on its way to the lengths was measured all the same.
    (listener,) = app.graph._drop_listeners
    (lost,) = [c for c in app.graph.connections if c.edge.name == "measure→lengths"]
    listener(lost, DropReason.STOPPING, Envelope(SimpleNamespace(analysis="the analysis"), 3, 0.0))
    assert csv.heard == [("measured", -1, "the analysis")]


def test_a_frame_gets_its_face_s_lengths_and_one_without_a_face_none() -> None:
    measure = MeasureLengths(LengthMeter(ScaleChoice("population mean")))
    points = (HEAD_3D[:, :2] * (20.0, -20.0) + 200).astype(np.float32)
    face = FaceObservation(
        1, np.zeros(4, np.float32), points, points, 0.9, detected=True, pose=facing_angles((0.0, 0.0, 0.0))
    )
    frame = Frame(np.zeros((4, 4, 3), np.uint8), 0, 0.0)
    found = measure.process(TrackedFrame(Analysis(0, 0.0, face, {12: 1.0}), frame)).analysis
    assert found.millimetres is not None
    assert found.millimetres.source == "population mean"
    assert found.millimetres.commissure.left > 10
    assert found.au_left == {12: 1.0}
    nobody = TrackedFrame(Analysis(1, 0.1, None), frame)
    assert measure.process(nobody) is nobody


@pytest.mark.parametrize("fps", [None, 10.0, 25.0, 30.0, 60.0, 240.0])
def test_less_than_half_a_second_waits_for_an_encoder(fps: float | None) -> None:
    """What waits there is lost by a kill."""
    outputs = Outputs(recorder=anything(), raw=anything(), decisions=anything())
    found = edges(wired(Config(), outputs, stream=replace(CAMERA, fps=fps)))
    for name in ("compose→recorder", "camera→raw-recorder"):
        policy = found[name][0]
        assert isinstance(policy, DropOldest)
        assert policy.capacity <= max(3, 0.45 * (fps or 30.0)), name


def test_a_raw_session_keeps_to_its_best_network_and_logs_every_decision(two_tiers: Path) -> None:
    config = Config(weights=two_tiers)
    assert LIGHT_LANDMARKS in wired(config).quality.steps
    logged: list[tuple[str, int]] = []
    decisions: Any = SimpleNamespace(
        detect=lambda sequence, *_, **__: logged.append(("detect", sequence)),
        track=lambda sequence, *_, **__: logged.append(("track", sequence)),
        measure=lambda sequence, **_: logged.append(("measure", sequence)),
        reset=lambda *_: logged.append(("reset", -1)),
    )
    app = wired(config, Outputs(raw=anything(), decisions=decisions))
    assert LIGHT_LANDMARKS not in app.quality.steps, "the log does not say which network answered"
    assert edges(app)["camera→raw-recorder"][0] == DropOldest(12)
    assert threads(app)["raw-recorder"] == "thread:raw"
    recorder = app.graph.nodes["raw-recorder"].node.processor
    assert isinstance(recorder, RecordRaw)
    assert not recorder._wait
    frame = Frame(np.zeros((360, 640, 3), np.uint8), 7, 0.25)
    app.detect.process(frame)
    tracked = app.track.process(frame)
    app.graph.nodes["measure"].node.processor.process(tracked)
    app.track.reset("reconnected")
    assert logged == [("detect", 7), ("track", 7), ("measure", 7), ("reset", -1)]


def test_openface3_has_an_edge_and_a_thread_of_its_own(two_tiers: Path, tmp_path: Path) -> None:
    config = Config.model_validate({"models": {"family": "openface3"}, "weights": two_tiers})
    outputs = Outputs(folder=tmp_path, streams={"lsl": anything})
    app = wired(config, outputs, multitask=Multitask())
    more = {name: edge for name, edge in edges(app).items() if name not in LIVE}
    assert more == {
        "track→multitask": (Latest(), None, None),
        "multitask→compose": (Latest(), "expression", Hold(max_age=config.latency.result_max_age_ms / 1e3)),
        "multitask→multitask-rows": (DropOldest(60), None, None),
        "measure→lsl": (DropOldest(60), None, None),
        "multitask→lsl-openface3": (DropOldest(60), None, None),
    }
    own = {name: run_on for name, run_on in threads(app).items() if name not in LIVE_THREADS}
    assert own == {
        "multitask": "thread:multitask",
        "multitask-rows": "thread:multitask",
        "lsl": "thread:lsl",
        "lsl-openface3": "thread:lsl",
    }
    app.graph.nodes["multitask-rows"].node.processor.close()


def test_a_tone_for_a_unit_that_is_not_measured_is_refused_before_anything_is_wired() -> None:
    tone = anything()
    tone.unit = 45
    with pytest.raises(UserInputError, match=r"--tone 45: .* there are 1, 12"):
        wired(Config(), Outputs(tone=tone))


class Csv:
    """Keeps what it hears of frames."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, Any]] = []

    def dropped(self, sequence: int, cause: str) -> None:
        self.heard.append(("dropped", sequence, cause))

    def not_measured(self, sequence: int, cause: str) -> None:
        self.heard.append(("not measured", sequence, cause))

    def shown(self, sequence: int, result_age: float) -> None:
        self.heard.append(("shown", sequence, result_age))

    def measured(self, analysis: str) -> None:
        self.heard.append(("measured", -1, analysis))


def test_a_drop_becomes_the_row_s_cause_and_what_was_made_is_written_all_the_same() -> None:
    csv: Any = Csv()
    app = wired(Config(), Outputs(csv=csv, recorder=anything()))
    (listener,) = app.graph._drop_listeners
    assert isinstance(listener, DropRows)
    made = SimpleNamespace(result_age=0.1, analysis="the analysis")
    for number, connection in enumerate(app.graph.connections):
        listener(connection, DropReason.OVERFLOW, Envelope(made, number, 0.0))
    names = [c.edge.name for c in app.graph.connections]
    assert sorted(csv.heard) == sorted(
        [
            ("not measured", names.index("camera→track"), "overflow"),
            ("not measured", names.index("track→measure"), "overflow"),
            ("dropped", names.index("camera→compose"), "overflow"),
            ("shown", names.index("compose→shown-rows"), 0.1),
            ("measured", -1, "the analysis"),
        ]
    )


def test_what_was_made_is_measured_and_recorded_however_late() -> None:
    outputs = Outputs(
        csv=anything(), recorder=anything(), raw=anything(), decisions=anything(), streams={"lsl": anything}
    )
    app = wired(Config(), outputs)
    kept = {name for name, handle in app.graph.nodes.items() if not handle.node.primary.expires}
    assert kept == {"measure", "recorder", "raw-recorder", "shown-rows", "rows"}


@pytest.fixture
def opencv_threads() -> Iterator[Callable[[int], None]]:
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


def test_opencv_starts_no_threads_beside_the_nodes(opencv_threads: Callable[[int], None]) -> None:
    opencv_threads(4)
    wired(Config())
    assert cv2.getNumThreads() == 1


def test_half_rate_passes_every_second_frame_by() -> None:
    quality = Quality(0.15)
    track = Track(face_path().tracker, quality)
    frame = Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0)
    sequences = range(6)
    assert [track.accepts(Envelope(frame, n, 0.0)) for n in sequences] == [True] * 6
    quality.active = (HALF_RATE,)
    assert [track.accepts(Envelope(frame, n, 0.0)) for n in sequences] == [True, False] * 3


def test_a_held_result_is_judged_once() -> None:
    """The ladder counts each result's age when it is new; a held one would count again with every picture."""
    judged: list[float] = []
    quality: Any = SimpleNamespace(update=lambda age, *_: judged.append(age), active=())
    compose = Compose(Scene("raw", ()), PointFlow(Config().flow), lambda: 1.5, quality, too_old=0.5)
    frames = [Frame(np.zeros((48, 64, 3), np.uint8), n, 1.0 + n / 30) for n in range(3)]
    result = TrackedFrame(Analysis(0, 1.0, None), frames[0])
    for frame, fresh in zip(frames, (True, False, False), strict=True):
        compose.process(frame, Side(result, 0, 1.0, frame.capture_time - 1.0, fresh))
    assert judged == [pytest.approx(0.5)]
    compose.process(frames[0])
    assert judged == [pytest.approx(0.5), 0.5], "no result at all counts as one that came too late"


def test_a_replay_with_other_models_is_refused() -> None:
    from realtime.app.replay import _same_models

    path: Any = SimpleNamespace(models=[SimpleNamespace(name="retinaface", sha256="a" * 64)])
    _same_models({"models": [{"name": "retinaface", "sha256": "a" * 64}]}, path)
    for then in ([{"name": "retinaface", "sha256": "b" * 64}], [{"name": "other", "sha256": "a" * 64}], []):
        with pytest.raises(ModelFileError, match="another model than retinaface"):
            _same_models({"models": then}, path)


@pytest.mark.parametrize(
    ("outputs", "draws"),
    [
        (Outputs(), False),
        (Outputs(always_draw=True), True),
        (Outputs(recorder=anything()), True),
        (Outputs(virtual_camera=anything()), True),
        (Outputs(audience=anything()), True),
        (Outputs(streams={"lsl": anything}), False),
    ],
)
def test_pictures_are_drawn_where_an_output_takes_them(outputs: Outputs, draws: bool) -> None:
    compose = wired(Config(), outputs).graph.nodes["compose"].node.processor
    frame = Frame(np.zeros((48, 64, 3), np.uint8), 0, 1.0)
    shown = compose.process(frame, None)
    assert (shown.image is not frame.image) == draws
    assert (shown.sequence, shown.capture_time, shown.status) == (0, 1.0, "none")
