"""What the page's buttons can do, as small protocols. The run fills them in; what it leaves out is shown disabled, with a reason.

All methods are called on the dashboard's threads, one at a time, and may raise FacemirrorError: the page shows its sentence.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, Protocol

from realtime.session.choices import AffectedSide
from realtime.session.markers import LONGEST

Phase = Literal["idle", "running", "done", "failed"]


class Unavailable(NamedTuple):
    """Stands where something cannot be done. reason: one sentence, shown beside the disabled button."""

    reason: str


class Progress(NamedTuple):
    """A calibration's course. share: 0..1 of the rest that is needed. sentence: what the person should do or know."""

    phase: Phase
    share: float
    sentence: str


class Marker(Protocol):
    """Puts a mark into the session."""

    def mark(self, text: str, *, capture_time: float, sequence: int, origin: str) -> None:
        """text: at most realtime.session.markers.LONGEST characters, may be empty. capture_time, sequence: of the frame the person saw.

        origin: "dashboard" or "http".
        """
        ...


class Switch(Protocol):
    """Something that is on or off, such as the recording."""

    @property
    def active(self) -> bool:
        """Whether it is on now."""
        ...

    def switch(self, on: bool) -> None:
        """Turn it on or off; asking for what is already so changes nothing."""
        ...


class Calibration(Protocol):
    """Takes the face at rest as the person's neutral."""

    @property
    def progress(self) -> Progress:
        """How far it is."""
        ...

    def start(self) -> None:
        """Begin, or begin anew."""
        ...


class Choice(Protocol):
    """One of several: the view, the affected side, the camera, the model."""

    @property
    def value(self) -> str:
        """What is chosen now."""
        ...

    @property
    def options(self) -> Sequence[str]:
        """What can be chosen."""
        ...

    def choose(self, value: str) -> None:
        """value: one of `options`."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A choice that was made at the start and cannot be changed while the program runs."""

    value: str
    reason: str


_STARTING = Unavailable("The program is still starting.")


@dataclass(slots=True)
class Commands:
    """Everything the page can ask for."""

    calibrate: Calibration | Unavailable = _STARTING
    record: Switch | Unavailable = _STARTING
    marker: Marker | Unavailable = _STARTING
    view: Choice | Fixed | Unavailable = _STARTING
    side: Choice | Fixed | Unavailable = field(default_factory=AffectedSide)
    camera: Choice | Fixed | Unavailable = _STARTING
    model: Choice | Fixed | Unavailable = _STARTING

    def describe(self) -> dict[str, dict[str, Any]]:
        """For the page, by name: {"reason": why not, or null, ...what there is to show}."""
        return {f.name: _describe(f.name, getattr(self, f.name)) for f in fields(self)}


def _describe(name: str, command: Any) -> dict[str, Any]:
    if isinstance(command, Unavailable):
        return {"reason": command.reason}
    if isinstance(command, Fixed):
        return {"reason": command.reason, "value": command.value, "options": [command.value]}
    match name:
        case "calibrate":
            return {"reason": None, **command.progress._asdict()}
        case "record":
            return {"reason": None, "active": command.active}
        case "marker":
            return {"reason": None}
    return {"reason": None, "value": command.value, "options": list(command.options)}


class SceneChoice:
    """The view, changed between two frames. scene: anything whose `mode` is read anew for each picture."""

    options = ("overlay", "mirrored", "split", "raw")

    def __init__(self, scene: Any) -> None:
        self._scene = scene

    @property
    def value(self) -> str:
        """The view in force."""
        return str(self._scene.mode)

    def choose(self, value: str) -> None:
        """value: one of `options`."""
        self._scene.mode = value


_RECENT = 10.0  # a marker is set on a frame this young (s)


class CommandError(Exception):
    """The order cannot be understood. status: HTTP's. The sentence is for the page."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object in this text, None where it is anything else."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, dict) else None


def order(
    name: str, command: Any, words: Mapping[str, Any], newest: tuple[float, int] | None, origin: str
) -> Callable[[], None]:
    """What to call.

    name: of the command, one that is there. newest: (capture time, sequence) of the newest frame shown. origin: kept with a
    marker. Raises OrderError.
    """
    value = words.get("value")
    match name:
        case "calibrate":
            return command.start
        case "record":
            if not isinstance(value, bool):
                raise CommandError(400, '"value" must be true or false.')
            return lambda: command.switch(value)
        case "marker":
            text = words.get("text", "")
            if not isinstance(text, str):
                raise CommandError(400, '"text" must be words.')
            if len(text) > LONGEST:
                raise CommandError(413, f"That is too long: a marker holds at most {LONGEST} characters.")
            moment, sequence = _moment(words, newest)
            text = "".join(c if c.isprintable() else " " for c in text).strip()
            return lambda: command.mark(text, capture_time=moment, sequence=sequence, origin=origin)
    if value not in command.options:
        raise CommandError(400, f'"value" must be one of {", ".join(command.options)}.')
    return lambda: command.choose(value)


def _moment(words: Mapping[str, Any], newest: tuple[float, int] | None) -> tuple[float, int]:
    """The frame the person saw, when it is one of the last seconds; otherwise the newest."""
    if newest is None:
        raise CommandError(409, "No picture has been shown yet, so there is no moment to mark.")
    moment, sequence = words.get("capture_time"), words.get("sequence")
    if isinstance(moment, int | float) and isinstance(sequence, int) and 0 <= newest[0] - moment <= _RECENT:
        return float(moment), sequence
    return newest
