"""One run from beginning to end: source, session folder, outputs, graph, figures.

However it ends (a failure of a device or a file, a signal at any moment), what was opened is closed, the session is described
and sealed, and the summary is written.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from realtime.app.controls import KEYS, Controls, PageCommands, page_commands
from realtime.app.face_pipeline import open_for_program
from realtime.app.interrupts import INTERRUPTED, Interrupts, raise_interrupt
from realtime.app.memory import collecting_only_new_objects
from realtime.app.notifier import Notifier
from realtime.app.obs_control import ObsControl
from realtime.app.output_files import check_run_outputs
from realtime.app.outputs import RunOutputs
from realtime.app.pipeline import SWITCH_SECONDS, App, build
from realtime.app.session_description import SessionDescription
from realtime.app.summary import Usage, empty_summary, summarise
from realtime.config import Resolved
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.face.kernel_cache import Preparation, begin
from realtime.files import described, reason, write_atomically, write_json
from realtime.graph import RealClock, Report, StopToken
from realtime.media.convert import ROTATIONS, Rotation
from realtime.media.preview import NEEDS_MAIN_THREAD
from realtime.media.source_spec import SourceKind, parse_source
from realtime.media.video_source import VideoSource
from realtime.session.choices import AffectedSide, LoggedChoice
from realtime.session.parquet import NAME as PARQUET

_WINDOW_SECONDS = 2.0
_WATCH_SECONDS = 0.5


@dataclass(slots=True)
class _Progress:
    """How far a run came; None: not so far."""

    source: VideoSource
    outputs: RunOutputs | None = None
    app: App | None = None
    report: Report | None = None
    choices: Mapping[str, LoggedChoice] = field(default_factory=dict)
    cpu_running: float = 0.0


class Run:
    """A run that has been prepared.

    Args:
        resolved: the settings, each with its origin.
        watch: called about twice a second while frames flow.
        started: called when everything is open and warm and frames begin to flow.
        say: called with a sentence that the user should read at once, on any thread.
        compilation: of the kernels, where it has begun already. Whoever began it ends it.
    """

    def __init__(
        self,
        resolved: Resolved,
        *,
        watch: Callable[[App], None] = lambda _app: None,
        started: Callable[[App], None] = lambda _app: None,
        say: Callable[[str], None] = lambda _sentence: None,
        compilation: Preparation | None = None,
    ) -> None:
        self._compilation = compilation
        self.notices: list[str] = []
        self._config = resolved.config
        self._settings = resolved.rows()
        self._watch = watch
        self._started = started
        self._notifier = Notifier(say)
        self._app: App | None = None
        self._controls: Controls | None = None
        self._ended = StopToken()
        self._interrupts = Interrupts()

    def execute(self) -> tuple[int, dict[str, Any]]:
        """Run to the end.

        Returns:
            The exit code, and the summary, which is also in the file that the configuration names.

        Raises:
            UserInputError: the user's words or input are wrong. No summary is written, and no session folder is left.
        """
        started, config = Usage.now(), self._config
        refuse_conflicts(config)
        check_run_outputs(config)
        clock = RealClock()
        source = VideoSource(
            parse_source(config.source),
            clock.now,
            speed=config.speed,
            size=config.size,
            fps=config.fps,
            rotate=self._rotation,
            until=config.duration if config.speed == "max" else None,
        )
        progress, failures = _Progress(source), dict[str, str]()
        unforeseen: Exception | None = None
        with self._interrupts as interrupts:
            try:
                self._live(progress, clock)
            except UserInputError:
                if progress.outputs is not None and progress.report is None:
                    progress.outputs.release()
                raise
            except KeyboardInterrupt:
                interrupts.count += 1
            except FacemirrorError as error:
                failures["start"] = str(error)
            except (OSError, MemoryError) as error:
                failures["start"] = described(error)
            except Exception as error:  # noqa: BLE001  a fault of ours: raised again once the session is sealed
                failures["start"], unforeseen = f"{type(error).__name__}: {error}", error
            summary = self._finish(progress, started, failures)
        if unforeseen is not None:
            raise unforeseen
        code = 3 if summary["failures"] else INTERRUPTED if self._was_interrupted(progress) else 0
        return code, summary

    def _rotation(self) -> Rotation:
        """By how much pictures are turned, clockwise; asked for when the source is opened."""
        config = self._config
        if config.rotate != "auto":
            return ROTATIONS[config.rotate]
        # Imported here: it needs the models, which other runs open later.
        from realtime.app.rotation import find_rotation

        spec, say = parse_source(config.source), self._notifier.say
        return find_rotation(spec, weights=config.weights, say=say, compiling=self._notifier.compiling)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What has failed, as sentences that were said when it did."""
        return self._notifier.warnings

    def stop(self) -> None:
        """End the run in order; from any thread."""
        if self._app is not None:
            self._app.graph.stop("stopped by the user")

    def _was_interrupted(self, progress: _Progress) -> bool:
        if progress.report is None:
            return self._interrupts.count > 0
        return progress.report.reason == "interrupted"

    def _live(self, progress: _Progress, clock: RealClock) -> None:
        """From opening the source to the graph's end; then everything is closed."""
        config, source = self._config, progress.source
        with ExitStack() as stack:
            stack.callback(self._ended.set)
            stack.callback(source.close)
            with self._interrupts.calling(raise_interrupt):
                # At a first start kernels are compiled while the camera wakes up. Finding the rotation compiles by itself.
                compilation = self._compilation
                if compilation is None and config.rotate != "auto":
                    compilation = begin()
                    stack.callback(compilation.end)
                source.open()
            assert source.stream_info is not None
            for sentence in source.notices:
                self._notifier.say(sentence)
            outputs = progress.outputs = RunOutputs.open(
                config, source.stream_info, clock.now, self._notifier, stop=self.stop, press=self._press
            )
            stack.callback(outputs.close)
            self.notices += outputs.missing
            with self._interrupts.calling(raise_interrupt):
                open_path = partial(open_for_program, compilation=compilation)
                app = progress.app = self._app = build(config, source, outputs.graph, clock, open_path)
            if app.measures.refusal:
                self.notices.append(app.measures.refusal)
                self._notifier.say(app.measures.refusal)
            page = self._connect_controls(progress, app, outputs)
            if page is None:  # nobody can choose while it runs: what the command line says holds
                progress.choices = {"affected_side": AffectedSide(first=config.examination.affected)}
            else:
                progress.choices = page.logged
            self._describe(progress, None)
            before = Usage.now()
            try:
                with collecting_only_new_objects(), self._interrupts.calling(self._end_graph):
                    progress.report = self._run_graph(app, outputs)
            finally:
                progress.cpu_running = Usage.now().cpu_seconds - before.cpu_seconds

    def _end_graph(self, count: int) -> None:
        """At a signal: stop the graph; at the second one, wait for nobody who is still at work."""
        if self._app is not None:
            self._app.graph.stop("interrupted")
            if count > 1:
                self._app.graph.force_stop()

    def _connect_controls(self, progress: _Progress, app: App, outputs: RunOutputs) -> PageCommands | None:
        """Keys and the page work from here on."""
        config, dashboard, say = self._config, outputs.dashboard, self._notifier.say
        controls = Controls(app, outputs.writer, outputs.recorder, own_units=config.au == "own", say=say)
        self._controls = controls
        if app.preview is not None:
            say(KEYS)
        if outputs.obs is not None:
            outputs.obs.start()
        if dashboard is None:
            return None
        # Imported here: without --dashboard the web server costs neither time nor memory.
        from realtime.dashboard.status_feed import RunStatus

        def changed(choices: Mapping[str, LoggedChoice]) -> None:
            self._description(progress, app, outputs).write(choices)

        obs = None if outputs.obs is None else ObsControl(outputs.obs, dashboard.overlay_url).command()
        page = page_commands(controls, config, app, progress.source, outputs.writer, changed, obs)
        status = RunStatus(
            app.scene.units,
            app.output,
            partial(app.graph.snapshot, only=app.output),
            config.selfie,
            lambda: self._notifier.warnings,
            config.person or "",
            dashboard.has_more,
        )
        dashboard.start(page.commands, status)
        for sentence in dashboard.sentences:
            say(sentence)
        return page

    def _press(self, key: str) -> None:
        if self._controls is not None:
            self._controls.press(key)

    def _run_graph(self, app: App, outputs: RunOutputs) -> Report:
        """Until the source, the user or the duration ends it. A preview gets the thread that its system wants."""
        preview = app.preview
        if preview is None:
            return asyncio.run(self._watched(app, outputs))
        if not NEEDS_MAIN_THREAD:
            window = preview.start(self._ended)
            try:
                return asyncio.run(self._watched(app, outputs))
            finally:
                # The window's library would end the process with an error if its thread outlived the interpreter.
                window.join(_WINDOW_SECONDS)
        found: list[Report] = []
        worker = threading.Thread(target=lambda: found.append(asyncio.run(self._watched(app, outputs))), name="graph")
        worker.start()
        try:
            preview.run(self._ended)
        finally:
            self.stop()
            worker.join()
        if not found:
            raise DeviceError("The graph ended without a report; see the messages above.")
        return found[0]

    async def _watched(self, app: App, outputs: RunOutputs) -> Report:
        async def watch() -> None:
            self._started(app)
            while True:
                await asyncio.sleep(_WATCH_SECONDS)
                if self._interrupts.count:  # one that came before the graph could be stopped
                    app.graph.stop("interrupted")
                for sentence in outputs.failed().values():
                    self._notifier.warn(sentence)
                self._notifier.calibration(app.measures.calibration.progress)
                self._watch(app)

        watcher = asyncio.create_task(watch())
        try:
            return await app.graph.run(duration=self._seconds(), switch_interval=SWITCH_SECONDS)
        finally:
            watcher.cancel()
            self._ended.set()

    def _seconds(self) -> float | None:
        """After which the run ends; a recording that is read as fast as possible ends by its own time instead."""
        config = self._config
        recorded = parse_source(config.source).kind in (SourceKind.FILE, SourceKind.DEMO, SourceKind.LAVFI)
        return None if config.speed == "max" and recorded else config.duration

    def _finish(self, progress: _Progress, started: Usage, failures: dict[str, str]) -> dict[str, Any]:
        """Describe and seal the session and write the summary; one that fails leaves the others.

        Args:
            progress: how far the run came.
            started: what the process had used at its beginning.
            failures: gets an entry for everything that fails here, too.

        Returns:
            The summary.
        """
        config, outputs, incomplete = self._config, progress.outputs, dict[str, str]()

        def attempt(name: str, action: Callable[[], object]) -> None:
            try:
                action()
            except Exception as error:  # noqa: BLE001  whatever it is, the rest of the session is finished
                failures[name] = f"{type(error).__name__}: {error}"

        self.notices += progress.source.notices
        if progress.report is not None:
            failures |= progress.report.failures
            for name, node in progress.report.nodes.items():
                if node.failed and name not in failures:
                    what = "a frame was" if node.failed == 1 else f"{node.failed} frames were"
                    failures[name] = f"DeviceError: {what} lost in {name}; see the messages above."
        if progress.app is not None and progress.app.detect.problem is not None:
            if progress.app.detect.failed:
                failures["detector"] = progress.app.detect.problem
            else:
                self.notices.append(progress.app.detect.problem)
        if config.trace is not None:
            attempt("trace", lambda: _write_trace(progress.app, config.trace))
        if outputs is not None:
            if progress.report is not None and (sentence := outputs.faces.finish()):
                self.notices.append(sentence)
            if config.parquet:
                attempt(PARQUET, outputs.writer.write_parquet)
            incomplete = {name: failures[name] for name in (PARQUET,) if name in failures} | outputs.incomplete()
            self.notices += [sentence for sentence in outputs.notices if sentence not in incomplete.values()]
            failures |= {name: f"DeviceError: {sentence}" for name, sentence in outputs.failed().items()}
        folder = None if outputs is None else outputs.folder
        summary = self._summary(progress, started, failures)
        if outputs is not None and folder is not None:
            attempt("session.json", lambda: self._describe(progress, summary))
        target = config.summary
        if target is not None:
            attempt("summary", lambda: write_json(target, summary))
        if outputs is not None and folder is not None:
            before = dict(failures)
            attempt("manifest.json", lambda: outputs.writer.seal(incomplete))
            if failures != before and target is not None:
                attempt("summary", lambda: write_json(target, summary))
        return summary

    def _summary(self, progress: _Progress, started: Usage, failures: dict[str, str]) -> dict[str, Any]:
        """The figures; `failures` is part of them, with what is entered later."""
        app, report, outputs, source = progress.app, progress.report, progress.outputs, progress.source
        if app is None or report is None or outputs is None:
            return empty_summary(started, failures, self.notices)
        summary = summarise(
            report,
            output=app.output,
            started=started,
            cpu_running=progress.cpu_running,
            detections=app.detect.count,
            face_frames=app.track.face_frames,
            tracked_frames=app.track.tracked_frames,
            models={spec.name: spec.sha256 for spec in app.models},
            negotiated=source.stream_info.as_dict() if source.stream_info else None,
            notices=self.notices,
            live=self._config.speed == "realtime",
        )
        if source.reached_until and report.reason == "ended":
            summary["ended"] = "duration"
        summary["failures"] = failures
        summary["session"] = str(outputs.folder) if outputs.folder else None
        summary["sound"] = outputs.sound.metrics()
        summary["stored_face"] = outputs.faces.stored
        summary["obs"] = None if outputs.obs is None else outputs.obs.figures()
        summary["rows"] = None if outputs.writer.csv is None else dict(outputs.writer.csv.counts)
        summary["quality_switches"] = app.quality.switches
        summary["graph"] = app.graph.mermaid(report)
        return summary

    def _describe(self, progress: _Progress, summary: Mapping[str, Any] | None) -> None:
        """Write session.json as of now."""
        if progress.outputs is not None:
            self._description(progress, progress.app, progress.outputs).write(progress.choices, summary)

    def _description(self, progress: _Progress, app: App | None, outputs: RunOutputs) -> SessionDescription:
        models = () if app is None else app.models
        sound = outputs.sound.microphone is not None
        return SessionDescription(self._settings, models, outputs.writer, progress.source, sound)


def _write_trace(app: App | None, path: Path | None) -> None:
    if app is None or app.graph.trace is None or path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as file:
            file.write(app.graph.trace.text("facemirror-live").encode())
    except OSError as error:
        raise DeviceError(f"The trace {path} cannot be written ({reason(error)}).") from None
