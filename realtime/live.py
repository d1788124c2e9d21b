"""One run from beginning to end: source, session folder, outputs, graph, figures."""

import asyncio
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from realtime import __version__
from realtime.app import App, Outputs, build
from realtime.config import Config, Resolved
from realtime.controls import KEYS, Controls, ModelChoice, camera_choice, model_choice
from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.graph import RealClock, Report, StopToken, Trace
from realtime.media.cameras import list_cameras
from realtime.media.preview import NEEDS_MAIN_THREAD, Preview
from realtime.media.recorder import VideoRecorder
from realtime.media.sound.measuring import stored_measurement
from realtime.media.sound.tone import ToneSettings
from realtime.media.source import VideoSource
from realtime.media.spec import parse_source
from realtime.media.virtual_camera import VirtualCamera
from realtime.media.window import no_window_reason
from realtime.nodes.outputs import Show
from realtime.nodes.sound import RunSound
from realtime.nodes.streams import streams
from realtime.nodes.web import Web
from realtime.session.columns import data_dictionary
from realtime.session.folder import create_session_folder, use_session_folder, write_json
from realtime.session.keeping import Keeping
from realtime.session.side import KeptChoice
from realtime.session.switching import SwitchedRecorder
from realtime.summary import Usage, empty_summary, summarise
from realtime.view.guidance import Guidance

if TYPE_CHECKING:
    from realtime.view.web.dashboard import Dashboard

INTERRUPTED = 130
SESSIONS = Path("sessions")
"""Where sessions go that were asked for without a folder's name."""
# A thread that holds the interpreter gives it up this soon, so that none waits 5 ms for another's arithmetic.
_SWITCH_SECONDS = 0.0005
_WINDOW_SECONDS = 2.0
_PACKAGES = ("av", "onnxruntime", "numpy", "opencv-python", "numba", "sounddevice")


