"""What keys and buttons do while a run lasts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from realtime.app.pipeline import App
from realtime.config import Config
from realtime.dashboard.commands import (
    Calibration,
    Commands,
    Fixed,
    Marker,
    Phase,
    Progress,
    SceneChoice,
    Switch,
    Unavailable,
)
from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.media.cameras import Camera, find_camera, list_cameras
from realtime.media.recorder import PausableRecorder
from realtime.media.source_spec import SourceKind, SourceSpec
from realtime.media.video_source import VideoSource
from realtime.models.tiers import ModelLadder
from realtime.session.choices import LoggedChoice
from realtime.session.writer import SessionWriter

_NOTHING_TO_CALIBRATE = "Calibration is for the program's own Action Units, and none are measured in this run."
T = TypeVar("T")
KEYS = "Keys: c calibrates, m sets a marker, v changes the view, r records, q ends."


class CalibrationControl:
    """Starts the calibration of the running measures and tells how far it is."""

    def __init__(self, app: App) -> None:
        self._measures = app.measures

    @property
    def progress(self) -> Progress:
        """By the page's words."""
        phase, share, sentence = self._measures.calibration.progress
        words: Phase = "running" if phase in ("waiting", "collecting") else phase  # type: ignore[assignment]
        return Progress(words, share, sentence)

    def start(self) -> None:
        """Begin, or begin anew."""
        self._measures.ask_for_calibration()


class CameraChoice:
    """Another camera in the running graph: the source fails on purpose and is opened anew, like one that was unplugged."""

    def __init__(self, source: VideoSource, cameras: Sequence[Camera]) -> None:
        self._source = source
        self._cameras = {camera.label: camera for camera in cameras}
        self.options = tuple(self._cameras)

    @property
    def value(self) -> str:
        """The camera that is read now."""
        try:
            return find_camera(self._source.spec, list(self._cameras.values())).label
        except (DeviceError, UserInputError):
            return ""

    def choose(self, value: str) -> None:
        """value: one of `options`."""
        if value != self.value:
            self._source.choose(SourceSpec(SourceKind.CAMERA, str(self._cameras[value].index)))


class ModelChoice(LoggedChoice):
    """The landmark network: the best tier, which gives way to the lightest when results come late, or the lightest always.

    names: of the tiers, best first. All are open and warm, so changing costs no frame.
    """

    def __init__(self, tiers: ModelLadder, names: Sequence[str], now: Callable[[], tuple[int, float]]) -> None:
        super().__init__((names[0], names[-1]), now)
        self._tiers, self._ladder = tiers, tiers.lighter

    def choose(self, value: str) -> None:
        """value: one of `options`."""
        self._tiers.lighter = self._ladder if value == self.options[0] else lambda: True
        super().choose(value)


def model_choice(config: Config, app: App, now: Callable[[], tuple[int, float]]) -> ModelChoice | Fixed:
    """What the page may offer. now: see `LoggedChoice`."""
    names = [spec.name for spec in app.models if spec.role == "landmarks"]
    how = "others are taken at the start, with --models or --set models.landmarks=NAME."
    if config.record == "raw":
        return Fixed(names[0], "A raw recording keeps to one landmark model, so that it can be replayed.")
    if app.tiers is None or len(names) < 2:
        return Fixed(names[0], f"This is the only landmark model that is open; {how}")
    return ModelChoice(app.tiers, names, now)


def camera_choice(config: Config, source: VideoSource, cameras: Sequence[Camera]) -> CameraChoice | Fixed:
    """What the page may offer. cameras: those of this machine now."""
    chosen, negotiated = config.source, source.negotiated
    if source.spec.kind is not SourceKind.CAMERA or negotiated is None or not negotiated.live:
        return Fixed(chosen, "The source is no camera; choose another at the start, with --source.")
    if len(cameras) < 2:
        return Fixed(chosen, "There is no other camera on this machine.")
    if config.reconnect_attempts == 0:
        return Fixed(chosen, "A camera cannot be opened anew in a run with reconnect_attempts = 0.")
    if config.record == "raw" or config.au != "own":
        return Fixed(chosen, "A raw recording, and OpenFace 2.2's models, keep to one camera from beginning to end.")
    return CameraChoice(source, cameras)


@dataclass(slots=True)
class Controls:
    """The commands of one run. `press` takes the preview's keys."""

    calibrate: Calibration | Unavailable
    marker: Marker | Unavailable
    record: Switch | Unavailable
    view: SceneChoice
    keeping: SessionWriter
    say: Callable[[str], None]

    @classmethod
    def of(
        cls,
        app: App,
        keeping: SessionWriter,
        recorder: PausableRecorder | None,
        *,
        own_units: bool,
        say: Callable[[str], None],
    ) -> "Controls":
        """own_units: the Action Units are the program's own, which a calibration is for."""
        no_folder = keeping.folder is None
        return cls(
            CalibrationControl(app) if own_units and app.measures.units else Unavailable(_NOTHING_TO_CALIBRATE),
            Unavailable("Markers need a session folder; start with --session DIR.") if no_folder else keeping.markers,
            recorder
            if recorder is not None
            else Unavailable(
                "Recording needs a session folder; start with --session DIR."
                if no_folder
                else "This session stores no picture (--landmarks-only)."
            ),
            SceneChoice(app.scene),
            keeping,
            say,
        )

    def press(self, key: str) -> None:
        """A key of the preview window; others do nothing. Never raises: what cannot be done is said."""
        try:
            if key == "c":
                _available(self.calibrate).start()
            elif key == "m":
                _available(self.marker)
                self.keeping.markers.add(f"key m, {datetime.now().astimezone():%H:%M:%S}", "key")
            elif key == "r":
                record = _available(self.record)
                record.switch(not record.active)
                self.say("Recording." if record.active else "Recording is paused.")
            elif key == "v":
                views = self.view.options
                self.view.choose(views[(views.index(self.view.value) + 1) % len(views)])
        except FacemirrorError as error:
            self.say(str(error))


def offer(commands: Commands, controls: Controls, config: Config, app: App, source: VideoSource) -> None:
    """Give the page its commands; a change of the landmark model is kept with the session."""
    commands.view, commands.side = controls.view, controls.keeping.side
    commands.calibrate, commands.marker, commands.record = controls.calibrate, controls.marker, controls.record
    commands.camera = camera_choice(config, source, list_cameras())
    commands.model = model_choice(config, app, controls.keeping.moment)
    controls.keeping.model = commands.model if isinstance(commands.model, ModelChoice) else None


def _available(command: T | Unavailable) -> T:
    if isinstance(command, Unavailable):
        raise UserInputError(command.reason)
    return command
