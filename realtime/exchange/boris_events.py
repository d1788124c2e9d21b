"""What BORIS's projects and tables have in common: starts and stops of events, paired within a subject and a code."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations
from realtime.exchange.coded_events import MARKERS, Event, events_of, take
from realtime.exchange.notes import Gathering, face_of, face_words

T = TypeVar("T")
_OURS = re.compile(r"(?=.)(?P<face>face [1-9][0-9]{0,8})?(?:(?:^| )overlap [0-9]+)?", re.ASCII)
"""A subject that this program writes."""


class Mark(NamedTuple):
    """One end of an event, as BORIS stores it.

    Attributes:
        at: milliseconds.
        subject: empty: nobody in particular.
        name: of the behaviour.
        comment: may be empty.
        word: POINT, START or STOP.
    """

    at: int
    subject: str
    name: str
    comment: str
    word: str


def marks_of(annotations: Annotations) -> list[Mark]:
    """Every annotation as starts, stops and points, in BORIS's order.

    Raises:
        UserInputError: two annotations of different kinds would have one name.
    """
    found = []
    for event in events_of(annotations):
        subject = _subject(event.face, event.lane)
        if event.category == MARKERS:
            found.append(Mark(event.start, subject, event.name, event.comment, "POINT"))
        else:
            found.append(Mark(event.start, subject, event.name, event.comment, "START"))
            found.append(Mark(event.end, subject, event.name, "", "STOP"))
    # A span that begins where another of its code ends comes after it.
    return sorted(found, key=lambda mark: (mark.at, mark.word == "START", mark))


def _subject(face: int, lane: int) -> str:
    """The subject that stands for a face, and for labels of one code that overlap; empty: neither."""
    words = [face_words(face)] if face else []
    return " ".join([*words, f"overlap {lane + 1}"] if lane else words)


def _face(subject: str) -> int:
    found = _OURS.fullmatch(subject)
    return face_of(found["face"] or "") if found else 0


def chosen(path: Path, observations: Mapping[str, T], wanted: str | None) -> T:
    """The observation that is meant.

    Args:
        path: of the file, for the sentence.
        observations: by name.
        wanted: a name; None: the only one.

    Raises:
        UserInputError: there are several, or none of this name.
    """
    names = list(observations)
    if wanted is None and len(names) == 1:
        wanted = names[0]
    if wanted is not None and wanted in observations:
        return observations[wanted]
    shown = ", ".join(repr(name[:40]) for name in names[:8]) or "none"
    raise UserInputError(f"{path} holds the observations {shown}; say which with --observation NAME.")


class Row(NamedTuple):
    """A row of a file.

    Attributes:
        seconds: from the film's start.
        subject: empty: nobody in particular.
        name: of the behaviour.
        category: of the behaviour.
        comment: may be empty.
        word: POINT for what has no length.
    """

    seconds: float
    subject: str
    name: str
    category: str
    comment: str
    word: str


def pair(gathering: Gathering, rows: Sequence[Row]) -> None:
    """Make spans of the starts and stops of each subject and code, in the order of the file.

    Args:
        gathering: takes them.
        rows: of one observation.
    """
    subjects = {row.subject for row in rows if row.subject and not _OURS.fullmatch(row.subject)}
    opened: dict[tuple[str, str], tuple[int, Row]] = {}
    for row in rows:
        at, key = gathering.milliseconds(row.seconds), (row.subject, row.name)
        name = f"{row.subject}: {row.name}" if len(subjects) > 1 and row.subject in subjects else row.name
        if row.word == "POINT":
            take(gathering, Event(at, at, name, row.category, row.comment, face=_face(row.subject)))
        elif key not in opened:
            opened[key] = at, row
        else:
            start, first = opened.pop(key)
            comment = " / ".join(text for text in (first.comment.strip(), row.comment.strip()) if text)
            take(gathering, Event(start, at, name, row.category, comment, face=_face(row.subject)))
    for at, row in opened.values():
        gathering.note("{n} states have no end and became markers.")
        take(gathering, Event(at, at, row.name, "", row.comment))


def seconds_of(cell: object) -> float:
    """A cell as a time.

    Raises:
        ValueError: it is none.
    """
    found = float(str(cell))
    if not math.isfinite(found) or abs(found) > 1e6:
        raise ValueError(f"{cell} is no time in seconds")
    return found
