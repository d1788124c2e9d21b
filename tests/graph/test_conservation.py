"""The books of every edge add up, over random topologies, policies, joins, faults and stops; nothing hangs."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.graph import (
    Block,
    DropNewest,
    DropOldest,
    Exact,
    Graph,
    Hold,
    Item,
    Latest,
    LatestBefore,
    NodeHandle,
    Restart,
    Side,
    SourceHandle,
    VirtualClock,
)
from tests.graph.modelled import Event, Script, run

POLICIES = st.one_of(
    st.just(Latest()),
    st.integers(1, 3).map(DropOldest),
    st.integers(1, 3).map(DropNewest),
    st.integers(1, 3).map(Block),
)
AGES = st.sampled_from([0.02, 0.1, 1.0])
WAITS = st.sampled_from([0.0, 0.005, 0.05])
JOINS = st.one_of(
    st.just(Exact()),
    WAITS.map(Exact),
    st.builds(LatestBefore, AGES, WAITS),
    st.builds(Hold, AGES, WAITS),
)


class Faulty:
    """Gives nothing on every `none`-th frame, raises on every `bad`-th, refuses every `gate`-th at the door."""

    def __init__(self, none: int, bad: int, gate: int) -> None:
        self.none, self.bad = none, bad
        if gate:
            self.accepts = lambda envelope: envelope.sequence % gate != 0

    def process(self, payload: int, **sides: Side[int] | None) -> int | None:
        for side in sides.values():
            assert side is None or side.age >= 0.0
        if self.bad and payload % self.bad == 0:
            raise ArithmeticError("modelled fault")
        return None if self.none and payload % self.none == 0 else payload


EVERY = st.sampled_from([0, 0, 0, 2, 3, 5])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, float | None]:
    clock = VirtualClock(rounds=200_000)
    graph = Graph("random", clock=clock)
    producers: list[SourceHandle[int] | NodeHandle[int, int]] = []
    origin = {}
    for i in range(draw(st.integers(1, 2))):
        gaps = draw(st.lists(st.sampled_from([0.0, 0.01, 0.033, 0.2]), min_size=1, max_size=25))
        now, events = 0.0, list[Event]()
        for k, gap in enumerate(gaps):
            now += gap
            events.append(Item(k, k, now))
        if draw(st.booleans()):
            events.insert(draw(st.integers(0, len(events))), OSError("unplugged"))
        handle = graph.source(
            f"source{i}",
            Script(events),
            max_age=draw(st.sampled_from([0.03, 0.3, float("inf")])),
            restart=draw(st.sampled_from([None, Restart(attempts=1)])),
        )
        producers.append(handle)
        origin[handle.name] = handle.name
    count = draw(st.integers(1, 6))
    for i in range(count):
        node = graph.transform(
            f"node{i}",
            Faulty(draw(EVERY), draw(EVERY), draw(EVERY)),
            run_on=draw(st.sampled_from(["loop", "thread", "thread:shared"])),
            service_time=draw(st.sampled_from([0.0, 0.004, 0.05, 0.3])),
            stall_timeout=draw(st.sampled_from([0.1, 5.0])),
        )
        primary = draw(st.sampled_from(producers))
        graph.connect(primary, node, draw(POLICIES))
        origin[node.name] = origin[primary.name]
        for other in draw(st.lists(st.sampled_from(producers), max_size=2, unique=True)):
            if other is primary:
                continue
            policy, join = draw(POLICIES), draw(JOINS)
            if origin[other.name] != origin[node.name]:
                policy = Latest() if isinstance(policy, Block) else policy
                join = Hold(0.1)
            graph.connect(other, node, policy, as_side=f"from_{other.name}", join=join)
        producers.append(node)
    duration = draw(st.one_of(st.none(), st.floats(0.001, 0.5)))
    return graph, duration


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_put_is_delivered_plus_dropped_plus_queued(case: tuple[Graph, float | None]) -> None:
    graph, duration = case
    heard: Counter[tuple[str, str]] = Counter()
    graph.on_drop(lambda connection, reason, envelope: heard.update([(connection.name, reason.value)]))
    report = run(graph, duration=duration, drain_timeout=0.5)
    assert report.balanced
    assert report.stuck == []
    for name, edge in report.edges.items():
        assert edge.queued == 0
        assert edge.dropped == {cause: n for (e, cause), n in heard.items() if e == name}
    for name, path in report.paths.items():
        first = graph.connections[0]
        assert path.captured == path.delivered + sum(path.dropped.values()) + path.withheld, (name, first)
        assert path.withheld >= 0
    for name, source in report.sources.items():
        for edge_name, counts in report.edges.items():
            if edge_name.startswith(f"{name}→"):
                assert counts.put == source.captured


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_blocking_edges_and_exact_joins_lose_nothing(data: st.DataObject) -> None:
    """The offline mode: every frame comes through every branch, joined with its own results."""
    clock = VirtualClock(rounds=200_000)
    graph = Graph("offline", clock=clock)
    count = 12
    camera = graph.source(
        "camera", Script([Item(i, i, 0.0 if data.draw(st.booleans()) else None) for i in range(count)])
    )
    producers: list[SourceHandle[int] | NodeHandle[int, int]] = [camera]
    for i in range(data.draw(st.integers(1, 5))):
        seen: list[int] = []

        def process(payload: int, _seen: list[int] = seen, **sides: Side[int] | None) -> int | None:
            assert all(side is not None and side.payload == payload for side in sides.values())
            _seen.append(payload)
            return payload

        node = graph.transform(
            f"n{i}", process, run_on="thread", service_time=data.draw(st.sampled_from([0, 0.01, 0.1]))
        )
        primary = data.draw(st.sampled_from(producers))
        graph.connect(primary, node, Block(data.draw(st.integers(1, 3))))
        for other in data.draw(st.lists(st.sampled_from(producers), max_size=2, unique=True)):
            if other is not primary:
                graph.connect(other, node, Block(1), as_side=f"side_{other.name}", join=Exact())
        producers.append(node)
    report = run(graph)
    assert all(edge.delivered == count and not edge.dropped for edge in report.edges.values())
    assert report.reason == "ended"
