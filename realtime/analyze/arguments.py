"""What a caller gives to the public face, checked where it is given: a wrong word is told before a model or a source opens."""

import math
import os
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.errors import UserInputError
from realtime.files import one_line

if TYPE_CHECKING:
    from realtime.clinic import ScaleChoice

_NARROWEST = 96


def source_word(source: str | os.PathLike[str] | int | None) -> str | None:
    """The word that names a source; None: pictures are fed in.

    Args:
        source: a path or a word; a whole number is a camera's, as for OpenCV.

    Raises:
        UserInputError: it is something else, such as pictures.
    """
    if source is None or isinstance(source, str):
        return source
    if isinstance(source, os.PathLike):
        return os.fsdecode(source)
    if isinstance(source, Integral) and not isinstance(source, bool) and int(source) >= 0:
        return f"camera:{int(source)}"
    raise UserInputError(
        f"A source is a file's path, a camera's number, or a word such as camera:0 or demo, not {_kind(source)}; "
        "feed pictures of your own with update(image, time)."
    )


def checked_wish(size: tuple[int, int] | None, fps: float | None) -> tuple[tuple[int, int] | None, float | None]:
    """Size and rate, if a camera can be asked for them.

    Args:
        size: width and height in pixels, or None.
        fps: pictures a second, or None.

    Raises:
        UserInputError: one is no such thing.
    """
    if size is not None and not (isinstance(size, tuple | list) and len(size) == 2 and all(map(_is_count, size))):
        raise UserInputError(f"size is a pair of pixels such as (1280, 720), not {_shown(size)}.")
    if fps is not None and not (isinstance(fps, Real) and math.isfinite(fps) and fps > 0):
        raise UserInputError(f"fps is a number of pictures a second above 0, not {_shown(fps)}.")
    return None if size is None else (int(size[0]), int(size[1])), fps


def checked_width(width: int) -> int:
    """The same, if the detector can look at a picture that wide.

    Args:
        width: pixels.

    Raises:
        UserInputError: it cannot.
    """
    if not _is_count(width) or width < _NARROWEST:
        raise UserInputError(f"width is a whole number of pixels, {_NARROWEST} or more, not {_shown(width)}.")
    return width


def checked_yes_or_no(name: str, value: bool) -> bool:
    """The same, if it is True or False; a word such as "off" would count as True.

    Args:
        name: of the argument.
        value: what was given.

    Raises:
        UserInputError: it is neither.
    """
    if not isinstance(value, bool):
        raise UserInputError(f"{name} is True or False, not {_shown(value)}.")
    return value


def checked_scale(choice: "ScaleChoice | None") -> "ScaleChoice | None":
    """The same, if it says where millimetres come from.

    Args:
        choice: what was given.

    Raises:
        UserInputError: it is something else.
    """
    if choice is None:
        return None
    from realtime.clinic import ScaleChoice

    if not isinstance(choice, ScaleChoice):
        raise UserInputError(
            f'millimetres is a realtime.clinic.ScaleChoice, such as ScaleChoice("iris"), not {_shown(choice)}.'
        )
    return choice


def weights_folder(weights: str | Path | None) -> Path | None:
    """The folder as a path; None: the embedded models.

    Args:
        weights: what was given.

    Raises:
        UserInputError: it is no path.
    """
    if weights is None:
        return None
    if not isinstance(weights, str | os.PathLike):
        raise UserInputError(f"weights is the path of a folder, not {_kind(weights)}.")
    return Path(weights)


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) > 0


def _kind(value: object) -> str:
    """What a value is, without its content: an array's would fill pages."""
    return f"{value!r}" if isinstance(value, int | float | bytes) else f"a value of type {type(value).__name__}"


def _shown(value: object) -> str:
    return one_line(repr(value))
