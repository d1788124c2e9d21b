"""Which recordings a batch is about: files, folders, patterns, list files and CSV tables, as the command line names them."""

import csv
import glob
import io
import itertools
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.batch.folder_search import recordings_below
from realtime.errors import UserInputError
from realtime.files import one_line, open_regular, reason, shortened
from realtime.table_text import NOT_UTF8, WORKBOOK, WORKBOOKS, table_format, text_of

LISTS = frozenset({".txt", ".lst", ".csv", ".tsv"})
_PATH_COLUMNS = ("path", "file", "filename", "recording", "video")
_START, _END = "calibration_start", "calibration_end"
_UNSAFE = re.compile(r"[^\w\-. ()\[\]+,=@]+")
_LARGEST_LIST = 64 * 2**20
_LONGEST_NAME = 120
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{word}{n}" for word in ("com", "lpt") for n in range(1, 10))})


@dataclass(frozen=True, slots=True)
class Input:
    """One recording to be measured.

    Attributes:
        name: by which its results are called; a file name on any system.
        path: absolute.
        columns: of the table that named it, such as person and condition; they come through to the outputs.
        calibration: (start, end) in seconds of rest in this recording; None: rest is found.
    """

    name: str
    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    calibration: tuple[float, float] | None = None

    def person(self, usual: str | None) -> str | None:
        """Whose recording it is: what the list's column `person` says, else `usual`; None where nothing says it."""
        return next((value for key, value in self.columns.items() if key.lower() == "person" and value.strip()), usual)

    def as_json(self) -> dict[str, Any]:
        """For the ledger; `from_json` reads it."""
        window = None if self.calibration is None else list(self.calibration)
        return {"name": self.name, "path": str(self.path), "columns": dict(self.columns), "calibration": window}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Input":
        """Raises ValueError: `content` is none."""
        try:
            window = content["calibration"]
            return cls(
                str(content["name"]),
                Path(content["path"]),
                {str(key): str(value) for key, value in content["columns"].items()},
                None if window is None else (float(window[0]), float(window[1])),
            )
        except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError("no recording of a batch") from error


@dataclass(slots=True)
class Inputs:
    """What a batch works on.

    Attributes:
        found: the recordings, in the order of their names.
        problems: a sentence for each that cannot be part of the batch.
    """

    found: list[Input] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Named:
    """A recording before it has a name. base: the folder that its name is relative to."""

    path: Path
    base: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    calibration: tuple[float, float] | None = None

    @property
    def place(self) -> str:
        """The file's one path, however its folder was written; a link to a file is a recording of its own."""
        return str(Path(os.path.realpath(self.path.parent)) / self.path.name)


def find_inputs(words: Iterable[str]) -> Inputs:
    """Understand the paths of a command line.

    Args:
        words: files, folders (searched with everything below), patterns, list files (one path a line) and CSV or TSV tables
            with a column `path`. Paths in a list are relative to the list's own folder.

    Raises:
        UserInputError: a word is nothing of the kind, or a list cannot be read.
    """
    inputs, named = Inputs(), list[_Named]()
    for word in words:
        path = _expanded(word)
        if path.is_dir():
            before = len(inputs.problems)
            named += (inside := _in_folder(path, inputs.problems))
            if not inside and len(inputs.problems) == before:
                inputs.problems.append(f"{shortened(word)}: this folder holds no recording.")
        elif path.suffix.lower() in LISTS and path.is_file():
            before = len(inputs.problems)
            named += (listed := _in_list(path, inputs.problems))
            if not listed and len(inputs.problems) == before:
                inputs.problems.append(f"{shortened(word)}: this list names no recording.")
        elif path.suffix.lower() in WORKBOOKS and path.is_file():
            raise UserInputError(f"The list {shortened(word)} cannot be read: {WORKBOOK}.")
        elif path.exists() or not glob.has_magic(word):
            if not path.exists():
                raise UserInputError(f"{shortened(word)}: there is no such file or folder.")
            named.append(_Named(path.absolute(), path.absolute().parent))
        else:
            matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  an absolute pattern is no pattern for Path
            if not matches:
                raise UserInputError(f"{shortened(word)}: no file has a name like this.")
            for match in map(Path, matches):
                at = match.absolute()
                named += _in_folder(at, inputs.problems) if match.is_dir() else [_Named(at, at.parent)]
    _give_names(named, inputs)
    return inputs


def _expanded(word: str) -> Path:
    """A path; `~` and `~name` at its beginning stand for a user's folder, where there is such a user."""
    return Path(os.path.expanduser(word))  # noqa: PTH111  never raises


def _in_folder(folder: Path, problems: list[str]) -> list[_Named]:
    base = folder.absolute()
    return [_Named(path, base) for path in recordings_below(base, problems)]


