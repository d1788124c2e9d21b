"""What a run leaves behind: counts that add up, percentiles, and who did not stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from realtime.graph.clock import Clock
from realtime.graph.edge_state import EdgeStatistics
from realtime.graph.histogram import Percentiles
from realtime.graph.runtime import Run
from realtime.graph.source import Source
from realtime.graph.topology import Connection, NodeHandle, SourceHandle, primary_path


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One node. Times in milliseconds.

    Attributes:
        kind: transform or sink.
        processed: frames that gave a result.
        skipped: frames that its gate refused.
        empty: frames that gave no result.
        failed: frames for which it raised.
        resets: interruptions of its source.
        stalls: how often it was bypassed.
        last_error: in words.
        queue: waiting while the node was busy with earlier frames.
        executor: waiting for its thread.
        join: waiting for side inputs, waking up included.
        service: in `process`.
        age: capture to the end of `process`.
        result_age: how much older than the frame its oldest side value was.
    """

    kind: str
    processed: int
    skipped: int
    empty: int
    failed: int
    resets: int
    stalls: int
    last_error: str | None
    queue: Percentiles
    executor: Percentiles
    join: Percentiles
    service: Percentiles
    age: Percentiles
    result_age: Percentiles


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source. Times in ms.

    Attributes:
        captured: items it gave.
        restarts: how often it was opened again.
        failures: how often it failed.
        stalls: how often it was silent for too long.
        last_error: in words.
        read: time in `read`.
    """

    captured: int
    restarts: int
    failures: int
    stalls: int
    last_error: str | None
    read: Percentiles


@dataclass(frozen=True, slots=True)
class PathReport:
    """A frame's way from its source to one node: captured = delivered + sum of dropped + withheld + queued.

    Attributes:
        captured: at the source.
        delivered: at the node.
        dropped: by edge and reason.
        withheld: frames for which a node on the way gave no result (skipped by its gate, or None).
        queued: on the way now.
    """

    captured: int
    delivered: int
    dropped: dict[tuple[str, str], int]
    withheld: int
    queued: int


@dataclass(frozen=True, slots=True)
class Report:
    """A run, or (from `Graph.snapshot`) a run so far.

    Attributes:
        graph: its name.
        seconds: how long it ran.
        reason: ended | duration | stopped | interrupted | cancelled | failed | running, or the reason given to `Graph.stop`.
        sources: by name.
        nodes: likewise.
        edges: likewise.
        edge_wait: milliseconds that envelopes waited on an edge.
        paths: by the name of the node where they end.
        stuck: threads that did not stop within their grace time. nodes[...].stalls > 0: bypassed for a while.
        failures: all of them, in words, by name.
        error: the exception that ended a source or kept a node from opening.
    """

    graph: str
    seconds: float
    reason: str
    sources: dict[str, SourceReport]
    nodes: dict[str, NodeReport]
    edges: dict[str, EdgeStatistics]
    edge_wait: dict[str, Percentiles]
    paths: dict[str, PathReport]
    stuck: list[str]
    failures: dict[str, str]
    error: Exception | None

    @property
    def balanced(self) -> bool:
        """Whether every edge's and path's books add up."""
        edges = all(e.put == e.delivered + sum(e.dropped.values()) + e.queued for e in self.edges.values())
        paths = all(
            p.captured == p.delivered + sum(p.dropped.values()) + p.withheld + p.queued for p in self.paths.values()
        )
        return edges and paths

    def __str__(self) -> str:
        """The run as a table: nodes with their times, edges with what became of what was put on them."""
        lines = [f"{self.graph}: {self.reason} after {self.seconds:.1f} s"]
        lines += [f"{name}: {sentence}" for name, sentence in self.failures.items()]
        lines += [f"{name}: stuck" for name in self.stuck]
        rows: list[tuple[str, ...]] = [("source", "captured", "failures", "restarts", "read p95")]
        rows += [(n, str(s.captured), str(s.failures), str(s.restarts), _ms(s.read)) for n, s in self.sources.items()]
        lines += ["", *_table(rows)]
        rows = [("node", "processed", "skipped", "empty", "failed", "service p95", "age p95")]
        rows += [
            (n, str(r.processed), str(r.skipped), str(r.empty), str(r.failed), _ms(r.service), _ms(r.age))
            for n, r in self.nodes.items()
        ]
        lines += ["", *_table(rows)]
        rows = [("edge", "put", "delivered", "queued", "dropped")]
        rows += [
            (n, str(e.put), str(e.delivered), str(e.queued), ", ".join(f"{k} {c}" for c, k in e.dropped.items()) or "0")
            for n, e in self.edges.items()
        ]
        lines += ["", *_table(rows)]
        return "\n".join(lines)


def _ms(times: Percentiles) -> str:
    return "-" if times.p95 is None else f"{times.p95:.1f} ms"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines, the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def make_report(
    name: str,
    run: Run | None,
    clock: Clock,
    sources: dict[str, SourceHandle[Any]],
    nodes: dict[str, NodeHandle[Any, Any]],
    connections: list[Connection],
    *,
    only: str | None = None,
) -> Report:
    """The present state of everything, or of one node.

    Args:
        name: the graph's.
        run: None before it began.
        clock: the graph's.
        sources: by name.
        nodes: likewise.
        connections: the edges.
        only: see `Graph.snapshot`.
    """
    if only is not None:
        sources, nodes = {}, {only: nodes[only]}
    now = clock.now()
    seconds = 0.0 if run is None else (now if run.ended_at is None else run.ended_at) - run.started_at
    edges = {c.edge.name: c.edge.statistics() for c in connections}
    return Report(
        name,
        seconds,
        "not started" if run is None else run.reason,
        {name: _source(handle.source) for name, handle in sources.items()},
        {name: _node(handle) for name, handle in nodes.items()},
        edges,
        {} if only is not None else {c.edge.name: c.edge.receiver.wait.percentiles() for c in connections},
        {
            name: _path([(c.edge.name, edges[c.edge.name]) for c in primary_path(h, connections)])
            for name, h in nodes.items()
        },
        [] if run is None else list(run.stuck),
        {} if run is None else dict(run.failures),
        None if run is None else run.error,
    )


def _path(steps: list[tuple[str, EdgeStatistics]]) -> PathReport:
    dropped = {(name, reason): n for name, s in steps for reason, n in s.dropped.items()}
    counts = [s for _, s in steps]
    withheld = sum(before.delivered - after.put for before, after in pairwise(counts))
    return PathReport(counts[0].put, counts[-1].delivered, dropped, withheld, sum(s.queued for s in counts))


def _source(source: Source) -> SourceReport:
    c = source.counts
    return SourceReport(c.captured, c.restarts, c.failures, c.stalls, c.last_error, source.read_time.percentiles())


def _node(handle: NodeHandle[Any, Any]) -> NodeReport:
    c, t = handle.node.counts, handle.node.times
    times = (t.queue, t.executor, t.join, t.service, t.age, t.result_age)
    return NodeReport(
        handle.kind,
        c.processed,
        c.skipped,
        c.empty,
        c.failed,
        c.resets,
        c.stalls,
        c.last_error,
        *(recorder.percentiles() for recorder in times),
    )
