"""What Action Units are measured against, and how one reference gives way to the next without a jump."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realtime.action_units.baseline import Baseline
from realtime.action_units.rest_frame import RestFrame
from realtime.types import Sides

Intensities = dict[int, float]

BLEND_SECONDS = 1.0
"""How long a change of the reference is blended in."""
_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Reference:
    """What a person's face is compared with.

    Attributes:
        baseline: the face at rest; None: nothing is known, the mean face stands in.
        picture: the picture at rest from which movements of the skin are followed; None while there is none.
        calibrated: somebody took the baseline on purpose, now or earlier.
    """

    baseline: Baseline | None = None
    picture: RestFrame | None = None
    calibrated: bool = False


UNKNOWN = Reference()
"""Of a person of whom nothing is known."""


class ReferenceBlend:
    """The reference in force. A change is blended in over a second; further changes wait until it is over.

    The pauses between two revisions grow from 1 to 30 seconds: early ones matter, late ones change little.

    Attributes:
        current: the newest reference.
        previous: what it takes over from; None where there is no change under way.
    """

    def __init__(self) -> None:
        self.restart(UNKNOWN)

    def restart(self, reference: Reference) -> None:
        """Another person is measured from here on: there is nothing to blend from.

        Args:
            reference: the person's.
        """
        self.current = reference
        self.previous: Reference | None = None
        self._since = self._pause_ends = 0.0
        self._pause = _SHORTEST_PAUSE

    def may_change(self, time: float, *, at_once: bool = False) -> bool:
        """Whether `change` would be heeded at `time` (seconds).

        Args:
            time: capture time, seconds.
            at_once: not bound to the pauses between revisions.
        """
        return self.previous is None and (at_once or time >= self._pause_ends)

    def change(self, reference: Reference, time: float) -> None:
        """Begin to blend in another reference.

        Args:
            reference: the other one.
            time: capture time, seconds.
        """
        self.previous, self.current = self.current, reference
        self._since = time
        self._pause_ends = time + max(self._pause, BLEND_SECONDS)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def share(self, time: float) -> float:
        """How far `current` is in force at `time` (seconds), 0 to 1; the blend ends where it reaches 1."""
        if self.previous is None:
            return 1.0
        share = min(max((time - self._since) / BLEND_SECONDS, 0.0), 1.0)
        if share >= 1.0:
            self.previous = None
        return share

    def in_force(self, time: float) -> tuple[Reference, ...]:
        """What a frame taken at `time` (seconds) is measured against: `current`, and what it takes over from while it does."""
        self.share(time)
        return (self.current,) if self.previous is None else (self.current, self.previous)

    def blended(self, values: Sequence[Sides[Intensities]], time: float) -> tuple[Sides[Intensities], float]:
        """Intensities of one frame, and the share of `current` in them.

        Args:
            values: of the frame against each reference that was `in_force`.
            time: capture time of the frame, seconds.
        """
        share = self.share(time)
        if len(values) < 2:
            return values[0], share
        new, old = values
        return Sides(*(mixed(a, b, share) for a, b in zip(old, new, strict=True))), share


def mixed(old: Mapping[int, float], new: Mapping[int, float], share: float) -> Intensities:
    """Intensities between two references' values.

    Args:
        old: by Action Unit.
        new: likewise.
        share: of `new`, 0 to 1.
    """
    return {unit: old[unit] + share * (value - old[unit]) for unit, value in new.items()}
