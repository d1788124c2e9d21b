"""What a node counts and times."""

from dataclasses import dataclass, field

from realtime.graph.histogram import Recorder


@dataclass(slots=True)
class NodeCounts:
    """How the frames that came to a node fared."""

    processed: int = 0
    skipped: int = 0
    empty: int = 0
    failed: int = 0
    resets: int = 0
    stalls: int = 0
    last_error: str | None = None


@dataclass(slots=True)
class NodeTimes:
    """Durations in seconds. A frame's way through a node is queue + executor + join + service.

    queue: waiting while the node was busy with earlier frames. executor: from then until its thread really looked.
    join: waiting for side inputs, waking up included. service: in `process`. age: capture to the end of `process`. result_age: the age of
    the oldest side input that the frame carried.
    """

    queue: Recorder = field(default_factory=Recorder)
    join: Recorder = field(default_factory=Recorder)
    executor: Recorder = field(default_factory=Recorder)
    service: Recorder = field(default_factory=Recorder)
    age: Recorder = field(default_factory=Recorder)
    result_age: Recorder = field(default_factory=Recorder)
