"""Edges: one shared state behind two typed end points, with a policy for the case that the consumer is slower.

Every envelope put on an edge ends in exactly one of three ways, so that at any moment

    put = delivered + sum(dropped.values()) + queued

where `queued` counts what waits on the edge and what the consumer has taken but not yet settled.

Nothing here waits. `Sender.put_nowait` returns False where `Block` is full, and the edge calls `on_writable` when there
is room again; `on_readable` when there is something to take. Whoever drives a node (a thread, the event loop, the
virtual clock) turns these calls into waking up. All methods may be called from any thread.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from realtime.graph.edge_ends import Receiver, Sender
from realtime.graph.edge_state import DropListener, EdgeState, EdgeStatistics
from realtime.graph.errors import GraphError
from realtime.graph.messages import Envelope
from realtime.graph.policies import Block, Cause, Latest, Policy

T = TypeVar("T")


class Edge(Generic[T]):
    """The shared state with its two ends, and what the runtime may do to it."""

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
        """Whom to wake, and whom to tell of drops (called on the thread that drops)."""
        s = self._state
        s.on_readable, s.on_writable, s.on_drop = on_readable, on_writable, on_drop

    def gated(self, gate: Callable[[Envelope], bool]) -> None:
        """Ask `gate` before queueing: an envelope it refuses counts as delivered, but the consumer is not woken."""
        self._state.gate = gate

    def without_bounds(self) -> None:
        """No join downstream waits for a sequence: spare it the bounds."""
        self._state.carries_bounds = False

    def refuse(self, cause: Cause | None) -> None:
        """Drop what waits and every later put with `cause`; None opens the edge again."""
        self._state.refuse(cause)

    def lapse(self, lapsed: bool) -> None:
        """While lapsed, joins treat every sequence as one that will not come."""
        with self._state.lock:
            self._state.lapsed = lapsed
        self._state.on_readable()

    def close_books(self) -> None:
        """The end: whatever waits, or is held by a node that never came back, is dropped as stopping."""
        s = self._state
        self.refuse(Cause.STOPPING)
        with s.lock:
            lost = [(Cause.STOPPING, envelope) for envelope in s.taken]
            s.taken.clear()
            if lost:
                s.dropped[Cause.STOPPING] = s.dropped.get(Cause.STOPPING, 0) + len(lost)
        s.tell(lost)
        s.on_drop = None  # a node that comes back after the end has nobody to tell

    def statistics(self) -> EdgeStatistics:
        s = self._state
        with s.lock:
            dropped = {cause.value: n for cause, n in s.dropped.items()}
            return EdgeStatistics(s.put, s.delivered, dropped, len(s.items) + len(s.taken), s.deepest)
