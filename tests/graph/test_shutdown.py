"""How a run ends: in order, within its time, with the books closed."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from realtime.graph import (
    Block,
    DropOldest,
    Exact,
    Graph,
    GraphError,
    Hold,
    Item,
    Latest,
    NodeHandle,
    Policy,
    RealClock,
    Report,
    Side,
    SourceHandle,
    StopToken,
    VirtualClock,
)
from tests.graph.modelled import Recorder, Script, frames, run


def chain(service: float, count: int = 100, policy: Policy | None = None, grace: float = 2.0) -> tuple[Graph, Recorder]:
    clock = VirtualClock()
    graph = Graph("chain", clock=clock)
    camera = graph.source("camera", Script(frames(count, 0.033)))
    stage = graph.transform("stage", lambda n: n, run_on="thread", service_time=service, grace=grace, stall_timeout=1e9)
    screen = Recorder(clock)
    sink = graph.sink("screen", screen)
    graph.connect(camera, stage, policy or DropOldest(30))
    graph.connect(stage, sink, Block(2))
    return graph, screen


def clock_of(graph: Graph) -> VirtualClock:
    assert isinstance(graph.clock, VirtualClock)
    return graph.clock


def test_what_is_on_its_way_is_drained() -> None:
    graph, screen = chain(service=0.1)
    report = run(graph, duration=0.5, drain_timeout=5.0)
    assert (report.reason, report.stuck, screen.seen) == ("duration", [], list(range(16)))
    assert report.paths["screen"].dropped == {}


def test_what_cannot_be_drained_in_time_is_dropped_as_stopping() -> None:
    graph, screen = chain(service=0.1)
    report = run(graph, duration=0.5, drain_timeout=0.45)
    path = report.paths["screen"]
    assert report.seconds <= 0.5 + 0.45 + 0.1 + 1e-9
    assert path.captured == 16 == path.delivered + sum(path.dropped.values())
    assert path.dropped[("camera→stage", "stopping")] >= 5
    assert path.delivered == len(screen.seen)


def test_a_wedged_node_is_named_and_costs_no_more_than_its_grace_time() -> None:
    graph, _ = chain(service=1e6, grace=0.7)
    report = run(graph, duration=1.0, drain_timeout=0.5)
    assert report.stuck == ["stage"]
    assert report.seconds == pytest.approx(1.0 + 0.5 + 0.7)
    assert report.balanced
    assert all(edge.queued == 0 for edge in report.edges.values())


def test_until_and_stop_end_a_run() -> None:
    graph, _ = chain(service=0.01)

    async def main() -> Report:
        until = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, until.set)
        return await graph.run(until=until)

    report = clock_of(graph).run(main())
    assert (report.reason, report.seconds) == ("stopped", pytest.approx(0.5, abs=0.02))
    graph, _ = chain(service=0.01)

    async def other() -> Report:
        asyncio.get_running_loop().call_later(0.5, graph.stop, "enough")
        return await graph.run()

    assert clock_of(graph).run(other()).reason == "enough"


def test_a_cancelled_run_closes_its_books_first() -> None:
    graph, _ = chain(service=0.1)

    async def main() -> None:
        task = asyncio.ensure_future(graph.run(drain_timeout=0.2))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    clock_of(graph).run(main())
    assert graph.report.reason == "cancelled"
    assert graph.report.balanced
    assert all(edge.queued == 0 for edge in graph.report.edges.values())


def test_close_is_called_on_the_thread_that_opened() -> None:
    calls = []

    class Model:
        def open(self) -> None:
            calls.append(("open", threading.get_ident()))

        def process(self, n: int) -> None:
            calls.append(("process", threading.get_ident()))

        def close(self) -> None:
            calls.append(("close", threading.get_ident()))

    graph = Graph("threads", clock=RealClock())
    items = iter([Item(0, 0), None])

    class Camera:
        def read(self, stop: StopToken) -> Item[int] | None:
            return next(items)

    graph.connect(graph.source("camera", Camera()), graph.sink("model", Model(), run_on="thread"), Latest())
    report = asyncio.run(graph.run())
    assert [name for name, _ in calls] == ["open", "process", "close"]
    assert len({thread for _, thread in calls}) == 1
    assert calls[0][1] != threading.get_ident()
    assert report.paths["model"].delivered == 1


@pytest.mark.parametrize("run_on", ["loop", "thread", "thread:shared"])
def test_real_threads_lose_nothing_offline(run_on: str) -> None:
    count, seen = 300, []
    items = iter([*(Item(n, n) for n in range(count)), None])

    class File:
        def read(self, stop: StopToken) -> Item[int] | None:
            return next(items)

    def compose(n: int, analysis: Side[int] | None) -> int:
        seen.append((n, analysis.payload if analysis else None))
        return n

    graph = Graph("offline", clock=RealClock())
    camera = graph.source("file", File())
    detect = graph.transform("detect", lambda n: n if n % 8 == 0 else None, run_on=run_on)
    track: NodeHandle[int, int] = graph.transform("track", lambda n, detection: 2 * n, run_on=run_on)
    picture: NodeHandle[int, int] = graph.transform("compose", compose, run_on=run_on)
    sink = graph.sink("sink", lambda n: None, run_on=run_on)
    graph.connect(camera, detect, Block(2))
    graph.connect(camera, track, Block(2))
    graph.connect(detect, track, Block(2), as_side="detection", join=Exact())
    graph.connect(camera, picture, Block(2))
    graph.connect(track, picture, Block(2), as_side="analysis", join=Exact())
    graph.connect(picture, sink, Block(2))
    report = asyncio.run(graph.run(switch_interval=0.0005))
    assert seen == [(n, 2 * n) for n in range(count)]
    assert (report.reason, report.balanced, report.stuck) == ("ended", True, [])


Build = Callable[[Graph, SourceHandle[int], NodeHandle[int, int]], None]


def node_without_input(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    graph.transform("lonely", lambda n: n)


def two_primaries(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    other = graph.source("other", Script([]))
    graph.connect(other, node, Latest())


def cycle(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    first = graph.transform("first", lambda n, past=None: n)
    back = graph.transform("back", lambda n: n)
    graph.connect(camera, first, Latest())
    graph.connect(first, back, Latest())
    graph.connect(back, first, Latest(), as_side="past", join=Hold(1.0))


def same_name(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    graph.sink("node", print)


def out_of_a_sink(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    sink = graph.sink("end", print)
    graph.connect(sink, node, Latest(), as_side="x", join=Hold(1.0))


def side_without_join(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    graph.connect(camera, node, Latest(), as_side="x")  # type: ignore[call-overload]


def wrong_place(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    graph.transform("x", print, run_on="moon")


def unnamed_thread(graph: Graph, camera: SourceHandle[int], node: NodeHandle[int, int]) -> None:
    graph.transform("x", print, run_on="thread:")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (node_without_input, "lonely has no primary input"),
        (two_primaries, "two primary inputs"),
        (cycle, "cycle through first, back"),
        (same_name, "two nodes named node"),
        (out_of_a_sink, "end is a sink"),
        (side_without_join, "both as_side and join"),
        (wrong_place, "run_on must be"),
        (unnamed_thread, "run_on must be"),
    ],
)
def test_a_graph_that_cannot_run_says_why(build: Build, words: str) -> None:
    graph = Graph("wrong", clock=VirtualClock())
    camera = graph.source("camera", Script(frames(1, 0.1)))
    node = graph.transform("node", lambda n: n)
    graph.connect(camera, node, Latest())

    def build_and_run() -> None:
        build(graph, camera, node)
        run(graph)

    with pytest.raises(GraphError, match=words):
        build_and_run()


def test_a_graph_runs_once() -> None:
    graph, _ = chain(service=0.0, count=1)
    run(graph)
    with pytest.raises(GraphError, match="build a new graph"):
        run(graph)


def test_a_stalled_node_is_not_waited_for_in_the_drain() -> None:
    """It gets its grace time; the time for what is on its way is not spent on a node that is known to hang."""
    clock = VirtualClock()
    graph = Graph("stalled", clock=clock)
    camera = graph.source("camera", Script(frames(100, 0.033)))
    stage = graph.transform("stage", lambda n: n, run_on="thread", service_time=1e6, grace=0.2, stall_timeout=0.1)
    graph.connect(camera, stage, Latest())
    report = run(graph, duration=1.0, drain_timeout=5.0)
    assert (report.nodes["stage"].stalls, report.stuck) == (1, ["stage"])
    assert report.seconds == pytest.approx(1.0 + 0.2)
