"""Edges: one shared state behind two typed end points, with a policy for the case that the consumer is slower.

Every envelope put on an edge ends in exactly one of three ways, so that at any moment

    put = delivered + sum(dropped.values()) + queued

where `queued` counts what waits on the edge and what the consumer has taken but neither delivered nor dropped yet.

Nothing here waits. `Sender.put_nowait` returns False where `Block` is full, and the edge calls `on_writable` when there
is room again; `on_readable` when there is something to take. Whoever drives a node (a thread, the event loop, the
virtual clock) turns these calls into waking up. All methods may be called from any thread.
"""

from collections.abc import Callable
from typing import Any, Generic

from realtime.graph.edge_ends import Receiver, Sender, T
from realtime.graph.edge_state import DropListener, EdgeState, EdgeStatistics
from realtime.graph.messages import Envelope, GraphError
from realtime.graph.policies import Block, DropReason, Latest, Policy


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
