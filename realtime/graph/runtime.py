"""The graph: put together by `source`, `transform`, `sink` and `connect`; brought to life by `run`."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from realtime.graph.clock import Clock, RealClock, VirtualClock
from realtime.graph.edges import Cause, Edge, Policy
from realtime.graph.envelope import Envelope
from realtime.graph.errors import GraphError
from realtime.graph.joins import Join, SideInput
from realtime.graph.nodes import Job, Node
from realtime.graph.report import NodeReport, PathReport, Report, SourceReport
from realtime.graph.sources import Reader, Source
from realtime.graph.workers import LoopWorker, ServiceTime, ThreadSource, ThreadWorker, VirtualSource, Worker

Dropped = Callable[[str, Cause, Envelope], None]


@dataclass(eq=False)
class SourceHandle:
    """A source in a graph."""

    name: str
    source: Source
    grace: float


@dataclass(eq=False)
class NodeHandle:
    """A transform or sink in a graph."""

    name: str
    kind: str
    node: Node
    run_on: str
    grace: float
    service_time: ServiceTime | None


@dataclass(eq=False)
class Connection:
    """One edge with its two nodes."""

    edge: Edge
    producer: SourceHandle | NodeHandle
    consumer: NodeHandle
    as_side: str | None
    join: Join | None


class Graph:
    """See the package's docstring for an example."""

    def __init__(self, name: str, clock: Clock | None = None) -> None:
        self.name = name
        self.clock: Clock = clock or RealClock()
        self.sources: dict[str, SourceHandle] = {}
        self.nodes: dict[str, NodeHandle] = {}
        self.connections: list[Connection] = []
        self._drop_listeners: list[Dropped] = []
        self._stop: asyncio.Event | None = None
        self._stop_reason: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started_at = 0.0

    def source(self, name: str, reader: Reader, *, max_age: float = math.inf, grace: float = 2.0) -> SourceHandle:
        """Add a source; it reads on a thread of its own. `max_age` (seconds) sets each frame's deadline."""
        self._new_name(name)
        handle = SourceHandle(name, Source(name, reader, max_age), grace)
        self.sources[name] = handle
        return handle

    def transform(
        self,
        name: str,
        processor: Any,
        *,
        run_on: str = "loop",
        grace: float = 2.0,
        pass_envelope: bool = False,
        service_time: ServiceTime | float | None = None,
    ) -> NodeHandle:
        """Add a node that makes one result (or None) of each frame.

        run_on: "loop" (inline on the event loop, for less than 0.5 ms of work), "thread" (a thread of its own) or
        "thread:NAME" (a thread shared by all nodes that give this name).
        service_time: seconds, or a function of the job; how long the node takes on a virtual clock.
        """
        return self._add(name, "transform", processor, run_on, grace, pass_envelope, service_time)

    def sink(
        self,
        name: str,
        processor: Any,
        *,
        run_on: str = "loop",
        grace: float = 2.0,
        pass_envelope: bool = False,
        service_time: ServiceTime | float | None = None,
    ) -> NodeHandle:
        """Add a node at the end of a path. As `transform`, but what it returns is ignored."""
        return self._add(name, "sink", processor, run_on, grace, pass_envelope, service_time)

    def _add(
        self,
        name: str,
        kind: str,
        processor: Any,
        run_on: str,
        grace: float,
        pass_envelope: bool,
        service_time: ServiceTime | float | None,
    ) -> NodeHandle:
        self._new_name(name)
        if run_on not in ("loop", "thread") and not run_on.startswith("thread:"):
            raise GraphError(f'{name}: run_on must be "loop", "thread" or "thread:NAME", not {run_on!r}')
        if not callable(service_time) and service_time is not None:
            service_time = partial(_constant, float(service_time))
        handle = NodeHandle(name, kind, Node(name, processor, pass_envelope), run_on, grace, service_time)
        self.nodes[name] = handle
        return handle

    def _new_name(self, name: str) -> None:
        if name in self.sources or name in self.nodes:
            raise GraphError(f"there are two nodes named {name}")

    def connect(
        self,
        producer: SourceHandle | NodeHandle,
        consumer: NodeHandle,
        policy: Policy,
        *,
        as_side: str | None = None,
        join: Join | None = None,
    ) -> Connection:
        """Add an edge. A node has one primary input; any other is a side input with a keyword and a join."""
        if (as_side is None) != (join is None):
            raise GraphError(f"{producer.name}→{consumer.name}: a side input needs both as_side and join")
        if isinstance(producer, NodeHandle) and producer.kind == "sink":
            raise GraphError(f"{producer.name} is a sink: nothing comes out of it")
        edge: Edge = Edge(f"{producer.name}→{consumer.name}", policy)
        outlets = producer.source.outlets if isinstance(producer, SourceHandle) else producer.node.outlets
        if as_side is None:
            if consumer.node.primary is not None:
                raise GraphError(f"{consumer.name} has two primary inputs; make one a side input")
            consumer.node.primary = edge.receiver
            if hasattr(consumer.node.processor, "accepts"):
                edge.gated(consumer.node.accepts)
        else:
            assert join is not None
            consumer.node.sides.append(SideInput(as_side, join, edge.receiver))
        outlets.senders.append(edge.sender)
        connection = Connection(edge, producer, consumer, as_side, join)
        self.connections.append(connection)
        return connection

    def on_drop(self, listener: Dropped) -> None:
        """Call `listener(edge, cause, envelope)` for every drop, on the thread where it happens: be quick there."""
        self._drop_listeners.append(listener)

    def _dropped(self, edge: str, cause: Cause, envelope: Envelope) -> None:
        for listener in self._drop_listeners:
            listener(edge, cause, envelope)

    def stop(self, reason: str = "stopped") -> None:
        """Stop the run. From any thread, any number of times."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ask_to_stop, reason)

    def _ask_to_stop(self, reason: str) -> None:
        if self._stop is not None and not self._stop.is_set():
            self._stop_reason = reason
            self._stop.set()

    async def run(
        self,
        until: asyncio.Event | None = None,
        duration: float | None = None,
        drain_timeout: float = 2.0,
    ) -> Report:
        """Run until every source has ended and all was processed, `until` is set, `duration` is over or `stop` is called.

        Then sources stop, what is on its way is processed for at most `drain_timeout` seconds, nodes get their grace
        time, and the report says what happened and who is stuck.
        """
        order = self._order()
        loop = asyncio.get_running_loop()
        self._loop, self._stop, self._stop_reason = loop, asyncio.Event(), None
        workers, readers = self._workers(order, loop)
        self._started_at = self.clock.now()
        stuck: list[str] = []
        for worker in workers:
            worker.start()
        for worker in workers:
            await worker.opened.wait()
        for reader in readers:
            reader.start()
        ended = [worker.finished for worker in workers]
        await self._wait_for_the_end(ended, until, duration)
        reason = self._stop_reason or "ended"
        for reader in readers:
            reader.halt()
        await _all_set([w.finished for w in [*readers, *workers]], drain_timeout)
        for worker in workers:
            worker.halt()
        for everyone in [*readers, *workers]:
            if not await _all_set([everyone.finished], 2.0):
                stuck.append(everyone.name)  # noqa: PERF401 - one after the other
        for handle in self.nodes.values():
            handle.node.finish_input(Cause.STOPPING)
        for connection in self.connections:
            connection.edge.close_books()
        failures = {w.name: f"{type(w.failure).__name__}: {w.failure}" for w in [*readers, *workers] if w.failure}
        return self.snapshot(reason, stuck, failures)

    async def _wait_for_the_end(
        self, ended: list[asyncio.Event], until: asyncio.Event | None, duration: float | None
    ) -> None:
        assert self._stop is not None
        waits = {asyncio.ensure_future(_all_set(ended, None)): "ended", asyncio.ensure_future(self._stop.wait()): ""}
        if until is not None:
            waits[asyncio.ensure_future(until.wait())] = "stopped"
        if duration is not None:
            waits[asyncio.ensure_future(asyncio.sleep(duration))] = "duration"
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            self._stop_reason = self._stop_reason or waits[done.pop()]
        finally:
            for task in waits:
                task.cancel()

    def _workers(self, order: list[NodeHandle], loop: asyncio.AbstractEventLoop) -> tuple[list[Worker], list[Worker]]:
        groups: dict[str, list[NodeHandle]] = {}
        for handle in reversed(order):  # downstream first
            group = handle.name if handle.run_on == "thread" else handle.run_on
            groups.setdefault(group, []).append(handle)
        virtual = isinstance(self.clock, VirtualClock)
        workers: list[Worker] = []
        serving: dict[str, Worker] = {}
        for group, handles in groups.items():
            nodes = [handle.node for handle in handles]
            worker: Worker
            if virtual:
                times = {h.name: h.service_time for h in handles if h.service_time is not None}
                worker = LoopWorker(group, nodes, self.clock, loop, times)
            elif group == "loop":
                worker = LoopWorker(group, nodes, self.clock, loop)
            else:
                worker = ThreadWorker(group.removeprefix("thread:"), nodes, self.clock, loop)
            workers.append(worker)
            serving.update({handle.name: worker for handle in handles})
        readers: list[Worker] = []
        for name, source in self.sources.items():
            kind = VirtualSource if virtual else ThreadSource
            reader = kind(source.source, self.clock, loop)
            readers.append(reader)
            serving[name] = reader
        for c in self.connections:
            c.edge.wire(serving[c.consumer.name].wake, serving[c.producer.name].wake, self._dropped)
        return workers, readers

    def _order(self) -> list[NodeHandle]:
        """The nodes, upstream first. Raises GraphError on a cycle, or an input that is missing."""
        for handle in self.nodes.values():
            if handle.node.primary is None:
                raise GraphError(f"{handle.name} has no primary input")
        done: dict[str, NodeHandle] = {}
        waiting = dict(self.nodes)
        while waiting:
            ready = [
                h
                for h in waiting.values()
                if all(c.producer.name not in waiting for c in self.connections if c.consumer is h)
            ]
            if not ready:
                raise GraphError(f"the graph has a cycle through {', '.join(waiting)}")
            for handle in ready:
                done[handle.name] = waiting.pop(handle.name)
        return list(done.values())

    def snapshot(
        self, reason: str = "running", stuck: list[str] | None = None, failures: dict[str, str] | None = None
    ) -> Report:
        """The run so far. From any thread."""
        return Report(
            self.name,
            self.clock.now() - self._started_at,
            reason,
            {name: _source_report(handle.source) for name, handle in self.sources.items()},
            {name: _node_report(handle) for name, handle in self.nodes.items()},
            {c.edge.name: c.edge.statistics() for c in self.connections},
            {name: self._path(handle) for name, handle in self.nodes.items()},
            stuck or [],
            failures or {},
        )

    def _path(self, handle: NodeHandle) -> PathReport:
        """The books of the primary edges from the source to this node."""
        edges = []
        here: SourceHandle | NodeHandle = handle
        while isinstance(here, NodeHandle):
            connection = next(c for c in self.connections if c.consumer is here and c.as_side is None)
            edges.append(connection.edge)
            here = connection.producer
        counts = [edge.statistics() for edge in edges]
        dropped = {(e.name, cause): n for e, s in zip(edges, counts, strict=True) for cause, n in s.dropped.items()}
        withheld = sum(before.delivered - after.put for after, before in pairwise(counts))
        return PathReport(counts[-1].put, counts[0].delivered, dropped, withheld, sum(s.queued for s in counts))


def _constant(seconds: float, _job: Job) -> float:
    return seconds


async def _all_set(events: list[asyncio.Event], within: float | None) -> bool:
    try:
        async with asyncio.timeout(within):
            for event in events:
                await event.wait()
    except TimeoutError:
        return False
    return True


def _source_report(source: Source) -> SourceReport:
    c = source.counts
    return SourceReport(c.captured, c.restarts, c.failures, c.stalls, c.last_error)


def _node_report(handle: NodeHandle) -> NodeReport:
    c, t = handle.node.counts, handle.node.times
    return NodeReport(
        handle.kind,
        c.processed,
        c.skipped,
        c.empty,
        c.failed,
        c.resets,
        c.last_error,
        t.queue.percentiles(),
        t.join.percentiles(),
        t.executor.percentiles(),
        t.service.percentiles(),
        t.age.percentiles(),
        t.result_age.percentiles(),
    )
