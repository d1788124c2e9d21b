import json
from collections import defaultdict
from pathlib import Path

import pytest

from realtime.graph import DropOldest, Exact, Graph, Hold, Latest, NodeHandle, Report, Trace, VirtualClock
from tests.graph.modelled import Script, frames, run

Traced = tuple[Graph, Trace, Report]


@pytest.fixture
def traced() -> Traced:
    clock, trace = VirtualClock(), Trace()
    graph = Graph("traced", clock=clock, trace=trace)
    camera = graph.source("camera", Script(frames(20, 0.033)))
    slow = graph.transform("analysis", lambda n: 1 / (n - 8), run_on="thread", service_time=0.1)
    compose: NodeHandle[int, int] = graph.transform(
        "compose", lambda n, analysis: n, run_on="thread:picture", service_time=0.004
    )
    screen = graph.sink("screen", lambda n: None)
    graph.connect(camera, slow, Latest())
    graph.connect(camera, compose, DropOldest(2))
    graph.connect(slow, compose, Latest(), as_side="analysis", join=Hold(0.5, wait=0.012))
    graph.connect(compose, screen, DropOldest(2))
    return graph, trace, run(graph)


def test_the_trace_file_has_what_perfetto_needs(traced: Traced, tmp_path: Path) -> None:
    graph, trace, report = traced
    path = tmp_path / "trace.json"
    trace.write(path, graph.name)
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    rows = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    slices = [e for e in events if e["ph"] == "X"]
    assert len(slices) == sum(node.processed + node.failed for node in report.nodes.values())
    assert {rows[e["tid"]] for e in slices} == {"analysis", "compose", "screen"}
    composed = [e for e in slices if rows[e["tid"]] == "compose"]
    assert [e["dur"] for e in composed] == pytest.approx([4000.0] * 20)
    assert sum(e["args"]["failed"] for e in slices) == report.nodes["analysis"].failed
    assert sum(e["ph"] == "i" for e in events) == sum(sum(edge.dropped.values()) for edge in report.edges.values())


def test_every_flow_starts_once_ends_once_and_lies_on_slices(traced: Traced) -> None:
    _, trace, _ = traced
    events = trace.events()
    starts = {(e["tid"], e["ts"]) for e in events if e["ph"] == "X"}
    flows = defaultdict(list)
    for e in events:
        if e["ph"] in "stf" and "id" in e:
            assert (e["tid"], e["ts"]) in starts
            flows[e["id"]].append(e)
    assert len(flows) == 20
    for steps in flows.values():
        assert [e["ph"] for e in steps] == ["s", *["t"] * (len(steps) - 2), "f"]
        assert [e["ts"] for e in steps] == sorted(e["ts"] for e in steps)


def test_a_trace_keeps_no_more_than_its_limit() -> None:
    clock, trace = VirtualClock(), Trace(limit=5)
    graph = Graph("limited", clock=clock, trace=trace)
    graph.connect(graph.source("camera", Script(frames(20, 0.1))), graph.sink("sink", lambda n: None), Latest())
    run(graph)
    assert sum(e["ph"] == "X" for e in trace.events()) == 5


def test_the_drawing_names_every_node_edge_and_policy(traced: Traced) -> None:
    graph, _, _ = traced
    text = graph.mermaid()
    assert text.startswith("flowchart LR\n")
    for words in ("camera", "analysis<br/>own thread", "compose<br/>thread picture", "screen<br/>inline"):
        assert words in text
    assert '-->|"Latest"|' in text
    assert '-->|"DropOldest(2)"|' in text
    assert '-.->|"analysis: Latest, Hold(0.5 s), waits 12 ms"|' in text
    assert text.count("-->") == 3


def test_a_live_drawing_shows_p95_and_drop_shares(traced: Traced) -> None:
    graph, _, report = traced
    text = graph.mermaid(report)
    lost = 100 * sum(report.edges["camera→analysis"].dropped.values()) / 20
    assert f"20 put, {lost:.1f} % dropped" in text
    assert "service p95 4.0 ms" in text
    assert "20 captured" in text


def test_joins_read_well() -> None:
    assert str(Exact()) == "Exact, waits"
    assert str(Hold(0.5)) == "Hold(0.5 s)"
