"""Failing and silent sources, expired frames, start-up: on the virtual clock; and a truly stuck reader on real threads."""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from realtime.graph import Block, DropOldest, Graph, Hold, Item, Latest, RealClock, Restart, StopToken, VirtualClock
from realtime.graph.source import Backoff
from tests.graph.modelled import Event, Recorder, Script, frames, run


def one_stage(
    events: Iterable[Event], open_errors: Sequence[Exception | None] = (), **options: Any
) -> tuple[Graph, Script, Recorder, Recorder]:
    clock = VirtualClock()
    graph = Graph("one", clock=clock)
    script = Script(events, open_errors)
    camera = graph.source("camera", script, **options)
    tracker, screen = Recorder(clock), Recorder(clock)
    track = graph.transform("track", tracker, run_on="thread")
    sink = graph.sink("screen", screen)
    graph.connect(camera, track, Latest())
    graph.connect(track, sink, Latest())
    return graph, script, tracker, screen


def test_a_camera_that_vanishes_and_returns() -> None:
    events: list[Event] = [*frames(5, 0.1), OSError("unplugged"), *frames(5, 0.1, first=5, start=3.0)]
    again = (None, OSError("no such device"), OSError("no such device"), None)
    graph, script, tracker, screen = one_stage(events, again, restart=Restart(first_delay=0.25, factor=2.0))
    report = run(graph)
    assert screen.seen == list(range(10))
    assert tracker.resets == screen.resets == [("OSError: unplugged", 5)]
    assert (report.sources["camera"].restarts, report.sources["camera"].failures) == (1, 3)
    assert (script.opens, report.error) == (4, None)
    assert report.reason == "ended"


def test_attempts_wait_ever_longer_and_end_with_the_error() -> None:
    events: list[Event] = [*frames(1, 0.1), OSError("unplugged")]
    gone = (None, *[OSError("gone")] * 10)
    graph, script, _, _ = one_stage(events, gone, restart=Restart(attempts=3, first_delay=0.25, factor=2.0))
    report = run(graph)
    assert script.opens == 4
    assert report.seconds == pytest.approx(0.25 + 0.5 + 1.0)
    assert isinstance(report.error, OSError)
    assert report.failures == {"camera": "OSError: gone"}


@pytest.mark.parametrize(
    ("error", "lines"), [(ValueError("a mistake"), True), (OSError(24, "Too many open files"), False)]
)
def test_the_lines_of_the_program_are_shown_for_its_mistakes_only(
    error: Exception, lines: bool, caplog: pytest.LogCaptureFixture
) -> None:
    graph = Graph("one", clock=VirtualClock())

    def fail(_number: int) -> int:
        raise error

    graph.connect(graph.source("camera", Script(frames(3, 0.1))), graph.sink("fail", fail), Latest())
    run(graph)
    (told,) = caplog.records
    assert str(error) in told.getMessage()
    assert bool(told.exc_info) is lines


def test_backoff_counts_attempts_in_a_window() -> None:
    backoff = Backoff(Restart(attempts=2, window=10.0, first_delay=1.0, factor=3.0, longest_delay=2.5))
    assert [backoff.next(t) for t in (0.0, 1.0, 2.0, 10.5, 11.5)] == [1.0, 2.5, None, 2.5, 2.5]


def test_a_first_open_that_fails_is_not_retried() -> None:
    graph, script, _, _ = one_stage(frames(3, 0.1), (OSError("no camera"),), restart=Restart())
    report = run(graph)
    assert script.opens == 1
    assert str(report.error) == "no camera"


def test_without_a_restart_policy_a_failure_ends_the_source_but_not_what_is_on_its_way() -> None:
    graph, _, _, screen = one_stage([*frames(3, 0.1), OSError("unplugged"), *frames(3, 0.1, first=3)])
    report = run(graph)
    assert screen.seen == [0, 1, 2]
    assert (report.reason, report.failures) == ("ended", {"camera": "OSError: unplugged"})


def test_sequences_that_start_again_are_renumbered() -> None:
    events: list[Event] = [*frames(3, 0.1), OSError("unplugged"), *frames(3, 0.1, start=2.0)]
    clock = VirtualClock()
    graph = Graph("one", clock=clock)
    camera = graph.source("camera", Script(events), restart=Restart())
    numbers = []
    sink = graph.sink("sink", lambda e: numbers.append((e.sequence, e.payload)), pass_envelope=True)
    graph.connect(camera, sink, Latest())
    run(graph)
    assert numbers == [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (5, 2)]


def test_a_silent_source_is_stalled_and_started_again() -> None:
    late = Item(2, 2, 60.0)
    graph, _, tracker, screen = one_stage(
        [*frames(2, 0.1), late, *frames(3, 0.1, first=3, start=2.0)],
        stall_timeout=1.0,
        restart=Restart(first_delay=0.25),
    )
    report = run(graph)
    assert screen.seen == [0, 1, 3, 4, 5]
    assert tracker.resets == [("SourceStalledError: nothing for 1 s", 2)]
    assert (report.sources["camera"].stalls, report.sources["camera"].restarts) == (1, 1)


