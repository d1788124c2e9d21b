"""examination.jsonl: what an examination was given besides the frames' measures, so that it can be computed again.

The first line says how it was begun. Each other line is a command, or what was known of the picture from a frame on: the
light on the face and how many faces there were. `n` is the frame before which it came.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

from realtime import strict_json
from realtime.clinic.protocol import Protocol
from realtime.clinic.status import COMMANDS, Command
from realtime.clinic.types import MOVEMENTS, Affected
from realtime.errors import DeviceError, UserInputError
from realtime.files import one_line, open_private, open_regular, reason

NAME = "examination.jsonl"
FORMAT = 1
_LARGEST = 64 * 2**20


class Begin(NamedTuple):
    """How an examination was begun.

    Attributes:
        protocol: what it asks for.
        affected: as named.
        starts_itself, calibrates: see `ExaminationMachine`.
        height, width: of the pictures, pixels.
        earlier: how many tries of an examination that was broken off came before.
        first: the first frame that the machine was given.
    """

    protocol: Protocol
    affected: Affected
    starts_itself: bool
    calibrates: bool
    height: int
    width: int
    earlier: int
    first: int


class Input(NamedTuple):
    """One line behind the first.

    Attributes:
        sequence: of the frame that it lies before.
        command: what was asked for; None: light and faces changed.
        light: mean grey of the face, 0..255; None: not known.
        faces: how many; None: not known.
    """

    sequence: int
    command: Command | None
    light: float | None
    faces: int | None


class InputLog:
    """Writes the log. Every line is flushed: a kill loses none.

    Args:
        path: of the file.
        begin: written first.

    Attributes:
        failed: a sentence once a line could not be written; None: all is well.

    Raises:
        DeviceError: it cannot be written, or exists already.
    """

    def __init__(self, path: Path, begin: Begin) -> None:
        self.failed: str | None = None
        self._path = path
        self._last: tuple[float | None, int | None] = (None, None)
        try:
            self._file = open_private(path, "x")
        except OSError as error:
            raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None
        protocol = begin.protocol
        self._put(
            format=FORMAT,
            protocol={"name": protocol.name, "movements": protocol.movements, "repetitions": protocol.repetitions},
            **{name: value for name, value in begin._asdict().items() if name != "protocol"},
        )

    def command(self, sequence: int, command: Command) -> None:
        """A command was carried out before this frame.

        Args:
            sequence: of the frame.
            command: what was asked for.
        """
        self._put(n=sequence, command=command)

    def seen(self, sequence: int, light: float | None, faces: int | None) -> None:
        """What is known of the picture on this frame; written where it has changed.

        Args:
            sequence: of the frame.
            light: mean grey of the face, 0..255; None: not known.
            faces: how many; None: not known.
        """
        if (light, faces) != self._last:
            self._last = (light, faces)
            self._put(n=sequence, light=light, faces=faces)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()

    def _put(self, **what: Any) -> None:
        if self.failed is not None:
            return
        try:
            self._file.write(json.dumps(what, separators=(",", ":"), allow_nan=False) + "\n")
            self._file.flush()
        except (OSError, ValueError) as error:
            self.failed = f"Writing {self._path} stopped ({reason(error)}); the examination cannot be computed again."


def read_inputs(folder: Path) -> tuple[Begin, list[Input]]:
    """Read the log of a session. A last line cut short by a kill is left out.

    Raises:
        UserInputError: there is none, or it is damaged.
    """
    path = folder / NAME
    lines = _lines(path)
    first = next(lines, None)
    if first is None:
        raise UserInputError(f"{path} is damaged: it is empty.")
    try:
        begin = _begin(first)
        return begin, [_input(line) for line in lines]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserInputError(f"{path} is damaged ({type(error).__name__} {one_line(error)[:80]}).") from None


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with open_regular(path, limit=_LARGEST) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield dict(strict_json.loads(line.decode("utf-8")))
                except (ValueError, TypeError):
                    raise UserInputError(f"{path} is damaged in line {number}.") from None
    except FileNotFoundError:
        raise UserInputError(f"{path.parent} holds no examination: there is no {path.name}.") from None
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None


def _begin(line: Mapping[str, Any]) -> Begin:
    if line["format"] != FORMAT:
        raise ValueError(f"it is of format {one_line(line['format'])[:20]}; this program reads format {FORMAT}")
    found = line["protocol"]
    movements = tuple(MOVEMENTS[MOVEMENTS.index(one)] for one in found["movements"])
    affected = get_args(Affected)[get_args(Affected).index(line["affected"])]
    return Begin(
        Protocol(str(found["name"]), movements, int(strict_json.number(found["repetitions"]))),
        affected,
        bool(line["starts_itself"]),
        bool(line["calibrates"]),
        int(strict_json.number(line["height"])),
        int(strict_json.number(line["width"])),
        int(strict_json.number(line["earlier"])),
        int(strict_json.number(line["first"])),
    )


def _input(line: Mapping[str, Any]) -> Input:
    sequence = int(strict_json.number(line["n"]))
    if "command" in line:
        return Input(sequence, COMMANDS[COMMANDS.index(line["command"])], None, None)
    light, faces = line["light"], line["faces"]
    return Input(
        sequence,
        None,
        None if light is None else strict_json.number(light),
        None if faces is None else int(strict_json.number(faces)),
    )
