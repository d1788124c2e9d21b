"""The two ends of an edge: the producer puts, the consumer takes, delivers or drops."""

from typing import Any, Generic, TypeVar

from realtime.graph.edge_state import EdgeState, Entry
from realtime.graph.histogram import DurationHistogram
from realtime.graph.messages import Envelope, Reset
from realtime.graph.policies import DropNewest, DropReason, Latest

T = TypeVar("T")


class Sender(Generic[T]):
    """The producer's end of an edge.

    Args:
        state: of the edge.
    """

    def __init__(self, state: EdgeState) -> None:
        self._state = state
        self._unannounced = False  # something was put without waking the consumer

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
        self._unannounced = True
        if wake:
            self.wake()
        return True

    def wake(self) -> None:
        """Wake the consumer where something was put since the last time; what a gate refused is no news."""
        if self._unannounced:
            self._unannounced = False
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
