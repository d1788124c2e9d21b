"""A session as part of a BIDS dataset, with the names of BEP047 (audio and video of behaviour, under review).

    sub-01/[ses-1/]beh/sub-01_[ses-1_]task-face_video.mp4, _audiovideo.mp4 where sound was recorded, with JSON sidecars
                       …_beh.tsv: frames.csv with `time` in front and n/a for what was not measured; sidecar with units
                       …_events.tsv: annotations
    sub-01/[ses-1/]sub-01_[ses-1_]scans.tsv: when each recording began

What the dataset holds already is never overwritten. Source: https://github.com/bids-standard/bids-specification/pull/2231.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from realtime import __version__
from realtime.errors import DeviceError, UserInputError
from realtime.exchange.annotations import Annotations
from realtime.exchange.bids_events import NONE, write_events, write_sidecar
from realtime.exchange.film import Film
from realtime.files import one_line, open_regular, private_folder, reason, write_atomically
from realtime.session.manifest import read_json
from realtime.session.schema import data_dictionary

_LABEL = re.compile(r"[A-Za-z0-9]+")
_IGNORED = "*_video.*\n*_audiovideo.*\n"
_PIECE = 1 << 20
_LARGEST_TABLE = 64 << 20
_README = "Facial measures, films and annotations, written by facemirror-live. Left and right are the patient's own.\n"


class Entities(NamedTuple):
    """What a BIDS name says.

    Attributes:
        subject: letters and digits.
        task: likewise.
        session: likewise; None: the dataset has no sessions.
    """

    subject: str
    task: str = "face"
    session: str | None = None

    def checked(self) -> "Entities":
        """The same.

        Raises:
            UserInputError: one is no BIDS label.
        """
        for option, label in (("--subject", self.subject), ("--task", self.task), ("--bids-session", self.session)):
            if label is not None and not _LABEL.fullmatch(label):
                raise UserInputError(f"{option} {label[:40]!r}: a BIDS label is letters and digits only.")
        return self

    @property
    def folder(self) -> Path:
        """Of the subject and session, below the dataset."""
        return Path(f"sub-{self.subject}", *([f"ses-{self.session}"] if self.session else []))

    @property
    def stem(self) -> str:
        """What the names of files in it begin with."""
        return f"sub-{self.subject}_" + (f"ses-{self.session}_" if self.session else "")


class Recording(NamedTuple):
    """What is put into the dataset.

    Attributes:
        rows: a session's frames.csv.
        described: its session.json.
        start: capture time of the first row, seconds.
        film: None: there is none.
        film_start: capture time of the film's start, seconds.
        annotations: with times from the first row.
    """

    rows: Path
    described: Mapping[str, Any]
    start: float
    film: Film | None
    film_start: float
    annotations: Annotations


def write_bids(recording: Recording, dataset: Path, entities: Entities) -> tuple[list[Path], list[str]]:
    """Add a session to a dataset, which is begun where there is none.

    Args:
        recording: the session.
        dataset: the dataset's folder.
        entities: the names.

    Returns:
        The files that were written, and sentences about what they could not hold.

    Raises:
        UserInputError: the folder is no BIDS dataset, holds these recordings already, or a label is none.
        DeviceError: a file cannot be written.
    """
    entities.checked()
    _check_dataset(dataset)
    folder = dataset / entities.folder / "beh"
    begin = f"{entities.stem}task-{entities.task}"
    events = write_events(recording.annotations)
    task = {"TaskName": entities.task}
    contents = {
        folder / f"{begin}_beh.json": _json({**task, "time": _TIME, **_columns(recording.rows)}),
        folder / f"{begin}_events.tsv": events.content,
        folder / f"{begin}_events.json": _json(task | json.loads(write_sidecar(recording.annotations).content)),
    }
    rows, film = folder / f"{begin}_beh.tsv", None
    starts = {rows: recording.start}
    if recording.film is not None:
        suffix = "audiovideo" if recording.film.sound else "video"
        film = folder / f"{begin}_{suffix}.mp4"
        starts[film] = recording.film_start
        contents[folder / f"{begin}_{suffix}.json"] = _json(task | _film_sidecar(recording.film))
    taken = [path for path in (*contents, *starts) if path.exists()]
    if taken:
        raise UserInputError(f"{taken[0]} exists already and is not overwritten; choose another --subject or --task.")
    try:
        private_folder(folder)
        _begin_dataset(dataset, entities)
        for path, content in contents.items():
            with write_atomically(path) as file:
                file.write(content)
        with write_atomically(rows) as file:
            file.writelines(line.encode() for line in _rows(recording.rows, recording.start))
        if film is not None and recording.film is not None:
            with open_regular(recording.film.path) as source, write_atomically(film) as file:
                while piece := source.read(_PIECE):
                    file.write(piece)
        scans = _add_scans(dataset / entities.folder, entities, starts, recording)
    except (ValueError, csv.Error) as error:  # no number, no column, no UTF-8
        raise UserInputError(f"{recording.rows} is damaged ({one_line(error)}).") from None
    except OSError as error:
        raise DeviceError(f"{folder} cannot be written ({reason(error)}).") from None
    return [*contents, *starts, scans], events.notes


def _check_dataset(dataset: Path) -> None:
    if not dataset.exists():
        return
    description = dataset / "dataset_description.json"
    if not dataset.is_dir() or (not description.is_file() and any(dataset.iterdir())):
        raise UserInputError(f"{dataset} is no BIDS dataset: it has no dataset_description.json; choose a new folder.")
    if description.is_file() and read_json(description).get("DatasetType", "raw") != "raw":
        raise UserInputError(f"{dataset} is a derived BIDS dataset; recordings belong into a raw one.")


def _begin_dataset(dataset: Path, entities: Entities) -> None:
    description = {
        "Name": dataset.resolve().name,
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "facemirror-live", "Version": __version__}],
    }
    for name, content in (
        ("dataset_description.json", _json(description)),
        ("README", _README.encode()),
        (".bidsignore", _IGNORED.encode()),
    ):
        if not (dataset / name).exists():
            with write_atomically(dataset / name) as file:
                file.write(content)
    people = dataset / "participants.tsv"
    _append(people, ["participant_id"], {"participant_id": f"sub-{entities.subject}"}, key="participant_id")


def _append(path: Path, header: list[str], row: Mapping[str, str], key: str) -> None:
    """Add a row to a table of the dataset; its columns stay, those that we do not know are n/a."""
    lines = _lines(path) or ["\t".join(header)]
    columns = lines[0].split("\t")
    if key not in columns:
        raise UserInputError(f"{path} is damaged: it has no column {key}.")
    place = columns.index(key)
    if row[key] not in [cells[place] for line in lines[1:] if len(cells := line.split("\t")) > place]:
        lines.append("\t".join(row.get(column, NONE) for column in columns))
        with write_atomically(path) as file:
            file.write(("\n".join(lines) + "\n").encode())


def _lines(path: Path) -> list[str]:
    """The lines of a table that anybody may have written; none where it is empty or is not there."""
    try:
        with open_regular(path, limit=_LARGEST_TABLE) as file:
            return file.read().decode("utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        raise UserInputError(f"{path} is damaged: it is no UTF-8 text.") from None


def _add_scans(folder: Path, entities: Entities, starts: Mapping[Path, float], recording: Recording) -> Path:
    scans = folder / f"{entities.stem}scans.tsv"
    for path, start in starts.items():
        row = {"filename": path.relative_to(folder).as_posix(), "acq_time": _utc(recording.described, start)}
        _append(scans, ["filename", "acq_time"], row, key="filename")
    return scans


def _utc(described: Mapping[str, Any], capture_time: float) -> str:
    """Date and time of a capture time; n/a where the session does not say."""
    try:
        begun = described["started"]
        at = datetime.fromisoformat(begun["utc"]) + timedelta(seconds=capture_time - float(begun["capture_clock"]))
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (KeyError, TypeError, ValueError, OverflowError):
        return NONE


_TIME = {"Description": "from the first row", "Units": "s"}


def _columns(rows: Path) -> dict[str, dict[str, str]]:
    with open_regular(rows) as file:
        header = file.readline(1 << 16).decode("utf-8", "replace").strip().split(",")
    meanings = data_dictionary(several=True, millimetres=True)
    found = {}
    for name in header:
        meaning, unit = meanings.get(name, ""), unit_of(name, meanings.get(name, ""))
        found[name] = {"Description": meaning, **({"Units": unit} if unit else {})}
    return found


def unit_of(column: str, meaning: str) -> str:
    """A column's unit as BIDS writes units; empty: it has none.

    Args:
        column: of frames.csv.
        meaning: its line in the data dictionary.
    """
    if column.startswith("mm_"):
        first = "mm" if column == "mm_scale" else meaning.split(";")[0]
        return {"mm": "mm", "mm2": "mm^2", "degrees": "degree"}.get(first, "")
    if column == "capture_time":
        return "s"
    if column == "result_age_ms":
        return "ms"
    if column.startswith(("box_", "wflw_")):
        return "pixel"
    return "degree" if column in ("yaw", "pitch", "roll") else ""


def _rows(path: Path, start: float) -> Iterator[str]:
    with open_regular(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        at = header.index("capture_time")
        yield "\t".join(["time", *header]) + "\n"
        for row in reader:
            if len(row) == len(header):
                cells = [" ".join(cell.split()) or NONE for cell in row]
                yield "\t".join([f"{float(row[at]) - start:.6f}", *cells]) + "\n"


def _film_sidecar(film: Film) -> dict[str, Any]:
    return {
        "RecordingDuration": round(film.seconds, 3),
        "VideoCodec": film.codec,
        "VideoFrameRate": round(film.rate, 3),
        "VideoFrameCount": film.frames,
        "ImageWidth": film.size[0],
        "ImageHeight": film.size[1],
        **({"AudioCodec": film.sound} if film.sound else {}),
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
