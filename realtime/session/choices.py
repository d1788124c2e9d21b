"""What somebody chose while a session ran, with the moment when it was chosen; above all which side is affected."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

OPTIONS = ("none", "left", "right")


class ChoiceChange(NamedTuple):
    """From this frame on it was this one. sequence -1: before the first frame."""

    value: str
    sequence: int
    capture_time: float


class LoggedChoice:
    """One of several, of which every change is kept. The first option is in force until another is chosen.

    now: (sequence, capture time) of the newest frame. changed: called after every change.
    """

    def __init__(
        self,
        options: Sequence[str],
        now: Callable[[], tuple[int, float]] = lambda: (-1, 0.0),
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.options = tuple(options)
        self.value = self.options[0]
        self.said: list[ChoiceChange] = []
        self.changed = changed
        self._now = now

    def choose(self, value: str) -> None:
        """value: one of `options`; what is so already changes nothing."""
        if value == self.value:
            return
        self.value = value
        self.said.append(ChoiceChange(value, *self._now()))
        self.changed()

    def as_dict(self) -> dict[str, Any] | None:
        """For session.json; None: nobody said anything."""
        if not self.said:
            return None
        return {"value": self.value, "changes": [said._asdict() for said in self.said]}


class AffectedSide(LoggedChoice):
    """Which of the patient's sides is affected. A session may begin before anybody has said it."""

    def __init__(
        self, now: Callable[[], tuple[int, float]] = lambda: (-1, 0.0), changed: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(OPTIONS, now, changed)


def in_words(stored: Mapping[str, Any] | None, start: float) -> str:
    """What session.json holds, for people. start: capture time of the first row."""
    if not stored:
        return "not said"
    words = [
        f"{said['value']} (said at {max(0.0, float(said['capture_time']) - start):.1f} s)" for said in stored["changes"]
    ]
    return ", then ".join(words)
