"""OpenFace's CSV: a session's rows as scripts written for OpenFace read them, and OpenFace's rows on a session's clock.

Every column of OpenFace 2.2's FeatureExtraction stands in its place, so that scripts that count columns work too; what was not
measured is empty. Up to version 2.1 OpenFace wrote a space after each comma, and older scripts ask for `" AU12_r"`.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from realtime.errors import DeviceError, UserInputError
from realtime.exchange.moments import nearest_places
from realtime.exchange.tables import header_of, rows_of
from realtime.exchange.timeline import Timeline, first_capture_time
from realtime.files import reason, write_atomically
from realtime.openface2.assets import INTENSITY_AUS
from realtime.openface2.csv_file import GROUPS, columns
from realtime.session.folder import FRAMES
from realtime.session.read_frames import read_rows

OPENFACE2 = "openface2.csv"
_FROM_ROWS = f"The session has no {OPENFACE2}: AUxx_r is the mean of the patient's two sides; landmarks, pose, gaze and AUxx_c are empty."
_WANTED = ("sequence", "capture_time", "face_id", "confidence", "person")
_OPENFACE = ("frame", "face_id", "timestamp", "confidence", "success")
_UNIT = re.compile(r"AU[0-9]{1,2}_[rc]")
_NO_GAZE = "Gaze is not measured: its columns are empty."


def export_csv(session: Path, target: Path, *, space: bool = False) -> list[str]:
    """Write OpenFace's CSV of a session: of openface2.csv where there is one, else of frames.csv.

    `face_id` is 0 throughout, as in OpenFace's files of one face: scripts ask for it.

    Args:
        session: the session's folder.
        target: the file to write.
        space: behind each comma.

    Returns:
        Sentences about what the file could not hold.

    Raises:
        UserInputError: there are no rows, or they are damaged.
        DeviceError: the target cannot be written.
    """
    names, own, faces = columns(GROUPS), session / OPENFACE2, set[str]()
    rows = rows_of(own) if own.is_file() else _from_frames(session / FRAMES)
    notes = _missing(header_of(own), names) if own.is_file() else [_FROM_ROWS]
    comma = ", " if space else ","
    try:
        with write_atomically(target) as file:
            file.write((comma.join(names) + "\n").encode())
            for row in rows:
                faces.add(row["face_id"])
                row["face_id"] = "0"
                file.write((_joined([row.get(name, "") for name in names], comma) + "\n").encode())
    except (KeyError, ValueError) as error:
        raise UserInputError(f"The rows of {session} are damaged ({str(error)[:60]}).") from None
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    if len(faces - {"", "0"}) > 1:
        notes.append(
            f"The {len(faces - {'', '0'})} face ids of the session all became 0, as in OpenFace's files of one face."
        )
    return notes


def _joined(cells: Sequence[str], comma: str) -> str:
    """An empty cell has no space before it, which pandas would read as a text."""
    return cells[0] + "".join(f"{comma}{cell}" if cell else "," for cell in cells[1:])


def _missing(header: Sequence[str], names: Sequence[str]) -> list[str]:
    missing = set(names) - set(header)
    notes = [_NO_GAZE] if any(name.startswith("gaze") for name in missing) else []
    if any(name.endswith("_c") for name in missing):
        notes.append(f"{OPENFACE2} holds no AUxx_c, so these columns are empty.")
    return notes


def _from_frames(path: Path) -> Iterator[dict[str, str]]:
    start = first_capture_time(path)
    sides = {au: (f"AU{au:02d}_left", f"AU{au:02d}_right") for au in INTENSITY_AUS}
    wanted = {*_WANTED, *(name for pair in sides.values() for name in pair)}
    for row in rows_of(path, wanted.__contains__):
        if row.get("person") == "other":
            continue
        seen = row["face_id"] != ""
        found = {
            "frame": str(int(row["sequence"]) + 1),
            "face_id": row["face_id"],
            "timestamp": f"{float(row['capture_time']) - start:.3f}",
            "confidence": row["confidence"] if seen else "0.00",
            "success": "1" if seen else "0",
        }
        for au, (left, right) in sides.items():
            if row.get(left) and row.get(right):
                found[f"AU{au:02d}_r"] = f"{(float(row[left]) + float(row[right])) / 2:.3f}"
        yield found


def import_csv(path: Path, frames: Path, times: Timeline, target: Path) -> int:
    """Write OpenFace's Action Units on the session's clock, each row with the session's frame that it belongs to.

    The whole face has one value there, so the columns are `AU12` and `AU12_present`, without a side.

    Args:
        path: OpenFace's file; its timestamps count from the film's start.
        frames: the session's frames.csv.
        times: of the session.
        target: the file to write.

    Returns:
        How many rows were written.

    Raises:
        UserInputError: a file is damaged, or no row lies within the session.
        DeviceError: the target cannot be written.
    """
    rows = read_rows(frames)
    if not len(rows.times):
        raise UserInputError(f"{frames.parent} has no rows, so nothing can be placed on its clock.")
    captured = rows.times + rows.start
    step = float(np.median(np.diff(captured))) if len(captured) > 1 else 0.0
    try:
        known = [*_OPENFACE, *(name for name in header_of(path) if _UNIT.fullmatch(name))]
        table = _one_face(rows_of(path, known.__contains__, numbers=known.__contains__))
        units = [name for name in (table[0] if table else ()) if name.startswith("AU")]
        stamps = np.array([float(row["timestamp"]) for row in table]) + times.film_start
        if not np.isfinite(stamps).all():
            raise ValueError("a timestamp is no number")
        for row in table:
            row.update({name: _figure(row[name]) for name in row if name != "timestamp"})
    except (KeyError, ValueError) as error:
        raise UserInputError(f"{path} is no CSV of OpenFace, or damaged ({str(error)[:60]}).") from None
    if not len(stamps) or stamps[0] > captured[-1] + step or stamps[-1] < captured[0] - step:
        raise UserInputError(f"{path} and {frames.parent} have no time in common.")
    nearest = nearest_places(captured, stamps)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = [name[:-2] + ("" if name.endswith("_r") else "_present") for name in units]
    writer.writerow(["sequence", "capture_time", "face_id", "confidence", "success", *heads])
    for row, stamp, place in zip(table, stamps.tolist(), nearest.tolist(), strict=True):
        near = abs(captured[place] - stamp) <= step / 2 + 1e-3
        seen = row.get("success", "1") not in ("0", "")
        cells = [row[name] if seen else "" for name in units]
        head = [str(rows.sequences[place]) if near else "", f"{stamp:.6f}"]
        writer.writerow([*head, *(row.get(name, "") for name in ("face_id", "confidence", "success")), *cells])
    try:
        with write_atomically(target) as file:
            file.write(text.getvalue().encode())
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    return len(table)


def _figure(cell: str) -> str:
    """A number as it stands there; what is not finite was not measured.

    Raises:
        ValueError: it is neither a number nor empty.
    """
    return cell if cell and math.isfinite(float(cell)) else ""


def _one_face(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of the face that is seen most often."""
    table = [{name: cell.strip() for name, cell in row.items()} for row in rows]
    counts: dict[str, int] = {}
    for row in table:
        if row.get("success", "1") not in ("0", ""):
            counts[row.get("face_id", "")] = counts.get(row.get("face_id", ""), 0) + 1
    if len(counts) < 2:
        return table
    most = max(counts, key=lambda face: counts[face])
    return [row for row in table if row.get("face_id", "") == most]
