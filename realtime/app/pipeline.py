"""The map: every node, every edge and every edge's policy of facemirror-live, wired from a configuration.

    camera ──Latest──▶ detect (when the tracker asks; after the frame's picture)
       │                  │ detections
       │                  ▼
       ├──Latest──────▶ track ──▶ measure ──▶ lengths (--millimetres only) ──▶ rows
       │                   └─Latest─▶ multitask (OpenFace 3.0 only) ──▶ rows, compose (held, with its age)
       │                             ├──────────▶ LSL · OSC · OBS's rules · examination
       │                             │ newest analysis, briefly awaited
       │                             ▼
       ├──DropOldest(0.4 s)──▶ raw-recorder
       └──DropOldest(2)─────────▶ compose ──▶ preview · virtual camera · recorder (0.4 s) · web · rows

The picture path (camera, compose, outputs) never waits for a model; the analysis path takes the newest frame whenever it
is free. With `speed = "max"` nothing is dropped: edges block, joins are exact, and detection runs in line with tracking, so
that the same file gives the same numbers on every run. There a frame is measured and drawn on one thread while the next one
is tracked on another: each has about half of the work.

This file is longer than others and stays whole: a reader who wants to know where a frame goes looks here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.baseline import Baseline
from realtime.action_units.calibration import Calibration
from realtime.action_units.names import measured_units
from realtime.analyze.models import landmark_tiers
from realtime.app.examination import GuidedExamination
from realtime.app.examination_screen import ExaminationScreen
from realtime.app.face_pipeline import FacePath, open_for_program, registry_of
from realtime.app.face_search import open_face_search
from realtime.app.nodes.action_units import Measure, MeasureOpenFace2
from realtime.app.nodes.audio import ToneSink
from realtime.app.nodes.capture import Capture
from realtime.app.nodes.compose import Compose
from realtime.app.nodes.csv_rows import DropRows, MeasuredRows, ShownRows
from realtime.app.nodes.dashboard import Audience, Web
from realtime.app.nodes.detect_track import Detect, Track
from realtime.app.nodes.examination import Examine
from realtime.app.nodes.millimetres import MeasureLengths
from realtime.app.nodes.obs import SteerObs, check_rules
from realtime.app.nodes.openface3 import ComposeExpression, Express, ExpressionResult, ExpressionRows
from realtime.app.nodes.people import MeasurePeople, TrackPeople
from realtime.app.nodes.picture_progress import PictureProgress
from realtime.app.nodes.quality import LIGHT_LANDMARKS, Quality
from realtime.app.nodes.sinks import PictureSink, Record, RecordRaw, Show
from realtime.app.nodes.streams import SendExpression, SendStream, Stream
from realtime.app.plugins import PluginSink
from realtime.app.policies import Policies
from realtime.app.preview_overlay import PreviewOverlay
from realtime.config import Config
from realtime.errors import UserInputError
from realtime.face.face_embedding import FaceMemory, StoredFaceSearch
from realtime.face.people import PeopleTracker
from realtime.face.point_flow import PointFlow
from realtime.graph import Connection, DropOldest, Graph, Latest, LatestBefore, NodeHandle, RealClock, Restart, Trace
from realtime.media.lossless import RawRecorder
from realtime.media.preview import Preview
from realtime.media.video_source import VideoSource
from realtime.models import ModelSpec
from realtime.models.tiers import ModelLadder
from realtime.openface3.panel import ExpressionPanel
from realtime.render.blur import FaceBlur, LiveBlur
from realtime.render.rehearsal import rehearse_drawing
from realtime.render.scene import Scene
from realtime.session.decision_log import DecisionLog
from realtime.session.frames_csv import FramesCsv
from realtime.types import U8, Analysis, Frame, RenderedFrame, TrackedFrame

Finish = Callable[[U8], U8]
# How far the recording of hidden faces looks ahead: more of it would be lost by a kill.
_AHEAD_SECONDS = 0.27
SWITCH_SECONDS = 0.0005
"""A thread that holds the interpreter gives it up this soon, so that none waits 5 ms for another's arithmetic."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a run's pictures and rows go; None: nowhere.

    Attributes:
        preview: opens the window, given what is drawn over each picture there.
        virtual_camera: takes what is shown.
        recorder: takes what is shown.
        raw: takes the captured frames.
        csv: takes one row for each captured frame.
        folder: the session's, for files that a model family writes by itself.
        streams: by name, opens what sends measurements to other programs, given the Action Units that are measured.
        captured: called with every frame before any other part of the graph sees it.
        decisions: logs the decisions that depend on timing, for a replay.
        calibrated: called when a calibration is done.
        stored_baseline: a calibration stored earlier.
        plugins: sinks of other distributions, for what is shown.
        audience: the dashboard's open pages.
        tone: the biofeedback tone.
        obs: turns measures into OBS's requests.
        compiling: called with a model's name and the seconds gone by, while it is compiled for the first time.
        warnings: sentences about what has failed, for the preview.
        face_memory: takes in what the patient's face looks like, to be stored.
        face_search: knows the stored person's face, who is then the patient.
        examination: makes the guided examination, given the models and what asks for a calibration (None: none can be made).
        always_draw: pictures are drawn although nothing here takes them: whoever builds the graph does.
    """

    preview: Callable[[Finish], Preview] | None = None
    virtual_camera: Show | None = None
    recorder: PictureSink | None = None
    raw: RawRecorder | None = None
    csv: FramesCsv | None = None
    folder: Path | None = None
    streams: Mapping[str, Callable[[Sequence[int]], Stream]] = field(default_factory=dict)
    captured: Sequence[Callable[[Frame], None]] = ()
    decisions: DecisionLog | None = None
    calibrated: Callable[[Analysis, Calibration], None] | None = None
    stored_baseline: Baseline | None = None
    plugins: Sequence[PluginSink] = ()
    audience: Audience | None = None
    tone: ToneSink | None = None
    obs: SteerObs | None = None
    compiling: Callable[[str, float], None] | None = None
    warnings: Callable[[], Sequence[str]] = tuple
    face_memory: FaceMemory | None = None
    face_search: StoredFaceSearch | None = None
    examination: Callable[[Sequence[ModelSpec], Callable[[], None] | None], GuidedExamination] | None = None
    always_draw: bool = False

    @property
    def takes_pictures(self) -> bool:
        """Whether any output takes what is shown."""
        outputs = (self.preview, self.virtual_camera, self.recorder, self.audience)
        return self.always_draw or bool(self.plugins) or any(output is not None for output in outputs)


@dataclass(frozen=True, slots=True)
class App:
    """The wired graph, and the parts whose figures the summary wants.

    Attributes:
        graph: ready to run.
        output: the node at the end of the picture path.
        detect: nodes of the analysis path.
        track: likewise.
        quality: likewise.
        measures: the Action Units of the patient.
        scene: what is drawn.
        models: what was opened, detector and best landmark network first.
        tiers: the landmark networks, best first.
        preview: the window, where one was asked for.
        examination: the guided examination, where one can be made.
    """

    graph: Graph
    output: str
    detect: Detect
    track: Track
    quality: Quality
    measures: ActionUnitEstimator
    scene: Scene
    models: Sequence[ModelSpec] = ()
    tiers: ModelLadder | None = None
    preview: Preview | None = None
    examination: GuidedExamination | None = None


class OpenPath(Protocol):
    """Opens the face's networks; see `open_for_program`."""

    def __call__(
        self,
        config: Config,
        height: int,
        width: int,
        *,
        stored_baseline: Baseline | None,
        lighter: Callable[[], bool],
        compiling: Callable[[str, float], None] | None,
    ) -> FacePath: ...


