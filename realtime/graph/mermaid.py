"""The graph as Mermaid text, which Markdown viewers draw."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from realtime.graph.topology import Connection, NodeHandle, SourceHandle

if TYPE_CHECKING:
    from realtime.graph.report import Report


def mermaid(
    sources: Mapping[str, SourceHandle[Any]],
    nodes: Mapping[str, NodeHandle[Any, Any]],
    connections: Sequence[Connection],
    report: "Report | None" = None,
) -> str:
    """Nodes with where they run, edges with their policy and join; with a report, p95 times and drop shares as well.

    Args:
        sources: by name.
        nodes: likewise.
        connections: the edges.
        report: of a run.

    Returns:
        The text of a Mermaid flowchart.
    """
    ids = {name: f"n{i}" for i, name in enumerate([*sources, *nodes])}
    lines = ["flowchart LR"]
    for name in sources:
        label = f"{name}<br/>own thread"
        if report is not None:
            label += f"<br/>{report.sources[name].captured} captured"
        lines.append(f'    {ids[name]}(["{label}"])')
    for name, handle in nodes.items():
        label = f"{name}<br/>{_place(handle.run_on)}"
        if report is not None:
            times = report.nodes[name]
            label += f"<br/>service p95 {_ms(times.service.p95)}, age p95 {_ms(times.age.p95)}"
        opening, closing = ("[[", "]]") if handle.kind == "sink" else ("[", "]")
        lines.append(f'    {ids[name]}{opening}"{label}"{closing}')
    for c in connections:
        label = str(c.edge.policy) if c.join is None else f"{c.as_side}: {c.edge.policy}, {c.join}"
        if not c.edge.receiver.expires:
            label += ", no deadline"
        if report is not None:
            counts = report.edges[c.edge.name]
            lost = sum(counts.dropped.values())
            label += f"<br/>{counts.put} put, {100 * lost / counts.put if counts.put else 0:.1f} % dropped"
        arrow = "-.->" if c.as_side is not None else "-->"
        lines.append(f'    {ids[c.producer.name]} {arrow}|"{label}"| {ids[c.consumer.name]}')
    return "\n".join(lines) + "\n"


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} ms"


def _place(run_on: str) -> str:
    if run_on == "loop":
        return "inline"
    return "own thread" if run_on == "thread" else "thread " + run_on.removeprefix("thread:")
