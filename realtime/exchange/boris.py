"""BORIS: project files (JSON, format 7.0) and the tabular export of events (tab separated).

Labels and exclude ranges are state events, markers are point events. Overlapping labels of one code are told apart by the
subject (`overlap 2` …), because BORIS pairs START and STOP within a subject. Read with BORIS 8.27 (GPLv3; nothing of it is here).
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations
from realtime.exchange.coded_events import EXCLUDES, MARKERS, Event, events_of, take
from realtime.exchange.film import Film
from realtime.exchange.notes import Exported, Gathering, Imported
from realtime.exchange.tables import rows_of
from realtime.session.manifest import read_json
from realtime.session.spreadsheet import as_typed, guarded

_STATE, _POINT = "State event", "Point event"
_KEYS = "abcdefghijklmnopqrstuvwxyz0123456789"
_CODER = "coder: "
_COLUMNS = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation duration",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Media duration (s)",
    "FPS",
    "Subject",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Time",
    "Media file name",
    "Image index",
    "Image file path",
    "Comment",
)
_NONE = "NA"
T = TypeVar("T")


class _Mark(NamedTuple):
    """One end of an event, as BORIS stores it."""

    at: int
    subject: str
    name: str
    comment: str
    word: str


def _marks(annotations: Annotations) -> list[_Mark]:
    found = []
    for event in events_of(annotations):
        subject = f"overlap {event.lane + 1}" if event.lane else ""
        if event.category == MARKERS:
            found.append(_Mark(event.start, subject, event.name, event.comment, "POINT"))
        else:
            found.append(_Mark(event.start, subject, event.name, event.comment, "START"))
            found.append(_Mark(event.end, subject, event.name, "", "STOP"))
    # A span that begins where another of its code ends comes after it.
    return sorted(found, key=lambda mark: (mark.at, mark.word == "START", mark))


def write_project(annotations: Annotations, name: str, *, film: Film | None = None) -> Exported:
    """Make a BORIS project with one observation. It holds everything.

    Args:
        annotations: with times from the film's start.
        name: of the observation.
        film: None: a live observation.

    Raises:
        UserInputError: two annotations of different kinds would have one name.
    """
    marks, today = _marks(annotations), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    behaviours: dict[str, tuple[str, str, str]] = {code.name: (_STATE, code.meaning, "") for code in annotations.codes}
    for event in events_of(annotations):
        if event.category:
            behaviours.setdefault(event.name, (_POINT if event.category == MARKERS else _STATE, "", event.category))
    subjects = sorted({mark.subject for mark in marks} - {""}, key=lambda subject: int(subject.split()[1]))
    project = {
        "time_format": "s",
        "project_date": today,
        "project_name": name,
        "project_description": f"{_CODER}{annotations.coder}" if annotations.coder else "",
        "project_format_version": "7.0",
        "subjects_conf": {
            str(number): {"key": "", "name": subject, "description": "where labels of one code overlap"}
            for number, subject in enumerate(subjects)
        },
        "behaviors_conf": {
            str(number): {
                "type": kind,
                "key": _KEYS[number] if number < len(_KEYS) else "",
                "code": behaviour,
                "description": meaning,
                "color": "",
                "category": category,
                "modifiers": {},
                "excluded": "",
                "coding map": "",
            }
            for number, (behaviour, (kind, meaning, category)) in enumerate(behaviours.items())
        },
        "observations": {name: _observation(marks, today, film)},
        "behavioral_categories": sorted({category for _, _, category in behaviours.values()} - {""}),
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    return Exported((json.dumps(project, indent=1, ensure_ascii=False) + "\n").encode(), [])


def _observation(marks: Iterable[_Mark], today: str, film: Film | None) -> dict[str, Any]:
    base = [[mark.at / 1000, mark.subject, mark.name, "", mark.comment] for mark in marks]
    files = {str(player): list[str]() for player in range(1, 9)}
    more: dict[str, Any] = {}
    if film is not None:
        files["1"].append(film.name)
        more["media_info"] = {
            "length": {film.name: film.seconds},
            "fps": {film.name: film.rate},
            "hasVideo": {film.name: True},
            "hasAudio": {film.name: bool(film.sound)},
            "offset": {"1": 0.0},
        }
    return {
        "file": files,
        "type": "LIVE" if film is None else "MEDIA",
        "date": today,
        "description": "",
        "time offset": 0.0,
        "events": base if film is None else [[*event, _NONE] for event in base],
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "close_behaviors_between_videos": False,
        **more,
    }


def write_events(annotations: Annotations, name: str, *, film: Film | None = None) -> Exported:
    """Make the table that BORIS exports as tabular events.

    Args:
        annotations: with times from the film's start.
        name: of the observation.
        film: None: a live observation.

    Raises:
        UserInputError: two annotations of different kinds would have one name.
    """
    marks = _marks(annotations)
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(_COLUMNS)
    source = _NONE if film is None else f"player #1:{film.name}"
    duration = max((mark.at for mark in marks), default=0) / 1000
    seconds, rate = (_NONE, _NONE) if film is None else (f"{film.seconds:.3f}", f"{film.rate:.3f}")
    kind = "Live observation" if film is None else "Media file(s)"
    categories = {event.name: event.category for event in events_of(annotations)}
    for mark in marks:
        head = (name, "", "", f"{duration:.3f}", kind, source, "0.0", seconds, rate)
        tail = (_NONE if film is None else film.name, _NONE, _NONE, guarded(mark.comment))
        own = (mark.subject, guarded(mark.name), categories[mark.name], mark.word, f"{mark.at / 1000:.3f}")
        table.writerow((*(guarded(cell) for cell in head), *own, *tail))
    notes = []
    used = {label.code for label in annotations.labels}
    if any(code.meaning or code.name not in used for code in annotations.codes):
        notes.append("A BORIS table holds no code list: meanings, unused codes and the codes' order are left out.")
    elif len(annotations.codes) > 1:
        notes.append("A BORIS table holds no code list: the codes' order is left out.")
    if annotations.coder:
        notes.append("A BORIS table does not say who the coder is.")
    return Exported(text.getvalue().encode(), notes)


def read_project(path: Path, observation: str | None = None) -> Imported:
    """Read one observation of a BORIS project.

    Args:
        path: of the .boris file.
        observation: its name; None: the only one.

    Raises:
        UserInputError: the file is damaged, or the observation is not in it.
    """
    project = read_json(path)
    try:
        found = _chosen(path, project["observations"], observation)
        return _read_observation(project, found)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, UserInputError):
            raise
        raise UserInputError(f"{path} is no BORIS project, or damaged ({str(error)[:60]}).") from None


def _chosen(path: Path, observations: Mapping[str, T], wanted: str | None) -> T:
    names = list(observations)
    if wanted is None and len(names) == 1:
        wanted = names[0]
    if wanted is not None and wanted in observations:
        return observations[wanted]
    shown = ", ".join(repr(name[:40]) for name in names[:8]) or "none"
    raise UserInputError(f"{path} holds the observations {shown}; say which with --observation NAME.")


def _read_observation(project: Mapping[str, Any], found: Mapping[str, Any]) -> Imported:
    gathering = Gathering()
    behaviours = {entry["code"]: entry for entry in project["behaviors_conf"].values()}
    for name, entry in behaviours.items():
        if entry.get("category") not in (MARKERS, EXCLUDES) and str(entry["type"]).startswith("State"):
            gathering.codes[gathering.name(name)] = gathering.text(str(entry.get("description", "")))
    offset = float(found.get("time offset", 0) or 0)
    if offset:
        gathering.note(f"The observation's time offset of {offset:g} s was taken off.")
    rows = []
    for event in found["events"]:
        at, subject, name, modifier, comment = (*event, "", "", "", "", "")[:5]
        entry = behaviours.get(name, {})
        word = "STATE" if str(entry.get("type", "")).startswith("State") else "POINT"
        text = f"{comment} [{modifier}]".strip() if str(modifier).strip("|") not in ("", "None") else str(comment)
        rows.append(_Row(_seconds(at) - offset, str(subject), str(name), str(entry.get("category", "")), text, word))
    _pair(gathering, rows)
    description = str(project.get("project_description", ""))
    coder = description.removeprefix(_CODER) if description.startswith(_CODER) else ""
    return gathering.finish(gathering.name(coder))


class _Row(NamedTuple):
    seconds: float
    subject: str
    name: str
    category: str
    comment: str
    word: str


def _pair(gathering: Gathering, rows: Sequence[_Row]) -> None:
    """Make spans of the starts and stops of each subject and code, in the order of the file."""
    subjects = {row.subject for row in rows if row.subject and not row.subject.startswith("overlap ")}
    opened: dict[tuple[str, str], _Row] = {}
    for row in rows:
        at, key = gathering.milliseconds(row.seconds), (row.subject, row.name)
        name = f"{row.subject}: {row.name}" if len(subjects) > 1 and row.subject in subjects else row.name
        if row.word == "POINT":
            take(gathering, Event(at, at, name, row.category, row.comment))
        elif key not in opened:
            opened[key] = row
        else:
            first = opened.pop(key)
            comment = " / ".join(text for text in (first.comment.strip(), row.comment.strip()) if text)
            take(gathering, Event(gathering.milliseconds(first.seconds), at, name, row.category, comment))
    for row in opened.values():
        gathering.note("{n} states have no end and became markers.")
        at = gathering.milliseconds(row.seconds)
        take(gathering, Event(at, at, row.name, "", row.comment))


def read_events(path: Path, observation: str | None = None) -> Imported:
    """Read a table of BORIS's tabular events, of one observation.

    Args:
        path: of the file, tab or comma separated.
        observation: its name; None: the only one.

    Raises:
        UserInputError: the file cannot be read, is no such table, or holds several observations.
    """
    rows = list(rows_of(path))
    kind = next((name for name in ("Behavior type", "Status") if rows and name in rows[0]), None)
    if rows and (kind is None or not {"Behavior", "Time"} <= rows[0].keys()):
        raise UserInputError(f"{path} is no table of BORIS's tabular events: it lacks Behavior, Behavior type or Time.")
    chosen = _chosen_rows(path, rows, observation)
    gathering = Gathering()
    try:
        found = [
            _Row(
                _seconds(row["Time"]) - _seconds(row.get("Time offset (s)") or 0),
                row.get("Subject") or "",
                as_typed(row["Behavior"]),
                row.get("Behavioral category") or "",
                as_typed(row.get("Comment") or ""),
                row[kind or ""],
            )
            for row in chosen
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise UserInputError(f"{path} is damaged: a row has no readable time ({str(error)[:60]}).") from None
    _pair(gathering, [row._replace(subject="" if row.subject == "No focal subject" else row.subject) for row in found])
    return gathering.finish()


def _chosen_rows(path: Path, rows: list[dict[str, str]], wanted: str | None) -> list[dict[str, str]]:
    by_name: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_name.setdefault(row.get("Observation id") or "", []).append(row)
    return _chosen(path, by_name, wanted) if rows else []


def _seconds(cell: object) -> float:
    """Raises ValueError."""
    found = float(str(cell))
    if not math.isfinite(found) or abs(found) > 1e6:
        raise ValueError(f"{cell} is no time in seconds")
    return found
