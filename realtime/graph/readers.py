"""Drivers of sources: the same `Source.life`, on a thread or on the virtual clock."""

import asyncio
import math
import threading

from realtime.graph.clock import Clock
from realtime.graph.source import Source
from realtime.graph.workers import ThreadWaker, Worker


class SourceWorker(Worker):
    """A worker that serves one source."""

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source.name, clock, loop)
        self.source = source
        source.on_opened = self._opened
        source.on_asked = self.wake
        source.on_stuck = self.start

    def halt(self) -> None:
        self.source.halt()
        super().halt()

    def _end(self, life: int, error: Exception | None) -> None:
        """The end of one life; only the last one's end is the source's."""
        if life != self.source.lives:
            return
        if error is not None:
            self._failed(error)
        self.source.end()
        self._finished()


class ThreadSource(SourceWorker):
    """Reads on a daemon thread; on a new one, with a fresh reader, when that got stuck."""

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source, clock, loop)
        self._waker = ThreadWaker()

    def start(self) -> None:
        self.started = True
        threading.Thread(target=self._run, args=(self.source.lives,), name=self.name, daemon=True).start()

    def wake(self) -> None:
        self._waker.wake()

    def _run(self, life: int) -> None:
        failure: Exception | None = None
        try:
            for until in self.source.life(self.clock, paced=False):
                self._waker.wait(None if math.isinf(until) else until - self.clock.now())
        except Exception as error:  # noqa: BLE001 - a driver may raise anything
            failure = error
        self._end(life, failure)


class VirtualSource(SourceWorker):
    """Reads on the virtual clock: an item captured in the future comes out when that time has come."""

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source, clock, loop)
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.started = True
        self._task = self._loop.create_task(self._run(self.source.lives), name=self.name)

    def wake(self) -> None:
        self._awake.set()

    async def _run(self, life: int) -> None:
        failure: Exception | None = None
        try:
            for until in self.source.life(self.clock, paced=True):
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
        self._end(life, failure)
