"""A source: reads items, makes envelopes of them, puts each on every outgoing edge."""

import logging
import math
from dataclasses import dataclass
from typing import Any, Protocol

from realtime.graph.envelope import Envelope, Item, Reset
from realtime.graph.nodes import Outlets
from realtime.graph.stats import Recorder
from realtime.graph.stop import StopToken

log = logging.getLogger(__name__)


class Reader(Protocol):
    """What a source is made of. All three run on the source's own thread; open and close are optional.

    open() may raise; whether it is tried again is the supervisor's matter. After a failed `read`, close() and open()
    are called again. renew() -> Reader, optional, gives a fresh reader where the old one's thread is stuck in `read`.
    """

    def read(self, stop: StopToken) -> Item | None:
        """The next item; waits for it, but not much longer than until `stop` is set. None at the end of the stream."""
        ...


@dataclass(slots=True)
class SourceCounts:
    """What a source did."""

    captured: int = 0
    restarts: int = 0
    failures: int = 0
    stalls: int = 0
    last_error: str | None = None


class Source:
    """The state of one source, without any waiting in it."""

    def __init__(self, name: str, reader: Reader, max_age: float = math.inf) -> None:
        self.name = name
        self.reader = reader
        self.max_age = max_age
        self.outlets = Outlets()
        self.counts = SourceCounts()
        self.read_ms = Recorder()
        self.stop = StopToken()
        self.ended = False
        self._last = -1
        self._offset = 0

    def emit(self, item: Item, now: float) -> None:
        """Put the item on every edge. Its deadline is its capture time plus `max_age`."""
        sequence = item.sequence + self._offset
        if sequence <= self._last:
            self._offset += self._last + 1 - sequence
            sequence = self._last + 1
        self.outlets.no_result_up_to(sequence - 1)
        self._last = sequence
        self.counts.captured += 1
        captured = now if item.capture_time is None else item.capture_time
        self.outlets.put(Envelope(item.payload, sequence, captured, captured + self.max_age, self.name), now)

    def interrupted(self, error: Exception | None, reason: str) -> None:
        """Note the failure and tell everything downstream that what follows is a new stream."""
        self.counts.failures += 1
        if error is not None:
            self.counts.last_error = f"{type(error).__name__}: {error}"
            log.warning("source %s: %s", self.name, self.counts.last_error)
        self.outlets.reset(Reset(self.name, reason, self._last + 1))

    def end(self) -> None:
        if not self.ended:
            self.ended = True
            self.outlets.end()

    def call(self, method: str) -> Any:
        """Call the reader's optional method."""
        function = getattr(self.reader, method, None)
        return None if function is None else function()
