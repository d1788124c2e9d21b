"""One run of a graph: open, read, watch, stop, and end within a bounded time whatever hangs."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from realtime.graph.clock import Clock, VirtualClock
from realtime.graph.messages import Envelope
from realtime.graph.policies import DropReason
from realtime.graph.source_workers import SourceWorker, ThreadSource, VirtualSource
from realtime.graph.supervisor import Supervisor, WatchedNode, interrupts
from realtime.graph.topology import Connection, NodeHandle, SourceHandle
from realtime.graph.workers import LoopWorker, NodeWorker, ThreadWorker, Worker


class Run:
    """The workers of one run, and its outcome: `reason`, `error`, `failures`, `stuck`.

    Args:
        order: the nodes, upstream first.
        sources: what is read.
        connections: the edges.
        clock: gives seconds.
        dropped: called for every drop.
    """

    def __init__(
        self,
        order: Sequence[NodeHandle[Any, Any]],
        sources: Sequence[SourceHandle[Any]],
        connections: Sequence[Connection],
        clock: Clock,
        dropped: Callable[[Connection, DropReason, Envelope[Any]], None],
    ) -> None:
        self._handles = list(order)
        self._sources = list(sources)
        self._connections = list(connections)
        self._clock = clock
        self._dropped = dropped
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._forced = asyncio.Event()
        self._workers: dict[str, NodeWorker] = {}
        self._readers: dict[str, SourceWorker] = {}
        self._signals = 0
        self.reason = "running"
        self.started_at = clock.now()
        self.ended_at: float | None = None
        self.error: Exception | None = None
        self.failures: dict[str, str] = {}
        self.stuck: list[str] = []

    async def execute(
        self,
        until: asyncio.Event | None,
        duration: float | None,
        drain_timeout: float,
        handle_signals: bool,
        switch_interval: float | None,
    ) -> None:
        """Everything, from opening to closed books. See `Graph.run`.

        Args:
            until: ends the run when it is set.
            duration: seconds.
            drain_timeout: likewise.
            handle_signals: whether SIGINT and SIGTERM end it.
            switch_interval: seconds after which a thread gives up the interpreter; None: as it is.
        """
        with (
            interrupts(self._on_signal) if handle_signals else contextlib.nullcontext(),
            _switch_interval(switch_interval),
        ):
            self._make_workers()
            try:
                await self._run_until_stopped(until, duration)
            except asyncio.CancelledError:
                self.request_stop("cancelled")
                raise
            finally:
                await self._shut_down(drain_timeout)

    def stop(self, reason: str) -> None:
        """As `request_stop`, from any thread.

        Args:
            reason: what the report says.
        """
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
            self._loop.call_soon_threadsafe(self.request_stop, reason)

    def request_stop(self, reason: str) -> None:
        """Begin to stop, for the first reason given. On the event loop."""
        if not self._stopping.is_set():
            self.reason = reason
            self._stopping.set()

    def force_stop(self) -> None:
        """Do not wait any longer for what is at work. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
            self._loop.call_soon_threadsafe(self._forced.set)

    def _on_signal(self) -> None:
        self._signals += 1
        if self._signals > 2:
            raise KeyboardInterrupt
        if self._signals > 1:
            self.force_stop()
        self.stop("interrupted")

    def _make_workers(self) -> None:
        virtual = isinstance(self._clock, VirtualClock)
        groups: dict[str, list[NodeHandle[Any, Any]]] = {}
        for handle in reversed(self._handles):  # downstream first
            groups.setdefault(handle.group, []).append(handle)
        serving: dict[str, Worker] = {}
        for group, handles in groups.items():
            nodes, name = [handle.node for handle in handles], group.removeprefix("thread:")
            worker: NodeWorker
            if virtual or group == "loop":
                models = {h.name: h.service_time for h in handles if virtual and h.service_time is not None}
                worker = LoopWorker(name, nodes, self._clock, self._loop, models)
            else:
                worker = ThreadWorker(name, nodes, self._clock, self._loop)
            worker.on_failure = lambda: self.request_stop("failed")
            self._workers[group] = worker
            serving.update({handle.name: worker for handle in handles})
        for source in self._sources:
            kind = VirtualSource if virtual else ThreadSource
            reader = kind(source.source, self._clock, self._loop)
            self._readers[source.name] = serving[source.name] = reader
        for c in self._connections:
            c.edge.wire(serving[c.consumer.name].wake, serving[c.producer.name].wake, partial(self._dropped, c))

    async def _run_until_stopped(self, until: asyncio.Event | None, duration: float | None) -> None:
        """From the first `open` until there is a reason to stop."""
        endings = [asyncio.ensure_future(self._after(self._stopping.wait, ""))]
        if until is not None:
            endings.append(asyncio.ensure_future(self._after(until.wait, "stopped")))
        supervising: asyncio.Task[None] | None = None
        try:
            if not await self._open():
                return
            if duration is not None:
                endings.append(asyncio.ensure_future(self._after(lambda: asyncio.sleep(duration), "duration")))
            supervising = asyncio.ensure_future(self._supervisor().watch())
            endings.append(asyncio.ensure_future(self._after(self._every_node_finished, "ended")))
            await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in [*endings, *([supervising] if supervising else [])]:
                task.cancel()

    async def _after(self, wait: Callable[[], Awaitable[object]], reason: str) -> None:
        await wait()
        self.request_stop(reason)

    async def _every_node_finished(self) -> None:
        for worker in self._workers.values():
            await worker.finished.wait()

    async def _open(self) -> bool:
        """Open all nodes, then all sources: no frame should grow old while a model loads. False: do not go on."""
        limits = {handle.group: 0.0 for handle in self._handles}
        for handle in self._handles:  # nodes of one worker open one after the other
            limits[handle.group] += handle.startup_timeout
        for group, worker in self._workers.items():
            worker.start()
            worker.opening_limit = limits[group]
        if not await self._opened(list(self._workers.values())):
            return False
        for source in self._sources:
            self._readers[source.name].opening_limit = source.startup_timeout
            self._readers[source.name].start()
        return await self._opened(list(self._readers.values()))

    async def _opened(self, workers: Sequence[Worker]) -> bool:
        began = self._clock.now()
        for worker in workers:
            left = began + worker.opening_limit - self._clock.now()
            if not await _first(worker.opened, self._stopping, within=left):
                message = f"{worker.name} did not start within {worker.opening_limit:g} s"
                worker.failure = TimeoutError(message)
                self.request_stop("failed")
            if self._stopping.is_set():
                return False
        return True

    def _supervisor(self) -> Supervisor:
        watched = []
        for handle in self._handles:
            group = [h.name for h in self._handles if h.group == handle.group]
            incoming = [c.edge for c in self._connections if c.consumer.name in group and c.producer.name not in group]
            outgoing = [c.edge for c in self._connections if c.producer.name in group and c.consumer.name not in group]
            watched.append(WatchedNode(handle.node, incoming, outgoing, handle.stall_timeout))
        return Supervisor(self._clock, watched, [source.source for source in self._sources])

    async def _shut_down(self, drain_timeout: float) -> None:
        everyone: list[Worker] = [*self._readers.values(), *self._workers.values()]
        for reader in self._readers.values():
            reader.halt()
        started = [worker for worker in everyone if worker.started]
        healthy = [w for w in started if not (isinstance(w, NodeWorker) and any(n.stalled for n in w.nodes))]
        if self.reason not in ("failed", "ended"):
            await self._all_finished(healthy, drain_timeout)
        for server in self._workers.values():
            server.halt()
        for c in self._connections:
            c.edge.refuse(DropReason.STOPPING)
        halted_at = self._clock.now()
        for worker in sorted(started, key=self._grace):
            left = halted_at + self._grace(worker) - self._clock.now()
            await _first(worker.finished, self._forced, within=left)
            if self._forced.is_set():  # whoever is not busy needs a moment all the same
                await _first(worker.finished, worker.finished, within=min(left, 0.2))
            if not worker.finished.is_set():
                self.stuck.append(worker.name)
        self._close_books()
        failed = [worker for worker in everyone if worker.failure is not None]
        self.error = failed[0].failure if failed else None
        self.failures = {w.name: f"{type(w.failure).__name__}: {w.failure}" for w in failed}
        self.ended_at = self._clock.now()

    async def _all_finished(self, workers: Sequence[Worker], within: float) -> None:
        until = self._clock.now() + within
        for worker in workers:
            if not await _first(worker.finished, self._forced, within=until - self._clock.now()):
                return

    def _grace(self, worker: Worker) -> float:
        if isinstance(worker, SourceWorker):
            return worker.source.grace
        return max(h.grace for h in self._handles if self._workers[h.group] is worker)

    def _close_books(self) -> None:
        now = self._clock.now()
        for handle in self._handles:
            handle.node.finish_input(DropReason.STOPPING)
        for owner in [*(h.node.ports for h in self._handles), *(s.source.ports for s in self._sources)]:
            owner.flush(now)
        for c in self._connections:
            c.edge.close_books()


async def _first(one: asyncio.Event, other: asyncio.Event, within: float) -> bool:
    """Wait for either event; False when `within` seconds passed first."""
    if one.is_set() or other.is_set():
        return True
    waits = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        done, _ = await asyncio.wait(waits, timeout=max(0.0, within), return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for wait in waits:
            wait.cancel()


@contextlib.contextmanager
def _switch_interval(seconds: float | None) -> Iterator[None]:
    before = sys.getswitchinterval()
    if seconds is not None:
        sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
