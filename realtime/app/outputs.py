"""Everything a run's pictures, rows and sound go to, opened together and closed together."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.app.nodes.audio import RunSound
from realtime.app.nodes.dashboard import Web
from realtime.app.nodes.sinks import Show
from realtime.app.nodes.streams import streams
from realtime.app.notifier import Notifier
from realtime.app.pipeline import Outputs
from realtime.config import Config
from realtime.media.audio.tone import ToneSettings
from realtime.media.preview import Preview
from realtime.media.recorder import PausableRecorder, VideoRecorder
from realtime.media.stream_info import StreamInfo
from realtime.media.virtual_camera import VirtualCamera
from realtime.media.window import no_window_reason
from realtime.session.folder import create_session_folder, use_session_folder
from realtime.session.writer import SessionWriter

if TYPE_CHECKING:
    from realtime.dashboard.service import Dashboard

SESSIONS = Path("sessions")
"""Where sessions go that were asked for without a folder's name."""


@dataclass(slots=True)
class RunOutputs:
    """The outputs of one run; None: not asked for, or not there.

    wired: what the graph is built with. missing: what the run goes on without, as sentences.
    """

    config: Config
    keeping: SessionWriter
    wired: Outputs
    sound: RunSound = field(default_factory=RunSound)
    recorder: PausableRecorder | None = None
    dashboard: "Dashboard | None" = None
    preview: Preview | None = None
    missing: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        config: Config,
        source: StreamInfo,
        now: Callable[[], float],
        telling: Notifier,
        *,
        stop: Callable[[], None],
        press: Callable[[str], None],
    ) -> "RunOutputs":
        """source: what the source gives. now: the frames' clock. stop, press: the preview's closing and its keys.

        Raises UserInputError or DeviceError; then nothing is left open.
        """
        folder, fps = _session_folder(config), source.fps or 30.0
        keeping = SessionWriter(
            folder, now, person=config.person, people=config.people, raw_pictures=config.record == "raw", fps=fps
        )
        outputs = cls(config, keeping, _kept(keeping, telling))
        try:
            outputs.wired.streams = streams(config, keeping.markers, now)
            outputs._open_sound(now)
            outputs._open_recorder(fps)
            if config.dashboard:
                outputs._open_dashboard(now, telling.say)
            if config.virtual_camera is not None:
                camera = VirtualCamera(fps, config.virtual_camera or None)
                camera.open(source.width, source.height)
                outputs.wired.virtual_camera = Show(camera.send, camera.close)
            if not config.headless:
                outputs._open_preview(telling, stop, press)
        except BaseException:
            outputs.close()
            raise
        return outputs

    @property
    def folder(self) -> Path | None:
        """The session's folder."""
        return self.keeping.folder

    @property
    def notices(self) -> list[str]:
        """What went wrong with any of the outputs, as sentences."""
        recorded = self.recorder.notices if self.recorder is not None else []
        return recorded + self.sound.notices + self.keeping.all_notices()

    def close(self) -> None:
        """Close what the graph does not. Safe to call twice."""
        if self.dashboard is not None:
            self.dashboard.stop()
        self.sound.close()
        self.keeping.close()

    def _open_sound(self, now: Callable[[], float]) -> None:
        tone = self.config.tone
        settings = ToneSettings(tone.low_hz, tone.high_hz, tone.dead_band, tone.volume)
        self.sound = RunSound.open(self.config.sound, self.config.tone_unit, tone.output, settings, now)
        self.wired.tune = self.sound.tune

    def _open_recorder(self, fps: float) -> None:
        if self.folder is None or self.config.landmarks_only:
            return
        video, microphone = self.folder / "video.mp4", self.sound.microphone
        self.recorder = PausableRecorder(
            lambda: VideoRecorder(video, fps=fps, sound=microphone), on=self.config.record != "off"
        )
        self.wired.recorder = self.recorder

    def _open_dashboard(self, now: Callable[[], float], say: Callable[[str], None]) -> None:
        # Imported here: without --dashboard the web server costs neither time nor memory.
        from realtime.dashboard.security import TOKEN_VARIABLE, make_token
        from realtime.dashboard.service import Dashboard

        token = make_token(os.environ.get(TOKEN_VARIABLE))
        self.dashboard = Dashboard(self.config.listen, self.config.port, token, now)
        for sentence in self.dashboard.sentences:
            say(sentence)
        self.wired.web = Web(self.dashboard.hub, self.dashboard.told, now)

    def _open_preview(self, telling: Notifier, stop: Callable[[], None], press: Callable[[str], None]) -> None:
        reason = no_window_reason()
        if reason is None:
            self.preview = Preview(stop, press, finish=telling.draw)
            self.wired.preview = Show(self.preview.put)
        else:
            self.missing.append(f"{reason} Going on without a preview window.")


def _session_folder(config: Config) -> Path | None:
    if config.session is not None:
        return use_session_folder(config.session)
    if config.record == "off":
        return None
    return use_session_folder(create_session_folder(SESSIONS, datetime.now().astimezone()))


def _kept(keeping: SessionWriter, telling: Notifier) -> Outputs:
    """What the session's files want of the graph."""
    return Outputs(
        raw=keeping.raw,
        csv=keeping.csv,
        folder=keeping.folder,
        captured=[keeping.captured],
        journal=keeping.journal,
        calibrated=keeping.calibrated,
        own_neutral=keeping.own_neutral,
        compiling=telling.compiling,
    )
