"""Drivers: who calls a node's `begin` and `finish`, and where.

A worker serves one node or several on one thread. With several, the one furthest downstream goes first, so a frame runs
through the whole chain before the next one enters it, without a thread hop in between.
"""

import asyncio
import contextlib
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from realtime.graph.clock import Clock
from realtime.graph.node import Done, Idle, Job, Node

ServiceTime = Callable[[Job], float]


class ThreadWaker:
    """A binary semaphore: waking an awake thread costs nothing, and a wake-up is never lost."""

    def __init__(self) -> None:
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self) -> None:
        """End the wait of the one who waits, or their next one."""
        if self._asleep.locked():
            with contextlib.suppress(RuntimeError):  # another thread was quicker
                self._asleep.release()

    def wait(self, timeout: float | None) -> None:
        """Return when woken since the last return, or after `timeout` seconds."""
        self._asleep.acquire(timeout=-1 if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX))


class Worker(ABC):
    """What every driver has. The events belong to the event loop; `wake` and `halt` may be called from any thread.

    Args:
        name: of the thread and in reports.
        clock: gives seconds.
        loop: the run's event loop.
    """

    def __init__(self, name: str, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.clock = clock
        self.opened = asyncio.Event()
        self.finished = asyncio.Event()
        self.failure: Exception | None = None
        self.halting = False
        self.started = False
        self.opening_limit = math.inf
        self.on_failure: Callable[[], None] = lambda: None
        self._loop = loop

    @abstractmethod
    def start(self) -> None:
        """Begin. `opened` is set when everything is open or has failed to."""

    @abstractmethod
    def wake(self) -> None:
        """There is something to do."""

    def halt(self) -> None:
        """Stop after the present frame; what waits is left on the edges."""
        self.halting = True
        self.wake()

    def _opened(self) -> None:
        self._in_loop(self.opened.set)

    def _finished(self) -> None:
        self._in_loop(self.finished.set)
        self._in_loop(self.opened.set)

    def _failed(self, error: Exception) -> None:
        self.failure = self.failure or error
        self._in_loop(self.on_failure)

    def _in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(call)


class NodeWorker(Worker):
    """A worker that serves nodes, downstream first.

    Args:
        name: of the thread and in reports.
        nodes: those it serves.
        clock: gives seconds.
        loop: the run's event loop.
    """

    def __init__(self, name: str, nodes: Sequence[Node], clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name, clock, loop)
        self.nodes = list(nodes)
        self._open: list[Node] = []

    def _open_all(self) -> None:
        for node in self.nodes:
            if self.halting:
                return
            node.open()
            self._open.append(node)

    def _close_all(self) -> None:
        for node in self._open:
            try:
                node.close()
            except Exception as error:  # noqa: BLE001 - reported with the worker's name
                self._failed(error)


class ThreadWorker(NodeWorker):
    """Serves its nodes on a thread of their own (a daemon: a stuck one cannot keep the program alive).

    Args:
        name: of the thread and in reports.
        nodes: those it serves.
        clock: gives seconds.
        loop: the run's event loop.
    """

    def __init__(self, name: str, nodes: Sequence[Node], clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name, nodes, clock, loop)
        self._waker = ThreadWaker()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self.started = True
        self._thread.start()

    def wake(self) -> None:
        """Something may be ready. From any thread."""
        self._waker.wake()

    def _run(self) -> None:
        try:
            self._open_all()
            self._opened()
            self._serve()
        except Exception as error:  # noqa: BLE001 - reported by the runtime, with the worker's name
            self._failed(error)
        finally:
            self._close_all()
            self._finished()

    def _serve(self) -> None:
        now, active = self.clock.now, list(self.nodes)
        while active and not self.halting:
            until = math.inf
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
                self._waker.wait(None if until == math.inf else until - now())

    def _process(self, node: Node, job: Job) -> None:
        try:
            result, error = node.run(job), None
        except Exception as raised:  # noqa: BLE001 - loses this frame only
            result, error = None, raised
        node.finish(job, result, error, self.clock.now())


class LoopWorker(NodeWorker):
    """Serves its nodes on the event loop: inline work on a real clock, and everything on a virtual one.

    `service_times` gives modelled durations: the node is busy for that long on the clock before its result goes on.

    Args:
        name: in reports.
        nodes: those it serves.
        clock: gives seconds.
        loop: the run's event loop.
        service_times: modelled durations by node, seconds.
    """

    def __init__(
        self,
        name: str,
        nodes: Sequence[Node],
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        service_times: dict[str, ServiceTime] | None = None,
    ) -> None:
        super().__init__(name, nodes, clock, loop)
        self._home = threading.get_ident()
        self._awake = asyncio.Event()
        self._called = False
        self._service_times = service_times or {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task."""
        self.started = True
        self._task = self._loop.create_task(self._run(), name=self.name)

    def wake(self) -> None:
        """Something may be ready. From any thread."""
        if threading.get_ident() == self._home:
            self._awake.set()
        elif not self._called:
            self._called = True
            self._in_loop(self._woken)

    def _woken(self) -> None:
        self._called = False
        self._awake.set()

    async def _run(self) -> None:
        try:
            self._open_all()
            self._opened()
            await self._serve()
        except Exception as error:  # noqa: BLE001 - reported by the runtime, with the worker's name
            self._failed(error)
        finally:
            self._close_all()
            self._finished()

    async def _serve(self) -> None:
        now, active = self.clock.now, list(self.nodes)
        while active and not self.halting:
            self._awake.clear()
            until = math.inf
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
        if until == math.inf:
            await self._awake.wait()
            return
        alarm = self._loop.call_at(until, self._awake.set)
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
