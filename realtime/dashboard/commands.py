"""The commands of the page: what each one shows of its state, and what a request for it does.

A run fills `Commands` once, from a mapping of names to commands; the page draws whatever choices it finds there. Commands
are carried out on the dashboard's threads, one at a time, and may raise FacemirrorError: the page shows its sentence.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from realtime.session.markers import LONGEST

Phase = Literal["idle", "running", "done", "failed"]
Action = Callable[[], None]

_MOST_DIGITS = 19
_RECENT = 10.0  # a marker is set on a frame this young (s)


class CommandError(Exception):
    """A request that cannot be understood.

    Args:
        status: the HTTP status of the answer.
        sentence: for the page.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class CommandUnavailableError(Exception):
    """A command that is there, but cannot be carried out in this run. Its text is the reason, for the page."""


class ShownFrame(NamedTuple):
    """The newest frame that was shown.

    Attributes:
        capture_time: seconds on the frames' clock.
        sequence: its number.
    """

    capture_time: float
    sequence: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a page or a program.

    Attributes:
        payload: the JSON object of the request's body.
        newest: the newest frame shown; None before the first.
        origin: "dashboard" or "http", kept with a marker.
    """

    payload: Mapping[str, Any]
    newest: ShownFrame | None
    origin: str


class Command(Protocol):
    """One thing that the page can ask for."""

    def describe(self) -> dict[str, Any]:
        """The state for the page: "reason" is None, or why the command cannot be carried out."""
        ...

    def action(self, request: Request) -> Action:
        """What to call to carry out this request.

        Raises:
            CommandError: the request cannot be understood.
            CommandUnavailableError: the command cannot be carried out in this run.
        """
        ...


class Unavailable(NamedTuple):
    """A command that cannot be carried out in this run. reason: one sentence, shown beside the disabled button."""

    reason: str

    def describe(self) -> dict[str, Any]:
        """The reason alone."""
        return {"reason": self.reason}

    def action(self, request: Request) -> Action:  # noqa: ARG002  the protocol's
        """Refuse."""
        raise CommandUnavailableError(self.reason)


class CalibrationProgress(NamedTuple):
    """A calibration's course.

    Attributes:
        phase: where it is.
        share: 0..1 of the rest that is needed.
        sentence: what the person should do or know.
    """

    phase: Phase
    share: float
    sentence: str


class Calibration(Protocol):
    """Takes the face at rest as the person's baseline."""

    @property
    def progress(self) -> CalibrationProgress:
        """How far it is."""
        ...

    def start(self) -> None:
        """Begin; a calibration that runs already begins from its start."""
        ...


@dataclass(frozen=True, slots=True)
class CalibrateCommand:
    """Starts a calibration."""

    calibration: Calibration

    def describe(self) -> dict[str, Any]:
        """Phase, share and sentence."""
        return {"reason": None, **self.calibration.progress._asdict()}

    def action(self, request: Request) -> Action:  # noqa: ARG002  needs no argument
        """Start it."""
        return self.calibration.start


class Switch(Protocol):
    """Something that is on or off, such as the recording."""

    @property
    def active(self) -> bool:
        """Whether it is on now."""
        ...

    def switch(self, on: bool) -> None:
        """Turn it on or off; turning on what is on changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class SwitchCommand:
    """Turns something on or off."""

    switch: Switch

    def describe(self) -> dict[str, Any]:
        """Whether it is on."""
        return {"reason": None, "active": self.switch.active}

    def action(self, request: Request) -> Action:
        """Turn it to the payload's "value", or, with "toggle": true, to what it is not."""
        if request.payload.get("toggle") is True:
            return lambda: self.switch.switch(not self.switch.active)
        value = request.payload.get("value")
        if not isinstance(value, bool):
            raise CommandError(400, '"value" must be true or false (or send "toggle": true).')
        return lambda: self.switch.switch(value)