def build(
    config: Config,
    source: VideoSource,
    outputs: Outputs,
    clock: RealClock,
    open_path: OpenPath = open_for_program,
) -> App:
    """Open the networks and wire everything.

    Args:
        config: the settings.
        source: open already.
        outputs: where pictures and rows go.
        clock: the frames' clock.
        open_path: opens the face's networks.

    Returns:
        The graph, ready to run: its networks are open and warm.

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
        UserInputError: an Action Unit is asked for that is not measured.
    """
    cv2.setNumThreads(1)  # every node has a thread already; OpenCV's own would only take turns with them
    quality = _quality(config, outputs)
    height, width = (source.stream_info.height, source.stream_info.width) if source.stream_info else (720, 1280)
    path = open_path(
        config,
        height,
        width,
        stored_baseline=outputs.stored_baseline,
        lighter=lambda: LIGHT_LANDMARKS in quality.active,
        compiling=outputs.compiling,
    )
    return _Wiring(config, source, outputs, clock, quality, path).app()


def _quality(config: Config, outputs: Outputs) -> Quality:
    """The ladder of what is given up when results come too late."""
    tiers = landmark_tiers(registry_of(config).manifest, config.models.landmarks)
    # A session that is to be replayed keeps to its best network: the log of decisions does not say which one answered.
    light = len(tiers) > 1 and outputs.decisions is None
    adapt = config.latency.adapt and config.speed != "max"
    several = config.people > 1
    return Quality(config.latency.result_bound_ms / 1e3, enabled=adapt, light_landmarks=light, several=several)


