"""The graph as somebody meets it who builds one of their own: sources of any kind, and mistakes named before the run."""

import asyncio
import runpy
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from realtime.graph import (
    Block,
    Graph,
    GraphError,
    Hold,
    Item,
    Latest,
    NodeHandle,
    Reader,
    RealClock,
    Report,
    SourceHandle,
    VirtualClock,
)
from realtime.graph.histogram import DurationHistogram
from tests.graph.modelled import Script, frames, run


def gather(
    source: Reader[Any] | Iterable[Any] | AsyncIterable[Any], **options: Any
) -> tuple[list[tuple[int, Any]], Report]:
    """What a sink gets from a source on real threads, as (sequence, payload), and the report."""
    seen = []
    graph = Graph("library", clock=RealClock())
    sink = graph.sink("sink", lambda e: seen.append((e.sequence, e.payload)), pass_envelope=True)
    graph.connect(graph.source("source", source, **options), sink, Block(4))
    return seen, asyncio.run(graph.run())


def test_any_iterable_is_a_source() -> None:
    assert gather(range(3))[0] == [(0, 0), (1, 1), (2, 2)]
    assert gather([Item("a", 5), Item("b", 7)])[0] == [(5, "a"), (7, "b")]


def test_a_generator_is_closed_and_its_failure_is_the_sources() -> None:
    closed = []

    def values() -> Iterator[str]:
        try:
            yield "one"
            raise OSError("unplugged")
        finally:
            closed.append(True)

    seen, report = gather(values())
    assert (seen, closed) == ([(0, "one")], [True])
    assert report.failures == {"source": "OSError: unplugged"}


def test_an_async_iterable_runs_on_the_loop_of_the_run() -> None:
    seen, closed = [], []

    async def main() -> Report:
        queue: asyncio.Queue[int] = asyncio.Queue()  # bound to this loop
        for number in range(3):
            queue.put_nowait(number)

        async def values() -> AsyncIterator[int]:
            try:
                while True:
                    yield await queue.get()
            finally:
                closed.append(True)

        graph = Graph("async", clock=RealClock())

        def sink(number: int) -> None:
            seen.append(number)
            if number == 2:
                graph.stop("enough")

        end = graph.sink("sink", sink)
        graph.connect(graph.source("queue", values()), end, Block(4))
        return await graph.run()

    report = asyncio.run(main())
    assert (seen, report.reason, report.stuck, closed) == ([0, 1, 2], "enough", [], [True])


def test_an_iterable_of_items_runs_on_the_virtual_clock() -> None:
    clock, seen = VirtualClock(), []
    graph = Graph("virtual", clock=clock)
    sink = graph.sink("sink", lambda n: seen.append((n, clock.now())))
    source: SourceHandle[int] = graph.source("source", frames(3, 0.5))
    graph.connect(source, sink, Latest())
    run(graph)
    assert seen == [(0, 0.0), (1, 0.5), (2, 1.0)]


class AsyncProcessor:
    async def process(self, payload: int) -> int:
        return payload


class AsyncCallable:
    async def __call__(self, payload: int) -> int:
        return payload


async def coroutine(payload: int) -> int:
    return payload


async def generator(payload: int) -> AsyncIterator[int]:
    yield payload


@pytest.mark.parametrize(
    "processor",
    [coroutine, generator, AsyncProcessor(), AsyncCallable(), partial(coroutine)],
    ids=["function", "generator", "process", "call", "partial"],
)
def test_an_async_processor_is_refused_when_it_is_added(processor: Any) -> None:
    with pytest.raises(GraphError, match=r"analyse: process is `async def`.*run_on=\"thread\""):
        Graph("async").transform("analyse", processor)


@pytest.mark.parametrize(
    ("process", "there"),
    [
        (lambda n: n, "none"),
        (lambda n, detections=None: n, "detections"),
        (lambda analysis: analysis, "none"),
        (lambda n, /, *, other: n, "other"),
    ],
)
def test_a_side_input_that_the_node_does_not_take_is_refused_when_it_is_connected(
    process: Callable[..., Any], there: str
) -> None:
    graph = Graph("side", clock=VirtualClock())
    camera = graph.source("camera", Script([]))
    node = graph.transform("compose", process)
    with pytest.raises(GraphError, match=rf"compose takes no keyword 'analysis' \(it has: {there}\)"):
        graph.connect(camera, node, Latest(), as_side="analysis", join=Hold(1.0))


