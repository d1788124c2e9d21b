"""A page's orders: what was sent becomes a call, checked first. Knows nothing of HTTP but the status of a refusal."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from realtime.session.markers import LONGEST

_RECENT = 10.0  # a marker is set on a frame this young (s)


class OrderError(Exception):
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
                raise OrderError(400, '"value" must be true or false.')
            return lambda: command.switch(value)
        case "marker":
            text = words.get("text", "")
            if not isinstance(text, str):
                raise OrderError(400, '"text" must be words.')
            if len(text) > LONGEST:
                raise OrderError(413, f"That is too long: a marker holds at most {LONGEST} characters.")
            moment, sequence = _moment(words, newest)
            text = "".join(c if c.isprintable() else " " for c in text).strip()
            return lambda: command.mark(text, capture_time=moment, sequence=sequence, origin=origin)
    if value not in command.options:
        raise OrderError(400, f'"value" must be one of {", ".join(command.options)}.')
    return lambda: command.choose(value)


def _moment(words: Mapping[str, Any], newest: tuple[float, int] | None) -> tuple[float, int]:
    """The frame the person saw, when it is one of the last seconds; otherwise the newest."""
    if newest is None:
        raise OrderError(409, "No picture has been shown yet, so there is no moment to mark.")
    moment, sequence = words.get("capture_time"), words.get("sequence")
    if isinstance(moment, int | float) and isinstance(sequence, int) and 0 <= newest[0] - moment <= _RECENT:
        return float(moment), sequence
    return newest
