"""What keys and buttons do while a run lasts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from realtime.app import App
from realtime.errors import FacemirrorError, UserInputError
from realtime.session.keeping import Keeping
from realtime.session.switching import SwitchedRecorder
from realtime.view.web.commands import Calibration, Marker, Phase, Progress, SceneChoice, Switch, Unavailable

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


@dataclass(slots=True)
class Controls:
    """The commands of one run. `press` takes the preview's keys."""

    calibrate: Calibration | Unavailable
    marker: Marker | Unavailable
    record: Switch | Unavailable
    view: SceneChoice
    keeping: Keeping
    say: Callable[[str], None]

    @classmethod
    def of(
        cls,
        app: App,
        keeping: Keeping,
        recorder: SwitchedRecorder | None,
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


def _available(command: T | Unavailable) -> T:
    if isinstance(command, Unavailable):
        raise UserInputError(command.reason)
    return command
