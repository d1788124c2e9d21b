"""Drivers of sources: on a thread, or on the virtual clock."""

import asyncio
import math
import threading

from realtime.graph.clock import Clock
from realtime.graph.source import Source
from realtime.graph.workers import ThreadWaker, Worker


class SourceWorker(Worker):
    """A worker that serves one source.

    Args:
        source: what is read.
        clock: gives seconds.
        loop: the run's event loop.
    """

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source.name, clock, loop)
        self.source = source
        source.on_opened = self._opened
        source.on_stop_requested = self.wake
        source.on_stuck = self.start

    def halt(self) -> None:
        """Stop reading. From any thread."""
        self.source.halt()
        super().halt()

    def _end(self, generation: int, error: Exception | None) -> None:
        """The end of one generation; only the newest one's end is the source's."""
        if generation != self.source.generation:
            return
        if error is not None:
            self._failed(error)
        self.source.end()
        self._finished()


class ThreadSource(SourceWorker):
    """Reads on a daemon thread; on a new one, with a fresh reader, when that got stuck.

    Args:
        source: what is read.
        clock: gives seconds.
        loop: the run's event loop.
    """

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source, clock, loop)
        self._waker = ThreadWaker()

    def start(self) -> None:
        """Start the thread."""
        self.started = True
        threading.Thread(target=self._run, args=(self.source.generation,), name=self.name, daemon=True).start()

    def wake(self) -> None:
        """There may be room again. From any thread."""
        self._waker.wake()

    def _run(self, generation: int) -> None:
        failure: Exception | None = None
        try:
            for until in self.source.run(self.clock, paced=False):
                self._waker.wait(None if math.isinf(until) else until - self.clock.now())
        except Exception as error:  # noqa: BLE001 - a driver may raise anything
            failure = error
        self._end(generation, failure)


class VirtualSource(SourceWorker):
    """Reads on the virtual clock: an item captured in the future comes out when that time has come.

    Args:
        source: what is read.
        clock: gives seconds.
        loop: the run's event loop.
    """

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source, clock, loop)
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task."""
        self.started = True
        self._task = self._loop.create_task(self._run(self.source.generation), name=self.name)

    def wake(self) -> None:
        """There may be room again. From any thread."""
        self._awake.set()

    async def _run(self, generation: int) -> None:
        failure: Exception | None = None
        try:
            for until in self.source.run(self.clock, paced=True):
                if until <= self.clock.now():
                    await asyncio.sleep(0)
                    continue
                alarm = None if math.isinf(until) else self._loop.call_at(until, self._awake.set)
                await self._awake.wait()
                self._awake.clear()
                if alarm is not None:
                    alarm.cancel()
        except Exception as error:  # noqa: BLE001 - a driver may raise anything
            failure = error
        self._end(generation, failure)
