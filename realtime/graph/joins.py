"""How a side input meets the primary one, and how long the primary may wait for it.

All three use only side values captured at or before the primary: nothing is drawn from the future.

`wait` is for the side input of the *same* sequence: a fast branch then gives each frame its own result. A wait ends at
once when the branch's watermark shows that there is no result for that sequence (it skipped, lost or failed it, or has moved on),
and after `wait` seconds from the primary's arrival in any case. A branch that was late several times in a row is not
waited for any more until one of its results comes in time again, so a slow or frozen branch costs a few waits, not one
per frame.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

from realtime.graph.edge_ends import Receiver
from realtime.graph.edge_state import Entry
from realtime.graph.messages import Envelope, Reset, Side
from realtime.graph.policies import DropReason

PATIENCE = 3  # late results in a row after which a branch is no longer waited for
_REMEMBERED = 256  # primaries whose arrival is remembered, to judge results that come late


@dataclass(frozen=True, slots=True)
class Exact:
    """The side value of the same sequence, or None where there is none. Same source required. Waits without end by default.

    Attributes:
        wait: the longest wait for it, seconds.
    """

    wait: float = math.inf

    def __str__(self) -> str:
        return f"Exact{_waits(self.wait)}"


@dataclass(frozen=True, slots=True)
class LatestBefore:
    """The newest side value not given before, at most `max_age` seconds older than the primary: for events.

    Attributes:
        max_age: seconds between the two captures.
        wait: the longest wait for it, seconds.
    """

    max_age: float
    wait: float = 0.0

    def __str__(self) -> str:
        return f"LatestBefore({self.max_age:g} s){_waits(self.wait)}"


@dataclass(frozen=True, slots=True)
class Hold:
    """The newest side value, given again (marked as not fresh) until it is `max_age` seconds old: for states.

    Attributes:
        max_age: seconds between the two captures.
        wait: the longest wait for a newer one, seconds.
    """

    max_age: float
    wait: float = 0.0

    def __str__(self) -> str:
        return f"Hold({self.max_age:g} s){_waits(self.wait)}"


def _waits(seconds: float) -> str:
    if seconds <= 0.0:
        return ""
    return ", waits" if math.isinf(seconds) else f", waits {1e3 * seconds:g} ms"


Join = Exact | LatestBefore | Hold


class SideInput:
    """One side input of one node: takes from its edge, keeps at most one value, decides when the primary may go on.

    Args:
        keyword: with which `process` gets it.
        join: which value a frame gets.
        receiver: the edge's end.
    """

    def __init__(self, keyword: str, join: Join, receiver: Receiver[Any]) -> None:
        self.keyword = keyword
        self.join = join
        self.receiver = receiver
        self.keeps_up = False  # the edge blocks its producer, so it must be read even while no primary comes
        self._held: Entry | None = None
        self._used = False
        self._resets: dict[str, int] = {}
        self._late = 0
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)

    def ready(self, primary: Entry, now: float, deadline: float) -> float | None:
        """None when the primary need not wait for this input (any more), else the time until which it may wait.

        Args:
            primary: the frame that waits.
            now: seconds.
            deadline: the primary's, seconds; waiting beyond it would only lose the frame.
        """
        envelope = primary.envelope
        time = None if isinstance(self.join, Exact) else envelope.capture_time
        entries, passed = self.receiver.take_until(envelope.sequence, time)
        while (message := self.receiver.take_reset(None)) is not None:
            self.interrupted(message)
        for entry in entries:
            self._replace(entry)
        wait = self.join.wait
        if wait <= 0.0 or passed or (self._held is not None and self._held.envelope.sequence >= envelope.sequence):
            return None
        until = min(primary.arrived + wait, deadline)
        if math.isinf(until):
            return until
        if self._late >= PATIENCE:
            self._remember(primary)
            return None
        if now < until:
            return until
        self._late += 1
        self._remember(primary)
        return None

    def advance_to(self, sequence: int) -> None:
        """No primary up to `sequence` will come any more: free the side's producer, should it be blocked.

        Args:
            sequence: the last one that came.
        """
        if self.keeps_up:
            for entry in self.receiver.take_passed(sequence):
                self._replace(entry)

    def _remember(self, primary: Entry) -> None:
        self._arrivals.append((primary.envelope.sequence, primary.arrived))

    def _replace(self, entry: Entry) -> None:
        self._judge(entry)
        if self._is_before_reset(entry.envelope):
            self.receiver.drop(DropReason.SUPERSEDED, entry.envelope)
            return
        self.forget(DropReason.SUPERSEDED)
        self._held, self._used = entry, False

    def _judge(self, entry: Entry) -> None:
        """Trust the branch again when a result came within `wait` of its primary."""
        sequence = entry.envelope.sequence
        while self._arrivals and self._arrivals[0][0] < sequence:
            self._arrivals.popleft()
        waited = bool(self._arrivals) and self._arrivals[0][0] == sequence
        if not waited or entry.arrived - self._arrivals[0][1] <= self.join.wait:
            self._late = 0

    def pick(self, primary: Envelope[Any], now: float) -> Side[Any] | None:
        """The value for this primary, as the join says.

        Args:
            primary: the frame.
            now: seconds.
        """
        entry = self._held
        if entry is None:
            return None
        side, join = entry.envelope, self.join
        age = max(0.0, primary.capture_time - side.capture_time)
        if isinstance(join, Exact):
            if side.sequence != primary.sequence:
                self.forget(DropReason.EXPIRED)
                return None
        elif age > join.max_age:
            self.forget(DropReason.EXPIRED)
            return None
        fresh = not self._used
        if fresh:
            self._used = True
            self.receiver.deliver(side)
            self.receiver.wait.record(now - entry.arrived)
        if not isinstance(join, Hold):
            self._held = None
        return Side(side.payload, side.sequence, side.capture_time, age, fresh, entry.arrived - side.capture_time)

    def interrupted(self, message: Reset) -> None:
        """What was captured before the interruption of its source is not given to a primary that follows it.

        Args:
            message: says from which sequence on.
        """
        self._resets[message.source] = max(message.sequence, self._resets.get(message.source, 0))
        if self._held is not None and self._is_before_reset(self._held.envelope):
            self.forget(DropReason.SUPERSEDED)

    def _is_before_reset(self, envelope: Envelope[Any]) -> bool:
        return bool(self._resets) and envelope.sequence < self._resets.get(envelope.source, 0)

    def forget(self, reason: DropReason) -> None:
        """Release the held value; it counts as dropped if no primary ever saw it.

        Args:
            reason: why it is released.
        """
        if self._held is not None and not self._used:
            self.receiver.drop(reason, self._held.envelope)
        self._held = None
