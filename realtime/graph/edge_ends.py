"""The two typed ends of an edge: the producer puts, the consumer takes and settles. See `realtime.graph.edges`."""

from typing import Generic, TypeVar

from realtime.graph.edge_state import EdgeState, Entry
from realtime.graph.histogram import Recorder
from realtime.graph.messages import Envelope, Reset
from realtime.graph.policies import Cause, DropNewest, Latest

T = TypeVar("T")


class Sender(Generic[T]):
    """The producer's end of an edge."""

    def __init__(self, state: EdgeState) -> None:
        self._state = state

    @property
    def name(self) -> str:
        return self._state.name

    def put_nowait(self, envelope: Envelope[T], now: float, wake: bool = True) -> bool:
        """Put, dropping as the policy says. False (nothing was done) only where `Block` is full.

        Without `wake` the consumer learns of it by a later `wake()`, so that a thread is woken once for several edges.
        """
        s = self._state
        if s.gate is not None and not s.gate(envelope):
            with s.lock:
                s.put += 1
                s.delivered += 1
            return True
        lost: list[tuple[Cause, Envelope]] = []
        with s.lock:
            if s.refusing is not None or s.ended:
                s.put += 1
                lost.append((s.refusing or Cause.STOPPING, envelope))
            else:
                full = len(s.items) >= s.capacity
                if full and s.blocks:
                    s.refused = True
                    return False
                s.put += 1
                if full and isinstance(s.policy, DropNewest):
                    lost.append((Cause.OVERFLOW, envelope))
                else:
                    if full:
                        cause = Cause.SUPERSEDED if isinstance(s.policy, Latest) else Cause.OVERFLOW
                        lost.append((cause, s.items.popleft().envelope))
                    s.items.append(Entry(envelope, now))
                    if len(s.items) > s.deepest:
                        s.deepest = len(s.items)
            if envelope.sequence > s.settled:
                s.settled = envelope.sequence
            for cause, _ in lost:
                s.dropped[cause] = s.dropped.get(cause, 0) + 1
        if lost:
            s.tell(lost)
        if wake:
            s.on_readable()
        return True

    def wake(self) -> None:
        """Wake the consumer."""
        self._state.on_readable()

    def no_result_up_to(self, sequence: int) -> None:
        """Bound: nothing with a sequence up to `sequence` will still come. Joins that wait for one are settled."""
        s = self._state
        if not s.carries_bounds:
            return
        with s.lock:
            if sequence <= s.settled:
                return
            s.settled = sequence
            if s.nothing_at:
                s.nothing_at = {n for n in s.nothing_at if n > sequence}
        s.on_readable()

    def no_result_at(self, sequence: int) -> None:
        """Bound for one sequence only; earlier ones may still come."""
        s = self._state
        if not s.carries_bounds:
            return
        with s.lock:
            if sequence <= s.settled:
                return
            s.nothing_at.add(sequence)
        s.on_readable()

    def reset(self, message: Reset) -> None:
        """Tell the consumer that the stream was interrupted. On the control lane: data cannot evict it."""
        with self._state.lock:
            self._state.resets.append(message)
        self._state.on_readable()

    def end(self) -> None:
        """Nothing will be put any more; what waits can still be taken."""
        with self._state.lock:
            self._state.ended = True
        self._state.on_readable()


class Receiver(Generic[T]):
    """The consumer's end of an edge. Only the consuming node calls it."""

    def __init__(self, state: EdgeState) -> None:
        self._state = state
        self.wait = Recorder()  # seconds from put until the consumer looked at it, or first used it

    @property
    def name(self) -> str:
        return self._state.name

    def take_nowait(self) -> Entry | None:
        """The oldest waiting envelope, or None. Must be settled by `deliver` or `drop`."""
        s = self._state
        if not s.items:
            return None
        with s.lock:
            if not s.items:
                return None
            entry = s.items.popleft()
            s.taken.append(entry.envelope)
        s.tell_producer()
        return entry

    def take_until(self, sequence: int, time: float | None) -> tuple[list[Entry], bool]:
        """All waiting envelopes captured at or before `time` (None: with a sequence up to `sequence`).

        Also whether one of `sequence` can no longer come.

        Both are read at the same instant, so that a value cannot slip in between the look and the verdict.
        """
        s = self._state
        entries: list[Entry] = []
        if not (s.items or s.carries_bounds):
            return entries, s.ended or s.lapsed or sequence <= s.settled
        with s.lock:
            while s.items:
                head = s.items[0].envelope
                if head.sequence > sequence if time is None else head.capture_time > time:
                    break
                entries.append(s.items.popleft())
            s.taken.extend(entry.envelope for entry in entries)
            settled = s.ended or s.lapsed or sequence <= s.settled or sequence in s.nothing_at
            if s.nothing_at:
                s.nothing_at = {n for n in s.nothing_at if n >= sequence}
        if entries:
            s.tell_producer()
        return entries, settled

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
            s.tell_producer()
        return entries

    def leave(self) -> None:
        """The consumer takes nothing any more: what waits and what still comes is dropped as stopping."""
        self._state.refuse(Cause.STOPPING)

    def deliver(self, envelope: Envelope[T]) -> None:
        """Settle one taken envelope as delivered."""
        s = self._state
        with s.lock:
            if s.settle(envelope):
                s.delivered += 1

    def drop(self, cause: Cause, envelope: Envelope[T]) -> None:
        """Settle one taken envelope as dropped."""
        s = self._state
        with s.lock:
            if not s.settle(envelope):
                return
            s.dropped[cause] = s.dropped.get(cause, 0) + 1
        s.tell([(cause, envelope)])

    def take_reset(self, up_to: int | None) -> Reset | None:
        """The next control message that belongs before sequence `up_to` (None: any)."""
        s = self._state
        if not s.resets:
            return None
        with s.lock:
            if s.resets and (up_to is None or s.resets[0].sequence <= up_to):
                return s.resets.popleft()
            return None

    def bounds(self) -> tuple[int, tuple[int, ...]] | None:
        """Every sequence up to the first number, and each of the others, is settled; None while envelopes wait.

        The others are given once.
        """
        s = self._state
        if not s.carries_bounds:
            return None
        with s.lock:
            if s.items:
                return None
            skipped = tuple(sorted(s.nothing_at))
            s.nothing_at.clear()
            return s.settled, skipped

    @property
    def exhausted(self) -> bool:
        """Ended, and nothing waits."""
        s = self._state
        if not s.ended:
            return False
        with s.lock:
            return not s.items
