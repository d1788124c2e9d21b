"""The map: every node, every edge and every edge's policy of facemirror-live, wired from a configuration.

    camera ──Latest──▶ detect (when the tracker asks)
       │                  │ detections
       │                  ▼
       ├──Latest──────▶ track ──▶ measure ──▶ rows
       │                   └─Latest─▶ multitask (OpenFace 3.0 only) ──▶ rows, compose (held, with its age)
       │                             ├──────────▶ LSL · OSC
       │                             │ newest analysis, briefly awaited
       │                             ▼
       ├──DropOldest(0.4 s)──▶ raw-recorder
       └──DropOldest(2)─────────▶ compose ──▶ preview · virtual camera · recorder (0.4 s) · web · rows

The picture path (camera, compose, outputs) never waits for a model; the analysis path takes the newest frame whenever it
is free. With `speed = "max"` nothing is dropped: edges block, joins are exact, and detection runs in line with tracking, so
that the same file gives the same numbers on every run.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.baseline import Baseline
from realtime.action_units.calibration import Calibration
from realtime.app.face_pipeline import open_face_path
from realtime.app.nodes.action_units import Measure, MeasureOpenFace2
from realtime.app.nodes.audio import ToneSink
from realtime.app.nodes.capture import Capture
from realtime.app.nodes.compose import Compose
from realtime.app.nodes.csv_rows import DropRows, MeasuredRows, ShownRows
from realtime.app.nodes.dashboard import Web
from realtime.app.nodes.detect_track import Detect, Track
from realtime.app.nodes.openface3 import ComposeExpression, Express, ExpressionRows
from realtime.app.nodes.quality import LIGHT_LANDMARKS, Quality
from realtime.app.nodes.sinks import PictureSink, Record, RecordRaw, Show
from realtime.app.nodes.streams import SendExpression, SendStream, Stream
from realtime.config import Config
from realtime.errors import UserInputError
from realtime.face.point_flow import PointFlow
from realtime.graph import (
    Block,
    DropOldest,
    Exact,
    Graph,
    Hold,
    Join,
    Latest,
    LatestBefore,
    Policy,
    RealClock,
    Restart,
    Trace,
)
from realtime.media.lossless import RawRecorder
from realtime.media.video_source import VideoSource
from realtime.models import ModelSpec
from realtime.models.tiers import ModelLadder
from realtime.openface3.panel import ExpressionPanel
from realtime.render.blur import FaceBlur
from realtime.render.scene import Scene
from realtime.session.decision_log import DecisionLog
from realtime.session.frames_csv import FramesCsv
from realtime.types import Analysis, Frame


@dataclass(slots=True)
class Outputs:
    """Where a run's pictures and rows go; None: nowhere.

    streams: opened with the Action Units that are measured. captured: told of every frame before any other part of the
    graph sees it. journal: told what the run decides. calibrated: told of a calibration. own_neutral: stored earlier.
    compiling: told a model's name and the seconds gone by, while an accelerator compiles it for the first time.
    """

    preview: Show | None = None
    virtual_camera: Show | None = None
    recorder: PictureSink | None = None
    raw: RawRecorder | None = None
    csv: FramesCsv | None = None
    folder: Path | None = None
    streams: dict[str, Callable[[Sequence[int]], Stream]] = field(default_factory=dict)
    captured: list[Callable[[Frame], None]] = field(default_factory=list)
    journal: DecisionLog | None = None
    calibrated: Callable[[Analysis, Calibration], None] | None = None
    own_neutral: Baseline | None = None
    web: Web | None = None
    tune: ToneSink | None = None
    compiling: Callable[[str, float], None] | None = None


@dataclass(slots=True)
class App:
    """The wired graph and the parts whose figures the summary wants. output: the node at the end of the picture path."""

    graph: Graph
    output: str
    detect: Detect
    track: Track
    quality: Quality
    measures: ActionUnitEstimator
    scene: Scene
    models: list[ModelSpec] = field(default_factory=list)
    tiers: ModelLadder | None = None


@dataclass(frozen=True, slots=True)
class Policies:
    """How the edges behave: live, where the newest counts, or offline, where every frame counts."""

    newest: Policy
    picture: Policy
    every: Policy
    recorded: Policy
    result: Join
    held: Join
    max_age: float
    stall: float

    @classmethod
    def of(cls, config: Config, fps: float) -> "Policies":
        """What the configured speed asks for. fps: of the source."""
        if config.speed == "max":
            return cls(Block(4), Block(4), Block(8), Block(8), Exact(), Exact(), math.inf, math.inf)
        latency = config.latency
        result = Hold(max_age=latency.result_max_age_ms / 1e3, wait=latency.wait_for_result_ms / 1e3)
        held = Hold(max_age=latency.result_max_age_ms / 1e3)
        newest, picture, every = Latest(), DropOldest(2), DropOldest(60)
        # What waits for an encoder is lost by a kill, and what is in an unfinished piece of the file, too: a second in all.
        recorded = DropOldest(max(3, min(30, round(0.4 * fps))))
        return cls(newest, picture, every, recorded, result, held, config.max_age_ms / 1e3, latency.stall_seconds)


def build(config: Config, source: VideoSource, outputs: Outputs, clock: RealClock) -> App:
    """Wire everything. source: open already. Networks are open and warm when this returns.

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
    """
    cv2.setNumThreads(1)  # every node has a thread already; OpenCV's own would only take turns with them
    height, width = (source.negotiated.height, source.negotiated.width) if source.negotiated else (720, 1280)
    path = open_face_path(config, height, width, outputs.own_neutral, outputs.compiling)
    offline = config.speed == "max"
    # A session that is to be replayed keeps to its best network: the journal does not say which one answered.
    light = path.tiers is not None and len(path.tiers) > 1 and outputs.journal is None
    adapt = config.latency.adapt and not offline
    quality = Quality(config.latency.result_bound_ms / 1e3, enabled=adapt, light_landmarks=light)
    if path.tiers is not None:
        path.tiers.lighter = lambda: LIGHT_LANDMARKS in quality.active
    detect = Detect(path.detector, path.coarse, path.tracker, quality)
    track = Track(
        path.tracker, quality, inline=detect if offline else None, delay=config.models.landmark_delay_ms / 1e3
    )
    detect.journal = track.journal = outputs.journal
    measures = path.measures
    measure: Measure | MeasureOpenFace2 = Measure(measures, outputs.journal, outputs.calibrated)
    units = measures.units
    if config.au == "openface2":
        measure, units = _openface2(config, outputs.folder)
    scene = Scene(config.view, units, selfie=config.selfie)
    too_old = None if offline else config.latency.result_max_age_ms / 1e3
    plain = Compose(scene, PointFlow(config.flow), clock.now, quality, live=not offline, too_old=too_old)
    compose: Compose | ComposeExpression = plain
    if path.multitask is not None:
        compose = ComposeExpression(plain, ExpressionPanel(), lambda: scene.mode != "raw")

    graph = Graph("facemirror-live", clock=clock, trace=Trace() if config.trace else None)
    edge = Policies.of(config, (source.negotiated and source.negotiated.fps) or 30.0)

    # A camera or stream that vanishes may come back; a file that cannot be read any further will not.
    live = source.negotiated is not None and source.negotiated.live
    camera = graph.source(
        "camera",
        Capture(source, outputs.captured),
        max_age=edge.max_age,
        restart=Restart(attempts=config.reconnect_attempts) if live else None,
        grace=5.0,
    )
    tracked = graph.transform("track", track, run_on="thread:analysis", stall_timeout=edge.stall)
    measured = graph.transform("measure", measure, run_on="thread:analysis", stall_timeout=edge.stall)
    composed = graph.transform("compose", compose, run_on="thread:picture", stall_timeout=edge.stall)

    tracks = graph.connect(camera, tracked, edge.newest)
    if not offline:
        detected = graph.transform("detect", detect, run_on="thread:detection")
        graph.connect(camera, detected, edge.newest)
        graph.connect(detected, tracked, Latest(), as_side="detections", join=LatestBefore(max_age=1.0))
    measures_tracked = graph.connect(tracked, measured, edge.every)
    pictures = graph.connect(camera, composed, edge.picture)
    graph.connect(measured, composed, edge.newest, as_side="analysis", join=edge.result)
    expressed = None
    if path.multitask is not None:
        expressed = graph.transform("multitask", Express(path.multitask), run_on="thread:multitask")
        graph.connect(tracked, expressed, edge.newest)
        graph.connect(expressed, composed, edge.newest, as_side="expression", join=edge.held)

    output = "compose"
    if outputs.preview is not None:
        graph.connect(composed, graph.sink("preview", outputs.preview), Latest())
    if outputs.virtual_camera is not None:
        output = "virtual-camera"
        graph.connect(
            composed, graph.sink(output, outputs.virtual_camera, run_on="thread:virtual-camera"), edge.picture
        )
    if outputs.recorder is not None:
        blur = FaceBlur(units, selfie=config.selfie) if config.blur_face else None
        if blur is not None:
            detect.listeners.append(blur.seen)
        record = Record(outputs.recorder, blur)
        recorder = graph.sink("recorder", record, run_on="thread:recorder", grace=10.0)
        graph.connect(composed, recorder, edge.recorded)
    if outputs.raw is not None:
        raw = graph.sink("raw-recorder", RecordRaw(outputs.raw, wait=offline), run_on="thread:raw", grace=10.0)
        graph.connect(camera, raw, edge.recorded)
    for name, open_stream in outputs.streams.items():
        stream = open_stream(units)
        sink = graph.sink(name, SendStream(stream), run_on=f"thread:{name}")
        graph.connect(measured, sink, DropOldest(60))
        if expressed is not None and path.multitask is not None:
            stream.open_expression(path.multitask.units, path.multitask.emotions)
            sink = graph.sink(f"{name}-openface3", SendExpression(stream), run_on=f"thread:{name}")
            graph.connect(expressed, sink, DropOldest(60))
    if outputs.tune is not None:
        if outputs.tune.unit not in units:
            known = ", ".join(str(unit) for unit in units) or "none at all with these models"
            raise UserInputError(f"--tone {outputs.tune.unit}: this Action Unit is not measured; there are {known}.")
        graph.connect(measured, graph.sink("tone", outputs.tune, run_on="thread:tone"), Latest())
    if outputs.web is not None:
        graph.connect(composed, graph.sink("web", outputs.web, run_on="thread:web"), Latest())
    if expressed is not None and path.multitask is not None and outputs.folder is not None:
        # Opens a file, so it comes after everything that may refuse.
        kept = graph.sink("multitask-rows", ExpressionRows(outputs.folder, path.multitask), run_on="thread:multitask")
        graph.connect(expressed, kept, edge.every)
    if outputs.csv is not None:
        graph.connect(composed, graph.sink("shown-rows", ShownRows(outputs.csv), run_on="thread:picture"), edge.every)
        graph.connect(measured, graph.sink("rows", MeasuredRows(outputs.csv), run_on="thread:analysis"), edge.every)
        graph.on_drop(DropRows(outputs.csv, picture=[pictures], analysis=[tracks, measures_tracked]))
    return App(graph, output, detect, track, quality, measures, scene, path.models, path.tiers)


def _openface2(config: Config, folder: Path | None) -> tuple[MeasureOpenFace2, tuple[int, ...]]:
    """The node and its Action Units."""
    # Imported here: without --au openface2 its kernels cost neither time nor memory.
    from realtime.openface2.assets import INTENSITY_AUS
    from realtime.openface2.node import OpenFace2Node
    from realtime.openface2.pull import default_folder

    models = config.openface2 or default_folder()
    return MeasureOpenFace2(OpenFace2Node(models, folder, pfld68=config.pfld68)), INTENSITY_AUS
