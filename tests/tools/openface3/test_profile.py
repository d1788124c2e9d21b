"""A session's profile from a trace and from a summary, and the speed table's arithmetic."""

import json
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import UserInputError
from tools.profile import __main__ as command
from tools.profile import session


def slice_of(node: str, start: float, duration: float, failed: bool = False) -> dict[str, Any]:
    return {"ph": "X", "cat": node, "name": "frame", "ts": start, "dur": duration, "args": {"failed": failed}}


TRACE = {
    "traceEvents": [
        {"ph": "M", "name": "thread_name"},
        slice_of("detect", 0, 10_000),
        slice_of("detect", 50_000, 30_000),
        slice_of("compose", 20_000, 2_000),
        slice_of("compose", 60_000, 2_000),
        slice_of("compose", 90_000, 6_000, failed=True),
        slice_of("capture", 99_000, 1_000),
        {"ph": "i", "cat": "drop", "name": "late", "ts": 1, "args": {"cause": "replaced"}},
        {"ph": "i", "cat": "drop", "name": "late", "ts": 2, "args": {"cause": "replaced"}},
    ]
}


def test_a_trace_gives_exact_sums() -> None:
    profile = session.from_trace(TRACE)
    rows = {row.component: row for row in profile.rows}
    assert [row.component for row in profile.rows] == ["detect", "compose", "capture"]
    assert rows["detect"].total == pytest.approx(40)
    assert rows["detect"].mean == pytest.approx(20)
    assert rows["detect"].calls == 2
    assert rows["detect"].share == pytest.approx(40 / 51)
    assert rows["compose"].failed == 1
    assert sum(row.share for row in profile.rows) == pytest.approx(1)
    assert profile.seconds == pytest.approx(0.1)
    assert profile.busy == pytest.approx(0.51)
    assert profile.dropped == {"replaced": 2}


def test_a_summary_says_that_its_totals_are_estimates() -> None:
    summary = {
        "seconds": 2.0,
        "frames": {"dropped": {"camera->detect": {"replaced": 3}, "a->b": {"replaced": 1, "late": 2}}},
        "nodes": {
            "detect": {"processed": 10, "failed": 1, "service_ms": {"p50": 8.0, "p95": 12.0}},
            "idle": {"processed": 0, "service_ms": {"p50": None, "p95": None}},
        },
    }
    profile = session.from_summary(summary)
    assert [(r.component, r.total, r.calls, r.p95) for r in profile.rows] == [("detect", 80.0, 10, 12.0)]
    assert profile.dropped == {"replaced": 4, "late": 2}
    assert "calls times the median" in session.text(profile)
    assert "calls times the median" not in session.text(session.from_trace(TRACE))


def test_the_command_writes_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace, out = tmp_path / "trace.json", tmp_path / "profile.json"
    trace.write_text(json.dumps(TRACE))
    command.main(["--trace", str(trace), "--json", str(out)])
    assert "detect" in capsys.readouterr().out
    assert json.loads(out.read_text())["components"][0]["total"] == pytest.approx(40)


def test_the_programs_own_trace_is_understood(tmp_path: Path) -> None:
    """Written by the graph's own tracer, so that the two cannot drift apart."""
    from realtime.graph.messages import Envelope
    from realtime.graph.trace import Trace

    trace = Trace()
    for sequence in range(3):
        envelope = Envelope(payload=None, sequence=sequence, capture_time=0.0, source="camera")
        trace.frame("compose", envelope, sequence * 0.1, sequence * 0.1 + 0.004)
    path = tmp_path / "trace.json"
    trace.write(path, "test")
    row = session.from_trace(command.read(path)).rows[0]
    assert (row.component, row.calls) == ("compose", 3)
    assert row.mean == pytest.approx(4)


@pytest.mark.parametrize("values", [{}, [], {"traceEvents": []}, {"nodes": {}}, {"nodes": 3}, None])
def test_files_without_work_are_told(values: dict[str, Any]) -> None:
    for read in (session.from_trace, session.from_summary):
        with pytest.raises(UserInputError):
            read(values)


def test_unreadable_files(tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    cut.write_text('{"traceEvents": [')
    with pytest.raises(UserInputError, match="cut off or no JSON"):
        command.read(cut)
    with pytest.raises(UserInputError, match="cannot be read"):
        command.read(tmp_path / "absent.json")


def test_processor_times_take_turns() -> None:
    pytest.importorskip("onnx")
    from tools.profile.speed import processor_times

    order = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    times = processor_times(calls, rounds=3)
    assert order == ["a", "b"] * 4
    assert set(times) == {"a", "b"}
    assert all(0 <= t.best <= t.median for t in times.values())
