"""What a run leaves behind: counts that add up, percentiles, and who did not stop."""

from dataclasses import dataclass, field

from realtime.graph.edges import EdgeStatistics
from realtime.graph.stats import Percentiles


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One node. `skipped` frames were refused by its gate, `empty` gave no result, `failed` raised. Times in ms."""

    kind: str
    processed: int
    skipped: int
    empty: int
    failed: int
    resets: int
    last_error: str | None
    queue: Percentiles
    join: Percentiles
    executor: Percentiles
    service: Percentiles
    age: Percentiles
    result_age: Percentiles


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source. Times in ms."""

    captured: int
    restarts: int
    failures: int
    stalls: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class PathReport:
    """A frame's way from its source to one node: captured = delivered + sum of dropped + withheld + queued.

    withheld: frames for which a node on the way gave no result (skipped by its gate, or None).
    """

    captured: int
    delivered: int
    dropped: dict[tuple[str, str], int]
    withheld: int
    queued: int


@dataclass(frozen=True, slots=True)
class Report:
    """A run, or (from `Graph.snapshot`) a run so far. `stuck` names what did not stop within its grace time."""

    graph: str
    seconds: float
    reason: str
    sources: dict[str, SourceReport]
    nodes: dict[str, NodeReport]
    edges: dict[str, EdgeStatistics]
    paths: dict[str, PathReport]
    stuck: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        """Whether every edge's and path's books add up."""
        return all(e.put == e.delivered + sum(e.dropped.values()) + e.queued for e in self.edges.values()) and all(
            p.captured == p.delivered + sum(p.dropped.values()) + p.withheld + p.queued for p in self.paths.values()
        )
