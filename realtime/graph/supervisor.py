"""What is done about sources that fail and nodes that do not come back."""

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from realtime.graph.clock import Clock
from realtime.graph.edges import Edge
from realtime.graph.node import Node
from realtime.graph.policies import Cause
from realtime.graph.source import Source

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class WatchedNode:
    """A node, its edges, and how long (seconds) it may be busy with one frame."""

    node: Node
    incoming: Sequence[Edge]
    outgoing: Sequence[Edge]
    stall_timeout: float
    stalled_on: float | None = None


class Supervisor:
    """Looks at every node and source a few times per stall time-out.

    A node that is busy with one frame for longer than its stall time-out is bypassed: its inputs drop what comes (cause
    stalled), so that nobody blocks on it, and joins that wait for its results take it as "no result". When it comes back
    it is part of the graph again. A source that gives nothing for too long has its stop token set; see `Source.life`.
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
                self._look_at_node(watched, now)
            for source in self._sources:
                source.check_stall(now)

    def _look_at_node(self, watched: WatchedNode, now: float) -> None:
        node, since = watched.node, watched.node.busy_since
        if watched.stalled_on is not None and since != watched.stalled_on:
            log.warning("node %s: came back", node.name)
            watched.stalled_on = None
            node.stalled = False
            for edge in watched.incoming:
                edge.refuse(None)
            for edge in watched.outgoing:
                edge.lapse(False)
        elif watched.stalled_on is None and since is not None and now - since > watched.stall_timeout:
            log.warning("node %s: busy with one frame for %.1f s, bypassed until it comes back", node.name, now - since)
            watched.stalled_on = since
            node.stalled = True
            node.counts.stalls += 1
            for edge in watched.outgoing:
                edge.lapse(True)
            for edge in watched.incoming:
                edge.refuse(Cause.STALLED)
