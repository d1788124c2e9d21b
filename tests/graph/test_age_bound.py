"""The age bound of `Latest`, exactly, on the virtual clock."""

from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.graph import DropOldest, Graph, Item, Latest, Policy, VirtualClock
from tests.graph.modelled import Script, frames, run


def ages(items: Iterable[Item[int]], policy: Policy, services: Sequence[float]) -> list[float]:
    clock = VirtualClock(rounds=500_000)
    graph = Graph("bound", clock=clock)
    seen = []
    camera = graph.source("camera", Script(items))
    stage = graph.transform(
        "stage",
        lambda n: n,
        run_on="thread",
        service_time=lambda job: services[job.primary.envelope.sequence % len(services)],
    )
    sink = graph.sink("sink", lambda e: seen.append(clock.now() - e.capture_time), pass_envelope=True)
    graph.connect(camera, stage, policy)
    graph.connect(stage, sink, Latest())
    run(graph)
    return seen


@settings(max_examples=25, deadline=None)
@given(st.floats(0.005, 0.1), st.floats(0.0, 0.5))
def test_never_more_than_a_period_plus_the_service_time(period: float, service: float) -> None:
    seen = ages(frames(60, period), Latest(), [service])
    assert all(age <= period + service + 1e-9 for age in seen[:-1])
    assert seen[-1] <= 2 * service + 1e-9  # nothing newer replaces the last frame of a stream: the stated exception


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.001, 0.2), min_size=2, max_size=40),
    st.lists(st.floats(0.0, 0.3), min_size=1, max_size=7),
)
def test_with_jitter_the_longest_gap_and_the_longest_service_count(gaps: list[float], services: list[float]) -> None:
    now, items = 0.0, []
    for n, gap in enumerate(gaps):
        items.append(Item(n, n, now))
        now += gap
    seen = ages(items, Latest(), services)
    assert all(age <= max(gaps) + max(services) + 1e-9 for age in seen[:-1])
    assert seen[-1] <= 2 * max(services) + 1e-9


def test_the_bound_is_tight() -> None:
    # service just over n periods: the frame that arrived just after the stage took one is replaced n-1 times
    seen = ages(frames(200, 0.033), Latest(), [0.0500])
    assert max(seen) > 0.0500 + 0.033 - 0.002


def test_a_queue_of_n_adds_n_services_instead() -> None:
    seen = ages(frames(200, 0.033), DropOldest(4), [0.050])
    assert max(seen) > 0.050 + 3 * 0.050 - 0.033


def test_it_does_not_grow_over_time() -> None:
    seen = ages(frames(2000, 0.033), Latest(), [0.150])
    assert max(seen[-100:]) <= max(seen[:100]) + 1e-9
