"""Everything a run's pictures, rows and sound go to, opened together and closed together."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.action_units.calibration import Calibration
from realtime.app.examination_outputs import ExaminationOutputs
from realtime.app.nodes.audio import RunSound
from realtime.app.nodes.obs import SteerObs, open_client, read_rules
from realtime.app.nodes.sinks import Show
from realtime.app.nodes.streams import streams
from realtime.app.notifier import Notifier
from realtime.app.pipeline import Finish, Outputs
from realtime.app.plugins import plugin_sinks
from realtime.app.stored_faces import StoredFaces
from realtime.clinic.scale import POPULATION_WARNING
from realtime.config import Config
from realtime.media.audio.tone import ToneSettings
from realtime.media.preview import Preview
from realtime.media.recorder import PausableRecorder, VideoRecorder
from realtime.media.stream_info import StreamInfo
from realtime.media.virtual_camera import VirtualCamera
from realtime.media.window import CvWindow, no_window_reason
from realtime.session.folder import SESSIONS, VIDEO, create_session_folder, release_session_folder, use_session_folder
from realtime.session.length_columns import wanted_columns
from realtime.session.writer import SessionWriter, describe_file
from realtime.streams import lsl, osc
from realtime.types import Analysis

if TYPE_CHECKING:
    from realtime.dashboard.service import Dashboard
    from realtime.obs.client import ObsClient


@dataclass(frozen=True, slots=True)
class RunOutputs:
    """The outputs of one run; None: not asked for, or not there.

    Attributes:
        writer: the session's files.
        graph: what the graph is built with.
        sound: microphone and tone.
        recorder: of what is shown.
        faces: what is known and stored of faces.
        dashboard: has its port, and answers once it is started.
        obs: the connection with OBS; it connects once it is started.
        missing: what the run goes on without, or only has as a guess, as sentences.
        release: gives the session's folder back, for a run that ends before its first picture; call `close` first.
    """

    writer: SessionWriter
    graph: Outputs
    sound: RunSound
    recorder: PausableRecorder | None
    dashboard: "Dashboard | None"
    obs: "ObsClient | None"
    faces: StoredFaces
    missing: tuple[str, ...]
    release: Callable[[], None]

    @classmethod
    def open(
        cls,
        config: Config,
        source: StreamInfo,
        now: Callable[[], float],
        notifier: Notifier,
        *,
        stop: Callable[[], None],
        press: Callable[[str], None],
    ) -> "RunOutputs":
        """Open all that the configuration asks for.

        Args:
            config: the settings.
            source: what the source gives.
            now: the frames' clock, seconds.
            notifier: has the warnings that the preview shows.
            stop: called when the preview is closed.
            press: called with the preview's keys.

        Raises:
            UserInputError: a setting names what is not there. Nothing is left open, and no session folder is left.
            DeviceError: a device, port or file cannot be had. Nothing is left open, and no session folder is left.
        """
        fps = source.fps or 30.0
        with ExitStack() as stack:
            faces = StoredFaces.open(config)
            folder, release = _session_folder(config)
            stack.callback(release)
            writer = SessionWriter(
                folder,
                now,
                person=config.person,
                people=config.people_folder,
                several=config.people > 1,
                raw_pictures=config.record == "raw",
                millimetres=wanted_columns(config.millimetres.scale, config.examination.affected),
                fps=fps,
            )
            stack.callback(writer.close)
            senders = streams(config, writer.markers, now)
            _describe_streams(config, writer.folder)
            sound = _sound(config, now)
            stack.callback(sound.close)
            recorder = _recorder(config, writer.folder, sound, fps)
            if recorder is not None:
                stack.callback(recorder.close)
            dashboard = _dashboard(config, now, writer.folder) if config.dashboard else None
            if dashboard is not None:
                stack.callback(dashboard.stop)
            plugins = plugin_sinks(config.sinks)
            obs = None if config.obs.url is None else open_client(config, now, notifier.say)
            if obs is not None:
                stack.callback(obs.close)
            steer = None if obs is None or not config.obs.rules else SteerObs(read_rules(config), obs)
            if steer is not None:
                writer.markers.listeners.append(steer.marker)
            camera = _virtual_camera(config, source, fps, notifier.say)
            no_window = None if config.headless else no_window_reason()
            window = not config.headless and no_window is None
            hub = None if dashboard is None else dashboard.hub
            examination = None if writer.folder is None else ExaminationOutputs(
                config, writer, hub, window=window, now=now, say=notifier.say, stop=stop
            )  # fmt: skip
            graph = Outputs(
                preview=_preview(stop, press, full_screen=config.examination.guided) if window else None,
                virtual_camera=camera,
                recorder=recorder,
                raw=writer.raw,
                csv=writer.csv,
                folder=writer.folder,
                streams=senders,
                captured=[writer.captured],
                decisions=writer.decisions,
                calibrated=_calibrated(writer, steer),
                stored_baseline=writer.stored_baseline,
                plugins=plugins,
                audience=hub,
                tone=sound.tone,
                obs=steer,
                compiling=notifier.compiling,
                warnings=lambda: notifier.warnings,
                examination=None if examination is None else examination.open,
                face_memory=faces.memory,
                face_search=faces.search,
            )
            if faces.announcement:
                notifier.say(faces.announcement)
            missing = () if no_window is None else (f"{no_window} Going on without a preview window.",)
            if config.millimetres.scale == "population":
                missing = (*missing, POPULATION_WARNING)
            stack.pop_all()
            return cls(writer, graph, sound, recorder, dashboard, obs, faces, missing, release)

    @property
    def folder(self) -> Path | None:
        """The session's folder."""
        return self.writer.folder

    def incomplete(self) -> dict[str, str]:
        """By file name, a sentence for each of the session's files that could not be written to its end."""
        found = self.writer.incomplete()
        if self.recorder is not None and self.recorder.failed:
            found[VIDEO] = self.recorder.notices[-1]
        return found

    def failed(self) -> dict[str, str]:
        """By name, a sentence for each output that does not do its work any more, the session's files among them."""
        found = self.incomplete()
        if self.dashboard is not None and self.dashboard.problem is not None:
            found["dashboard"] = self.dashboard.problem
        return found

    @property
    def notices(self) -> list[str]:
        """What went wrong with any of the outputs, as sentences."""
        recorded = self.recorder.notices if self.recorder is not None else []
        rules = [] if self.graph.obs is None else self.graph.obs.notices
        return recorded + self.sound.notices + self.writer.all_notices() + rules

    def close(self) -> None:
        """Close what the graph does not. Safe to call twice."""
        if self.dashboard is not None:
            self.dashboard.stop()
        if self.obs is not None:
            self.obs.close()
        self.sound.close()
        self.writer.close()


