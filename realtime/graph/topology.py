"""The parts a graph is put together from, as the runtime, the reports and the drawing see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from realtime.graph.edges import Edge
from realtime.graph.joins import Exact, Join
from realtime.graph.messages import GraphError
from realtime.graph.node import Node
from realtime.graph.policies import Block
from realtime.graph.protocols import In, Out
from realtime.graph.source import Source
from realtime.graph.workers import ServiceTime


@dataclass(eq=False, slots=True)
class SourceHandle(Generic[Out]):
    """A source in a graph. Its type says what it gives.

    Attributes:
        name: in reports.
        source: its state.
        startup_timeout: seconds.
    """

    name: str
    source: Source
    startup_timeout: float


@dataclass(eq=False, slots=True)
class NodeHandle(Generic[In, Out]):
    """A transform or sink in a graph. Its type says what it takes and what it gives. Times in seconds.

    Attributes:
        name: in reports.
        kind: transform or sink.
        node: its state.
        run_on: loop, thread or thread:NAME.
        startup_timeout: see `Graph.transform`.
        stall_timeout: likewise.
        grace: likewise.
        service_time: on a virtual clock.
        may_end: nothing need be connected to it.
    """

    name: str
    kind: str
    node: Node
    run_on: str
    startup_timeout: float
    stall_timeout: float
    grace: float
    service_time: ServiceTime | None
    may_end: bool = False

    @property
    def group(self) -> str:
        """Nodes of the same group share a worker."""
        return f"thread:{self.name}" if self.run_on == "thread" else self.run_on


@dataclass(eq=False, slots=True)
class Connection:
    """One edge with its two nodes; as_side and join for a side input. Compared by identity, not by its name.

    Attributes:
        edge: with its two ends.
        producer: the nodes.
        consumer: likewise.
        as_side: the keyword of a side input.
        join: which value a frame gets.
    """

    edge: Edge[Any]
    producer: SourceHandle[Any] | NodeHandle[Any, Any]
    consumer: NodeHandle[Any, Any]
    as_side: str | None
    join: Join | None

    @property
    def name(self) -> str:
        """The edge's name, `producer→consumer`, as reports and traces spell it."""
        return self.edge.name

    @property
    def waits(self) -> bool:
        """Whether the consumer may wait for a sequence on this edge."""
        return self.join is not None and self.join.wait > 0

    @property
    def blocks_beside(self) -> bool:
        """Whether a producer may be blocked until the consumer's primary input gets on."""
        return self.join is not None and isinstance(self.edge.policy, Block)


def upstream_first(
    nodes: Mapping[str, NodeHandle[Any, Any]], connections: Sequence[Connection]
) -> list[NodeHandle[Any, Any]]:
    """The nodes in an order in which frames meet them.

    Args:
        nodes: by name.
        connections: the edges.

    Raises:
        GraphError: there is a cycle, or a node without a primary input.
    """
    if not nodes:
        raise GraphError("the graph has no nodes")
    for handle in nodes.values():
        if handle.node.primary is None:
            raise GraphError(f"{handle.name} has no primary input")
    done: dict[str, NodeHandle[Any, Any]] = {}
    waiting = dict(nodes)
    while waiting:
        blocked = {c.consumer.name for c in connections if c.producer.name in waiting}
        ready = [name for name in waiting if name not in blocked]
        if not ready:
            raise GraphError(f"the graph has a cycle through {', '.join(waiting)}")
        for name in ready:
            done[name] = waiting.pop(name)
    return list(done.values())


def primary_path(node: NodeHandle[Any, Any], connections: Sequence[Connection]) -> list[Connection]:
    """The primary edges from the node's source to the node, upstream first.

    Args:
        node: where the path ends.
        connections: the edges.
    """
    path: list[Connection] = []
    here: SourceHandle[Any] | NodeHandle[Any, Any] = node
    while isinstance(here, NodeHandle):
        connection = next(c for c in connections if c.consumer is here and c.as_side is None)
        path.append(connection)
        here = connection.producer
    return path[::-1]


def unconnected(
    sources: Mapping[str, SourceHandle[Any]],
    nodes: Mapping[str, NodeHandle[Any, Any]],
    connections: Sequence[Connection],
) -> list[str]:
    """A sentence for every source and transform whose results go nowhere.

    Args:
        sources: by name.
        nodes: likewise.
        connections: the edges.
    """
    used = {c.producer.name for c in connections}
    ends = [name for name, handle in nodes.items() if handle.kind == "transform" and not handle.may_end]
    return [
        f"nothing is connected to {name}, so what it gives is lost" for name in [*sources, *ends] if name not in used
    ]


def check_joins(nodes: Sequence[NodeHandle[Any, Any]], connections: Sequence[Connection]) -> None:
    """Check that joins compare sequences of the same source only: others mean nothing to each other.

    Args:
        nodes: all of them.
        connections: the edges.

    Raises:
        GraphError: a join waits for a sequence of another source.
    """
    origin = {n.name: primary_path(n, connections)[0].producer.name for n in nodes}
    for c in connections:
        theirs = origin.get(c.producer.name, c.producer.name)
        if (c.waits or isinstance(c.join, Exact)) and theirs != origin[c.consumer.name]:
            raise GraphError(
                f"{c.edge.name}: {c.join} matches sequence numbers, but the side input goes back to {theirs} "
                f"and the primary one to {origin[c.consumer.name]}; use LatestBefore or Hold without wait"
            )
        if c.blocks_beside and theirs != origin[c.consumer.name]:
            raise GraphError(
                f"{c.edge.name}: {c.edge.policy} beside a primary input from another source would let "
                f"{origin[c.consumer.name]} block {theirs}; use a policy that drops"
            )


def limit_watermarks(order: Sequence[NodeHandle[Any, Any]], connections: Sequence[Connection]) -> None:
    """Watermarks travel only on edges from which a join can be reached that waits, or that blocks a producer.

    Args:
        order: the nodes, upstream first.
        connections: the edges.
    """
    wanted = {
        c.consumer.name for c in connections if c.blocks_beside
    }  # nodes whose primary input must carry watermarks
    for handle in reversed(order):
        for c in connections:
            if c.producer is handle and (c.waits or (c.as_side is None and c.consumer.name in wanted)):
                wanted.add(handle.name)
    for c in connections:
        if not (c.waits or (c.as_side is None and c.consumer.name in wanted)):
            c.edge.without_watermark()
