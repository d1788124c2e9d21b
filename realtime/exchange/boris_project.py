"""BORIS's project files (JSON, format 7.0), with one observation.

Labels and exclude ranges are state events, markers are point events. A label about a face has the subject `face 2`. Overlapping
labels of one code are told apart by the subject, too (`overlap 2`, `face 2 overlap 2` …), because BORIS pairs START and STOP within
a subject. Read with BORIS 8.27 (GPLv3; nothing of it is here).
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations
from realtime.exchange.boris_events import Mark, Row, chosen, marks_of, pair, seconds_of
from realtime.exchange.coded_events import EXCLUDES, MARKERS, events_of
from realtime.exchange.film import Film
from realtime.exchange.notes import Exported, Gathering, Imported
from realtime.session.manifest import read_json

_STATE, _POINT = "State event", "Point event"
_KEYS = "abcdefghijklmnopqrstuvwxyz0123456789"
_CODER = "coder: "
_NONE = "NA"


def write_project(annotations: Annotations, name: str, *, film: Film | None = None) -> Exported:
    """Make a BORIS project with one observation. It holds everything.

    Args:
        annotations: with times from the film's start.
        name: of the observation.
        film: None: a live observation.

    Raises:
        UserInputError: two annotations of different kinds would have one name.
    """
    marks, today = marks_of(annotations), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    behaviours: dict[str, tuple[str, str, str]] = {code.name: (_STATE, code.meaning, "") for code in annotations.codes}
    for event in events_of(annotations):
        if event.category:
            behaviours.setdefault(event.name, (_POINT if event.category == MARKERS else _STATE, "", event.category))
    subjects = sorted({mark.subject for mark in marks} - {""}, key=_in_order)
    project = {
        "time_format": "s",
        "project_date": today,
        "project_name": name,
        "project_description": f"{_CODER}{annotations.coder}" if annotations.coder else "",
        "project_format_version": "7.0",
        "subjects_conf": {
            str(number): {"key": "", "name": subject, "description": _meaning(subject)}
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


def _in_order(subject: str) -> list[tuple[str, int]]:
    words = subject.split()
    return [(word, int(number)) for word, number in zip(words[::2], words[1::2], strict=True)]


def _meaning(subject: str) -> str:
    """What a subject stands for."""
    about = f"whom a label is about: face_id {subject.split()[1]}" if subject.startswith("face") else ""
    overlap = "where labels of one code overlap" if "overlap" in subject else ""
    return "; ".join(text for text in (about, overlap) if text)


def _observation(marks: Iterable[Mark], today: str, film: Film | None) -> dict[str, Any]:
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
        found = chosen(path, project["observations"], observation)
        return _read_observation(project, found)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, UserInputError):
            raise
        raise UserInputError(f"{path} is no BORIS project, or damaged ({str(error)[:60]}).") from None


def _read_observation(project: Mapping[str, Any], found: Mapping[str, Any]) -> Imported:
    gathering = Gathering()
    behaviours = {entry["code"]: entry for entry in project["behaviors_conf"].values()}
    for name, entry in behaviours.items():
        if entry.get("category") not in (MARKERS, EXCLUDES) and str(entry["type"]).startswith("State"):
            gathering.codes[gathering.name(name)] = gathering.text(str(entry.get("description", "")))
    offset = seconds_of(found.get("time offset", 0) or 0)
    if offset:
        gathering.note(f"The observation's time offset of {offset:g} s was taken off.")
    rows = []
    for event in found["events"]:
        at, subject, name, modifier, comment = (*event, "", "", "", "", "")[:5]
        entry = behaviours.get(name, {})
        word = "STATE" if str(entry.get("type", "")).startswith("State") else "POINT"
        text = f"{comment} [{modifier}]".strip() if str(modifier).strip("|") not in ("", "None") else str(comment)
        rows.append(Row(seconds_of(at) - offset, str(subject), str(name), str(entry.get("category", "")), text, word))
    pair(gathering, rows)
    description = str(project.get("project_description", ""))
    coder = description.removeprefix(_CODER) if description.startswith(_CODER) else ""
    return gathering.finish(gathering.name(coder))
