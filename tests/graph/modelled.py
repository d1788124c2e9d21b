"""Sources with a script and nodes with modelled service times, for the virtual clock."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from realtime.graph import Graph, Item, Report, StopToken, VirtualClock

Event = Item[int] | Exception


class Script:
    """A reader that plays items and raises exceptions in order; after the last, the end. Counts open and close."""

    def __init__(self, events: Iterable[Event], open_errors: Sequence[Exception | None] = ()) -> None:
        self.events = iter(events)
        self.open_errors = iter(open_errors)
        self.opens = 0
        self.closes = 0

    def open(self) -> None:
        self.opens += 1
        error = next(self.open_errors, None)
        if error is not None:
            raise error

    def read(self, stop: StopToken) -> Item[int] | None:
        event = next(self.events, None)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        self.closes += 1


def frames(count: int, period: float, first: int = 0, start: float = 0.0) -> list[Item[int]]:
    """`count` items, one every `period` seconds; the payload is the sequence number."""
    return [Item(first + i, first + i, start + i * period) for i in range(count)]


class Recorder:
    """A processor that remembers what it got and when, and hands the payload on."""

    def __init__(self, clock: VirtualClock, result: Callable[[Any], Any] = lambda payload: payload) -> None:
        self.clock = clock
        self.result = result
        self.seen: list[Any] = []
        self.times: list[float] = []
        self.sides: list[dict[str, Any]] = []
        self.resets: list[tuple[str, int]] = []

    def process(self, payload: Any, **sides: Any) -> Any:
        self.seen.append(payload)
        self.times.append(self.clock.now())
        self.sides.append(sides)
        return self.result(payload)

    def reset(self, reason: str) -> None:
        self.resets.append((reason, len(self.seen)))


def run(graph: Graph, **arguments: Any) -> Report:
    assert isinstance(graph.clock, VirtualClock)
    return graph.clock.run(graph.run(**arguments))
