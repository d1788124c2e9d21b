"""A payload on its way through the graph, and the control messages that travel beside the data."""

import math
from dataclasses import dataclass
from typing import Generic, TypeVar


class GraphError(Exception):
    """The graph is not one that can run; the sentence says which node or edge, and what to change."""


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Item(Generic[T_co]):
    """What a source's `read` returns.

    Attributes:
        payload: what was captured.
        sequence: rises by one per captured item (gaps: items the device lost). A source that starts again at 0 after a reconnect is
            renumbered by the graph, so that the order of envelopes stays strict.
        capture_time: seconds on the graph's clock; None means "now", when `read` returned.
    """

    payload: T_co
    sequence: int
    capture_time: float | None = None


@dataclass(frozen=True, slots=True)
class Envelope(Generic[T]):
    """A payload with the capture it goes back to.

    Attributes:
        payload: what travels.
        sequence: of the capture.
        capture_time: seconds on the graph's clock. A node that picks the envelope up after `deadline` drops it, unless the edge was
            connected with `expires=False`.
        deadline: likewise.
        source: its name.
        result_age: how much older (seconds) than this envelope the oldest side input joined into it was; None without one.
    """

    payload: T
    sequence: int
    capture_time: float
    deadline: float = math.inf
    source: str = ""
    result_age: float | None = None


@dataclass(frozen=True, slots=True)
class Side(Generic[T]):
    """A side input as `process` sees it.

    Attributes:
        payload: the value.
        sequence: of the capture it goes back to.
        capture_time: of that capture, seconds.
        age: the primary's capture time minus this one's, seconds, never negative (the `result_age`).
        fresh: False when the same value was already given with an earlier frame (only `Hold` re-reads).
        latency: how long after its capture the value was ready, seconds; None where nobody measured it. Unlike `age` it does not
            depend on when the next primary comes.
    """

    payload: T
    sequence: int
    capture_time: float
    age: float
    fresh: bool
    latency: float | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """Control message: the stream of `source` was interrupted; what follows, from `sequence` on, is not its continuation.

    Attributes:
        source: its name.
        reason: why, in words.
        sequence: the first that follows.
    """

    source: str
    reason: str
    sequence: int
