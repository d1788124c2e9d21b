"""What both ends of an edge share, and what is counted there."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from realtime.graph.messages import Envelope, Reset
from realtime.graph.policies import DropReason, Policy

log = logging.getLogger(__name__)


class EdgeStatistics(NamedTuple):
    """Counts since the start; put = delivered + sum(dropped.values()) + queued.

    Attributes:
        put: envelopes that the producer put.
        delivered: those that the consumer finished.
        dropped: the others, by the reason's name.
        queued: those that wait now.
        deepest: the most that ever waited.
    """

    put: int
    delivered: int
    dropped: dict[str, int]
    queued: int
    deepest: int


class Entry(NamedTuple):
    """An envelope on an edge and when (graph clock, seconds) it was put there.

    Attributes:
        envelope: what waits.
        arrived: seconds on the graph's clock.
    """

    envelope: Envelope[Any]
    arrived: float


DropListener = Callable[[DropReason, Envelope[Any]], None]


def _nothing() -> None:
    return None


@dataclass(eq=False, slots=True)
class EdgeState:
    """What both ends of an edge share.

    Attributes:
        name: producer→consumer.
        policy: what happens when it is full.
        capacity: envelopes that fit; `Latest` has 1.
        items: what waits, oldest first.
        resets: control messages that wait.
        lock: held while any of this is read or changed.
        put: see `EdgeStatistics`.
        delivered: likewise, finished by the consumer.
        dropped: by reason.
        taken: envelopes that the consumer is at work on.
        deepest: the most that ever waited.
        blocks: whether the producer waits when it is full.
        refused: the producer was told that it is full, and waits to hear of room.
        watermark: no sequence up to this one will still come.
        skipped: sequences after it that will not come.
        carries_watermark: whether a join downstream asks for watermarks.
        unavailable: no sequence will come at present.
        ended: the producer puts no more.
        refusing: the reason for dropping every put; None: none.
        on_readable: see `Edge.wire` and `Edge.gated`.
        on_writable: likewise.
        on_drop: likewise.
        gate: likewise.
    """

    name: str
    policy: Policy
    capacity: int
    items: deque[Entry] = field(default_factory=deque)
    resets: deque[Reset] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    put: int = 0
    delivered: int = 0
    dropped: dict[DropReason, int] = field(default_factory=dict)
    taken: list[Envelope[Any]] = field(default_factory=list)
    deepest: int = 0
    blocks: bool = False
    refused: bool = False  # a put was refused since: the producer wants to know when there is room
    watermark: int = -1  # nothing with a sequence up to this one will still come
    skipped: set[int] = field(default_factory=set)  # nor with one of these
    carries_watermark: bool = True
    unavailable: bool = False  # the producer does not come back for now: no join waits for it
    ended: bool = False
    refusing: DropReason | None = None  # every put is dropped with this reason
    on_readable: Callable[[], None] = _nothing
    on_writable: Callable[[], None] = _nothing
    on_drop: DropListener | None = None
    gate: Callable[[Envelope[Any]], bool] | None = None  # False: the consumer does not want this one

    def report_drops(self, lost: list[tuple[DropReason, Envelope[Any]]]) -> None:
        """Call the listener of drops; not under the lock.

        Args:
            lost: reason and envelope of each.
        """
        if self.on_drop is not None:
            for reason, envelope in lost:
                try:
                    self.on_drop(reason, envelope)
                except Exception:
                    log.exception("a drop listener failed on edge %s", self.name)

    def release(self, envelope: Envelope[Any]) -> bool:
        """Under the lock: take this envelope out of those taken; False where the books were closed on it.

        Args:
            envelope: the one.
        """
        for i, other in enumerate(self.taken):
            if other is envelope:
                del self.taken[i]
                return True
        return False

    def refuse(self, reason: DropReason | None) -> None:
        """Drop what waits and every later put with `reason`; None opens the edge again."""
        lost: list[tuple[DropReason, Envelope[Any]]] = []
        with self.lock:
            self.refusing = reason
            if reason is not None:
                lost = [(reason, entry.envelope) for entry in self.items]
                self.items.clear()
                if lost:
                    self.dropped[reason] = self.dropped.get(reason, 0) + len(lost)
        self.report_drops(lost)
        self.wake_producer()
        self.on_readable()

    def wake_producer(self) -> None:
        """There may be room again for one who was refused."""
        if self.refused:
            self.refused = False
            self.on_writable()
