"""One run from beginning to end: source, session folder, outputs, graph, figures."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from realtime.app.controls import KEYS, Controls, PageCommands, page_commands
from realtime.app.notifier import Notifier
from realtime.app.outputs import RunOutputs
from realtime.app.pipeline import App, build
from realtime.app.session_description import SessionDescription
from realtime.app.summary import Usage, empty_summary, summarise
from realtime.config import Resolved
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.files import reason, write_json
from realtime.graph import RealClock, Report, StopToken, Trace
from realtime.media.preview import NEEDS_MAIN_THREAD
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource

INTERRUPTED = 130
# A thread that holds the interpreter gives it up this soon, so that none waits 5 ms for another's arithmetic.
_SWITCH_SECONDS = 0.0005
_WINDOW_SECONDS = 2.0


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
    interrupted: bool = False
    _controls: Controls | None = None
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
        notifier = Notifier(self.say)
        refuse_conflicts(config)
        source = VideoSource(
            parse_source(config.source), clock.now, speed=config.speed, size=config.size, fps=config.fps
        )
        outputs: RunOutputs | None = None
        source.open()
        try:
            assert source.negotiated is not None
            outputs = RunOutputs.open(config, source.negotiated, clock.now, notifier, stop=self.stop, press=self._press)
            self.notices += outputs.missing
            app = self.app = build(config, source, outputs.graph, clock)
            if app.measures.refusal:
                self.notices.append(app.measures.refusal)
                self.say(app.measures.refusal)
            description = SessionDescription(
                self.resolved.rows(), app.models, outputs.writer, source, outputs.sound.microphone is not None
            )
            page = self._connect_controls(app, source, outputs, notifier, description)
            choices = {} if page is None else page.logged
            description.write(choices)
            before = Usage.now()
            report = self._run_graph(app, notifier)
            cpu_running = Usage.now().cpu_seconds - before.cpu_seconds
        finally:
            source.close()
            self._ended.set()
            if outputs is not None:
                outputs.close()
        self.notices += source.notices + outputs.notices
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
        summary["session"] = str(outputs.folder) if outputs.folder else None
        summary["rows"] = None if outputs.writer.csv is None else dict(outputs.writer.csv.counts)
        summary["sound"] = outputs.sound.metrics()
        summary["quality_switches"] = app.quality.switches
        summary["graph"] = app.graph.mermaid(report)
        self._finish(app, outputs, partial(description.write, choices), summary)
        return summary

    def _finish(
        self, app: App, outputs: RunOutputs, describe: Callable[[dict[str, Any]], None], summary: dict[str, Any]
    ) -> None:
        """Write what comes last: trace, Parquet file, session.json, manifest.

        Whatever cannot be written becomes one of the summary's failures, and the next is written all the same.
        """
        config, failures = self.resolved.config, summary["failures"]
        if app.graph.trace is not None and config.trace is not None:
            try:
                _write_trace(app.graph.trace, config.trace)
            except DeviceError as error:
                failures["trace"] = str(error)
        if config.parquet:
            outputs.writer.write_parquet()
        incomplete = outputs.incomplete()
        failures.update(incomplete)
        summary["notices"] = [sentence for sentence in summary["notices"] if sentence not in incomplete.values()]
        try:
            describe(summary)
            outputs.writer.seal(incomplete)
        except DeviceError as error:
            failures["session"] = str(error)

    def _connect_controls(
        self,
        app: App,
        source: VideoSource,
        outputs: RunOutputs,
        notifier: Notifier,
        description: SessionDescription,
    ) -> PageCommands | None:
        """Keys and the page work from here on."""
        config, dashboard = self.resolved.config, outputs.dashboard
        controls = Controls(app, outputs.writer, outputs.recorder, own_units=config.au == "own", say=self.say)
        self._controls = controls
        if app.preview is not None:
            self.say(KEYS)
        if dashboard is None:
            return None
        # Imported here: without --dashboard the web server costs neither time nor memory.
        from realtime.dashboard.status_feed import RunStatus

        page = page_commands(controls, config, app, source, outputs.writer, description.write)
        warnings = lambda: notifier.warnings  # noqa: E731
        dashboard.start(
            page.commands, RunStatus(app.scene.units, app.output, app.graph.snapshot, config.selfie, warnings)
        )
        for sentence in dashboard.sentences:
            self.say(sentence)
        return page

    def _press(self, key: str) -> None:
        if self._controls is not None:
            self._controls.press(key)

    def stop(self) -> None:
        """End the run in order; from any thread."""
        if self.app is not None:
            self.app.graph.stop("stopped by the user")

    def _run_graph(self, app: App, notifier: Notifier) -> Report:
        """Until the source, the user or the duration ends it. A preview gets the thread that its system wants."""
        preview = app.preview
        if preview is None:
            return asyncio.run(self._watched(app, notifier))
        if not NEEDS_MAIN_THREAD:
            window = preview.start(self._ended)
            try:
                return asyncio.run(self._watched(app, notifier))
            finally:
                # A window's thread that is still at work when the interpreter ends takes the process down with it.
                window.join(_WINDOW_SECONDS)
        found: list[Report] = []
        worker = threading.Thread(target=lambda: found.append(asyncio.run(self._watched(app, notifier))), name="graph")
        worker.start()
        try:
            preview.run(self._ended)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self.stop()
            worker.join()
        if not found:
            raise DeviceError("The graph ended without a report; see the messages above.")
        return found[0]

    async def _watched(self, app: App, notifier: Notifier) -> Report:
        async def watch() -> None:
            self.started(app)
            while True:
                await asyncio.sleep(0.5)
                notifier.calibration(app.measures.calibration.progress)
                self.watch(app)

        watcher = asyncio.create_task(watch())
        try:
            on_main = threading.current_thread() is threading.main_thread()
            return await app.graph.run(
                duration=self.resolved.config.duration, handle_signals=on_main, switch_interval=_SWITCH_SECONDS
            )
        finally:
            watcher.cancel()
            self._ended.set()


def _write_trace(trace: Trace, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        trace.write(path, "facemirror-live")
    except OSError as error:
        raise DeviceError(f"The trace {path} cannot be written ({reason(error)}).") from None
