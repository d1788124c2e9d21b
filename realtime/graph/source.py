"""A source: reads items, makes envelopes of them, puts each on every outgoing edge, and survives its device."""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from realtime.graph.clock import Clock
from realtime.graph.histogram import DurationHistogram
from realtime.graph.messages import Envelope, Item, Reset
from realtime.graph.node import OutputPorts
from realtime.graph.protocols import Out_co, StopToken


@dataclass(frozen=True, slots=True)
class Restart:
    """Try again after a failure: at most `attempts` times within `window` seconds, waiting ever longer (seconds).

    Attributes:
        attempts: the most within `window`.
        window: seconds.
        first_delay: seconds before the first attempt.
        factor: by which each wait is longer than the one before.
        longest_delay: seconds.
    """

    attempts: float = math.inf
    window: float = 60.0
    first_delay: float = 0.25
    factor: float = 2.0
    longest_delay: float = 5.0


class Backoff:
    """How long to wait before the next attempt. Pure: time is given.

    Args:
        restart: how often, and how long between.
    """

    def __init__(self, restart: Restart) -> None:
        self._restart = restart
        self._attempts: deque[float] = deque()

    def next(self, now: float) -> float | None:
        """Seconds to wait, growing with the attempts inside the window; None when they are used up.

        Args:
            now: seconds.
        """
        r = self._restart
        while self._attempts and now - self._attempts[0] > r.window:
            self._attempts.popleft()
        if len(self._attempts) >= r.attempts:
            return None
        delay = min(r.longest_delay, r.first_delay * r.factor ** min(len(self._attempts), 64))
        self._attempts.append(now)
        return delay


log = logging.getLogger(__name__)


class Reader(Protocol[Out_co]):
    """What a source is made of. `read`, and the optional open() and close(), run on the source's own thread.

    After a failed `read`, close() and open() are called again as the source's `Restart` says; a failure of the very
    first open() is final. renew() -> Reader, optional, gives a fresh reader when the thread of this one is stuck.
    """

    def read(self, stop: StopToken) -> Item[Out_co] | None:
        """The next item; waits for it, but not much longer than until `stop` is set. None at the end of the stream."""
        ...


class SourceStalledError(Exception):
    """A source gave nothing for longer than its stall time-out."""


@dataclass(slots=True)
class SourceCounts:
    """What a source did.

    Attributes:
        captured: items it gave.
        restarts: how often it was opened again.
        failures: how often it failed.
        stalls: how often it was silent for too long.
        last_error: in words.
    """

    captured: int = 0
    restarts: int = 0
    failures: int = 0
    stalls: int = 0
    last_error: str | None = None


