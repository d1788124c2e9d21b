"""Annotations as programs know them that have one list of named events: markers and exclude ranges have a category there.

A marker's text is its event's name. Where a label's code has the same name, and where the text is empty, ` (marker)` stands
behind it; it is taken away again when the event is read.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations, Exclusion, Point
from realtime.exchange.notes import Gathering, lanes

MARKERS, EXCLUDES = "facemirror markers", "facemirror exclude ranges"
EXCLUDE = "exclude (range)"
_MARKER = "(marker)"


class Event(NamedTuple):
    """One named event.

    Attributes:
        start: milliseconds.
        end: milliseconds; equal to `start` for what has no length.
        name: as the other program shows it.
        category: empty for labels.
        comment: may be empty.
        lane: events of one name, face and lane do not overlap.
        face: whom it is about; 0: nobody in particular.
    """

    start: int
    end: int
    name: str
    category: str = ""
    comment: str = ""
    lane: int = 0
    face: int = 0


def events_of(annotations: Annotations) -> Iterator[Event]:
    """Every annotation as a named event.

    Args:
        annotations: of one coder.

    Raises:
        UserInputError: two of different kinds would have one name.
    """
    codes = {code.name for code in annotations.codes}
    if annotations.exclusions and EXCLUDE in codes:
        raise UserInputError(
            f"A code is called {EXCLUDE!r}, which is the name of exclude ranges there; rename the code."
        )
    for code in annotations.codes:
        for face in sorted({label.face for label in annotations.labels if label.code == code.name}):
            own = [label for label in annotations.labels if label.code == code.name and label.face == face]
            for label, lane in zip(own, lanes((one.start, one.end) for one in own), strict=True):
                yield Event(label.start, label.end, code.name, "", label.comment, lane, face)
    excluded = annotations.exclusions
    for one, lane in zip(excluded, lanes((one.start, one.end) for one in excluded), strict=True):
        yield Event(one.start, one.end, EXCLUDE, EXCLUDES, one.reason, lane)
    for point in annotations.points:
        yield Event(point.at, point.at, _marker_name(point.text, codes), MARKERS, point.comment)


def take(gathering: Gathering, event: Event) -> None:
    """Take one event of a file.

    Args:
        gathering: what was read so far.
        event: its category says what it is; without a length and a category it is a marker.
    """
    if event.category == EXCLUDES:
        gathering.exclusions.append(Exclusion(event.start, event.end, gathering.text(event.comment)))
    elif event.category == MARKERS:
        text = event.name.removesuffix(_MARKER).rstrip() if event.name.endswith(_MARKER) else event.name
        gathering.points.append(Point(event.start, gathering.text(text), gathering.text(event.comment)))
    elif event.start == event.end:
        gathering.points.append(Point(event.start, gathering.text(event.name), gathering.text(event.comment)))
    else:
        gathering.label(event.start, event.end, event.name, event.comment, event.face)


def _marker_name(text: str, codes: Collection[str]) -> str:
    if text and text not in codes and text != EXCLUDE and not text.endswith(_MARKER):
        return text
    name = f"{text} {_MARKER}".strip()
    if name in codes:
        raise UserInputError(f"A code is called {name!r}, as a marker would be there; rename the code or the marker.")
    return name
