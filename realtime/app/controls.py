"""What the preview's keys and the page's commands do while a run lasts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from realtime.action_units import ActionUnitEstimator
from realtime.app.nodes.detect_track import Track
from realtime.app.nodes.people import TrackPeople
from realtime.app.pipeline import App
from realtime.config import Config
from realtime.dashboard.choices import ChoiceCommand, Fixed, SceneChoice
from realtime.dashboard.commands import (
    CalibrateCommand,
    CalibrationProgress,
    Command,
    Commands,
    ExaminationCommand,
    MarkerCommand,
    Phase,
    PlaceCommand,
    SwitchCommand,
    Unavailable,
)
from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.media.cameras import Camera, find_camera, list_cameras
from realtime.media.recorder import PausableRecorder
from realtime.media.source_spec import SourceKind, SourceSpec
from realtime.media.video_source import VideoSource
from realtime.models.tiers import ModelLadder
from realtime.render.scene import Scene
from realtime.session.choices import AffectedSide, LoggedChoice
from realtime.session.writer import SessionWriter

EXAMINATION_KEYS = {" ": "toggle", "s": "skip", "a": "redo", "x": "stop"}
KEYS = "Keys: c calibrates, m sets a marker, v changes the view, n follows the next face, r records, q ends."
C = TypeVar("C")
_NOTHING_TO_CALIBRATE = "Calibration is for the program's own Action Units, and none are measured in this run."
_NO_MARKERS = "Markers need a session folder; start with --session DIR."
_NO_EXAMINATION = "An examination needs a session folder and the program's own Action Units; start with --session DIR."
_NO_RECORDING = "Recording needs a session folder; start with --session DIR."
_NO_PICTURES = "This session stores no picture (--landmarks-only)."


class CalibrationControl:
    """Starts the calibration of the running estimator, and says how far it is."""

    def __init__(self, measures: ActionUnitEstimator) -> None:
        self._measures = measures

    @property
    def progress(self) -> CalibrationProgress:
        """In the page's phases."""
        phase, share, sentence = self._measures.calibration_progress
        shown: Phase = "running" if phase == "waiting" or phase == "collecting" else phase
        return CalibrationProgress(shown, share, sentence)

    def start(self) -> None:
        """Begin; a calibration that runs already begins from its start."""
        self._measures.ask_for_calibration()


class FaceChoice:
    """Whose face is followed: the one of now, or the next one that is seen."""

    NEXT = "the next face"

    def __init__(self, track: Track) -> None:
        self._track = track

    @property
    def value(self) -> str:
        """The face that was followed last, by its number in the rows."""
        number = self._track.face_id
        return "none yet" if number is None else f"face {number}"

    @property
    def options(self) -> tuple[str, str]:
        """The face of now and the next one."""
        return self.value, self.NEXT

    def choose(self, value: str) -> None:
        """Take `value`, one of `options`; the face of now changes nothing."""
        if value == self.NEXT:
            self._track.ask_for_next_face()


class PatientPlace:
    """The face that the user points at becomes the patient's.

    Args:
        track: follows the faces.
        scene: knows where the captured picture lies in the shown one.
    """

    def __init__(self, track: TrackPeople, scene: Scene) -> None:
        self._track = track
        self._scene = scene

    def choose(self, x: float, y: float) -> None:
        """Take the face at this place of the shown picture.

        Args:
            x: share of the picture's width, 0..1.
            y: share of its height, 0..1.

        Raises:
            UserInputError: there is none, or the view shows no place of the captured picture.
        """
        place = self._scene.place_in_frame(x, y)
        if place is None:
            raise UserInputError(
                "The patient can be chosen on the picture itself: change the view, or click inside it."
            )
        if not self._track.choose(place):
            raise UserInputError("No face is followed at this place.")


class CameraChoice:
    """Another camera in the running graph: the source fails on purpose and is opened again, like one that was unplugged.

    Args:
        source: of the running graph.
        cameras: those of this machine.
    """

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
        """Read `value`, one of `options`, from now on."""
        if value != self.value:
            self._source.choose(SourceSpec(SourceKind.CAMERA, str(self._cameras[value].index)))


