"""Folders of coded recordings: DISFA's and BP4D's own layouts, and plain CSV files beside videos.

csv     NAME.mp4 (or .avi, .mov, .mkv) beside NAME.csv. Columns: `frame` (the first picture is 0), and AU12 for the whole face
        or AU12_left and AU12_right for the patient's sides; intensities 0 to 5, an empty cell is not coded.
disfa   ActionUnit_Labels/SN001/SN001_au12.txt, lines "frame,intensity" from 1 on; the video is Videos_LeftCamera/*SN001*.avi
        or, without it, Videos_RightCamera/*SN001*.avi.
bp4d    AUCoding/AU_INT/AU12/F001_T1_AU12.csv (or AU_INT/AU12/...), lines "frame,intensity", 9 is not coded; the pictures are
        */F001/T1/NNNN.jpg.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from realtime.errors import UserInputError

Layout = Literal["csv", "disfa", "bp4d"]
Side = Literal["both", "left", "right"]
VIDEOS = (".mp4", ".avi", ".mov", ".mkv")
_COLUMN = re.compile(r"AU0*(\d+)(?:_(left|right))?$", re.IGNORECASE)
_NOT_CODED = 9


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


def recordings(layout: Layout, folder: Path) -> list[Recording]:
    """Every coded recording of a folder, by name.

    Args:
        layout: how files are named.
        folder: to search.

    Raises:
        UserInputError: the folder is not there, holds nothing in this layout, or a file is damaged.
    """
    if not folder.is_dir():
        raise UserInputError(f"{folder} is no folder.")
    found = sorted({"csv": _csv, "disfa": _disfa, "bp4d": _bp4d}[layout](folder), key=lambda recording: recording.name)
    if not found:
        raise UserInputError(f"{folder} holds no coded recording in the layout {layout}: {_EXPECTED[layout]}")
    return found


_EXPECTED = {
    "csv": "NAME.csv with a column frame and columns such as AU12, AU12_left or AU12_right, beside NAME.mp4.",
    "disfa": "ActionUnit_Labels/SN001/SN001_au12.txt and Videos_LeftCamera/LeftVideoSN001_comp.avi.",
    "bp4d": "AUCoding/AU_INT/AU12/F001_T1_AU12.csv and a folder F001/T1 with numbered pictures.",
}


def _csv(folder: Path) -> Iterator[Recording]:
    for file in folder.glob("*.csv"):
        video = next((path for end in VIDEOS if (path := file.with_suffix(end)).is_file()), None)
        if video is not None:
            yield Recording(file.stem, video, {}, 0, _table(file))


def _table(file: Path) -> dict[Coded, dict[int, float]]:
    codes: dict[Coded, dict[int, float]] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns = {name: match for name in reader.fieldnames or () if (match := _COLUMN.match(name.strip()))}
            if "frame" not in (reader.fieldnames or ()) or not columns:
                raise UserInputError(f"{file} needs a column frame and at least one such as AU12 or AU12_left.")
            for row in reader:
                for name, match in columns.items():
                    if row[name] not in (None, ""):
                        side: Side = "left" if match[2] == "left" else "right" if match[2] == "right" else "both"
                        codes.setdefault(Coded(int(match[1]), side), {})[int(row["frame"])] = float(row[name])
    except (OSError, ValueError, csv.Error) as error:
        raise UserInputError(f"{file} cannot be read: {error}.") from None
    return codes


def _disfa(folder: Path) -> Iterator[Recording]:
    for person in folder.glob("ActionUnit_Labels/*"):
        codes = {}
        for file in person.glob("*_au*.txt"):
            unit = re.search(r"_au(\d+)$", file.stem, re.IGNORECASE)
            if unit is not None:
                codes[Coded(int(unit[1]), "both")] = _pairs(file)
        videos = [video for side in ("Left", "Right") for video in folder.glob(f"Videos_{side}Camera/*{person.name}*")]
        if codes and videos:
            yield Recording(person.name, videos[0], {}, 1, codes)


def _bp4d(folder: Path) -> Iterator[Recording]:
    codes: dict[tuple[str, str], dict[Coded, Mapping[int, float]]] = {}
    for file in folder.rglob("AU_INT/AU*/*_AU*.csv"):
        parts = re.match(r"([^_]+)_(T\d+)_AU0*(\d+)$", file.stem, re.IGNORECASE)
        if parts is not None:
            codes.setdefault((parts[1], parts[2]), {})[Coded(int(parts[3]), "both")] = _pairs(file)
    for (person, task), found in codes.items():
        pictures = {
            int(file.stem): file
            for file in folder.rglob(f"{person}/{task}/*")
            if file.suffix.lower() in (".jpg", ".jpeg", ".png") and file.stem.isdigit()
        }
        if pictures:
            yield Recording(f"{person} {task}", None, pictures, 1, found)


def _pairs(file: Path) -> dict[int, float]:
    """Intensity by frame number, from lines "frame,intensity"; other numbers than 0 to 5 are not coded."""
    found = {}
    try:
        for line in file.read_text(encoding="utf-8-sig").splitlines():
            if line.strip():
                frame, value = line.replace("\t", ",").split(",")[:2]
                if float(value) < _NOT_CODED:
                    found[int(float(frame))] = float(value)
    except (OSError, ValueError) as error:
        raise UserInputError(f"{file} cannot be read as lines of frame,intensity: {error}.") from None
    return found
