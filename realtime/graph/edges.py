"""Edges: one shared state behind two typed end points, with a policy for the case that the consumer is slower.

Every envelope put on an edge ends in exactly one of three ways, so that at any moment

    put = delivered + sum(dropped.values()) + queued

where `queued` counts what waits on the edge and what the consumer has taken but neither delivered nor dropped yet.

Nothing here waits. `Sender.put_nowait` returns False where `Block` is full, and the edge calls `on_writable` when there
is room again; `on_readable` when there is something to take. Whoever drives a node (a thread, the event loop, the
virtual clock) turns these calls into waking up. All methods may be called from any thread.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from realtime.graph.histogram import DurationHistogram
from realtime.graph.messages import Envelope, GraphError, Reset
from realtime.graph.policies import Block, DropNewest, DropReason, Latest, Policy

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


T = TypeVar("T")


class Sender(Generic[T]):
    """The producer's end of an edge.

    Args:
        state: of the edge.
    """

    def __init__(self, state: EdgeState) -> None:
        self._state = state

    @property
    def name(self) -> str:
        """Of the edge."""
        return self._state.name

    def put_nowait(self, envelope: Envelope[T], now: float, wake: bool = True) -> bool:
        """Put, dropping as the policy says.

        Without `wake` the consumer learns of it by a later `wake()`, so that a thread is woken once for several edges.

        Args:
            envelope: what is put.
            now: seconds on the graph's clock.
            wake: whether the consumer is woken.

        Returns:
            False, and nothing was done, only where `Block` is full.
        """
        s = self._state
        if s.gate is not None and not s.gate(envelope):
            with s.lock:
                s.put += 1
                s.delivered += 1
            return True
        lost: list[tuple[DropReason, Envelope[Any]]] = []
        with s.lock:
            if s.refusing is not None or s.ended:
                s.put += 1
                lost.append((s.refusing or DropReason.STOPPING, envelope))
            else:
                full = len(s.items) >= s.capacity
                if full and s.blocks:
                    s.refused = True
                    return False
                s.put += 1
                if full and isinstance(s.policy, DropNewest):
                    lost.append((DropReason.OVERFLOW, envelope))
                else:
                    if full:
                        reason = DropReason.SUPERSEDED if isinstance(s.policy, Latest) else DropReason.OVERFLOW
                        lost.append((reason, s.items.popleft().envelope))
                    s.items.append(Entry(envelope, now))
                    if len(s.items) > s.deepest:
                        s.deepest = len(s.items)
            if envelope.sequence > s.watermark:
                s.watermark = envelope.sequence
            for reason, _ in lost:
                s.dropped[reason] = s.dropped.get(reason, 0) + 1
        if lost:
            s.report_drops(lost)
        if wake:
            s.on_readable()
        return True

    def wake(self) -> None:
        """Wake the consumer."""
        self._state.on_readable()

    def advance_watermark(self, sequence: int) -> None:
        """Nothing with a sequence up to `sequence` will still come. Joins do not wait for one any more."""
        s = self._state
        if not s.carries_watermark:
            return
        with s.lock:
            if sequence <= s.watermark:
                return
            s.watermark = sequence
            if s.skipped:
                s.skipped = {n for n in s.skipped if n > sequence}
        s.on_readable()

    def mark_skipped(self, sequence: int) -> None:
        """There will be nothing for this one sequence; earlier ones may still come."""
        s = self._state
        if not s.carries_watermark:
            return
        with s.lock:
            if sequence <= s.watermark:
                return
            s.skipped.add(sequence)
        s.on_readable()

    def reset(self, message: Reset) -> None:
        """Announce to the consumer that the stream was interrupted. On the control lane: data cannot evict it.

        Args:
            message: what was interrupted.
        """
        with self._state.lock:
            self._state.resets.append(message)
        self._state.on_readable()

    def end(self) -> None:
        """Nothing will be put any more; what waits can still be taken."""
        with self._state.lock:
            self._state.ended = True
        self._state.on_readable()


class Receiver(Generic[T]):
    """The consumer's end of an edge. Only the consuming node calls it.

    Args:
        state: of the edge.
    """

    def __init__(self, state: EdgeState) -> None:
        self._state = state
        self.expires = True  # an envelope past its deadline is dropped when it is taken
        self.wait = DurationHistogram()  # seconds from put until the consumer picked it up, or first used it

    @property
    def name(self) -> str:
        """Of the edge."""
        return self._state.name

    def take_nowait(self) -> Entry | None:
        """The oldest waiting envelope, or None. Must be followed by `deliver` or `drop`."""
        s = self._state
        if not s.items:
            return None
        with s.lock:
            if not s.items:
                return None
            entry = s.items.popleft()
            s.taken.append(entry.envelope)
        s.wake_producer()
        return entry

    def take_until(self, sequence: int, time: float | None) -> tuple[list[Entry], bool]:
        """Take all waiting envelopes up to a point.

        Envelopes and answer are read at the same instant, so that no value can arrive between the two.

        Args:
            sequence: up to which, where `time` is None.
            time: seconds; up to which capture time.

        Returns:
            The envelopes, oldest first, and whether one of `sequence` can no longer come.
        """
        s = self._state
        entries: list[Entry] = []
        if not (s.items or s.carries_watermark):
            return entries, s.ended or s.unavailable or sequence <= s.watermark
        with s.lock:
            while s.items:
                head = s.items[0].envelope
                if head.sequence > sequence if time is None else head.capture_time > time:
                    break
                entries.append(s.items.popleft())
            s.taken.extend(entry.envelope for entry in entries)
            passed = s.ended or s.unavailable or sequence <= s.watermark or sequence in s.skipped
            if s.skipped:
                s.skipped = {n for n in s.skipped if n >= sequence}
        if entries:
            s.wake_producer()
        return entries, passed

    def take_passed(self, sequence: int) -> list[Entry]:
        """All waiting envelopes with a sequence up to `sequence`."""
        s = self._state
        if not s.items:
            return []
        entries: list[Entry] = []
        with s.lock:
            while s.items and s.items[0].envelope.sequence <= sequence:
                entries.append(s.items.popleft())
            s.taken.extend(entry.envelope for entry in entries)
        if entries:
            s.wake_producer()
        return entries

    def leave(self) -> None:
        """The consumer takes nothing any more: what waits and what still comes is dropped as stopping."""
        self._state.refuse(DropReason.STOPPING)

    def deliver(self, envelope: Envelope[T]) -> None:
        """Count one taken envelope as delivered.

        Args:
            envelope: one that was taken.
        """
        s = self._state
        with s.lock:
            if s.release(envelope):
                s.delivered += 1

    def drop(self, reason: DropReason, envelope: Envelope[T]) -> None:
        """Count one taken envelope as dropped.

        Args:
            reason: why.
            envelope: one that was taken.
        """
        s = self._state
        with s.lock:
            if not s.release(envelope):
                return
            s.dropped[reason] = s.dropped.get(reason, 0) + 1
        s.report_drops([(reason, envelope)])

    def take_reset(self, up_to: int | None) -> Reset | None:
        """The next control message that belongs before sequence `up_to` (None: any).

        Args:
            up_to: a sequence; None: any.
        """
        s = self._state
        if not s.resets:
            return None
        with s.lock:
            if s.resets and (up_to is None or s.resets[0].sequence <= up_to):
                return s.resets.popleft()
            return None

    def take_watermark(self) -> tuple[int, tuple[int, ...]] | None:
        """(watermark, skipped sequences beyond it); None while envelopes wait. A skipped sequence is given once."""
        s = self._state
        if not s.carries_watermark:
            return None
        with s.lock:
            if s.items:
                return None
            skipped = tuple(sorted(s.skipped))
            s.skipped.clear()
            return s.watermark, skipped

    @property
    def exhausted(self) -> bool:
        """Ended, and nothing waits."""
        s = self._state
        if not s.ended:
            return False
        with s.lock:
            return not s.items


class Edge(Generic[T]):
    """The shared state with its two ends, and what the runtime may do to it.

    Args:
        name: producer→consumer.
        policy: what happens when it is full.
    """

    def __init__(self, name: str, policy: Policy) -> None:
        capacity = 1 if isinstance(policy, Latest) else policy.capacity
        if capacity < 1:
            raise GraphError(f"edge {name}: {policy} needs a capacity of at least 1")
        self.name = name
        self.policy = policy
        self._state = EdgeState(name, policy, capacity, blocks=isinstance(policy, Block))
        self.sender: Sender[T] = Sender(self._state)
        self.receiver: Receiver[T] = Receiver(self._state)

    def wire(
        self, on_readable: Callable[[], None], on_writable: Callable[[], None], on_drop: DropListener | None
    ) -> None:
        """Set what is called when the edge changes.

        Args:
            on_readable: when there is something to take.
            on_writable: when there is room again.
            on_drop: for each drop, on its thread.
        """
        s = self._state
        s.on_readable, s.on_writable, s.on_drop = on_readable, on_writable, on_drop

    def gated(self, gate: Callable[[Envelope[Any]], bool]) -> None:
        """Ask `gate` before queueing: an envelope it refuses counts as delivered, but the consumer is not woken."""
        self._state.gate = gate

    def without_watermark(self) -> None:
        """No join downstream waits for a sequence: watermarks need not travel here."""
        self._state.carries_watermark = False

    def refuse(self, reason: DropReason | None) -> None:
        """Drop what waits and every later put with `reason`; None opens the edge again.

        Args:
            reason: of the drops; None opens the edge again.
        """
        self._state.refuse(reason)

    def mark_unavailable(self, unavailable: bool) -> None:
        """While unavailable, joins treat every sequence as one that will not come."""
        with self._state.lock:
            self._state.unavailable = unavailable
        self._state.on_readable()

    def close_books(self) -> None:
        """The end: whatever waits, or is held by a node that never came back, is dropped as stopping."""
        s = self._state
        self.refuse(DropReason.STOPPING)
        with s.lock:
            lost = [(DropReason.STOPPING, envelope) for envelope in s.taken]
            s.taken.clear()
            if lost:
                s.dropped[DropReason.STOPPING] = s.dropped.get(DropReason.STOPPING, 0) + len(lost)
        s.report_drops(lost)
        s.on_drop = None  # a node that comes back after the end is not heard any more

    def statistics(self) -> EdgeStatistics:
        """The counts, read at one instant."""
        s = self._state
        with s.lock:
            dropped = {reason.value: n for reason, n in s.dropped.items()}
            return EdgeStatistics(s.put, s.delivered, dropped, len(s.items) + len(s.taken), s.deepest)