def _session_folder(config: Config) -> tuple[Path | None, Callable[[], None]]:
    """The session's folder, claimed, and what gives it back."""
    if config.session is None and config.record == "off":
        return None, lambda: None
    made = config.session is None or not config.session.exists()
    folder = config.session or create_session_folder(SESSIONS, datetime.now().astimezone())
    use_session_folder(folder)
    return folder, lambda: release_session_folder(folder, made=made)


def _calibrated(writer: SessionWriter, steer: SteerObs | None) -> Callable[[Analysis, Calibration], None]:
    """Who hears of a calibration that is done."""

    def done(analysis: Analysis, calibration: Calibration) -> None:
        writer.calibrated(analysis, calibration)
        if steer is not None:
            steer.calibrated()

    return done


def _describe_streams(config: Config, folder: Path | None) -> None:
    """Add what is sent to the session's data dictionary."""
    if folder is None:
        return
    if config.lsl:
        describe_file(folder, "Lab Streaming Layer", lsl.MEANINGS)
    if config.osc is not None:
        describe_file(folder, "Open Sound Control", osc.MEANINGS)


def _sound(config: Config, now: Callable[[], float]) -> RunSound:
    tone = config.tone
    settings = ToneSettings(tone.low_hz, tone.high_hz, tone.dead_band, tone.volume)
    return RunSound.open(config.sound, config.tone_unit, tone.output, settings, now)


def _recorder(config: Config, folder: Path | None, sound: RunSound, fps: float) -> PausableRecorder | None:
    if folder is None or config.landmarks_only:
        return None
    video, microphone = folder / VIDEO, sound.microphone
    return PausableRecorder(lambda: VideoRecorder(video, fps=fps, sound=microphone), on=config.record != "off")


def _dashboard(config: Config, now: Callable[[], float], folder: Path | None) -> "Dashboard":
    # Imported here: without --dashboard the web server costs neither time nor memory.
    from realtime.dashboard.security import TOKEN_VARIABLE, make_token
    from realtime.dashboard.service import Dashboard
    from realtime.viewer.routes import ViewerRoutes
    from realtime.viewer.shelf import Shelf, sessions_beside

    sessions = None if folder is None else ViewerRoutes(Shelf([], lambda: sessions_beside(folder))).add_to
    token = make_token(os.environ.get(TOKEN_VARIABLE))
    return Dashboard(config.listen, config.port, token, now, more=sessions)


def _virtual_camera(config: Config, source: StreamInfo, fps: float, say: Callable[[str], None]) -> Show | None:
    if config.virtual_camera is None:
        return None
    camera = VirtualCamera(fps, config.virtual_camera or None, say=say)
    camera.open(source.width, source.height)
    return Show(camera.send, camera.close)


def _preview(
    stop: Callable[[], None], press: Callable[[str], None], *, full_screen: bool
) -> Callable[[Finish], Preview]:
    return lambda finish: Preview(stop, press, finish=finish, window=CvWindow(full_screen=full_screen))