class Source:
    """The state of one source, without any waiting in it.

    Args:
        name: in reports.
        reader: what is read.
        max_age: of its frames, seconds.
        stall_timeout: seconds of silence.
        restart: None: a failure ends it.
        grace: seconds that a silent reader is given to return.
    """

    def __init__(
        self,
        name: str,
        reader: Reader[Any],
        max_age: float = math.inf,
        stall_timeout: float = math.inf,
        restart: Restart | None = None,
        grace: float = 2.0,
    ) -> None:
        self.name = name
        self.reader = reader
        self.max_age = max_age
        self.stall_timeout = stall_timeout
        self.restart = restart
        self.grace = grace
        self.ports = OutputPorts()
        self.counts = SourceCounts()
        self.read_time = DurationHistogram()
        self.halting = False
        self.waiting_since: float | None = None  # in `read`, or in an `open` after a failure
        self.on_opened: Callable[[], None] = lambda: None
        self.on_stop_requested: Callable[[], None] = lambda: None  # wakes a driver that sleeps in `run`
        self.on_stuck: Callable[[], None] = lambda: None  # the runtime then starts a new generation on a new thread
        self.generation = 0
        self._stop = StopToken()
        self._lock = threading.Lock()
        self._stop_requested_at: float | None = None
        self._last = -1
        self._offset = 0

    def halt(self) -> None:
        """No restarts from now on, and `read` should return."""
        self.halting = True
        self._stop.set()

    def run(self, clock: Clock, paced: bool) -> Generator[float, None, None]:
        """Open, read, emit, and start again after a failure. Yields the time until which to sleep unless woken.

        Args:
            clock: gives seconds.
            paced: on a virtual clock `read` returns at once, so an item comes out when its capture time has come.

        Raises:
            Exception: what ended the source, if anything did.
        """
        generation, reader = self.generation, self.reader
        _call(reader, "open")
        self.on_opened()
        try:
            error = yield from self._read(reader, clock, paced, generation)
            if self.restart is None:
                if error is not None and not self.halting and generation == self.generation:
                    self._interrupted(error)
                    raise error
                return
            backoff = Backoff(self.restart)
            while error is not None and not self.halting and generation == self.generation:
                self._interrupted(error)
                _close(reader)
                yield from self._reopen(reader, clock, backoff, error)
                error = yield from self._read(reader, clock, paced, generation)
        finally:
            _close(reader)

    def _reopen(
        self, reader: Reader[Any], clock: Clock, backoff: Backoff, error: Exception
    ) -> Generator[float, None, None]:
        """Wait and open until that works. Raises the last error when the attempts are used up."""
        while True:
            delay = backoff.next(clock.now())
            if delay is None:
                raise error
            until = clock.now() + delay
            while clock.now() < until and not self.halting:
                yield until
            if self.halting:
                return
            self._stop = StopToken()
            self.waiting_since = clock.now()
            try:
                _call(reader, "open")
            except Exception as again:  # noqa: BLE001 - a driver may raise anything
                error = again
                self.counts.failures += 1
                self.counts.last_error = _described(again)
            else:
                self.counts.restarts += 1
                log.warning("source %s: back", self.name)
                return
            finally:
                self.waiting_since = None

    def _read(
        self, reader: Reader[Any], clock: Clock, paced: bool, generation: int
    ) -> Generator[float, None, Exception | None]:
        """Emit items until the end (returns None) or a failure (returns the exception)."""
        stop = self._stop
        while not self.halting and generation == self.generation:
            self.waiting_since = began = clock.now()
            try:
                item = reader.read(stop)
            except Exception as error:  # noqa: BLE001 - a driver may raise anything
                return error
            if paced and item is not None and item.capture_time is not None:
                while clock.now() < item.capture_time and not stop.is_set():
                    yield item.capture_time
            now = clock.now()
            with self._lock:
                if generation != self.generation:
                    return None
                self.waiting_since = None
                stalled = stop.is_set() and not self.halting
                ahead = paced and item is not None and item.capture_time is not None and item.capture_time > now
                if item is not None and not ahead:  # one that came as `stop` was set counts, too: it was captured
                    self.read_time.record(now - began)
                    self._emit(item, now)
                if stalled:
                    return SourceStalledError(f"nothing for {self.stall_timeout:g} s")
                if item is None:
                    return None
            while not self.ports.flush(clock.now()):
                yield math.inf
            if paced:
                yield clock.now()
        return None

    def _emit(self, item: Item[Any], now: float) -> None:
        """Put the item on every edge. Its deadline is its capture time plus `max_age`."""
        sequence = item.sequence + self._offset
        if sequence <= self._last:
            self._offset += self._last + 1 - sequence
            sequence = self._last + 1
        self.ports.advance_watermark(sequence - 1)
        self._last = sequence
        self.counts.captured += 1
        captured = now if item.capture_time is None else item.capture_time
        self.ports.put(Envelope(item.payload, sequence, captured, captured + self.max_age, self.name), now)

    def _interrupted(self, error: Exception) -> None:
        """Note the failure and tell everything downstream that what follows is a new stream."""
        self.counts.failures += 1
        self.counts.last_error = _described(error)
        log.warning("source %s: %s", self.name, self.counts.last_error)
        self.ports.reset(Reset(self.name, self.counts.last_error, self._last + 1))

    def check_stall(self, now: float) -> None:
        """Ask a silent reader to return; if it does not within its grace time, go on with a fresh one if there is one.

        Args:
            now: seconds.
        """
        since = self.waiting_since
        if since is None or now - since <= self.stall_timeout or self.halting:
            self._stop_requested_at = None
            return
        if not self._stop.is_set():
            self.counts.stalls += 1
            self._stop_requested_at = now
            self._stop.set()
            self.on_stop_requested()
            return
        renew = getattr(self.reader, "renew", None)
        if renew is None or self._stop_requested_at is None or now - self._stop_requested_at <= self.grace:
            return
        with self._lock:
            if self.waiting_since != since:
                return
            self.generation += 1
            self._stop = StopToken()
            self.reader = renew()
            self.waiting_since = None
        self._interrupted(SourceStalledError(f"nothing for {now - since:.1f} s, and stuck"))
        self.counts.restarts += 1
        self.on_stuck()

    def end(self) -> None:
        """Nothing more will come."""
        self.ports.end()


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _call(reader: Any, method: str) -> None:
    function = getattr(reader, method, None)
    if function is not None:
        function()


def _close(reader: Any) -> None:
    try:
        _call(reader, "close")
    except Exception as error:  # noqa: BLE001 - a device that is gone may fail to close, too
        log.warning("closing a source: %s", _described(error))