class _Wiring:
    """One graph while it is put together: the two paths first, then each output."""

    def __init__(
        self,
        config: Config,
        source: VideoSource,
        outputs: Outputs,
        clock: RealClock,
        quality: Quality,
        path: FacePath,
    ) -> None:
        self._config, self._outputs, self._path, self._quality = config, outputs, path, quality
        self._clock = clock
        self._source = source
        self._offline = config.speed == "max"
        info = source.stream_info
        self._edge = Policies.of(config, (info and info.fps) or 30.0)
        self._graph = Graph("facemirror-live", clock=clock, trace=Trace() if config.trace else None)
        self._measure: Measure | MeasureOpenFace2 = self._measures()
        self._units = path.measures.units
        if config.au == "openface2":
            self._measure, self._units = _openface2(config, outputs.folder)
        self._scene = Scene(
            config.view, self._units, selfie=config.selfie, panel=config.panel, mirror_ready=path.mirror_ready
        )
        self._examination = self._open_examination()
        fps = (info and info.fps) or 30.0
        self._live_blur, self._recorded_blur = _blurs(config, self._units, fps, recorded=outputs.recorder is not None)
        # Offline a detection pass is part of tracking. With several people it must not begin late: it would meet the next frame's looks.
        self._progress = None if self._offline or config.people > 1 else PictureProgress()
        self._detect = Detect(
            path.detector,
            path.coarse,
            path.tracker,
            quality,
            decisions=outputs.decisions,
            pictures=self._progress,
        )
        self._track = self._tracking(fps)

    def _tracking(self, fps: float) -> Track:
        """Of one face, or of several people's."""
        config, tracker = self._config, self._path.tracker
        inline = self._detect if self._offline else None
        delay, decisions = config.models.landmark_delay_ms / 1e3, self._outputs.decisions
        if isinstance(tracker, PeopleTracker):
            rate = None if self._offline else fps
            search = self._outputs.face_search
            return TrackPeople(tracker, self._quality, inline, delay, rate=rate, decisions=decisions, search=search)
        return Track(tracker, self._quality, inline, delay, decisions=decisions)

    def _measures(self) -> Measure:
        """Action Units of one face, or of several people's."""
        path, outputs = self._path, self._outputs
        if self._config.people > 1:
            return MeasurePeople(
                path.measures, path.another, outputs.decisions, outputs.calibrated, outputs.face_memory
            )
        return Measure(path.measures, outputs.decisions, outputs.calibrated, outputs.face_memory)

    def _open_examination(self) -> GuidedExamination | None:
        """The guided examination, which reads the program's own Action Units."""
        measures, make = self._path.measures, self._outputs.examination
        if self._config.au == "own" and measures.units and make is not None:
            return make(self._path.models, measures.ask_for_calibration)
        if self._config.examination.guided:
            raise UserInputError("An examination needs the program's own Action Units; leave out --au and --models.")
        return None

    def app(self) -> App:
        """Wire everything."""
        self._check_tone()
        graph, edge, outputs = self._graph, self._edge, self._outputs
        # A camera or stream that vanishes may come back; a file that cannot be read any further will not.
        live = self._source.stream_info is not None and self._source.stream_info.live
        camera = graph.source(
            "camera",
            Capture(self._source, outputs.captured),
            max_age=edge.max_age,
            restart=Restart(attempts=self._config.reconnect_attempts) if live else None,
            grace=5.0,
        )
        tracked = graph.transform("track", self._track, run_on="thread:analysis", stall_timeout=edge.stall)
        # Live, a frame should be measured as soon as it is tracked; offline, it waits for the picture before it in any case.
        measuring = "thread:picture" if self._offline else "thread:analysis"
        measured = graph.transform("measure", self._measure, run_on=measuring, stall_timeout=edge.stall)
        composed = graph.transform(
            "compose", self._compose(), run_on="thread:picture", stall_timeout=edge.stall, may_end=True
        )

        to_track = graph.connect(camera, tracked, edge.newest)
        if not self._offline:
            detected = graph.transform("detect", self._detect, run_on="thread:detection")
            graph.connect(camera, detected, edge.newest)
            graph.connect(detected, tracked, Latest(), as_side="detections", join=LatestBefore(max_age=1.0))
        # Landmarks that were found are measured and written, and what was shown or captured is recorded, however late: a
        # deadline saves work that nobody would see in time, and here the work is done, or is not for the moment.
        to_measure = graph.connect(tracked, measured, edge.every, expires=False)
        to_compose = graph.connect(camera, composed, edge.picture)
        to_lengths: list[Connection] = []
        if self._path.meter is not None:
            lengths = graph.transform("lengths", MeasureLengths(self._path.meter), run_on=measuring)
            to_lengths.append(graph.connect(measured, lengths, edge.every, expires=False))
            measured = lengths
        graph.connect(measured, composed, edge.newest, as_side="analysis", join=edge.result)
        expressed = self._expression(tracked, composed)

        output, preview = self._pictures(composed)
        if outputs.raw is not None:
            raw = RecordRaw(outputs.raw, wait=self._offline)
            raw_recorder = graph.sink("raw-recorder", raw, run_on="thread:raw", grace=10.0)
            graph.connect(camera, raw_recorder, edge.recorded, expires=False)
        self._measurements(measured, expressed)
        if outputs.csv is not None:
            shown_rows = graph.sink("shown-rows", ShownRows(outputs.csv), run_on="thread:picture")
            rows = graph.sink("rows", MeasuredRows(outputs.csv), run_on=measuring)
            to_shown = graph.connect(composed, shown_rows, edge.every, expires=False)
            to_rows = graph.connect(measured, rows, edge.every, expires=False)
            analysis = [to_track, to_measure]
            graph.on_drop(
                DropRows(
                    outputs.csv,
                    picture=[to_compose],
                    analysis=analysis,
                    shown=to_shown,
                    measured=[*to_lengths, to_rows],
                )
            )
        path = self._path
        return App(
            graph,
            output,
            self._detect,
            self._track,
            self._quality,
            path.measures,
            self._scene,
            path.models,
            path.tiers,
            preview,
            self._examination,
        )

    def _compose(self) -> Compose | ComposeExpression:
        config, scene = self._config, self._scene
        too_old = None if self._offline else config.latency.result_max_age_ms / 1e3
        flow, live = PointFlow(config.flow), not self._offline
        compose = Compose(
            scene,
            flow,
            self._clock.now,
            self._quality,
            live=live,
            too_old=too_old,
            blur=self._live_blur,
            draws=self._outputs.takes_pictures,
            progress=self._progress,
            rehearse=self._rehearse,
        )
        if self._path.multitask is None:
            return compose
        return ComposeExpression(
            compose, ExpressionPanel(), lambda: scene.mode != "raw" and self._outputs.takes_pictures
        )

    def _rehearse(self) -> None:
        """Draw once, for whoever draws on this thread, where pictures will be drawn against time."""
        if self._offline or not self._outputs.takes_pictures:
            return
        info, config = self._source.stream_info, self._config
        size = (info.height, info.width) if info is not None else (720, 1280)
        rehearse_drawing(self._scene.mode, self._units, *size, selfie=config.selfie, panel=config.panel)

    def _expression(
        self, tracked: NodeHandle[Frame, TrackedFrame], composed: NodeHandle[Frame, RenderedFrame]
    ) -> NodeHandle[TrackedFrame, ExpressionResult] | None:
        """OpenFace 3.0's multi-task network, on its own thread."""
        if self._path.multitask is None:
            return None
        graph, edge = self._graph, self._edge
        expressed = graph.transform("multitask", Express(self._path.multitask), run_on="thread:multitask")
        graph.connect(tracked, expressed, edge.newest)
        graph.connect(expressed, composed, edge.newest, as_side="expression", join=edge.held)
        return expressed

    def _pictures(self, composed: NodeHandle[Frame, RenderedFrame]) -> tuple[str, Preview | None]:
        """Where shown pictures go. Gives the node at the end of the picture path, and the window."""
        graph, edge, outputs = self._graph, self._edge, self._outputs
        output, preview = "compose", None
        if outputs.preview is not None:
            calibration = self._path.measures.calibration
            draw = PreviewOverlay(lambda: calibration.progress, outputs.warnings).draw
            if self._examination is not None:
                draw = ExaminationScreen(self._examination, draw).draw
            preview = outputs.preview(draw)
            graph.connect(composed, graph.sink("preview", Show(preview.put)), Latest())
        if outputs.virtual_camera is not None:
            output = "virtual-camera"
            camera = graph.sink(output, outputs.virtual_camera, run_on="thread:virtual-camera")
            graph.connect(composed, camera, edge.picture)
        if outputs.recorder is not None:
            record = Record(outputs.recorder, self._recorded_blur)
            recorder = graph.sink("recorder", record, run_on="thread:recorder", grace=10.0)
            graph.connect(composed, recorder, edge.recorded, expires=False)
        for plugin in outputs.plugins:
            name = f"sink-{plugin.name}"
            graph.connect(composed, graph.sink(name, plugin, run_on=f"thread:{name}"), Latest())
        if outputs.audience is not None:
            web = Web(outputs.audience, self._units, self._clock.now)
            graph.connect(composed, graph.sink("web", web, run_on="thread:web"), Latest())
        return output, preview

    def _measurements(
        self,
        measured: NodeHandle[TrackedFrame, TrackedFrame],
        expressed: NodeHandle[TrackedFrame, ExpressionResult] | None,
    ) -> None:
        """Where measurements go besides frames.csv."""
        graph, edge, outputs, multitask = self._graph, self._edge, self._outputs, self._path.multitask
        for name, open_stream in outputs.streams.items():
            stream = open_stream(self._units)
            graph.connect(measured, graph.sink(name, SendStream(stream), run_on=f"thread:{name}"), DropOldest(60))
            if expressed is not None and multitask is not None:
                stream.open_expression(multitask.units, multitask.emotions)
                sink = graph.sink(f"{name}-openface3", SendExpression(stream), run_on=f"thread:{name}")
                graph.connect(expressed, sink, DropOldest(60))
        if self._examination is not None:
            examined = graph.sink("examination", Examine(self._examination), run_on="thread:examination")
            graph.connect(measured, examined, edge.every, expires=False)
        if outputs.tone is not None:
            graph.connect(measured, graph.sink("tone", outputs.tone, run_on="thread:tone"), Latest())
        if outputs.obs is not None:
            check_rules(outputs.obs.rules, self._units, millimetres=self._path.meter is not None)
            graph.connect(measured, graph.sink("obs", outputs.obs, run_on="thread:obs-rules"), Latest())
        if expressed is not None and multitask is not None and outputs.folder is not None:
            # This opens a file, so it comes after everything that may refuse.
            rows = graph.sink("multitask-rows", ExpressionRows(outputs.folder, multitask), run_on="thread:multitask")
            graph.connect(expressed, rows, edge.every, expires=False)

    def _check_tone(self) -> None:
        tone = self._outputs.tone
        if tone is not None and tone.unit not in self._units:
            known = measured_units(self._units)
            raise UserInputError(f"--tone {tone.unit}: this Action Unit is not measured; there are {known}.")


