"""What people say about a session: labels on time spans from their own code list, point markers, exclude ranges.

Times are whole milliseconds from the session's first row (`capture_time` of that row is 0), so every exchange format holds
them exactly. Texts are one line without tabs, for the same reason. Each coder has a file of their own beside the session's
folder (see `realtime.exchange.store`); the session itself is never changed.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from realtime.errors import UserInputError
from realtime.files import one_line

LATEST = 10 * 24 * 3600 * 1000
"""Milliseconds (ten days): no annotation lies later."""
LONGEST = 500
"""Characters in a text."""
LONGEST_NAME = 80
"""Characters in a code or a coder's name."""
LARGEST_FACE = 999_999_999
"""The largest face id that a label can name."""
_SEPARATORS = ("Zl", "Zp")


class Code(NamedTuple):
    """One entry of the code list.

    Attributes:
        name: what is written on a span; unique in its list, capitals aside.
        meaning: for people.
    """

    name: str
    meaning: str = ""


class Label(NamedTuple):
    """A code on a time span.

    Attributes:
        start: milliseconds.
        end: milliseconds, after `start`; the span is start <= t < end.
        code: a name of the code list.
        comment: may be empty.
        face: `face_id` of whom it is about, in a session of several people; 0: nobody in particular.
    """

    start: int
    end: int
    code: str
    comment: str = ""
    face: int = 0


class Point(NamedTuple):
    """A marker at one moment.

    Attributes:
        at: milliseconds.
        text: what it says; may be empty.
        comment: may be empty.
    """

    at: int
    text: str
    comment: str = ""


class Exclusion(NamedTuple):
    """A time span that is to be left out of every analysis.

    Attributes:
        start: milliseconds.
        end: milliseconds, after `start`.
        reason: may be empty.
    """

    start: int
    end: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Annotations:
    """One coder's annotations of one session, sorted by time; texts have no blanks around them.

    Attributes:
        coder: who made them; empty: nobody said so.
        codes: the code list, in the coder's order.
        labels: spans may overlap.
        points: the markers.
        exclusions: spans may overlap.

    Raises:
        UserInputError: a text, a time or the code list is not as it should be, or a label's code is not in the list.
    """

    coder: str = ""
    codes: Sequence[Code] = ()
    labels: Sequence[Label] = ()
    points: Sequence[Point] = ()
    exclusions: Sequence[Exclusion] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "coder", checked_text(self.coder, "A coder's name", LONGEST_NAME))
        put(self, "codes", _checked_codes(self.codes))
        known = {code.name for code in self.codes}
        put(self, "labels", tuple(sorted(_checked_label(label, known) for label in self.labels)))
        put(self, "points", tuple(sorted(_checked_point(point) for point in self.points)))
        put(self, "exclusions", tuple(sorted(_checked_exclusion(one) for one in self.exclusions)))

    @property
    def empty(self) -> bool:
        """Whether there is neither an annotation nor a code list."""
        return not (self.codes or self.labels or self.points or self.exclusions)

    def excluded(self, at: int) -> bool:
        """Whether a moment is to be left out.

        Args:
            at: milliseconds.
        """
        return any(one.start <= at < one.end for one in self.exclusions)


def checked_text(text: str, what: str, longest: int = LONGEST) -> str:
    """Give a text without blanks around it.

    Args:
        text: one line.
        what: how the sentence calls it, with a capital.
        longest: characters.

    Raises:
        UserInputError: it is too long, or holds tabs, line ends or other control characters.
    """
    plain = text.strip()
    if len(plain) > longest:
        raise UserInputError(f"{what} has at most {longest} characters; this one has {len(plain):,}.")
    if any(_is_control(sign) for sign in plain):
        raise UserInputError(f"{what} is one line without tabs and control characters, not {plain[:60]!r}.")
    return plain


def one_line_text(text: str) -> str:
    """A text of another program as one line: tabs, line ends and control characters become blanks, what is too long is cut."""
    plain = "".join(" " if _is_control(sign) else sign for sign in text).strip()
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1].rstrip() + "…"


def _is_control(sign: str) -> bool:
    """Control characters, line separators, surrogates, and the code points that XML has no way to write."""
    return unicodedata.category(sign) in ("Cc", "Cs", *_SEPARATORS) or (ord(sign) & 0xFFFE) == 0xFFFE


def _checked_codes(codes: Iterable[Code]) -> tuple[Code, ...]:
    found = tuple(
        Code(checked_text(name, "A code", LONGEST_NAME), checked_text(meaning, "A code's meaning"))
        for name, meaning in codes
    )
    seen: dict[str, str] = {}
    for name, _ in found:
        if not name:
            raise UserInputError("A code of the code list has no name.")
        if name.casefold() in seen:
            raise UserInputError(
                f"The code list has {name!r} twice (also as {seen[name.casefold()]!r}); give every code a name of its own."
            )
        seen[name.casefold()] = name
    return found


def _checked_label(label: Label, known: set[str]) -> Label:
    start, end = _checked_span(label.start, label.end, "A label")
    code = label.code.strip()
    if code not in known:
        raise UserInputError(f"A label has the code {code[:LONGEST_NAME]!r}, which is not in the code list.")
    if isinstance(label.face, bool) or not isinstance(label.face, int) or not 0 <= label.face <= LARGEST_FACE:
        raise UserInputError(
            f"A label is about face {one_line(repr(label.face))[:40]}; faces are numbered from 1 to {LARGEST_FACE:,}."
        )
    return Label(start, end, code, checked_text(label.comment, "A label's comment"), label.face)


def _checked_point(point: Point) -> Point:
    at = _checked_time(point.at, "A marker")
    return Point(at, checked_text(point.text, "A marker's text"), checked_text(point.comment, "A marker's comment"))


def _checked_exclusion(one: Exclusion) -> Exclusion:
    start, end = _checked_span(one.start, one.end, "An exclude range")
    return Exclusion(start, end, checked_text(one.reason, "The reason of an exclude range"))


def _checked_span(start: int, end: int, what: str) -> tuple[int, int]:
    start, end = _checked_time(start, what), _checked_time(end, what)
    if end <= start:
        raise UserInputError(f"{what} ends at {end:,} ms, not after its start at {start:,} ms.")
    return start, end


def _checked_time(at: int, what: str) -> int:
    if isinstance(at, bool) or not isinstance(at, int):
        raise UserInputError(
            f"{what} has the time {one_line(repr(at))}; times are whole milliseconds from the session's first row."
        )
    if not 0 <= at <= LATEST:
        raise UserInputError(
            f"{what} lies at {one_line(f'{at:,}')} ms; times run from 0, the session's first row, to {LATEST:,} ms."
        )
    return at