def test_restarts_are_off_once_the_graph_stops() -> None:
    graph, script, _, _ = one_stage(
        [*frames(2, 0.1), OSError("unplugged")], (None, *[OSError("gone")] * 100), restart=Restart(first_delay=5.0)
    )
    report = run(graph, duration=1.0)
    assert (script.opens, report.reason, report.error, report.stuck) == (1, "duration", None, [])
    assert report.seconds == pytest.approx(1.0)


def test_a_reset_comes_after_the_old_frames_and_drops_the_held_result() -> None:
    clock = VirtualClock()
    graph = Graph("reset", clock=clock)
    events: list[Event] = [*frames(4, 0.1), OSError("unplugged"), *frames(4, 0.1, first=4, start=0.6)]
    camera = graph.source("camera", Script(events), restart=Restart(first_delay=0.05))
    analysis = graph.transform("analysis", lambda n: n if n < 4 else None, service_time=0.01)
    compose = Recorder(clock)
    node = graph.transform("compose", compose)
    graph.connect(camera, analysis, Latest())
    graph.connect(camera, node, Latest())
    graph.connect(analysis, node, Latest(), as_side="analysis", join=Hold(10.0))
    run(graph)
    assert compose.resets == [("OSError: unplugged", 4)]
    assert [side["analysis"] is None for side in compose.sides] == [True] + [False] * 3 + [True] * 4


def test_an_expired_frame_is_dropped_before_any_work() -> None:
    clock = VirtualClock()
    graph = Graph("late", clock=clock)
    camera = graph.source("camera", Script(frames(10, 0.0)), max_age=0.1)
    worker = Recorder(clock)
    node = graph.sink("work", worker, run_on="thread", service_time=0.04)
    edge = graph.connect(camera, node, DropOldest(10))
    lost = []
    graph.on_drop(lambda connection, reason, e: lost.append((connection, reason.value, e.sequence)))
    report = run(graph)
    assert worker.seen == [0, 1, 2]
    assert lost == [(edge, "expired", n) for n in range(3, 10)]
    assert report.paths["work"].dropped == {("camera→work", "expired"): 7}


def test_a_node_that_cannot_open_ends_the_run_with_its_error() -> None:
    class Broken:
        def open(self) -> None:
            raise FileNotFoundError("no model")

        def process(self, payload: int) -> int:
            return payload

    clock = VirtualClock()
    graph = Graph("broken", clock=clock)
    script = Script(frames(3, 0.1))
    graph.connect(graph.source("camera", script), graph.sink("model", Broken(), run_on="thread"), Latest())
    report = run(graph)
    assert (report.reason, str(report.error), script.opens) == ("failed", "no model", 0)


def test_a_node_that_hangs_in_open_runs_into_its_own_time_out() -> None:
    release = threading.Event()

    class Slow:
        def open(self) -> None:
            release.wait(30)

        def process(self, payload: int) -> int:
            return payload

    graph = Graph("slow")
    camera = graph.source("camera", Script(frames(1, 0.0)))
    graph.connect(camera, graph.sink("model", Slow(), run_on="thread", startup_timeout=0.05, grace=0.05), Latest())
    report = asyncio.run(graph.run())
    release.set()
    assert (report.reason, report.stuck) == ("failed", ["model"])
    assert str(report.error) == "model did not start within 0.05 s"


def test_a_stuck_reader_is_replaced_by_a_fresh_one() -> None:
    release, done = threading.Event(), threading.Event()

    class Camera:
        def __init__(self, first: bool) -> None:
            self.first = first

        def read(self, stop: StopToken) -> Item[str] | None:
            if self.first:
                release.wait(30)  # deaf to `stop`
                return Item("stale", 0)
            if done.is_set():
                return None
            done.set()
            return Item("fresh", 0)

        def renew(self) -> "Camera":
            return Camera(first=False)

    seen: list[str] = []
    graph = Graph("stuck", clock=RealClock())
    camera = graph.source("camera", Camera(first=True), stall_timeout=0.05, grace=0.05, restart=Restart())
    graph.connect(camera, graph.sink("sink", seen.append), Latest())
    report = asyncio.run(graph.run())
    release.set()
    assert seen == ["fresh"]
    assert (report.sources["camera"].stalls, report.stuck, report.reason) == (1, [], "ended")


def test_an_item_that_comes_as_the_run_stops_is_counted_and_handed_on() -> None:
    class Camera:
        def __init__(self) -> None:
            self.given = 0

        def read(self, stop: StopToken) -> Item[int] | None:
            self.given += 1
            if self.given == 2:
                stop.wait(30)
            return Item(self.given, self.given)

    seen = []
    graph = Graph("last item", clock=RealClock())
    camera = Camera()

    def sink(number: int) -> None:
        seen.append(number)
        graph.stop()

    graph.connect(graph.source("camera", camera), graph.sink("sink", sink), Block(4))
    report = asyncio.run(graph.run())
    assert report.sources["camera"].captured == camera.given == 2
    assert seen == [1, 2]