class ModelChoice(LoggedChoice):
    """The landmark network: the best tier, which gives way to the lightest when results come late, or the lightest always.

    Args:
        tiers: all open and warm, so that changing costs no frame.
        names: of the tiers, best first.
        now: see `LoggedChoice`.
        changed: called after every change.
    """

    def __init__(
        self,
        tiers: ModelLadder,
        names: Sequence[str],
        now: Callable[[], tuple[int, float]],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__((names[0], names[-1]), now, changed)
        self._tiers = tiers

    def choose(self, value: str) -> None:
        """Take `value`, one of `options`."""
        self._tiers.use_lightest_only(value != self.options[0])
        super().choose(value)


def model_choice(
    config: Config, app: App, now: Callable[[], tuple[int, float]], changed: Callable[[], None] = lambda: None
) -> ModelChoice | Fixed:
    """The landmark networks that the page may offer.

    Args:
        config: the settings.
        app: the wired graph.
        now: see `LoggedChoice`.
        changed: called after every change.
    """
    names = [spec.name for spec in app.models if spec.role == "landmarks"]
    how = "others are taken at the start, with --models or --set models.landmarks=NAME."
    if config.record == "raw":
        return Fixed("Model", names[0], "A raw recording keeps to one landmark model, so that it can be replayed.")
    if app.tiers is None or len(names) < 2:
        return Fixed("Model", names[0], f"This is the only landmark model that is open; {how}")
    return ModelChoice(app.tiers, names, now, changed)


def camera_choice(config: Config, source: VideoSource, cameras: Sequence[Camera]) -> CameraChoice | Fixed:
    """The cameras that the page may offer.

    Args:
        config: the settings.
        source: of the running graph.
        cameras: those of this machine now.
    """
    chosen, info = config.source, source.stream_info
    if source.spec.kind is not SourceKind.CAMERA or info is None or not info.live:
        return Fixed("Camera", chosen, "The source is no camera; choose another at the start, with --source.")
    if len(cameras) < 2:
        return Fixed("Camera", chosen, "There is no other camera on this machine.")
    if config.reconnect_attempts == 0:
        return Fixed("Camera", chosen, "A camera cannot be opened again in a run with reconnect_attempts = 0.")
    if config.record == "raw" or config.au != "own":
        return Fixed(
            "Camera", chosen, "A raw recording, and OpenFace 2.2's models, keep to one camera from beginning to end."
        )
    return CameraChoice(source, cameras)


class Controls:
    """What can be asked for in one run, by key or on the page.

    Args:
        app: the wired graph.
        writer: the session's files.
        recorder: of what is shown; None where nothing can be recorded.
        own_units: the Action Units are the program's own, which a calibration is for.
        say: called with what the user should read.
    """

    def __init__(
        self,
        app: App,
        writer: SessionWriter,
        recorder: PausableRecorder | None,
        *,
        own_units: bool,
        say: Callable[[str], None],
    ) -> None:
        calibration = CalibrationControl(app.measures)
        can_calibrate = own_units and bool(app.measures.units)
        self.calibrate = CalibrateCommand(calibration) if can_calibrate else Unavailable(_NOTHING_TO_CALIBRATE)
        self.marker = Unavailable(_NO_MARKERS) if writer.folder is None else MarkerCommand(writer.markers)
        self.record = SwitchCommand(recorder) if recorder is not None else Unavailable(
            _NO_RECORDING if writer.folder is None else _NO_PICTURES
        )  # fmt: skip
        self._examination = app.examination
        self.examination = (
            Unavailable(_NO_EXAMINATION) if app.examination is None else ExaminationCommand(app.examination)
        )
        self.view = SceneChoice(app.scene)
        self.face = FaceChoice(app.track)
        self._markers = writer.markers
        self._say = say

    def press(self, key: str) -> None:
        """Carry out a key of the preview window; others do nothing. Never raises: what cannot be done is said."""
        try:
            if self._examination is not None and self._examination.guides and key in EXAMINATION_KEYS:
                self._examination.ask(EXAMINATION_KEYS[key])
                return
            match key:
                case "c":
                    _available(self.calibrate).calibration.start()
                case "m":
                    _available(self.marker)
                    self._markers.add(f"key m, {datetime.now().astimezone():%H:%M:%S}", "key")
                case "r":
                    recorder = _available(self.record).switch
                    recorder.switch(not recorder.active)
                    self._say("Recording." if recorder.active else "Recording is paused.")
                case "n":
                    self.face.choose(FaceChoice.NEXT)
                case "v":
                    views = self.view.options
                    self.view.choose(views[(views.index(self.view.value) + 1) % len(views)])
        except FacemirrorError as error:
            self._say(str(error))


@dataclass(frozen=True, slots=True)
class PageCommands:
    """What the page can ask for.

    Attributes:
        commands: by name, in the order in which the page draws them.
        logged: the choices of which session.json keeps every change, by its keys.
    """

    commands: Commands
    logged: Mapping[str, LoggedChoice]


def page_commands(
    controls: Controls,
    config: Config,
    app: App,
    source: VideoSource,
    writer: SessionWriter,
    changed: Callable[[Mapping[str, LoggedChoice]], None],
    obs: Command | None = None,
) -> PageCommands:
    """The page's commands. A new choice is one entry here, and in `logged` where the session should keep its changes.

    Args:
        controls: what the keys do.
        config: the settings.
        app: the wired graph.
        source: of the pictures.
        writer: the session's files.
        changed: called with the logged choices after every change of one.
        obs: the button for OBS; None in a run without it.
    """
    logged: dict[str, LoggedChoice] = {}
    side = AffectedSide(writer.moment, lambda: changed(logged), config.examination.affected)
    model = model_choice(config, app, writer.moment, lambda: changed(logged))
    camera = camera_choice(config, source, list_cameras())
    logged["affected_side"] = side
    if isinstance(model, ModelChoice):
        logged["landmark_model"] = model
    commands: dict[str, Command] = {
        "calibrate": controls.calibrate,
        "record": controls.record,
        "examination": controls.examination,
        "marker": controls.marker,
        "view": ChoiceCommand("View", controls.view, key="v"),
        "face": ChoiceCommand("Face", controls.face, key="n"),
        "patient": _patient_place(app),
        "side": ChoiceCommand("Affected", side, key="s"),
        "camera": camera if isinstance(camera, Fixed) else ChoiceCommand("Camera", camera),
        "model": model if isinstance(model, Fixed) else ChoiceCommand("Model", model),
    }
    if obs is not None:
        commands["obs"] = obs
    return PageCommands(Commands(commands), logged)


def _patient_place(app: App) -> PlaceCommand | Unavailable:
    if not isinstance(app.track, TrackPeople):
        return Unavailable("One face is followed; --people N follows several.")
    return PlaceCommand(PatientPlace(app.track, app.scene), "A click on a face makes its person the patient.")


def _available(command: C | Unavailable) -> C:
    if isinstance(command, Unavailable):
        raise UserInputError(command.reason)
    return command
