"""Folders of coded recordings: DISFA's and BP4D's own layouts, and plain CSV files beside videos.

csv     NAME.mp4 (or .avi, .mov, .mkv) beside NAME.csv, its cells apart by comma, semicolon or tab (a decimal comma is read).
        Columns: `frame` (the first picture is 0), and AU12 for the whole face or AU12_left and AU12_right for the patient's
        sides; intensities 0 to 5, an empty cell (or NaN) is not coded.
disfa   ActionUnit_Labels/SN001/SN001_au12.txt, lines "frame,intensity" from 1 on; the video is Videos_LeftCamera/*SN001*.avi
        or, without it, Videos_RightCamera/*SN001*.avi (`Video_` for `Videos_` is the same).
bp4d    AUCoding/AU_INT/AU12/F001_T1_AU12.csv (or AU_INT/AU12/...), lines "frame,intensity", 9 is not coded; the pictures are
        */F001/T1/NNNN.jpg.
"""

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from realtime.errors import UserInputError
from realtime.table_text import NOT_UTF8, table_format, text_of

Layout = Literal["csv", "disfa", "bp4d"]
Side = Literal["both", "left", "right"]
VIDEOS = (".mp4", ".avi", ".mov", ".mkv")
Say = Callable[[str], None]
_COLUMN = re.compile(r"AU0*(\d+)(?:_(left|right))?$", re.IGNORECASE)
_MARKED = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_LARGEST = 5.0


class Coded(NamedTuple):
    """What a coder judged.

    Attributes:
        unit: number of the Action Unit.
        side: left, right, or `both` where the code is of the whole face.
    """

    unit: int
    side: Side


@dataclass(frozen=True, slots=True)
class Recording:
    """One coded recording.

    Attributes:
        name: for the user.
        video: a video file; None where the recording is a series of pictures.
        pictures: picture files by frame number; empty where it is a video.
        first: number that the codes give the first picture of a video.
        codes: intensity 0 to 5 by frame number, for every coded unit and side.
    """

    name: str
    video: Path | None
    pictures: Mapping[int, Path]
    first: int
    codes: Mapping[Coded, Mapping[int, float]]

    @property
    def coded_frames(self) -> frozenset[int]:
        """Numbers of all frames that have a code."""
        return frozenset().union(*self.codes.values())


def recordings(layout: Layout, folder: Path, say: Say = lambda _sentence: None) -> list[Recording]:
    """Every coded recording of a folder, by name.

    Args:
        layout: how files are named.
        folder: to search.
        say: called with a sentence for each recording that is coded and not there.

    Raises:
        UserInputError: the folder is not there, holds nothing in this layout, or a file is damaged.
    """
    if not folder.is_dir():
        raise UserInputError(f"{folder} is no folder.")
    read = {"csv": _csv, "disfa": _disfa, "bp4d": _bp4d}[layout]
    found = sorted(read(folder, say), key=lambda recording: recording.name)
    if not found:
        raise UserInputError(f"{folder} holds no coded recording in the layout {layout}: {_EXPECTED[layout]}")
    return found


_EXPECTED = {
    "csv": "NAME.csv with a column frame and columns such as AU12, AU12_left or AU12_right, beside NAME.mp4.",
    "disfa": "ActionUnit_Labels/SN001/SN001_au12.txt and Videos_LeftCamera/LeftVideoSN001_comp.avi.",
    "bp4d": "AUCoding/AU_INT/AU12/F001_T1_AU12.csv and a folder F001/T1 with numbered pictures.",
}


def _csv(folder: Path, say: Say) -> Iterator[Recording]:
    for file in sorted(folder.glob("*.csv")):
        video = next((path for end in VIDEOS if (path := file.with_suffix(end)).is_file()), None)
        if video is None:
            say(f"{file.name} has no video beside it ({', '.join(VIDEOS)}) and is left out.")
        else:
            yield Recording(file.stem, video, {}, 0, _table(file))


def _table(file: Path) -> dict[Coded, dict[int, float]]:
    codes: dict[Coded, dict[int, float]] = {}
    try:
        first, rows = _rows(file)
        names = [name.strip() for name in rows[0]] if rows else []
        columns = {place: match for place, name in enumerate(names) if (match := _COLUMN.match(name))}
        frames = [place for place, name in enumerate(names) if name.lower() == "frame"]
        if not frames or not columns:
            raise UserInputError(f"{file} needs a column frame and at least one such as AU12 or AU12_left.")
        _check_frames([row[frames[0]].strip() for row in rows[1:] if frames[0] < len(row)], file)
        for line, row in enumerate(rows[1:], start=first + 1):
            if any(cell.strip() for cell in row):
                _take_row(codes, row, frames[0], columns, f"{file}, line {line}")
    except UnicodeError:
        raise UserInputError(f"{file} cannot be read: {NOT_UTF8}.") from None
    except (OSError, ValueError, csv.Error) as error:
        raise UserInputError(f"{file} cannot be read: {error}.") from None
    return codes


