"""What users write for a setting, read: sizes, names, yes and no. Also as a file, the environment or an earlier version says it."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from realtime.clinic.ruler import Ruler
from realtime.face.settings import MirrorAverage, as_mirror_average


def parse_size(value: object) -> object:
    """`1280x720` becomes (1280, 720); anything that is no text passes through for the type check to judge.

    Args:
        value: what the user wrote.
    """
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d{2,5})\s*[xX]\s*(\d{2,5})\s*", value)
    if not match:
        raise ValueError("a size reads WIDTHxHEIGHT, for example 1280x720")
    return int(match[1]), int(match[2])


def _names(value: object) -> object:
    """`a, b` from an environment variable becomes (a, b)."""
    return tuple(name for name in re.split(r"[,\s]+", value) if name) if isinstance(value, str) else value


def _yes_is(word: str) -> BeforeValidator:
    """Yes and no, as a file, the environment or a session of an earlier version says it; yes stands for `word`."""
    known = {True: word, False: "off", "true": word, "false": "off", "1": word, "0": "off"}
    return BeforeValidator(lambda value: known.get(value, value) if isinstance(value, bool | str) else value)


def _named(value: object) -> object:
    """A script's empty variable would otherwise mean the working folder."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("a name is needed; it is empty")
    return value


def _mirror_average(value: object) -> object:
    """Earlier versions said only whether: true or false, in a file or as text."""
    said = {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
    return as_mirror_average(said) if isinstance(said, bool) else said


def _checked_ruler(value: object) -> object:
    """Refuses a ruler that cannot be read."""
    if isinstance(value, str):
        Ruler.parse(value)
    return value


def _one_or_many(value: object) -> object:
    """One action stands for a list of one."""
    return (value,) if isinstance(value, dict) else value


Named = Annotated[Path, BeforeValidator(_named)]
Hidden = Annotated[Literal["off", "recording", "everywhere", "others", "others-everywhere"], _yes_is("recording")]
Recording = Annotated[Literal["off", "shown", "raw"], _yes_is("shown")]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Size = Annotated[tuple[int, int], BeforeValidator(parse_size)]
WrittenMirrorAverage = Annotated[MirrorAverage, BeforeValidator(_mirror_average)]
RulerText = Annotated[str, BeforeValidator(_checked_ruler)]
Actions = Annotated[tuple[dict[str, Any], ...], BeforeValidator(_one_or_many)]