def test_what_is_connected_to_nothing_is_named_before_the_run(caplog: pytest.LogCaptureFixture) -> None:
    graph = Graph("loose", clock=VirtualClock())
    camera = graph.source("camera", Script(frames(2, 0.1)))
    graph.source("spare", Script([]))
    graph.connect(camera, graph.transform("end", lambda n: n), Latest())
    graph.connect(camera, graph.transform("meant", lambda n: n, may_end=True), Latest())
    run(graph)
    assert [record.getMessage() for record in caplog.records] == [
        "loose: nothing is connected to spare, so what it gives is lost",
        "loose: nothing is connected to end, so what it gives is lost",
    ]


def test_a_source_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(GraphError, match=r"camera: a source needs a method read\(stop\), or has to be an iterable"):
        Graph("wrong").source("camera", 5)  # type: ignore[arg-type]
    with pytest.raises(GraphError, match="needs a RealClock"):
        Graph("wrong", clock=VirtualClock()).source("camera", generator(1))


def test_a_side_input_has_no_deadline_to_ignore() -> None:
    graph = Graph("side", clock=VirtualClock())
    camera = graph.source("camera", Script([]))
    node: NodeHandle[int, None] = graph.sink("sink", lambda n, side: None)
    with pytest.raises(GraphError, match="a side input has no deadline"):
        graph.connect(camera, node, Latest(), as_side="side", join=Hold(1.0), expires=False)


def test_a_report_prints_as_a_table() -> None:
    clock = VirtualClock()
    graph = Graph("table", clock=clock)
    camera = graph.source("camera", Script(frames(10, 0.1)))
    stage = graph.transform("stage", lambda n: 1 // n, service_time=0.25)
    graph.connect(camera, stage, Latest())
    graph.connect(stage, graph.sink("screen", lambda n: None), Latest())
    assert str(run(graph)).splitlines() == [
        "table: ended after 1.2 s",
        "",
        "source  captured  failures  restarts  read p95",
        "camera        10         0         0  100.0 ms",
        "",
        "node    processed  skipped  empty  failed  service p95   age p95",
        "stage           4        0      0       1     250.0 ms  350.0 ms",
        "screen          4        0      0       0       0.0 ms  350.0 ms",
        "",
        "edge          put  delivered  queued                 dropped",
        "camera→stage   10          4       0  5 superseded, 1 failed",
        "stage→screen    4          4       0                       0",
    ]


def test_a_snapshot_of_one_node_is_that_part_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's percentiles take the interpreter for milliseconds, twice a second, beside pictures that somebody waits for."""
    graph = Graph("part", clock=VirtualClock())
    camera = graph.source("camera", Script(frames(10, 0.1)))
    stage = graph.transform("stage", lambda n: n, service_time=0.25)
    graph.connect(camera, stage, Latest())
    graph.connect(stage, graph.sink("screen", lambda n: None), Latest())
    run(graph)
    whole, asked = graph.snapshot(), list[object]()
    percentiles = DurationHistogram.percentiles
    monkeypatch.setattr(DurationHistogram, "percentiles", lambda self: asked.append(self) or percentiles(self))
    part = graph.snapshot(only="screen")
    assert part.nodes == {"screen": whole.nodes["screen"]}
    assert part.paths == {"screen": whole.paths["screen"]}
    assert (part.edges, part.seconds, part.reason) == (whole.edges, whole.seconds, whole.reason)
    assert (part.sources, part.edge_wait) == ({}, {})
    assert len(asked) == 6, "the node's own"


def test_the_example_in_the_documentation_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(Path(__file__).parents[2] / "docs" / "examples" / "graph.py"))
    printed = capsys.readouterr().out
    assert "49: " in printed
    assert "camera→analyse" in printed
