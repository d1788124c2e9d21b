"""`facemirror-live reprocess SESSION`: the full offline pass over a recorded session.

For every `openface2*.parts` file of the session the final numbers are computed, and `openface2*_final.csv` is written:
the live file's columns with the final `AUxx_r` (and `AUxx_c`), followed by the live ones as `AUxx_r_live` and by `settled`:
0 while the person's neutral had not yet come to rest, so that the live numbers were preliminary. The session's own files
are not changed.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from realtime.errors import DeviceError, UserInputError
from realtime.files import open_regular, reason, write_atomically
from realtime.openface2.parts_file import Parts, read_parts
from realtime.openface2.pipeline import Face
from realtime.openface2.postprocess import offline_intensities, offline_occurrences
from realtime.openface2.svr import classes_of
from realtime.types import F64


@dataclass(frozen=True, slots=True)
class Reprocessed:
    """One face's result.

    Attributes:
        face: whole or a half.
        output: the file.
        frames: rows written.
        measured: rows with Action Units.
    """

    face: Face
    output: Path
    frames: int
    measured: int


def reprocess(session: Path, missing_as_zero: bool = False) -> list[Reprocessed]:
    """Reprocess every face that was recorded in the folder `session`.

    Args:
        session: the session's folder.
        missing_as_zero: smooth across unmeasured frames as if they were 0, exactly as OpenFace does.

    Returns:
        One entry per recorded face.

    Raises:
        UserInputError: the folder holds no recorded predictions, or a file is damaged.
        DeviceError: a result cannot be written; what was there before stays.
    """
    files = sorted(session.glob("openface2*.parts")) if session.is_dir() else []
    if not files:
        raise UserInputError(
            f"{session} holds no openface2*.parts files; only sessions recorded with --au openface2 can be reprocessed"
        )
    return [_reprocess_face(path, missing_as_zero) for path in files]


def final_values(parts: Parts, missing_as_zero: bool = False) -> tuple[F64, F64 | None]:
    """The values after the full offline pass; NaN: not measured.

    Args:
        parts: of the session.
        missing_as_zero: as OpenFace does.

    Returns:
        (frames, intensity AUs), and (frames, occurrence AUs) or None.
    """
    intensity = offline_intensities(parts.intensity, parts.cutoffs, missing_as_zero)
    if parts.occurrence is None:
        return intensity, None
    decided = classes_of(parts.occurrence.repredicted(), parts.class_values)
    return intensity, offline_occurrences(decided, missing_as_zero)


def _reprocess_face(path: Path, missing_as_zero: bool) -> Reprocessed:
    parts = read_parts(path)
    intensity, occurrence = final_values(parts, missing_as_zero)
    final: dict[str, F64] = {f"AU{au:02d}_r": intensity[:, i] for i, au in enumerate(parts.intensity_aus)}
    if occurrence is not None:
        final |= {f"AU{au:02d}_c": occurrence[:, i] for i, au in enumerate(parts.occurrence_aus)}
    output = path.with_name(path.stem + "_final.csv")
    live = path.with_suffix(".csv")
    try:
        with open_regular(live) as raw, write_atomically(output) as written:
            source = io.TextIOWrapper(raw, encoding="utf-8", newline="")
            sink = io.TextIOWrapper(written, encoding="utf-8", newline="")
            frames, measured = _merge(source, sink, parts, final, live)
            sink.detach()
    except OSError as error:
        if error.filename == str(live):
            raise UserInputError(f"{live} cannot be read ({reason(error)}).") from None
        raise DeviceError(f"{output} cannot be written ({reason(error)}).") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserInputError(f"{live} is damaged ({error}).") from None
    return Reprocessed(parts.face, output, frames, measured)


def _merge(source: IO[str], sink: IO[str], parts: Parts, final: dict[str, F64], live: Path) -> tuple[int, int]:
    reader = csv.DictReader(source)
    names = list(reader.fieldnames or [])
    replaced = [name for name in names if name in final]
    if "frame" not in names or not replaced:
        raise UserInputError(
            f"{live.name} has no frame column or no Action Units; it is not a live file of this program"
        )
    writer = csv.DictWriter(sink, [*names, *(f"{name}_live" for name in replaced), "settled"], lineterminator="\n")
    writer.writeheader()
    row_of = {int(frame): i for i, frame in enumerate(parts.frames)}
    frames = measured = 0
    for row in reader:
        if not (row["frame"] or "").isdecimal():
            continue  # a killed session can end in half a line
        place = row_of.get(int(row["frame"]))
        ok = place is not None and bool(np.isfinite(final[replaced[0]][place]))
        for name in replaced:
            row[f"{name}_live"] = row[name]
            if ok:
                row[name] = f"{final[name][place]:.{2 if name.endswith('_r') else 1}f}"
        row["settled"] = "" if place is None else str(int(parts.settled[place]))
        writer.writerow(row)
        frames += 1
        measured += ok
    return frames, measured