def _in_list(path: Path, problems: list[str]) -> list[_Named]:
    try:
        with open_regular(path, limit=_LARGEST_LIST) as file:
            text = text_of(file.read())
    except OSError as error:
        raise UserInputError(f"The list {path} cannot be read ({reason(error)}).") from None
    except UnicodeError:
        raise UserInputError(f"The list {path} cannot be read: {NOT_UTF8}.") from None
    if "\0" in text:
        raise UserInputError(f"The list {path} cannot be read: it holds a NUL character, which no name has.")
    base = path.absolute().parent
    if path.suffix.lower() in (".txt", ".lst") and not _is_table(text):
        lines = (line.strip() for line in text.splitlines())
        return [_Named(base / _expanded(line), base) for line in lines if line and not line.startswith("#")]
    return _in_table(path, text, base, problems)


def _is_table(text: str) -> bool:
    """Is it a table with tabs, such as Excel's "Unicode Text", which ends in .txt like a list of paths?"""
    names = text.partition("\n")[0].split("\t")
    return len(names) > 1 and any(name.strip().lower() in _PATH_COLUMNS for name in names)


def _in_table(path: Path, text: str, base: Path, problems: list[str]) -> list[_Named]:
    written = table_format(text, (_START, _END).__contains__, tabs=path.suffix.lower() == ".tsv")
    lines = itertools.islice(io.StringIO(text), written.first_line, None)
    reader = csv.DictReader(lines, delimiter=written.delimiter)
    try:
        names = [(name or "").strip() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        key = next((name for name in names if name.lower() in _PATH_COLUMNS), None)
        if key is None:
            raise UserInputError(
                f"The table {path} has no column `path`; it has {one_line(', '.join(names)) or 'no header'}."
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserInputError(f"The table {path} has the column {one_line(repr(twice[0]))} twice.")
        found = []
        for number, row in enumerate(reader, 2 + written.first_line):
            cells = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
            if None in row:
                problems.append(f"{path}, line {number}: it has more cells than the header.")
            elif not cells[key]:
                if any(cells.values()):
                    problems.append(f"{path}, line {number}: it names no recording.")
            else:
                cells |= {name: written.number(cells[name]) for name in (_START, _END) if name in cells}
                found.append(_row(path, number, cells, key, base, problems))
    except csv.Error as error:
        raise UserInputError(f"The table {path} cannot be read ({error}).") from None
    return [one for one in found if one is not None]


def _row(path: Path, number: int, cells: dict[str, str], key: str, base: Path, problems: list[str]) -> _Named | None:
    start, end = cells.pop(_START, ""), cells.pop(_END, "")
    recording = base / _expanded(cells.pop(key))
    if not start and not end:
        return _Named(recording, base, cells)
    try:
        window = float(start), float(end)
        if not 0 <= window[0] < window[1] < 1e9:
            raise ValueError
    except ValueError:
        said = f"{_START} {one_line(repr(start))} and {_END} {one_line(repr(end))}"
        problems.append(
            f"{path}, line {number}: {said} are no window; both are seconds with a decimal point, the start first."
        )
        return None
    return _Named(recording, base, cells, window)


def _give_names(named: list[_Named], inputs: Inputs) -> None:
    """A recording's name is its path below the folder that named it. Of two with one name, the second is a problem."""
    taken: dict[str, _Named] = {}
    places: dict[str, _Named] = {}
    for one in sorted(named, key=lambda one: (one.place, one.calibration is None, not one.columns)):
        same = places.get(one.place)
        if same is not None:
            if (same.columns, same.calibration) != (one.columns, one.calibration) and (one.columns or one.calibration):
                inputs.problems.append(f"{one.path} is named twice with other columns; the first ones are taken.")
            continue
        name = name_of(one.path, one.base)
        other = taken.get(name.casefold())
        if other is not None:
            inputs.problems.append(
                f"{one.path} was left out: its results would have the same name, {name}, as those of {other.path}; "
                "rename one, or give it another --out."
            )
            continue
        taken[name.casefold()] = places[one.place] = one
        inputs.found.append(Input(name, one.path, one.columns, one.calibration))
    inputs.found.sort(key=lambda one: one.name)


def name_of(path: Path, base: Path) -> str:
    """The name of a recording's results: its path below `base`, folders joined by two underscores, without the ending.

    Args:
        path: of the recording.
        base: folder that all lie in.
    """
    try:
        parts = path.relative_to(base).with_suffix("").parts
    except ValueError:
        parts = (path.stem,)
    parts = tuple(part for part in parts if part != "..")
    name = "__".join(_UNSAFE.sub("_", part) for part in parts).strip(" .") or "recording"
    if name.casefold() in _RESERVED:
        name += "_"
    return name[-_LONGEST_NAME:].strip(" .")
