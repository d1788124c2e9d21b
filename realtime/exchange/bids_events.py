"""BIDS: `_events.tsv` and its JSON sidecar.

`onset` and `duration` are seconds; a marker lasts 0. `trial_type` is the label's code or the marker's text, `kind` tells
labels, markers and exclude ranges apart; `face_id`, where labels have one, is whom they are about. The sidecar holds the code
list and the coder. Source: the BIDS specification 1.10, task events.
"""

import json
from pathlib import Path
from typing import Any

from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations, Exclusion, Point
from realtime.exchange.notes import Exported, Gathering, Imported, face_of
from realtime.exchange.tables import header_of, rows_of
from realtime.session.manifest import read_json
from realtime.spreadsheet import as_typed, guarded

NONE = "n/a"
_CODES = "CodeList"
_COLUMNS = ("onset", "duration", "trial_type", "kind", "comment")
_FACE = "face_id"
_TIMES = ("onset", "duration")
_KINDS = {
    "label": "a code on a time span",
    "marker": "a moment; trial_type is its text",
    "exclude": "a time span to be left out of every analysis; comment is the reason",
}


def write_events(annotations: Annotations) -> Exported:
    """Make `_events.tsv`.

    Args:
        annotations: with times from the recording's start.
    """
    lines = [(one.start, one.end, one.code, "label", one.comment, one.face) for one in annotations.labels]
    lines += [(one.at, one.at, one.text, "marker", one.comment, 0) for one in annotations.points]
    lines += [(one.start, one.end, "", "exclude", one.reason, 0) for one in annotations.exclusions]
    faces = any(label.face for label in annotations.labels)
    rows = ["\t".join((*_COLUMNS, _FACE) if faces else _COLUMNS)]
    for start, end, name, kind, comment, face in sorted(lines):
        cells = [f"{start / 1000:.3f}", f"{(end - start) / 1000:.3f}", _cell(name), kind, _cell(comment)]
        rows.append("\t".join([*cells, str(face or NONE)] if faces else cells))
    missing = sum(NONE in (line[2], line[4]) for line in lines)
    notes = [f"BIDS writes {NONE} for an empty cell: {missing} texts {NONE!r} come back empty."] if missing else []
    return Exported(("\n".join(rows) + "\n").encode(), notes)


def write_sidecar(annotations: Annotations) -> Exported:
    """Make `_events.json`.

    Args:
        annotations: of one coder.
    """
    codes = {code.name: code.meaning for code in annotations.codes}
    markers = {point.text: "a marker" for point in annotations.points if point.text}
    content: dict[str, Any] = {
        "onset": {"Description": "from the recording's start", "Units": "s"},
        "duration": {"Description": "0: a moment", "Units": "s"},
        "trial_type": {
            "Description": "the label's code, or the marker's text",
            "Levels": {guarded(name): meaning for name, meaning in {**markers, **codes}.items()},
        },
        "kind": {"Description": "what the row is", "Levels": _KINDS},
        "comment": {"Description": "the coder's comment, or why a span is excluded"},
        _CODES: codes,
    }
    if any(label.face for label in annotations.labels):
        content[_FACE] = {"Description": "whom a label is about: face_id of the rows; n/a: nobody in particular"}
    if annotations.coder:
        content["Coder"] = annotations.coder
    return Exported((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(), [])


def _cell(text: str) -> str:
    """A cell. One that begins with a quotation mark is quoted, as readers of tables (pandas, ours) take it to be."""
    cell = guarded(text) if text else NONE
    return '"' + cell.replace('"', '""') + '"' if cell.startswith('"') else cell


def read_events(path: Path) -> Imported:
    """Read an `_events.tsv` file of this program or of anybody, with its sidecar where there is one.

    Columns that are not ours are kept in the comment, as `name=value`.

    Args:
        path: of the .tsv file.

    Raises:
        UserInputError: it cannot be read, or lacks onset or duration.
    """
    if not {"onset", "duration"} <= set(header_of(path)):
        raise UserInputError(f"{path} is no BIDS events file: it lacks the columns onset and duration.")
    gathering = Gathering()
    coder, ours = _sidecar(path, gathering)
    for row in rows_of(path, numbers=_TIMES.__contains__):
        cells = {name: "" if cell == NONE else as_typed(cell) for name, cell in row.items()}
        try:
            _take(gathering, cells, ours=ours or "kind" in cells)
        except ValueError as error:
            if isinstance(error, UserInputError):
                raise
            raise UserInputError(f"{path} is damaged: a row has no readable onset ({str(error)[:60]}).") from None
    return gathering.finish(gathering.name(coder))


def _sidecar(path: Path, gathering: Gathering) -> tuple[str, bool]:
    """Take the code list of the sidecar; gives the coder and whether the sidecar is this program's."""
    sidecar = path.with_suffix(".json")
    if not sidecar.is_file():
        return "", False
    content = read_json(sidecar)
    described = content.get("trial_type", {})
    levels = content.get(_CODES, described.get("Levels", {}) if isinstance(described, dict) else {})
    if isinstance(levels, dict):
        for name, meaning in levels.items():
            text = meaning.get("Description", "") if isinstance(meaning, dict) else meaning
            gathering.codes[gathering.name(name)] = gathering.text(str(text))
    return str(content.get("Coder", "")), isinstance(content.get("kind"), dict)


def _take(gathering: Gathering, cells: dict[str, str], *, ours: bool) -> None:
    seconds = float(cells["onset"]), float(cells["duration"] or 0)
    start = gathering.milliseconds(seconds[0])
    end = gathering.milliseconds(seconds[0] + seconds[1])
    name, kind, comment = cells.get("trial_type", ""), cells.get("kind", ""), cells.get("comment", "")
    face = face_of(f"face {cells.get(_FACE, '')}")
    known = (*_COLUMNS, _FACE) if face else _COLUMNS
    more = "; ".join(f"{key}={cell}" for key, cell in cells.items() if cell and key not in known)
    comment = "; ".join(text for text in (comment, more) if text)
    if ours and kind == "exclude":
        gathering.exclusions.append(Exclusion(start, end, gathering.text(comment)))
    elif kind == "marker" or start == end:
        gathering.points.append(Point(start, gathering.text(name), gathering.text(comment)))
    else:
        gathering.label(start, end, name or "event", comment, face)
