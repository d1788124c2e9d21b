"""Which movements an examination asks for, in which order and how often: built in, or from a user's TOML file."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from realtime import strict_toml
from realtime.clinic.types import MOVEMENTS, Movement
from realtime.errors import UserInputError
from realtime.files import one_line, open_regular, reason, shortened

BUILT_IN = ("full", "sunnybrook", "eface")
DEFAULT = "full"
SECONDS = 240.0
"""An examination takes at most this long, pauses and times without a face left out."""
_LARGEST = 2**16
_MOST_REPETITIONS = 5
_KNOWN_KEYS = {"name", "movements", "repetitions"}


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is asked for.

    Attributes:
        name: as stored with the examination.
        movements: in order; none twice.
        repetitions: of each.
    """

    name: str
    movements: tuple[Movement, ...]
    repetitions: int = 3


def load_protocol(word: str) -> Protocol:
    """Give a built-in protocol, or read one from a file.

    Args:
        word: full, sunnybrook, eface, or the path of a TOML file with `movements`, and `repetitions` and `name` if wished.

    Raises:
        UserInputError: there is no such protocol, or the file is damaged or names an unknown movement.
    """
    if word in BUILT_IN:
        text = files("realtime.clinic").joinpath("protocols", f"{word}.toml").read_text("utf-8")
        return _checked(tomllib.loads(text), word, word)
    path = Path(word)
    try:
        with open_regular(path, limit=_LARGEST) as file:
            content = strict_toml.loads(file.read())
    except FileNotFoundError:
        raise UserInputError(
            f"There is no protocol {shortened(word)!r}: it is {', '.join(BUILT_IN)}, or the path of a TOML file."
        ) from None
    except OSError as error:
        raise UserInputError(f"The protocol {shortened(word)} cannot be read ({reason(error)}).") from None
    except ValueError as error:
        raise UserInputError(f"The protocol {shortened(word)} is no TOML file ({one_line(error)}).") from None
    return _checked(content, shortened(word), path.stem)


def _checked(content: dict[str, Any], word: str, name: str) -> Protocol:
    if unknown := sorted(set(content) - _KNOWN_KEYS):
        raise UserInputError(
            f"The protocol {word} has an unknown entry {one_line(repr(unknown[0]))}; known are movements, name and repetitions."
        )
    movements = content.get("movements")
    if not isinstance(movements, list) or not movements:
        raise UserInputError(f'The protocol {word} lists no movements: it needs movements = ["rest", "open_smile"].')
    known = tuple(_movement(one, word) for one in movements)
    if len(set(known)) < len(known):
        twice = next(one for one in known if known.count(one) > 1)
        raise UserInputError(f"The protocol {word} names {twice} twice; use repetitions to ask for it more often.")
    repetitions = content.get("repetitions", 3)
    if type(repetitions) is not int or not 1 <= repetitions <= _MOST_REPETITIONS:
        raise UserInputError(
            f"The protocol {word} asks for {str(repetitions)[:20]!r} repetitions; it is a number from 1 to {_MOST_REPETITIONS}."
        )
    name = content.get("name", name)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 40 or not name.isprintable():
        raise UserInputError(f"The protocol {word} needs a name of 1 to 40 printable characters.")
    return Protocol(name.strip(), known, repetitions)


def _movement(found: object, word: str) -> Movement:
    for known in MOVEMENTS:
        if found == known:
            return known
    near = get_close_matches(str(found), MOVEMENTS, 1)
    meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(MOVEMENTS)}."
    raise UserInputError(f"The protocol {word} names an unknown movement {str(found)[:40]!r}; {meant}")
