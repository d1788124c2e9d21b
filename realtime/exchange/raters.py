"""Agreement of two coders: Cohen's kappa of each code over time, and how many of their events are the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from realtime.clinic.agreement import kappa
from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations
from realtime.exchange.notes import face_words

SAME_EVENT = 0.5
"""Least share of their common span that two labels overlap by, so that they are one event."""
SAME_MOMENT = 500
"""Milliseconds that two markers may be apart."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CodeAgreement:
    """One code.

    Attributes:
        code: its name; of labels about a face, with the face.
        kind: label or marker.
        kappa: over time; None: it is not defined, or the code is a marker's.
        seconds: how long both, only the first, only the second and neither say it; empty for markers.
        events: of the first, of the second, and matched.
    """

    code: str
    kind: str
    kappa: float | None
    seconds: tuple[float, ...]
    events: tuple[int, int, int]

    @property
    def f1(self) -> float | None:
        """Share of the events that are matched, 2 m / (a + b); None: there are none."""
        first, second, matched = self.events
        return 2 * matched / (first + second) if first + second else None


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """Every code of two coders.

    Attributes:
        codes: in the first coder's order.
        end: milliseconds; the time from 0 to here was compared.
        excluded: milliseconds of it that one of them excluded.
    """

    codes: Sequence[CodeAgreement]
    end: int
    excluded: int


def compare_raters(a: Annotations, b: Annotations, until: int | None = None) -> RaterAgreement:
    """Compare two coders from 0 to `until`, without what either of them excludes.

    Args:
        a: of the first.
        b: of the second.
        until: milliseconds; None: the end of the last annotation of either.

    Raises:
        UserInputError: one has neither a label nor a marker, or nothing is left to compare.
    """
    for one in (a, b):
        if not one.labels and not one.points:
            raise UserInputError(
                f"{one.coder or 'A coder'} has neither a label nor a marker, so nothing can be compared."
            )
    ends = [label.end for one in (a, b) for label in one.labels]
    end = max([*ends, *(point.at + 1 for one in (a, b) for point in one.points)]) if until is None else until
    excluded = merged([(one.start, one.end) for side in (a, b) for one in side.exclusions])
    window = without([(0, end)], excluded)
    if not length(window):
        raise UserInputError("No time is left that both coders have coded: everything is excluded.")
    names = dict.fromkeys([*(code.name for code in a.codes), *(code.name for code in b.codes)])
    faces = sorted({0, *(label.face for one in (a, b) for label in one.labels)})
    found = []
    for name, face in product(names, faces):
        spans = _spans(a, name, face, window), _spans(b, name, face, window)
        found.append(_label(f"{name} ({face_words(face)})" if face else name, *spans, length(window)))
    texts = dict.fromkeys([point.text for one in (a, b) for point in one.points])
    found += [_marker(text, _moments(a, text, window), _moments(b, text, window)) for text in texts]
    return RaterAgreement([one for one in found if sum(one.events)], end, end - length(window))


def _label(name: str, a: list[Span], b: list[Span], total: int) -> CodeAgreement:
    first, second = merged(a), merged(b)
    both = length(first) + length(second) - length(merged([*first, *second]))
    parts = (both, length(first) - both, length(second) - both)
    seconds = (*parts, total - sum(parts))
    pairs = [(_overlap(one, other), i, j) for i, one in enumerate(a) for j, other in enumerate(b)]
    matched = _matched([pair for pair in pairs if pair[0] >= SAME_EVENT])
    agreed = kappa(*seconds)
    return CodeAgreement(name, "label", agreed, tuple(part / 1000 for part in seconds), (len(a), len(b), matched))


def _marker(text: str, a: list[int], b: list[int]) -> CodeAgreement:
    pairs = [(-abs(one - other), i, j) for i, one in enumerate(a) for j, other in enumerate(b)]
    matched = _matched([pair for pair in pairs if -pair[0] <= SAME_MOMENT])
    return CodeAgreement(text, "marker", None, (), (len(a), len(b), matched))


def _matched(pairs: Sequence[tuple[float, int, int]]) -> int:
    """How many pairs there are when the best are taken first and nobody twice."""
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, i, j in sorted(pairs, reverse=True):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
    return len(taken[0])


def _overlap(a: Span, b: Span) -> float:
    common = min(a[1], b[1]) - max(a[0], b[0])
    return max(common, 0) / (max(a[1], b[1]) - min(a[0], b[0]))


def _spans(one: Annotations, code: str, face: int, window: list[Span]) -> list[Span]:
    """The labels' spans within the window; an exclude range cuts a span in two."""
    found: list[Span] = []
    for label in one.labels:
        parts = [
            (max(label.start, a), min(label.end, b))
            for a, b in window
            if label.code == code and label.face == face and label.start < b and a < label.end
        ]
        found += parts
    return found


def _moments(one: Annotations, text: str, window: list[Span]) -> list[int]:
    return [point.at for point in one.points if point.text == text and any(a <= point.at < b for a, b in window)]


def merged(spans: Sequence[Span]) -> list[Span]:
    """The same time as spans that do not touch, in order.

    Args:
        spans: (start, end).
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """What is left of spans when others are taken away.

    Args:
        spans: in order, not touching.
        taken: likewise.
    """
    found = []
    for start, end in spans:
        for a, b in taken:
            if a < end and start < b:
                if start < a:
                    found.append((start, a))
                start = max(start, b)
        if start < end:
            found.append((start, end))
    return found


def length(spans: Sequence[Span]) -> int:
    """Milliseconds of spans that do not overlap.

    Args:
        spans: (start, end).
    """
    return sum(end - start for start, end in spans)