def _blurs(
    config: Config, units: Sequence[int], fps: float, *, recorded: bool
) -> tuple[LiveBlur | None, FaceBlur | None]:
    """What hides faces in the shown and in the recorded pictures, as `--blur-face` asks."""
    if config.blur_face == "off":
        return None, None
    spare = config.blur_face in ("others", "others-everywhere")
    everywhere = config.blur_face in ("everywhere", "others-everywhere")
    live = LiveBlur(open_face_search(config, fps).find, spare_patient=spare) if everywhere else None
    if not recorded:
        return live, None
    # Where the picture path has searched the frame already, its answer is used.
    find = open_face_search(config, fps).find if live is None else None
    ahead = max(1, min(8, round(_AHEAD_SECONDS * fps)))
    return live, FaceBlur(find, units, ahead=ahead, selfie=config.selfie, panel=config.panel, spare_patient=spare)


def _openface2(config: Config, folder: Path | None) -> tuple[MeasureOpenFace2, tuple[int, ...]]:
    """The node and its Action Units."""
    # Imported here: without --au openface2 its kernels cost neither time nor memory.
    from realtime.openface2.assets import INTENSITY_AUS
    from realtime.openface2.node import OpenFace2Node
    from realtime.openface2.pull import default_folder

    models = config.openface2 or default_folder()
    return MeasureOpenFace2(OpenFace2Node(models, folder, pfld68=config.pfld68)), INTENSITY_AUS
