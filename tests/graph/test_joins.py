"""Joins on the virtual clock: which side value a frame gets, and how long it waited for it."""

import math

import pytest

from realtime.graph import (
    Block,
    DropOldest,
    Envelope,
    Exact,
    Graph,
    GraphError,
    Hold,
    Join,
    Latest,
    LatestBefore,
    NodeHandle,
    Policy,
    Report,
    SourceHandle,
    VirtualClock,
)
from realtime.graph.protocols import Process
from realtime.graph.workers import ServiceTime
from tests.graph.modelled import Recorder, Script, frames, run

PERIOD = 0.033


def picture_and_analysis(
    join: Join,
    service: ServiceTime | float,
    count: int = 30,
    analyse: Process[int, int] = lambda n: n,
    policy: Policy | None = None,
    side_policy: Policy | None = None,
    stall_timeout: float = 5.0,
) -> tuple[Recorder, Report]:
    """camera → compose, and camera → analysis → compose as a side input. Returns the compose recorder and the report."""
    clock = VirtualClock()
    graph = Graph("join", clock=clock)
    camera = graph.source("camera", Script(frames(count, PERIOD)))
    analysis = graph.transform(
        "analysis", analyse, run_on="thread", service_time=service, stall_timeout=stall_timeout, grace=0.5
    )
    compose = Recorder(clock)
    node = graph.transform("compose", compose)
    graph.connect(camera, analysis, policy or Latest())
    graph.connect(camera, node, policy or DropOldest(2))
    graph.connect(analysis, node, side_policy or policy or Latest(), as_side="analysis", join=join)
    report = run(graph, duration=count * PERIOD + 1.0)
    assert report.balanced
    return compose, report


def sequences(compose: Recorder) -> list[int | None]:
    return [None if side["analysis"] is None else side["analysis"].sequence for side in compose.sides]


def delays(compose: Recorder) -> list[float]:
    return [time - n * PERIOD for n, time in zip(compose.seen, compose.times, strict=True)]


def test_hold_without_wait_gives_the_newest_result_again_and_again() -> None:
    compose, _ = picture_and_analysis(Hold(0.5), service=0.1)
    got = sequences(compose)
    assert got[:4] == [None] * 4  # the first result came at 0.1
    assert got[4:8] == [0, 0, 0, 3]  # frame 3 waited in the slot from 0.099 and was taken at 0.1, ready at 0.2
    assert delays(compose) == pytest.approx([0.0] * 30, abs=1e-9)
    side = compose.sides[5]["analysis"]
    assert (side.fresh, compose.sides[4]["analysis"].fresh) == (False, True)
    assert side.age == pytest.approx(5 * PERIOD)


def test_hold_lets_go_of_a_result_that_is_too_old() -> None:
    compose, _ = picture_and_analysis(Hold(0.1, wait=0.001), service=0.0, analyse=lambda n: n if n == 0 else None)
    assert sequences(compose)[:6] == [0, 0, 0, 0, None, None]


def test_latest_before_gives_each_value_once() -> None:
    compose, _ = picture_and_analysis(
        LatestBefore(0.5, wait=0.001), service=0.0, analyse=lambda n: n if n % 4 == 0 else None
    )
    assert sequences(compose)[:6] == [0, None, None, None, 4, None]


def test_a_fast_branch_is_drawn_on_its_own_frame() -> None:
    compose, report = picture_and_analysis(Hold(0.5, wait=0.012), service=0.008)
    assert sequences(compose) == list(range(30))
    assert delays(compose) == pytest.approx([0.008] * 30, abs=1e-9)
    assert report.nodes["compose"].result_age.max == 0.0
    assert report.nodes["compose"].join.p50 == pytest.approx(8.0, abs=0.05)


def test_a_slow_branch_costs_three_waits_and_then_none() -> None:
    compose, _ = picture_and_analysis(Hold(0.5, wait=0.012), service=0.150)
    late = delays(compose)
    assert max(late) == pytest.approx(0.012, abs=1e-9)
    assert sum(delay > 1e-9 for delay in late) == 3
    assert late[10:] == pytest.approx([0.0] * 20, abs=1e-9)
    ages = [side["analysis"].age for side in compose.sides if side["analysis"]]
    assert max(ages) <= 0.150 + 0.150 + PERIOD + 1e-9