@dataclass(slots=True)
class Run:
    """A run that has been prepared.

    started: called when everything is open and warm and frames begin to flow. watch: called about twice a second from then on.
    say: called with a sentence that the user should read at once.
    """

    resolved: Resolved
    watch: Callable[[App], None] = lambda _app: None
    started: Callable[[App], None] = lambda _app: None
    say: Callable[[str], None] = lambda _sentence: None
    notices: list[str] = field(default_factory=list)
    app: App | None = None
    folder: Path | None = None
    interrupted: bool = False
    _outputs: Outputs = field(default_factory=Outputs)
    _preview: Preview | None = None
    _guidance: Guidance = field(default_factory=Guidance)
    _dashboard: "Dashboard | None" = None
    _keeping: Keeping | None = None
    _recorder: SwitchedRecorder | None = None
    _sound: RunSound = field(default_factory=RunSound)
    _controls: Controls | None = None
    _source: VideoSource | None = None
    _told: str = ""
    _ended: StopToken = field(default_factory=StopToken)

    def execute(self) -> tuple[int, dict[str, Any]]:
        """(exit code, summary). Writes the summary file, except when the user's words are wrong (raises UserInputError)."""
        started = Usage.now()
        config = self.resolved.config
        summary: dict[str, Any]
        try:
            summary = self._execute(started)
            self.interrupted = self.interrupted or summary["ended"] == "interrupted"
            code = INTERRUPTED if self.interrupted else 3 if summary["failures"] else 0
        except UserInputError:
            raise
        except (FacemirrorError, KeyboardInterrupt) as error:
            self.interrupted = isinstance(error, KeyboardInterrupt)
            words = "interrupted" if self.interrupted else str(error)
            summary = empty_summary(started, {} if self.interrupted else {"start": words}, self.notices)
            code = INTERRUPTED if self.interrupted else 3
        if config.summary is not None:
            write_json(config.summary, summary)
        return code, summary

    def _execute(self, started: Usage) -> dict[str, Any]:
        config = self.resolved.config
        clock = RealClock()
        _check(config)
        source = VideoSource(
            parse_source(config.source), clock.now, speed=config.speed, size=config.size, fps=config.fps
        )
        self._source = source
        source.open()
        try:
            self._open_outputs(source, clock)
            self.app = build(config, source, self._outputs, clock)
            self._connect_controls(self.app, source)
            self._write_session(None)
            for choice in self._kept_choices().values():
                choice.changed = lambda: self._write_session(None)
            before = Usage.now()
            report = self._run_graph(self.app)
            cpu_running = Usage.now().cpu_seconds - before.cpu_seconds
        finally:
            source.close()
            self._close_outputs()
        app = self.app
        for part in (source, self._recorder, self._sound):
            self.notices += getattr(part, "notices", [])
        self.notices += self._keeping.all_notices() if self._keeping is not None else []
        summary = summarise(
            report,
            output=app.output,
            started=started,
            cpu_running=cpu_running,
            detections=app.detect.count,
            face_frames=app.track.face_frames,
            tracked_frames=app.track.tracked_frames,
            models={spec.name: spec.sha256 for spec in app.models},
            negotiated=source.negotiated.as_dict() if source.negotiated else None,
            notices=self.notices,
            live=config.speed == "realtime",
        )
        summary["session"] = str(self.folder) if self.folder else None
        summary["sound"] = self._sound.figures()
        summary["quality_switches"] = app.quality.switches
        summary["graph"] = app.graph.mermaid(report)
        if app.graph.trace is not None and config.trace is not None:
            self._write_trace(app.graph.trace, config.trace)
        self._write_session(summary)
        if self._keeping is not None:
            self._keeping.seal(parquet=config.parquet)
        return summary

    def _open_outputs(self, source: VideoSource, clock: RealClock) -> None:
        config, outputs = self.resolved.config, self._outputs
        assert source.negotiated is not None
        fps = source.negotiated.fps or 30.0
        if config.session is not None or config.record != "off":
            chosen = config.session
            self.folder = use_session_folder(chosen) if chosen else create_session_folder(SESSIONS, _now())
        keeping = self._keeping = Keeping(
            self.folder,
            clock.now,
            person=config.person,
            people=config.people,
            raw_pictures=config.record == "raw",
            fps=fps,
        )
        outputs.folder, outputs.csv, outputs.raw, outputs.journal = (
            self.folder,
            keeping.csv,
            keeping.raw,
            keeping.journal,
        )
        outputs.compiling = self._compiling
        outputs.own_neutral, outputs.calibrated = keeping.own_neutral, keeping.calibrated
        outputs.captured = [keeping.captured]
        outputs.streams = streams(config, keeping.markers, clock.now)
        tone = config.tone
        self._sound = RunSound.open(
            config.sound,
            config.tone_unit,
            tone.output,
            ToneSettings(tone.low_hz, tone.high_hz, tone.dead_band, tone.volume),
            clock.now,
        )
        outputs.tune = self._sound.tune
        if self.folder is not None and not config.landmarks_only:
            video = self.folder / "video.mp4"
            self._recorder = SwitchedRecorder(
                lambda: VideoRecorder(video, fps=fps, sound=self._sound.microphone), on=config.record != "off"
            )
            outputs.recorder = self._recorder
        if config.dashboard:
            outputs.web = self._open_dashboard(clock)
        if config.virtual_camera is not None:
            camera = VirtualCamera(source.negotiated.fps or 30.0, config.virtual_camera or None)
            camera.open(source.negotiated.width, source.negotiated.height)
            outputs.virtual_camera = Show(camera.send, camera.close)
        if not config.headless:
            reason = no_window_reason()
            if reason is None:
                self._preview = Preview(self.stop, self._press, finish=self._guided)
                outputs.preview = Show(self._preview.put)
            else:
                self.notices.append(f"{reason} Going on without a preview window.")

    def _open_dashboard(self, clock: RealClock) -> Web:
        # Imported here: without --dashboard the web server costs neither time nor memory.
        from realtime.view.web.dashboard import Dashboard
        from realtime.view.web.security import TOKEN_VARIABLE, make_token

        config = self.resolved.config
        dashboard = Dashboard(config.listen, config.port, make_token(os.environ.get(TOKEN_VARIABLE)), clock.now)
        self._dashboard = dashboard
        for sentence in dashboard.sentences:
            self.say(sentence)
        return Web(dashboard.hub, dashboard.told, clock.now)

    def _connect_controls(self, app: App, source: VideoSource) -> None:
        config = self.resolved.config
        assert self._keeping is not None
        controls = self._controls = Controls.of(
            app, self._keeping, self._recorder, own_units=config.au == "own", say=self.say
        )
        if self._preview is not None:
            self.say(KEYS)
        if self._dashboard is None:
            return
        commands = self._dashboard.commands
        commands.view, commands.side = controls.view, controls.keeping.side
        commands.calibrate, commands.marker, commands.record = controls.calibrate, controls.marker, controls.record
        commands.camera = camera_choice(config, source, list_cameras())
        commands.model = model_choice(config, app, controls.keeping.moment)
        controls.keeping.model = commands.model if isinstance(commands.model, ModelChoice) else None
        self._dashboard.attach(app.scene.units, app.graph.snapshot, app.output, selfie=config.selfie)

    def _kept_choices(self) -> dict[str, KeptChoice]:
        """What the page can change and session.json tells, by its name there."""
        keeping = self._keeping
        found = {} if keeping is None else {"affected_side": keeping.side, "landmark_model": keeping.model}
        return {name: choice for name, choice in found.items() if choice is not None}

    def _tell_calibration(self, app: App) -> None:
        """Say what the person should do, whenever that changes."""
        phase, _, sentence = app.measures.calibration.progress
        if phase != "idle" and sentence != self._told:
            self._told = sentence
            self.say(sentence)

    def _guided(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the preview shows: the picture, and while a calibration lasts what the person should do."""
        if self.app is None:
            return image
        return self._guidance.draw(image, self.app.measures.calibration.progress, time.monotonic())

    def _press(self, key: str) -> None:
        if self._controls is not None:
            self._controls.press(key)

    def _compiling(self, model: str, seconds: float) -> None:
        """An accelerator compiles a model for the first time: say so every five seconds."""
        sentence = f"compiling {model} for this machine, once: {5 * int(seconds // 5)} s"
        if sentence != self._told:
            self._told = sentence
            self.say(sentence)

    def _close_outputs(self) -> None:
        self._ended.set()
        if self._dashboard is not None:
            self._dashboard.stop()
        self._sound.close()
        if self._keeping is not None:
            self._keeping.close()

    def stop(self) -> None:
        """End the run in order; from any thread."""
        if self.app is not None:
            self.app.graph.stop("stopped by the user")

    def _run_graph(self, app: App) -> Report:
        duration = self.resolved.config.duration
        if self._preview is None:
            return asyncio.run(self._watched(app, duration))
        if not NEEDS_MAIN_THREAD:
            window = self._preview.start(self._ended)
            try:
                return asyncio.run(self._watched(app, duration))
            finally:
                # A window's thread that is still at work when the interpreter ends takes the process down with it.
                window.join(_WINDOW_SECONDS)
        found: list[Report] = []
        worker = threading.Thread(target=lambda: found.append(asyncio.run(self._watched(app, duration))), name="graph")
        worker.start()
        try:
            self._preview.run(self._ended)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self.stop()
            worker.join()
        if not found:
            raise DeviceError("The graph ended without a report; see the messages above.")
        return found[0]

    async def _watched(self, app: App, duration: float | None) -> Report:
        async def look() -> None:
            self.started(app)
            while True:
                await asyncio.sleep(0.5)
                self._tell_calibration(app)
                self.watch(app)

        watcher = asyncio.create_task(look())
        try:
            on_main = threading.current_thread() is threading.main_thread()
            return await app.graph.run(duration=duration, handle_signals=on_main, switch_interval=_SWITCH_SECONDS)
        finally:
            watcher.cancel()
            self._ended.set()

    @staticmethod
    def _write_trace(trace: Trace, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            trace.write(path, "facemirror-live")
        except OSError as error:
            raise DeviceError(f"The trace {path} cannot be written ({error.strerror}).") from None

    def _write_session(self, summary: dict[str, Any] | None) -> None:
        if self.folder is None or self.app is None:
            return
        settings = {name: {"value": value, "from": origin} for name, value, origin in self.resolved.rows()}
        content = {
            "format": 1,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "program": {"facemirror-live": __version__, **{name: version(name) for name in _PACKAGES}},
            "machine": {"python": platform.python_version(), "system": platform.platform()},
            "configuration": _plain(settings),
            "models": [{"name": spec.name, "sha256": spec.sha256, "licence": spec.licence} for spec in self.app.models],
            "columns": data_dictionary(),
            "calibrations": self._keeping.calibrations() if self._keeping is not None else [],
            "sources": [change._asdict() for change in self._source.changes] if self._source is not None else [],
            **{name: choice.as_dict() for name, choice in self._kept_choices().items()},
            "av_sync": stored_measurement() if self._sound.microphone is not None else None,
            "markers": self._keeping.markers.count if self._keeping is not None else 0,
            "summary": summary,
        }
        write_json(self.folder / "session.json", content)


def _check(config: Config) -> None:
    """What does not go together. Raises UserInputError before anything is opened."""
    if config.landmarks_only and config.record != "off":
        raise UserInputError("--landmarks-only stores no picture, so it does not go with --record.")
    if config.blur_face and config.record == "raw":
        raise UserInputError("--record raw keeps the captured frames as they are, so it does not go with --blur-face.")
    if config.record == "raw" and config.au != "own":
        raise UserInputError(
            "--record raw is for replaying the program's own Action Units; it does not go with --au openface2."
        )
    if config.sound is not None and config.record == "off" and not config.dashboard:
        raise UserInputError("--sound is recorded with the picture, so it needs --record.")
    if (config.sound is not None or config.tone_unit is not None) and config.speed == "max":
        raise UserInputError("--sound and --tone need the pace of real time, which --speed max does not keep.")
    if config.sound is not None and config.landmarks_only:
        raise UserInputError("--landmarks-only stores only numbers, so it does not go with --sound.")
    if config.lsl and config.speed == "max":
        raise UserInputError("--lsl stamps frames with the time when they were taken, which --speed max does not have.")


def _now() -> datetime:
    return datetime.now().astimezone()


def _plain(value: Any) -> Any:
    """Paths and tuples as JSON knows them."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
