"""What an exchange tells its user: the annotations, and a sentence for everything that a format could not hold as it was."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from realtime.errors import UserInputError
from realtime.exchange.annotations import LONGEST_NAME, Annotations, Code, Exclusion, Label, Point, one_line_text

_LARGEST_SECONDS = 1e9
_FACE = re.compile(r"face ([1-9][0-9]{0,8})", re.ASCII)


class Imported(NamedTuple):
    """What was read from another program's file.

    Attributes:
        annotations: with times from the start of that file.
        notes: sentences; empty: everything was taken as it was.
    """

    annotations: Annotations
    notes: list[str]


class Exported(NamedTuple):
    """What another program's file is to hold.

    Attributes:
        content: of the file.
        notes: sentences; empty: the file holds everything.
    """

    content: bytes
    notes: list[str]


class Gathering:
    """Annotations of another program's file, brought into our bounds one by one; what had to be changed is counted and told."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.labels: list[Label] = []
        self.points: list[Point] = []
        self.exclusions: list[Exclusion] = []
        self._counts: dict[str, int] = {}

    def note(self, sentence: str) -> None:
        """Count something that happened; `sentence` holds {n}, how often."""
        self._counts[sentence] = self._counts.get(sentence, 0) + 1

    def milliseconds(self, seconds: float) -> int:
        """A time in whole milliseconds.

        Args:
            seconds: from the file.

        Raises:
            UserInputError: that is no time.
        """
        if not abs(seconds) < _LARGEST_SECONDS:  # NaN is none, either
            raise UserInputError(f"The file is damaged: {seconds:g} s is no time of a recording.")
        exact = 1000.0 * seconds
        nearest = round(exact)
        if abs(exact - nearest) > 1e-3:
            self.note("{n} times were rounded to whole milliseconds.")
        return nearest

    def text(self, text: str) -> str:
        """A text as one line."""
        plain = one_line_text(text)
        if plain != text.strip():
            self.note("{n} texts were made one line without tabs, of at most 500 characters.")
        return plain

    def name(self, text: str) -> str:
        """A code's name."""
        plain = self.text(text)
        if len(plain) > LONGEST_NAME:
            self.note("{n} codes were longer than 80 characters and were cut.")
            plain = plain[: LONGEST_NAME - 1].rstrip() + "…"
        return plain

    def label(self, start: int, end: int, code: str, comment: str, face: int = 0) -> None:
        """Take a label; its code joins the list.

        Args:
            start: milliseconds.
            end: milliseconds.
            code: as the file has it.
            comment: as the file has it.
            face: whom it is about; 0: nobody in particular.
        """
        name = self.name(code)
        if start == end:
            self.note("{n} labels without a length became markers.")
            self.points.append(Point(start, name, self.text(comment)))
            return
        self.codes.setdefault(name, "")
        self.labels.append(Label(start, end, name, self.text(comment), face))

    def finish(self, coder: str = "") -> Imported:
        """Give everything.

        Args:
            coder: whose it is.

        Raises:
            UserInputError: a time lies before the start, or the codes are none that one list can hold.
        """
        earliest = min(
            [label.start for label in self.labels]
            + [point.at for point in self.points]
            + [one.start for one in self.exclusions],
            default=0,
        )
        if earliest < 0:
            raise UserInputError(
                f"An event lies {-earliest / 1000:g} s before the recording's start; shift the file's times first."
            )
        codes = [Code(name, meaning) for name, meaning in self.codes.items()]
        found = Annotations(coder, codes, self.labels, self.points, self.exclusions)
        return Imported(found, [sentence.format(n=count) for sentence, count in self._counts.items()])


def shifted(annotations: Annotations, by: int) -> Annotations:
    """The same annotations later.

    Args:
        annotations: of one coder.
        by: milliseconds; may be negative.

    Raises:
        UserInputError: one would begin before 0.
    """
    return Annotations(
        annotations.coder,
        annotations.codes,
        [label._replace(start=label.start + by, end=label.end + by) for label in annotations.labels],
        [point._replace(at=point.at + by) for point in annotations.points],
        [one._replace(start=one.start + by, end=one.end + by) for one in annotations.exclusions],
    )


def face_words(face: int) -> str:
    """How other programs' files call a face."""
    return f"face {face}"


def face_of(words: str) -> int:
    """The face that `face_words` calls so; 0: it is no such name."""
    found = _FACE.fullmatch(words.strip())
    return 0 if found is None else int(found[1])


def lanes(spans: Iterable[tuple[int, int]]) -> list[int]:
    """Give each of several spans, sorted by start, the first of several lanes in which it overlaps nothing.

    Args:
        spans: (start, end).
    """
    ends: list[int] = []
    found = []
    for start, end in spans:
        free = next((lane for lane, last in enumerate(ends) if last <= start), len(ends))
        ends[free : free + 1] = [end]
        found.append(free)
    return found
