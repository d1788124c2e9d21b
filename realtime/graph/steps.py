"""What a node tells its driver to do next: process a frame, wait, or nothing any more."""

import math
from typing import Final, NamedTuple

from realtime.graph.edge_state import Entry
from realtime.graph.messages import Side


class Job(NamedTuple):
    """One frame ready to be processed. Times are on the graph's clock, seconds."""

    primary: Entry
    sides: dict[str, Side | None]
    started: float
    ready: float  # when it had arrived and the node was free
    looked_at: float  # when the node's thread first saw it


class Idle(NamedTuple):
    """Nothing to do before the driver is woken, or before `until`."""

    until: float


class Done(NamedTuple):
    """The input has ended and everything was handed on."""


FOREVER: Final = Idle(math.inf)
DONE: Final = Done()
