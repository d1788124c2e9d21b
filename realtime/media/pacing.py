"""When each frame of a recording is due. Pure arithmetic: no clock, no waiting."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class PtsNormalizer:
    """A source's presentation times as seconds from its first frame, never going back.

    A frame without a time, or with one that does not move forward (joined files, broken muxers), is put one nominal
    period after the frame before it.
    """

    period: float = 1 / 30
    _origin: float | None = field(default=None, init=False)
    _last: float = field(default=0.0, init=False)

    def update(self, time: float | None) -> float:
        """The frame's place on the line in seconds. `time`: the source's own seconds, or None."""
        if self._origin is None:
            self._origin = time if time is not None else 0.0
            self._last = 0.0
            return 0.0
        place = self._last + self.period if time is None else time - self._origin
        if place <= self._last:
            place = self._last + self.period
            if time is not None:
                self._origin = time - place
        self._last = place
        return place


@dataclass(slots=True)
class Schedule:
    """Turns places on the line into due times: the first frame is due when it is first asked for, the rest follow it.

    A reader that comes late gets its frame at once, with the time it was due: the schedule never shifts.
    """

    _start: float | None = field(default=None, init=False)

    def due(self, place: float, now: float) -> float:
        """Seconds on the caller's clock at which the frame at `place` is due.

        Args:
            place: of the frame on the line, seconds.
            now: seconds on the caller's clock.
        """
        if self._start is None:
            self._start = now - place
        return self._start + place
