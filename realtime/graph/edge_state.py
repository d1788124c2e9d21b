"""What the two ends of an edge share: what waits, what is taken, and the books."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from realtime.graph.messages import Envelope, Reset
from realtime.graph.policies import Cause, Policy

log = logging.getLogger(__name__)


class EdgeStatistics(NamedTuple):
    """Counts since the start; put = delivered + sum(dropped.values()) + queued."""

    put: int
    delivered: int
    dropped: dict[str, int]
    queued: int
    deepest: int


class Entry(NamedTuple):
    """An envelope on an edge and when (graph clock, seconds) it was put there."""

    envelope: Envelope
    arrived: float


DropListener = Callable[[str, Cause, Envelope], None]


def _nothing() -> None:
    return None


@dataclass(eq=False, slots=True)
class EdgeState:
    """What both ends of an edge share."""

    name: str
    policy: Policy
    capacity: int
    items: deque[Entry] = field(default_factory=deque)
    resets: deque[Reset] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    put: int = 0
    delivered: int = 0
    dropped: dict[Cause, int] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    deepest: int = 0
    blocks: bool = False
    refused: bool = False  # a put was refused since: the producer wants to know when there is room
    settled: int = -1  # nothing with a sequence up to this one will still come
    nothing_at: set[int] = field(default_factory=set)  # nor with one of these
    carries_bounds: bool = True
    lapsed: bool = False  # the producer does not come back for now: no join waits for it
    ended: bool = False
    refusing: Cause | None = None  # every put is dropped with this cause
    on_readable: Callable[[], None] = _nothing
    on_writable: Callable[[], None] = _nothing
    on_drop: DropListener | None = None
    gate: Callable[[Envelope], bool] | None = None  # False: the consumer does not want this one

    def tell(self, lost: list[tuple[Cause, Envelope]]) -> None:
        """Tell the listener of drops; not under the lock."""
        if self.on_drop is not None:
            for cause, envelope in lost:
                try:
                    self.on_drop(self.name, cause, envelope)
                except Exception:
                    log.exception("a drop listener failed on edge %s", self.name)

    def settle(self, envelope: Envelope) -> bool:
        """Under the lock: take this envelope out of those taken; False where the books were closed on it."""
        for i, other in enumerate(self.taken):
            if other is envelope:
                del self.taken[i]
                return True
        return False

    def refuse(self, cause: Cause | None) -> None:
        """Drop what waits and every later put with `cause`; None opens the edge again."""
        lost: list[tuple[Cause, Envelope]] = []
        with self.lock:
            self.refusing = cause
            if cause is not None:
                lost = [(cause, entry.envelope) for entry in self.items]
                self.items.clear()
                if lost:
                    self.dropped[cause] = self.dropped.get(cause, 0) + len(lost)
        self.tell(lost)
        self.tell_producer()
        self.on_readable()

    def tell_producer(self) -> None:
        """There may be room again for one who was refused."""
        if self.refused:
            self.refused = False
            self.on_writable()
