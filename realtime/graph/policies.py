"""What an edge does when its consumer is slower than its producer, and the words for what is lost."""

from dataclasses import dataclass
from enum import StrEnum


class DropReason(StrEnum):
    """Why an envelope did not reach the end of its edge."""

    SUPERSEDED = "superseded"  # a newer one took its place
    OVERFLOW = "overflow"  # the queue was full
    EXPIRED = "expired"  # its deadline, or the join's max_age, had passed
    FAILED = "failed"  # the node raised while processing it
    STALLED = "stalled"  # the node that should take it is declared stalled
    STOPPING = "stopping"  # the graph stopped first


@dataclass(frozen=True, slots=True)
class Latest:
    """Keep the newest only; an older one that still waits is dropped as superseded.

    Age bound: behind a `Latest` edge, a stage that takes at most S seconds per frame, fed with frames that arrive at most
    P seconds apart and D seconds after their capture, puts out nothing older than D + P + S, whatever S is, and this does
    not grow with time. For when the stage gets free, the frame that waits is the newest one, so it came less than P ago.

    Exceptions: the last frame before the source ends or pauses has no successor, and may wait for a whole service
    (D + 2 S). On a thread that nodes share, S is the longest time for which the thread does not come back to this node.
    A join's `wait` adds to S. The time until a woken thread really runs (the executor wait) adds to it as well.
    """

    def __str__(self) -> str:
        return "Latest"


@dataclass(frozen=True, slots=True)
class DropOldest:
    """A queue of `capacity`; when full, the oldest is dropped as overflow. For consumers that need recent history."""

    capacity: int

    def __str__(self) -> str:
        return f"DropOldest({self.capacity})"


@dataclass(frozen=True, slots=True)
class DropNewest:
    """A queue of `capacity`; when full, the arriving one is dropped as overflow. For an unbroken run of the first ones."""

    capacity: int

    def __str__(self) -> str:
        return f"DropNewest({self.capacity})"


@dataclass(frozen=True, slots=True)
class Block:
    """A queue of `capacity` that loses nothing: when full, the producer waits. Offline only: it lets latency grow."""

    capacity: int

    def __str__(self) -> str:
        return f"Block({self.capacity})"


Policy = Latest | DropOldest | DropNewest | Block