def _rows(file: Path) -> tuple[int, list[list[str]]]:
    """The header's line and the cells of a table, the numbers with a decimal point; its first line tells what stands between them."""
    text = text_of(file.read_bytes())
    written = table_format(text, lambda name: _COLUMN.match(name) is not None)
    lines = itertools.islice(io.StringIO(text, newline=""), written.first_line, None)
    rows = csv.reader(lines, delimiter=written.delimiter)
    return written.first_line + 1, [[written.number(cell) for cell in row] for row in rows]


def _check_frames(cells: Sequence[str], file: Path) -> None:
    """A column of frames either has no marks, or is written with decimals throughout: 1.000 beside 500 is a thousand.

    Raises:
        UserInputError: 1.000 would be taken for frame 1.
    """
    marked = next((cell for cell in cells if _MARKED.fullmatch(cell)), None)
    plain = next((cell for cell in cells if cell.isdecimal()), None)
    if marked is not None and plain is not None:
        raise UserInputError(
            f"{file}: {marked} beside {plain} in the column frame; write frames without a mark for thousands."
        )


def _take_row(
    codes: dict[Coded, dict[int, float]], row: list[str], frame: int, columns: Mapping[int, re.Match[str]], where: str
) -> None:
    """Take one line of a table in. Raises UserInputError, which says `where`, for what is no code."""
    try:
        number = _whole(row[frame])
    except (IndexError, ValueError):
        raise UserInputError(f"{where}: there is no whole number in the column frame.") from None
    for place, match in columns.items():
        cell = row[place].strip() if place < len(row) else ""
        try:
            value = float(cell or "nan")
        except ValueError:
            value = math.inf
        if math.isnan(value):
            continue
        if not 0 <= value <= _LARGEST:
            raise UserInputError(
                f"{where}: {cell} in the column {match[0]} is no intensity from 0 to 5; leave empty what is not coded."
            )
        side: Side = "both" if match[2] is None else "left" if match[2].lower() == "left" else "right"
        of_unit = codes.setdefault(Coded(int(match[1]), side), {})
        if number in of_unit:
            raise UserInputError(f"{where}: frame {number} is coded twice.")
        of_unit[number] = value


def _whole(cell: str) -> int:
    """Raises ValueError where a cell is no whole number; 3.0 is one."""
    value = float(cell)
    if not value.is_integer():
        raise ValueError(cell)
    return int(value)


def _disfa(folder: Path, say: Say) -> Iterator[Recording]:
    for person in sorted(folder.glob("ActionUnit_Labels/*")):
        codes = {}
        for file in person.glob("*_au*.txt"):
            unit = re.search(r"_au(\d+)$", file.stem, re.IGNORECASE)
            if unit is not None:
                codes[Coded(int(unit[1]), "both")] = _pairs(file)
        videos = [
            video
            for side in ("Left", "Right")
            for video in sorted(folder.glob(f"Video*_{side}Camera/*{person.name}*"))
            if video.suffix.lower() in VIDEOS
        ]
        if codes and videos:
            yield Recording(person.name, videos[0], {}, 1, codes)
        elif codes:
            say(f"{person.name} is coded and has no video in Videos_LeftCamera or Videos_RightCamera; it is left out.")


def _bp4d(folder: Path, say: Say) -> Iterator[Recording]:
    codes: dict[tuple[str, str], dict[Coded, Mapping[int, float]]] = {}
    for file in folder.rglob("AU_INT/AU*/*_AU*.csv"):
        parts = re.match(r"([^_]+)_(T\d+)_AU0*(\d+)$", file.stem, re.IGNORECASE)
        if parts is not None:
            codes.setdefault((parts[1], parts[2]), {})[Coded(int(parts[3]), "both")] = _pairs(file)
    for (person, task), found in sorted(codes.items()):
        pictures = {
            int(file.stem): file
            for file in folder.rglob(f"{person}/{task}/*")
            if file.suffix.lower() in (".jpg", ".jpeg", ".png") and file.stem.isdigit()
        }
        if pictures:
            yield Recording(f"{person} {task}", None, pictures, 1, found)
        else:
            say(f"{person} {task} is coded and has no numbered pictures in a folder {person}/{task}; it is left out.")


def _pairs(file: Path) -> dict[int, float]:
    """Intensity by frame number, from lines "frame,intensity"; other numbers than 0 to 5 are not coded."""
    found = {}
    try:
        for line in file.read_text(encoding="utf-8-sig").splitlines():
            if line.strip():
                frame, value = line.replace("\t", ",").split(",")[:2]
                if 0 <= float(value) <= _LARGEST:
                    found[_whole(frame)] = float(value)
    except (OSError, ValueError) as error:
        raise UserInputError(f"{file} cannot be read as lines of frame,intensity: {error}.") from None
    return found
