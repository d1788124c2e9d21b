"""Drivers: who calls a node's `begin` and `finish`, and where.

A worker serves one node or several on one thread. With several, the one furthest downstream goes first, so a frame runs
through the whole chain before the next one enters it, without a thread hop in between.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence

from realtime.graph.clock import Clock
from realtime.graph.nodes import Done, Idle, Job, Node
from realtime.graph.sources import Source

ServiceTime = Callable[[Job], float]


class ThreadWaker:
    """A binary semaphore: waking an awake thread costs nothing, and a wake-up is never lost."""

    def __init__(self) -> None:
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self) -> None:
        if self._asleep.locked():
            with contextlib.suppress(RuntimeError):  # another thread was quicker
                self._asleep.release()

    def wait(self, timeout: float | None) -> None:
        """Return when woken since the last return, or after `timeout` seconds."""
        self._asleep.acquire(timeout=-1 if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX))


class Worker:
    """What every driver has: its nodes, downstream first, and how its life goes."""

    def __init__(self, name: str, nodes: Sequence[Node], clock: Clock) -> None:
        self.name = name
        self.nodes = list(nodes)
        self.clock = clock
        self.opened = asyncio.Event()
        self.finished = asyncio.Event()
        self.failure: Exception | None = None
        self.halting = False

    def wake(self) -> None:
        """There is something to look at. From any thread."""
        raise NotImplementedError

    def halt(self) -> None:
        """Stop after the present frame; what waits is left on the edges."""
        self.halting = True
        self.wake()


class ThreadWorker(Worker):
    """Serves its nodes on a thread of their own (a daemon: a stuck one cannot keep the program alive)."""

    def __init__(self, name: str, nodes: Sequence[Node], clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name, nodes, clock)
        self._loop = loop
        self._waker = ThreadWaker()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._waker.wake()

    def _tell(self, event: asyncio.Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(event.set)

    def _run(self) -> None:
        opened: list[Node] = []
        try:
            for node in self.nodes:
                node.open()
                opened.append(node)
            self._tell(self.opened)
            self._serve()
        except Exception as error:  # noqa: BLE001 - reported by the runtime, with the node's name
            self.failure = error
        finally:
            for node in opened:
                try:
                    node.close()
                except Exception as error:  # noqa: BLE001
                    self.failure = self.failure or error
            self._tell(self.opened)
            self._tell(self.finished)

    def _serve(self) -> None:
        now, active = self.clock.now, list(self.nodes)
        while active and not self.halting:
            until = float("inf")
            for node in active:
                step = node.begin(now())
                if isinstance(step, Idle):
                    until = min(until, step.until)
                    continue
                if isinstance(step, Done):
                    active.remove(node)
                else:
                    self._process(node, step)
                break
            else:
                self._waker.wait(None if until == float("inf") else until - now())

    def _process(self, node: Node, job: Job) -> None:
        try:
            result, error = node.run(job), None
        except Exception as raised:  # noqa: BLE001 - loses this frame only
            result, error = None, raised
        node.finish(job, result, error, self.clock.now())


class LoopWorker(Worker):
    """Serves its nodes on the event loop: inline work on a real clock, and everything on a virtual one.

    `service_times` gives modelled durations: the node is busy for that long on the clock before its result goes on.
    """

    def __init__(
        self,
        name: str,
        nodes: Sequence[Node],
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        service_times: dict[str, ServiceTime] | None = None,
    ) -> None:
        super().__init__(name, nodes, clock)
        self._loop = loop
        self._home = threading.get_ident()
        self._awake = asyncio.Event()
        self._called = False
        self._service_times = service_times or {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loop.create_task(self._run(), name=self.name)

    def wake(self) -> None:
        if threading.get_ident() == self._home:
            self._awake.set()
        elif not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        self._called = False
        self._awake.set()

    async def _run(self) -> None:
        opened: list[Node] = []
        try:
            for node in self.nodes:
                node.open()
                opened.append(node)
            self.opened.set()
            await self._serve()
        except Exception as error:  # noqa: BLE001 - reported by the runtime
            self.failure = error
        finally:
            for node in opened:
                try:
                    node.close()
                except Exception as error:  # noqa: BLE001
                    self.failure = self.failure or error
            self.opened.set()
            self.finished.set()

    async def _serve(self) -> None:
        now, active = self.clock.now, list(self.nodes)
        while active and not self.halting:
            self._awake.clear()
            until = float("inf")
            for node in active:
                step = node.begin(now())
                if isinstance(step, Idle):
                    until = min(until, step.until)
                    continue
                if isinstance(step, Done):
                    active.remove(node)
                else:
                    await self._process(node, step)
                break
            else:
                await self._sleep(until)

    async def _sleep(self, until: float) -> None:
        if until == float("inf"):
            await self._awake.wait()
            return
        alarm = self._loop.call_later(max(0.0, until - self.clock.now()), self._awake.set)
        await self._awake.wait()
        alarm.cancel()

    async def _process(self, node: Node, job: Job) -> None:
        try:
            result, error = node.run(job), None
        except Exception as raised:  # noqa: BLE001 - loses this frame only
            result, error = None, raised
        model = self._service_times.get(node.name)
        await asyncio.sleep(model(job) if model else 0.0)
        node.finish(job, result, error, self.clock.now())


class ThreadSource(Worker):
    """Reads a source on a thread of its own."""

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source.name, (), clock)
        self.source = source
        self._loop = loop
        self._waker = ThreadWaker()
        self._thread = threading.Thread(target=self._run, name=source.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._waker.wake()

    def halt(self) -> None:
        self.source.stop.set()
        super().halt()

    def _run(self) -> None:
        source = self.source
        try:
            source.call("open")
            self._tell(self.opened)
            while not source.stop.is_set() and (item := source.reader.read(source.stop)) is not None:
                source.emit(item, self.clock.now())
                while not source.outlets.flush(self.clock.now()):
                    self._waker.wait(None)
        except Exception as error:  # noqa: BLE001
            self.failure = error
            source.interrupted(error, "failed")
        finally:
            with contextlib.suppress(Exception):
                source.call("close")
            source.end()
            self._tell(self.opened)
            self._tell(self.finished)

    def _tell(self, event: asyncio.Event) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(event.set)


class VirtualSource(Worker):
    """Reads a source on the virtual clock: an item captured in the future comes out when that time has come."""

    def __init__(self, source: Source, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(source.name, (), clock)
        self.source = source
        self._loop = loop
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loop.create_task(self._run(), name=self.name)

    def wake(self) -> None:
        self._awake.set()

    def halt(self) -> None:
        self.source.stop.set()
        super().halt()

    async def _run(self) -> None:
        source = self.source
        try:
            source.call("open")
            self.opened.set()
            while not source.stop.is_set() and (item := source.reader.read(source.stop)) is not None:
                self._awake.clear()
                due = item.capture_time
                while due is not None and due > self.clock.now() and not source.stop.is_set():
                    alarm = self._loop.call_later(due - self.clock.now(), self._awake.set)
                    await self._awake.wait()
                    self._awake.clear()
                    alarm.cancel()
                if source.stop.is_set():
                    break
                source.emit(item, self.clock.now())
                while not source.outlets.flush(self.clock.now()):
                    await self._awake.wait()
                    self._awake.clear()
                await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001
            self.failure = error
            source.interrupted(error, "failed")
        finally:
            with contextlib.suppress(Exception):
                source.call("close")
            source.end()
            self.opened.set()
            self.finished.set()
