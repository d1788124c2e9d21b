"""The words after `when` and `until`: measures of the face compared with numbers, states of the face, and events.

    AU12.left > 2.5 for 0.4 s
    AU12.symmetry < 0.6 and AU12.larger > 1
    face lost for 2 s
    marker "smile"
    calibration done

A comparison is true, false, or unknown where its measure was not measured on this frame.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

from realtime.obs.measures import Measure, parse_measure
from realtime.types import Analysis

Truth = bool | None
"""None: it cannot be told on this frame."""

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_COMPARISON = re.compile(rf"(?P<measure>[A-Za-z_]\w*(?:\.\w+)*)\s*(?P<sign>>=|<=|>|<)\s*(?P<number>{_NUMBER})")
_DWELL = re.compile(rf"^(?P<rest>.*?)\s+for\s+(?P<seconds>{_NUMBER})\s*(?P<unit>s|ms)$", re.DOTALL)
_MOST_SECONDS = 600.0
_SHARE = 0.1
_SMALLEST = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """A measure against a number.

    Attributes:
        measure: what is compared.
        sign: one of > < >= <=.
        number: with what.
    """

    measure: Measure
    sign: str
    number: float

    def truth(self, analysis: Analysis) -> Truth:
        """Compare on this frame."""
        value = self.measure.value(analysis)
        if not math.isfinite(value):
            return None
        match self.sign:
            case ">":
                return value > self.number
            case ">=":
                return value >= self.number
            case "<":
                return value < self.number
        return value <= self.number

    def loosened(self) -> "Comparison":
        """Give the comparison that must fail before this one counts as over: its number is a tenth easier to meet."""
        room = max(_SMALLEST, _SHARE * abs(self.number))
        return Comparison(self.measure, self.sign, self.number + (room if self.sign[0] == "<" else -room))


@dataclass(frozen=True, slots=True)
class FaceState:
    """Whether a face is tracked.

    Attributes:
        found: which of both is asked for.
    """

    found: bool

    def truth(self, analysis: Analysis) -> Truth:
        """Look whether there is a face on this frame."""
        return (analysis.face is not None) is self.found

    def loosened(self) -> "FaceState":
        """Give the state itself: it has no threshold."""
        return self


@dataclass(frozen=True, slots=True)
class Condition:
    """All of its clauses together, for a time.

    Attributes:
        clauses: comparisons and states; empty for an event.
        seconds: for how long they must hold without a break before the condition is met.
        event: "calibration done", "marker", or empty. text: of the marker; empty: any.
        text: of the marker; empty: any.
    """

    clauses: tuple[Comparison | FaceState, ...]
    seconds: float = 0.0
    event: Literal["", "calibration done", "marker"] = ""
    text: str = ""

    def truth(self, analysis: Analysis) -> Truth:
        """Tell whether all clauses hold on this frame; unknown where one is unknown and none is false."""
        found = [clause.truth(analysis) for clause in self.clauses]
        if False in found:
            return False
        return None if None in found else True

    def loosened(self) -> "Condition":
        """Give the condition that decides when this one is over."""
        return Condition(tuple(clause.loosened() for clause in self.clauses), self.seconds)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it compares."""
        return tuple(clause.measure for clause in self.clauses if isinstance(clause, Comparison))


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Args:
        text: as in the configuration.

    Raises:
        ValueError: it cannot be read; the sentence says which word and what could stand there.
    """
    words, seconds = " ".join(text.split()), 0.0
    event = _event(words)
    if event is not None:
        return event
    dwell = _DWELL.match(words)
    if dwell:
        words, seconds = dwell["rest"], float(dwell["seconds"]) / (1e3 if dwell["unit"] == "ms" else 1.0)
        if not 0 <= seconds <= _MOST_SECONDS:
            raise ValueError(f"'for {dwell['seconds']} {dwell['unit']}' is no time from 0 to {_MOST_SECONDS:.0f} s")
    return Condition(tuple(_clause(part.strip()) for part in words.split(" and ")), seconds)


def _event(words: str) -> Condition | None:
    if words == "calibration done":
        return Condition((), event="calibration done")
    if words == "marker":
        return Condition((), event="marker")
    marker = re.fullmatch(r"marker [\"'](.*)[\"']", words)
    return Condition((), event="marker", text=marker[1]) if marker else None


def _clause(words: str) -> Comparison | FaceState:
    if words in ("face found", "face lost"):
        return FaceState(words == "face found")
    if words.startswith(("marker", "calibration")):
        raise ValueError(f"{words!r} is an event: it stands alone, without 'and' or 'for'")
    comparison = _COMPARISON.fullmatch(words)
    if comparison is None:
        raise ValueError(
            f"{words!r} cannot be read; a condition reads like 'AU12.left > 2.5 for 0.4 s', 'face lost for 2 s', "
            "'marker \"smile\"' or 'calibration done', joined by 'and'"
        )
    return Comparison(parse_measure(comparison["measure"]), comparison["sign"], float(comparison["number"]))
