"""What the table of stages makes of calls: whose time it is, and what was waited for."""

import threading
import time

import pytest

from realtime.graph.histogram import Percentiles
from tools.bench.stages import Ran, Spent, Stages, add
from tools.bench.timing import Report

NONE = Percentiles(0)


class Worker:
    """Works, or waits for another thread."""

    def __init__(self, name: str) -> None:
        self.name = name

    def work(self, count: int) -> int:
        return sum(range(count))

    def wait(self, event: threading.Event) -> bool:
        return event.wait(60.0)

    def fail(self) -> None:
        raise ValueError(self.name)


def test_a_call_is_noted_under_its_owners_name_with_what_it_gave() -> None:
    stages = Stages()
    work, fail = (stages.wrapped(call, lambda owner: owner.name) for call in (Worker.work, Worker.fail))
    assert work(Worker("track"), 200_000) == sum(range(200_000))
    with pytest.raises(ValueError, match="measure"):
        fail(Worker("measure"))
    stages.close()
    (spent,) = stages.calls["track"]
    assert 0 < spent.busy <= spent.wall + 1e-3
    assert len(stages.calls["measure"]) == 1


def test_waiting_for_another_thread_is_neither_work_nor_waiting_for_a_processor() -> None:
    stages, event, begun = Stages(), threading.Event(), threading.Event()

    def release() -> None:
        begun.wait(60.0)
        ends = time.perf_counter() + 0.02
        while time.perf_counter() < ends:  # at work meanwhile, as a thread with the interpreter's lock is
            pass
        event.set()

    other = threading.Thread(target=release)
    other.start()
    begun.set()
    assert stages.wrapped(Worker.wait, lambda owner: owner.name)(Worker("compose"), event)
    other.join()
    stages.close()
    (spent,) = stages.calls["compose"]
    assert spent.busy < 0.5 * spent.wall


def test_the_parts_add_up_to_the_clock() -> None:
    assert Spent(0.010, 0.004, 0.001).blocked == pytest.approx(0.005)
    assert Spent(0.010, 0.004, 0.008).blocked == 0.0, "the system's figures are a little apart"


def test_rows_of_a_situation() -> None:
    stages, report = Stages(), Report("stages")
    stages.calls["track"] = [Spent(0.004, 0.003, 0.0005)] * 10
    stages.calls["compose"] = [Spent(0.001, 0.001, 0.0)] * 10
    ran = Ran(stages, 10, 5.0, Percentiles(10, 7.0, 8.0, 9.0))
    add(report, "live", ran, live=True)
    figures = {name: value for name, value, *_ in report.rows}
    assert figures["live: track"] == pytest.approx(3.0)
    assert figures["live: no stage's"] == pytest.approx(1.0)
    assert figures["live: track, blocked p99"] == pytest.approx(0.5)
    assert figures["live: age p99"] == 9.0
    add(report, "drawn", Ran(stages, 10, 5.0, NONE), live=False)
    assert not [name for name, *_ in report.rows if name.startswith("drawn") and "p99" in name]
