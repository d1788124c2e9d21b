import functools
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.graph import Block, DropNewest, DropOldest, DropReason, Edge, Envelope, GraphError, Latest, Policy, Reset
from realtime.graph.node import OutputPorts


def envelope(n: int) -> Envelope[str]:
    return Envelope(f"frame {n}", n, float(n))


def drain(edge: Edge[str]) -> list[int]:
    taken = []
    while (entry := edge.receiver.take_nowait()) is not None:
        edge.receiver.deliver(entry.envelope)
        taken.append(entry.envelope.sequence)
    return taken


@pytest.mark.parametrize(
    ("policy", "kept", "dropped"),
    [
        (Latest(), [4], {"superseded": 4}),
        (DropOldest(2), [3, 4], {"overflow": 3}),
        (DropNewest(2), [0, 1], {"overflow": 3}),
    ],
)
def test_what_each_policy_keeps_of_five(policy: Policy, kept: list[int], dropped: dict[str, int]) -> None:
    edge: Edge[str] = Edge("a→b", policy)
    lost = []
    edge.wire(lambda: None, lambda: None, lambda reason, e: lost.append((reason, e.sequence)))
    assert all(edge.sender.put_nowait(envelope(n), 0.0) for n in range(5))
    assert drain(edge) == kept
    assert edge.statistics().dropped == dropped
    assert sorted(n for _, n in lost) == sorted(set(range(5)) - set(kept))
    assert {reason.value for reason, _ in lost} == set(dropped)


def test_block_refuses_when_full_and_tells_when_there_is_room() -> None:
    edge: Edge[str] = Edge("a→b", Block(2))
    told = []
    edge.wire(lambda: None, lambda: told.append("room"), None)
    assert edge.sender.put_nowait(envelope(0), 0.0)
    assert edge.sender.put_nowait(envelope(1), 0.0)
    assert not edge.sender.put_nowait(envelope(2), 0.0)
    assert edge.statistics()[:2] == (2, 0)
    assert told == []
    assert drain(edge) == [0, 1]
    assert told == ["room"]
    assert edge.sender.put_nowait(envelope(2), 0.0)


def test_control_messages_survive_data_that_evicts_data() -> None:
    edge: Edge[str] = Edge("a→b", Latest())
    message = Reset("camera", "unplugged", 1)
    edge.sender.put_nowait(envelope(0), 0.0)
    edge.sender.reset(message)
    for n in range(1, 100):
        edge.sender.put_nowait(envelope(n), 0.0)
    assert edge.receiver.take_reset(0) is None
    assert edge.receiver.take_reset(99) == message
    assert edge.receiver.take_reset(None) is None


def test_a_refusing_edge_drops_what_waits_and_what_comes_until_it_opens_again() -> None:
    edge: Edge[str] = Edge("a→b", Block(1))
    edge.sender.put_nowait(envelope(0), 0.0)
    edge.refuse(DropReason.STALLED)
    assert edge.sender.put_nowait(envelope(1), 0.0)
    edge.refuse(None)
    edge.sender.put_nowait(envelope(2), 0.0)
    assert drain(edge) == [2]
    assert edge.statistics().dropped == {"stalled": 2}


def test_after_the_end_what_waits_can_be_taken_and_nothing_is_added() -> None:
    edge: Edge[str] = Edge("a→b", DropOldest(3))
    edge.sender.put_nowait(envelope(0), 0.0)
    edge.sender.end()
    assert not edge.receiver.exhausted
    edge.sender.put_nowait(envelope(1), 0.0)
    assert drain(edge) == [0]
    assert edge.receiver.exhausted
    assert edge.statistics().dropped == {"stopping": 1}


def test_closed_books_count_what_a_stuck_node_holds_and_ignore_its_late_word() -> None:
    edge: Edge[str] = Edge("a→b", Latest())
    lost = []
    edge.wire(lambda: None, lambda: None, lambda reason, e: lost.append(e.sequence))
    edge.sender.put_nowait(envelope(0), 0.0)
    held = edge.receiver.take_nowait()
    assert edge.statistics().queued == 1
    edge.close_books()
    edge.receiver.deliver(held.envelope)
    assert edge.statistics()[:4] == (1, 0, {"stopping": 1}, 0)
    assert lost == [0]


def test_a_gate_lets_frames_pass_uncounted_as_drops() -> None:
    edge: Edge[str] = Edge("a→b", Latest())
    edge.gated(lambda e: e.sequence % 2 == 0)
    for n in range(3):
        edge.sender.put_nowait(envelope(n), 0.0)
    assert edge.statistics() == (3, 1, {"superseded": 1}, 1, 1)


def test_nobody_is_woken_for_what_a_gate_refuses() -> None:
    ports, woken = OutputPorts(), list[str]()
    for name, wants in (("gated", lambda e: e.sequence % 2 == 0), ("open", lambda _: True)):
        edge: Edge[str] = Edge(f"a→{name}", Latest())
        edge.gated(wants)
        edge.wire(functools.partial(woken.append, name), lambda: None, None)
        ports.senders.append(edge.sender)
    for n in range(3):
        ports.put(envelope(n), 0.0)
    assert woken == ["gated", "open", "open", "gated", "open"]


def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    edge: Edge[str] = Edge("a→b", Latest())

    def fail(reason: DropReason, e: Envelope[str]) -> None:
        raise RuntimeError("listener")

    edge.wire(lambda: None, lambda: None, fail)
    edge.sender.put_nowait(envelope(0), 0.0)
    assert edge.sender.put_nowait(envelope(1), 0.0)
    assert "drop listener failed" in caplog.text
    assert drain(edge) == [1]


@pytest.mark.parametrize("policy", [DropOldest(0), DropNewest(0), Block(-1)])
def test_a_queue_holds_at_least_one(policy: Policy) -> None:
    with pytest.raises(GraphError, match="at least 1"):
        Edge("a→b", policy)


POLICIES = st.sampled_from([Latest(), DropOldest(1), DropOldest(3), DropNewest(2), Block(1), Block(3)])


@given(POLICIES, st.lists(st.sampled_from(["put", "put", "take", "deliver", "drop"]), max_size=60))
def test_any_order_of_calls_keeps_the_balance_and_the_order(policy: Policy, calls: list[str]) -> None:
    edge: Edge[str] = Edge("a→b", policy)
    taken: deque[Envelope[str]] = deque()
    seen: list[int] = []
    n = 0
    for call in calls:
        if call == "put":
            n += edge.sender.put_nowait(envelope(n), 0.0)
        elif call == "take" and (entry := edge.receiver.take_nowait()) is not None:
            taken.append(entry.envelope)
            seen.append(entry.envelope.sequence)
        elif call == "deliver" and taken:
            edge.receiver.deliver(taken.popleft())
        elif call == "drop" and taken:
            edge.receiver.drop(DropReason.FAILED, taken.popleft())
        s = edge.statistics()
        assert s.put == n == s.delivered + sum(s.dropped.values()) + s.queued
    assert seen == sorted(set(seen))
