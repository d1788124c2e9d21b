"""What the user chose while a session ran, with the moment of each choice; above all which side is affected."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

OPTIONS = ("none", "left", "right")


class ChoiceChange(NamedTuple):
    """One change.

    Attributes:
        value: holds from this frame on.
        sequence: of the frame; -1: before the first.
        capture_time: seconds.
    """

    value: str
    sequence: int
    capture_time: float


class LoggedChoice:
    """A choice between several options whose every change is logged.

    The first option holds until another is chosen.

    Args:
        options: what can be chosen.
        now: gives the sequence and capture time of the newest frame.
        changed: called after every change.

    Attributes:
        options: what can be chosen.
        value: the option that holds.
        changes: every change so far.
    """

    def __init__(
        self,
        options: Sequence[str],
        now: Callable[[], tuple[int, float]] = lambda: (-1, 0.0),
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.options = tuple(options)
        self.value = self.options[0]
        self.changes: list[ChoiceChange] = []
        self._changed = changed
        self._now = now

    def choose(self, value: str) -> None:
        """Change to `value`, one of `options`; the option that holds already is no change."""
        if value == self.value:
            return
        self.value = value
        self.changes.append(ChoiceChange(value, *self._now()))
        self._changed()

    def as_dict(self) -> dict[str, Any] | None:
        """Give the choice for session.json; None where nothing was chosen."""
        if not self.changes:
            return None
        return {"value": self.value, "changes": [change._asdict() for change in self.changes]}


class AffectedSide(LoggedChoice):
    """Which of the patient's sides is affected. A session may begin before it is chosen.

    Args:
        now: gives the sequence and capture time of the newest frame.
        changed: called after every change.
        first: that which holds from before the first frame.
    """

    def __init__(
        self,
        now: Callable[[], tuple[int, float]] = lambda: (-1, 0.0),
        changed: Callable[[], None] = lambda: None,
        first: str = "none",
    ) -> None:
        super().__init__(OPTIONS, now, changed)
        if first in OPTIONS and first != self.value:
            self.value = first
            self.changes.append(ChoiceChange(first, -1, 0.0))


def history(stored: Mapping[str, Any] | None, start: float) -> str:
    """Tell a stored choice with all its changes.

    Args:
        stored: what `as_dict` gave, from session.json.
        start: capture time of the first row, seconds.
    """
    if not stored:
        return "not chosen"
    changes = [
        f"{change['value']} (from {max(0.0, change['capture_time'] - start):.1f} s)" for change in stored["changes"]
    ]
    return ", then ".join(changes)