def test_a_branch_that_gets_fast_again_is_waited_for_again() -> None:
    compose, _ = picture_and_analysis(
        Hold(0.5, wait=0.012), service=lambda job: 0.15 if job.primary.envelope.sequence < 8 else 0.005
    )
    assert sequences(compose)[-15:] == list(range(15, 30))


def test_no_result_ends_the_wait_at_once() -> None:
    compose, _ = picture_and_analysis(Hold(0.5, wait=0.030), service=0.004, analyse=lambda n: None)
    assert delays(compose) == pytest.approx([0.004] * 30, abs=1e-9)


def test_a_gate_ends_the_wait_before_any_work() -> None:
    class Gated:
        def accepts(self, envelope: Envelope[int]) -> bool:
            return envelope.sequence % 8 == 0

        def process(self, payload: int) -> int:
            return payload

    compose, report = picture_and_analysis(LatestBefore(0.5, wait=0.030), service=0.004, analyse=Gated())
    assert delays(compose) == pytest.approx([0.004 if n % 8 == 0 else 0.0 for n in range(30)], abs=1e-9)
    assert sequences(compose) == [n if n % 8 == 0 else None for n in range(30)]
    assert report.nodes["analysis"].skipped == 26
    assert report.edges["camera→analysis"].dropped == {}


def test_a_node_that_raises_ends_the_wait_and_loses_one_frame() -> None:
    def analyse(n: int) -> int:
        if n == 5:
            raise ValueError("bad frame")
        return n

    compose, report = picture_and_analysis(Exact(), service=0.004, analyse=analyse)
    assert sequences(compose) == [None if n == 5 else n for n in range(30)]
    assert report.nodes["analysis"].failed == 1
    assert report.nodes["analysis"].last_error == "ValueError: bad frame"
    assert report.edges["camera→analysis"].dropped == {"failed": 1}


def test_exact_settles_for_frames_that_its_branch_lost() -> None:
    compose, _ = picture_and_analysis(Exact(), service=0.040, policy=DropOldest(30), side_policy=Latest())
    got = dict(zip(compose.seen, sequences(compose), strict=True))
    assert all(value in (None, key) for key, value in got.items())
    assert list(got) == list(range(30))


def test_a_frozen_branch_freezes_nothing() -> None:
    frozen_at = 10
    compose, report = picture_and_analysis(
        Hold(0.5, wait=0.012),
        service=lambda job: 1e6 if job.primary.envelope.sequence == frozen_at else 0.005,
        count=60,
    )
    assert compose.seen == list(range(60))
    assert sum(delay > 0.006 for delay in delays(compose)) <= 3
    assert sequences(compose)[-1] is None
    assert report.stuck == ["analysis"]


def test_even_exact_goes_on_once_the_frozen_branch_is_declared_stalled() -> None:
    compose, report = picture_and_analysis(
        Exact(),
        service=lambda job: 1e6 if job.primary.envelope.sequence == 10 else 0.005,
        count=60,
        policy=Block(60),
        stall_timeout=0.4,
    )
    assert compose.seen == list(range(60))
    assert sequences(compose)[:10] == list(range(10))
    assert sequences(compose)[10:] == [None] * 50
    assert report.nodes["analysis"].stalls == 1
    assert report.edges["camera→analysis"].dropped["stalled"] >= 40


def test_a_stalled_branch_comes_back() -> None:
    compose, report = picture_and_analysis(
        Hold(0.5, wait=0.012),
        service=lambda job: 0.6 if job.primary.envelope.sequence == 10 else 0.005,
        count=60,
        stall_timeout=0.2,
    )
    assert compose.seen == list(range(60))
    assert sequences(compose)[-15:] == list(range(45, 60))
    assert report.nodes["analysis"].stalls == 1
    assert report.stuck == []


