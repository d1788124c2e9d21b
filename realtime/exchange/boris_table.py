"""BORIS's tabular events: the table of one observation that it exports, tab separated."""

import csv
import io
from pathlib import Path

from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations
from realtime.exchange.boris_events import Row, chosen, marks_of, pair, seconds_of
from realtime.exchange.coded_events import events_of
from realtime.exchange.film import Film
from realtime.exchange.notes import Exported, Gathering, Imported
from realtime.exchange.tables import rows_of
from realtime.spreadsheet import as_typed, guarded

_NONE = "NA"
_TIMES = ("Time", "Time offset (s)")
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


def write_events(annotations: Annotations, name: str, *, film: Film | None = None) -> Exported:
    """Make the table that BORIS exports as tabular events.

    Args:
        annotations: with times from the film's start.
        name: of the observation.
        film: None: a live observation.

    Raises:
        UserInputError: two annotations of different kinds would have one name.
    """
    marks = marks_of(annotations)
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


def read_events(path: Path, observation: str | None = None) -> Imported:
    """Read a table of BORIS's tabular events, of one observation.

    Args:
        path: of the file, tab, semicolon or comma separated.
        observation: its name; None: the only one.

    Raises:
        UserInputError: the file cannot be read, is no such table, or holds several observations.
    """
    rows = list(rows_of(path, numbers=_TIMES.__contains__))
    kind = next((name for name in ("Behavior type", "Status") if rows and name in rows[0]), None)
    if rows and (kind is None or not {"Behavior", "Time"} <= rows[0].keys()):
        raise UserInputError(f"{path} is no table of BORIS's tabular events: it lacks Behavior, Behavior type or Time.")
    rows = _chosen_rows(path, rows, observation)
    gathering = Gathering()
    try:
        found = [
            Row(
                seconds_of(row["Time"]) - seconds_of(row.get("Time offset (s)") or 0),
                row.get("Subject") or "",
                as_typed(row["Behavior"]),
                row.get("Behavioral category") or "",
                as_typed(row.get("Comment") or ""),
                row[kind or ""],
            )
            for row in rows
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise UserInputError(f"{path} is damaged: a row has no readable time ({str(error)[:60]}).") from None
    pair(gathering, [row._replace(subject="" if row.subject == "No focal subject" else row.subject) for row in found])
    return gathering.finish()


def _chosen_rows(path: Path, rows: list[dict[str, str]], wanted: str | None) -> list[dict[str, str]]:
    by_name: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_name.setdefault(row.get("Observation id") or "", []).append(row)
    return chosen(path, by_name, wanted) if rows else []