class Examination(Protocol):
    """A guided examination. guides: there is one, which waits, runs or is over."""

    @property
    def guides(self) -> bool: ...

    def ask(self, word: str, changes: Mapping[str, str] | None = None) -> None:
        """Carry out a command.

        Args:
            word: start, pause, continue, skip, redo or stop.
            changes: what to start with, by name.

        Raises:
            UserInputError: it cannot be carried out.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExaminationCommand:
    """Leads the examination: the payload's "value" is the command; with "start" come person, protocol, affected, language."""

    examination: Examination

    def describe(self) -> dict[str, Any]:
        """Whether there is one."""
        return {"reason": None, "guides": self.examination.guides}

    def action(self, request: Request) -> Action:
        """Carry it out with the next frame."""
        words = {name: value for name, value in request.payload.items() if isinstance(value, str)}
        value = words.pop("value", None)
        if value is None or len(words) < len(request.payload) - 1:
            raise CommandError(400, '"value" must be a command, such as "start"; everything beside it must be words.')
        return lambda: self.examination.ask(value, words)


class Marker(Protocol):
    """Puts a marker into the session."""

    def mark(self, text: str, *, capture_time: float, sequence: int, origin: str) -> None:
        """Set a marker.

        Args:
            text: at most realtime.session.markers.LONGEST characters, may be empty.
            capture_time: of the frame that the person saw, seconds.
            sequence: its number.
            origin: "dashboard" or "http".
        """
        ...


@dataclass(frozen=True, slots=True)
class MarkerCommand:
    """Sets a marker with the payload's "text" on the frame that the person saw."""

    marker: Marker

    def describe(self) -> dict[str, Any]:
        """Nothing but that it can be set."""
        return {"reason": None}

    def action(self, request: Request) -> Action:
        """Set it; control characters in the text become blanks."""
        text = request.payload.get("text", "")
        if not isinstance(text, str):
            raise CommandError(400, '"text" must be words.')
        if len(text) > LONGEST:
            raise CommandError(413, f"That is too long: a marker holds at most {LONGEST} characters.")
        frame = _frame_seen(request)
        text = "".join(c if c.isprintable() else " " for c in text).strip()
        return lambda: self.marker.mark(
            text, capture_time=frame.capture_time, sequence=frame.sequence, origin=request.origin
        )


class Places(Protocol):
    """Chooses what lies at a place of the picture."""

    def choose(self, x: float, y: float) -> None:
        """Choose what is shown there.

        Args:
            x: share of the shown picture's width, 0..1.
            y: share of its height, 0..1.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlaceCommand:
    """Takes a click on the picture: the payload's "x" and "y", shares of its width and height.

    Attributes:
        places: chooses.
        hint: what a click does, for the page.
    """

    places: Places
    hint: str

    def describe(self) -> dict[str, Any]:
        """The hint."""
        return {"reason": None, "hint": self.hint}

    def action(self, request: Request) -> Action:
        """Choose what lies there."""
        x, y = request.payload.get("x"), request.payload.get("y")
        if not isinstance(x, int | float) or not isinstance(y, int | float) or not 0 <= x <= 1 or not 0 <= y <= 1:
            raise CommandError(400, '"x" and "y" must be shares of the picture, 0 to 1.')
        return lambda: self.places.choose(float(x), float(y))


class Commands:
    """Everything that the page can ask for, by name."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self._commands = dict(commands)

    def describe(self) -> dict[str, dict[str, Any]]:
        """The state of each command, in the order in which they were given."""
        return {name: command.describe() for name, command in self._commands.items()}

    def get(self, name: str) -> Command | None:
        """The command of this name; None where there is none."""
        return self._commands.get(name)


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """The JSON object in this text (UTF-8), None where it is anything else or holds numbers that no clock or counter has."""
    try:
        found = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _frame_seen(request: Request) -> ShownFrame:
    """The frame the person saw, when it is one of the last seconds; otherwise the newest."""
    newest = request.newest
    if newest is None:
        raise CommandError(409, "No picture has been shown yet, so there is no moment to mark.")
    time, sequence = request.payload.get("capture_time"), request.payload.get("sequence")
    if isinstance(time, int | float) and isinstance(sequence, int) and 0 <= newest.capture_time - time <= _RECENT:
        return ShownFrame(float(time), sequence)
    return newest
