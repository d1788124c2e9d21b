"""Who watches a run: signals that end it, nodes and sources that hang."""

import asyncio
import contextlib
import logging
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from realtime.graph.clock import Clock
from realtime.graph.edges import Edge
from realtime.graph.node import Node
from realtime.graph.policies import DropReason
from realtime.graph.source import Source

log = logging.getLogger(__name__)


@contextlib.contextmanager
def interrupts(call: Callable[[], None]) -> Iterator[None]:
    """While inside, SIGINT and SIGTERM call `call` (in the main thread, between two bytecodes). Main thread only.

    `signal.signal` and not the loop's own handlers, because Windows has only the former.

    Args:
        call: what is called.
    """

    def handler(_number: int, _frame: FrameType | None) -> None:
        call()

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@dataclass(eq=False, slots=True)
class WatchedNode:
    """A node, its edges, and how long (seconds) it may be busy with one frame.

    Attributes:
        node: what is watched.
        incoming: its edges.
        outgoing: likewise.
        stall_timeout: seconds.
        stalled_on: when the frame began for which it is bypassed; None: it is not bypassed.
    """

    node: Node
    incoming: Sequence[Edge[Any]]
    outgoing: Sequence[Edge[Any]]
    stall_timeout: float
    stalled_on: float | None = None


class Supervisor:
    """Checks every node and source a few times per stall time-out.

    A node that is busy with one frame for longer than its stall time-out is bypassed: its inputs drop what comes (reason
    stalled), so that nobody blocks on it, and joins that wait for its results take it as "no result". When it comes back
    it is part of the graph again. A source that gives nothing for too long has its stop token set; see `Source.run`.

    Args:
        clock: gives seconds.
        nodes: what is watched.
        sources: likewise.
    """

    def __init__(self, clock: Clock, nodes: Sequence[WatchedNode], sources: Sequence[Source]) -> None:
        self._clock = clock
        self._nodes = [node for node in nodes if math.isfinite(node.stall_timeout)]
        self._sources = [source for source in sources if math.isfinite(source.stall_timeout)]

    async def watch(self) -> None:
        """Runs until cancelled; cancelling it first is what turns restarts and bypasses off before a stop."""
        limits = [n.stall_timeout for n in self._nodes] + [s.stall_timeout for s in self._sources]
        if not limits:
            return
        period = min(1.0, min(limits) / 4)
        while True:
            await asyncio.sleep(period)
            now = self._clock.now()
            for watched in self._nodes:
                self._check_node(watched, now)
            for source in self._sources:
                source.check_stall(now)

    def _check_node(self, watched: WatchedNode, now: float) -> None:
        node, since = watched.node, watched.node.busy_since
        if watched.stalled_on is not None and since != watched.stalled_on:
            log.warning("node %s: came back", node.name)
            watched.stalled_on = None
            node.stalled = False
            for edge in watched.incoming:
                edge.refuse(None)
            for edge in watched.outgoing:
                edge.mark_unavailable(False)
        elif watched.stalled_on is None and since is not None and now - since > watched.stall_timeout:
            log.warning("node %s: busy with one frame for %.1f s, bypassed until it comes back", node.name, now - since)
            watched.stalled_on = since
            node.stalled = True
            node.counts.stalls += 1
            for edge in watched.outgoing:
                edge.mark_unavailable(True)
            for edge in watched.incoming:
                edge.refuse(DropReason.STALLED)