def test_watermarks_travel_through_a_chain() -> None:
    clock = VirtualClock()
    graph = Graph("chain", clock=clock)
    camera = graph.source("camera", Script(frames(20, PERIOD)))
    first = graph.transform("first", lambda n: n if n % 2 else None, run_on="thread", service_time=0.002)
    second = graph.transform("second", lambda n: n, run_on="thread", service_time=0.003)
    compose = Recorder(clock)
    node = graph.transform("compose", compose)
    graph.connect(camera, first, Latest())
    graph.connect(first, second, Latest())
    graph.connect(camera, node, DropOldest(2))
    graph.connect(second, node, Latest(), as_side="analysis", join=Exact(wait=0.030))
    run(graph)
    assert delays(compose) == pytest.approx([0.005 if n % 2 else 0.002 for n in range(20)], abs=1e-9)


def test_a_blocking_side_input_does_not_stop_a_primary_that_sees_no_frames() -> None:
    clock = VirtualClock()
    graph = Graph("starved", clock=clock)
    camera = graph.source("camera", Script(frames(50, 0.0)))
    rare = graph.transform("rare", lambda n: n if n == 49 else None)
    often = graph.transform("often", lambda n: n)
    join = Recorder(clock)
    node = graph.transform("join", join)
    graph.connect(camera, rare, Block(1))
    graph.connect(camera, often, Block(1))
    graph.connect(rare, node, Block(1))
    graph.connect(often, node, Block(1), as_side="often", join=Hold(1.0))
    report = run(graph)
    assert (join.seen, report.reason) == ([49], "ended")


def two_cameras() -> tuple[Graph, SourceHandle[int], NodeHandle[int, int]]:
    graph = Graph("two", clock=VirtualClock())
    left, right = (graph.source(name, Script(frames(3, 0.1))) for name in ("left", "right"))
    node: NodeHandle[int, int] = graph.transform("both", lambda n, other: n)
    graph.connect(left, node, Latest())
    return graph, right, node


@pytest.mark.parametrize("join", [Exact(), Hold(0.5, wait=0.01), LatestBefore(0.5, wait=math.inf)])
def test_sequences_of_different_sources_are_not_compared(join: Join) -> None:
    graph, right, node = two_cameras()
    graph.connect(right, node, Latest(), as_side="other", join=join)
    with pytest.raises(GraphError, match="goes back to right and the primary one to left"):
        run(graph)


def test_one_source_must_not_block_another() -> None:
    graph, right, node = two_cameras()
    graph.connect(right, node, Block(2), as_side="other", join=Hold(0.5))
    with pytest.raises(GraphError, match="a policy that drops"):
        run(graph)


def test_no_frame_waits_for_its_side_input_beyond_its_deadline() -> None:
    """Waiting longer would lose it: at its deadline it goes on with what there is."""
    clock = VirtualClock()
    graph = Graph("deadline", clock=clock)
    camera = graph.source("camera", Script(frames(3, 0.5)), max_age=0.02)
    analysis = graph.transform("analysis", lambda n: n, run_on="thread", service_time=0.1)
    compose = Recorder(clock)
    node = graph.sink("compose", compose)
    graph.connect(camera, analysis, Latest())
    graph.connect(camera, node, Latest())
    graph.connect(analysis, node, Latest(), as_side="analysis", join=Hold(10.0, wait=0.05))
    report = run(graph)
    assert compose.times == pytest.approx([0.02, 0.52, 1.02])
    assert sequences(compose) == [None, 0, 1]
    assert report.edges["camera→compose"].dropped == {}


def test_the_age_of_a_result_is_that_of_its_oldest_side_input() -> None:
    clock, carried = VirtualClock(), []
    graph = Graph("ages", clock=clock)
    camera = graph.source("camera", Script(frames(10, 0.1)))
    compose = Recorder(clock)
    node = graph.transform("compose", compose)
    graph.connect(camera, node, Latest())
    for name, every in (("often", 2), ("rare", 5)):
        branch = graph.transform(name, lambda n, every=every: n if n % every == 0 else None)
        graph.connect(camera, branch, Latest())
        graph.connect(branch, node, Latest(), as_side=name, join=Hold(10.0, wait=0.01))
    graph.connect(
        node, graph.sink("screen", lambda e: carried.append(round(e.result_age, 9)), pass_envelope=True), Latest()
    )
    report = run(graph)
    assert carried == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.1, 0.1, 0.2, 0.3, 0.4])
    assert report.nodes["compose"].result_age.max == pytest.approx(400.0)
