"""The graph: put together by `source`, `transform`, `sink` and `connect`; run by `run`."""

import asyncio
import inspect
import logging
import math
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, overload

from realtime.graph.clock import Clock, RealClock
from realtime.graph.edges import Edge
from realtime.graph.joins import Join, SideInput
from realtime.graph.mermaid import mermaid
from realtime.graph.messages import Envelope, GraphError, Item
from realtime.graph.node import Job, Node
from realtime.graph.policies import Block, DropReason, Policy
from realtime.graph.protocols import In, Out, Process
from realtime.graph.readers import AsyncIterableReader, reader_of
from realtime.graph.report import Report, make_report
from realtime.graph.runtime import Run
from realtime.graph.source import Reader, Restart, Source
from realtime.graph.topology import (
    Connection,
    NodeHandle,
    SourceHandle,
    check_joins,
    limit_watermarks,
    unconnected,
    upstream_first,
)
from realtime.graph.trace import Trace
from realtime.graph.workers import ServiceTime

log = logging.getLogger(__name__)

DropListener = Callable[[Connection, DropReason, Envelope[Any]], None]


class Graph:
    """Nodes and edges, run once. See the package's docstring for an example.

    Args:
        name: in reports and drawings.
        clock: gives seconds; all times of the graph are on it.
        trace: collects a timeline.
    """

    def __init__(self, name: str, clock: Clock | None = None, trace: Trace | None = None) -> None:
        self.name = name
        self.clock: Clock = clock or RealClock()
        self.trace = trace
        self.sources: dict[str, SourceHandle[Any]] = {}
        self.nodes: dict[str, NodeHandle[Any, Any]] = {}
        self.connections: list[Connection] = []
        self.report: Report | None = None
        self._drop_listeners: list[DropListener] = []
        self._run: Run | None = None

    def source(
        self,
        name: str,
        reader: Reader[Out] | Iterable[Item[Out] | Out] | AsyncIterable[Item[Out] | Out],
        *,
        max_age: float = math.inf,
        startup_timeout: float = 30.0,
        stall_timeout: float = math.inf,
        restart: Restart | None = None,
        grace: float = 2.0,
    ) -> SourceHandle[Out]:
        """Add a source; it reads on a thread of its own.

        Args:
            name: in reports; no other node has it.
            reader: an object as `Reader` describes it, an iterable (iterated on the source's thread; it may block) or an async iterable
                (iterated on the event loop). What an iterable gives is numbered from 0, unless it gives `Item`s.
            max_age: each frame's deadline is its capture time plus this.
            startup_timeout: seconds within which it has to open.
            stall_timeout: a `read` that lasts longer counts as a failure.
            restart: what to do after a failure (None: the source ends).
            grace: how long a `read` that was asked to stop may take.
        """
        self._check_name(name)
        source = Source(name, reader_of(name, reader, self.clock), max_age, stall_timeout, restart, grace)
        handle: SourceHandle[Out] = SourceHandle(name, source, startup_timeout)
        self.sources[name] = handle
        return handle

    def transform(
        self,
        name: str,
        processor: Process[In, Out],
        *,
        run_on: str = "loop",
        startup_timeout: float = 120.0,
        stall_timeout: float = 5.0,
        grace: float = 2.0,
        pass_envelope: bool = False,
        service_time: ServiceTime | float | None = None,
        may_end: bool = False,
    ) -> NodeHandle[In, Out]:
        """Add a node that makes one result (or None) of each frame.

        Args:
            name: in reports; no other node has it.
            processor: an object as `Processor` describes it, or just a function.
            run_on: "loop" (inline on the event loop, for less than 0.5 ms of work), "thread" (a thread of its own) or "thread:NAME" (a
                thread shared by all nodes that give this name).
            startup_timeout: seconds within which `open` has to return.
            stall_timeout: busy with one frame for longer, the node is bypassed until it comes back.
            grace: how long its last frame may take at the end.
            pass_envelope: `process` gets the Envelope, not its payload.
            service_time: seconds, or a function of the Job; how long the node takes on a virtual clock.
            may_end: it is meant that nothing may be connected behind it; otherwise that is worth a warning.
        """
        handle = self._add(
            name, "transform", processor, run_on, startup_timeout, stall_timeout, grace, pass_envelope, service_time
        )
        handle.may_end = may_end
        return handle

    def sink(
        self,
        name: str,
        processor: Process[In, Any],
        *,
        run_on: str = "loop",
        startup_timeout: float = 120.0,
        stall_timeout: float = 5.0,
        grace: float = 2.0,
        pass_envelope: bool = False,
        service_time: ServiceTime | float | None = None,
    ) -> NodeHandle[In, Any]:
        """Add a node at the end of a path. What it returns is ignored; the arguments are those of `transform`.

        Args:
            name: in reports; no other node has it.
            processor: an object as `Processor` describes it, or just a function.
            run_on: "loop", "thread" or "thread:NAME".
            startup_timeout: seconds; see `transform`.
            stall_timeout: likewise.
            grace: likewise.
            pass_envelope: whether `process` gets the envelope instead of its payload.
            service_time: on a virtual clock, how long a frame takes, seconds.
        """
        return self._add(
            name, "sink", processor, run_on, startup_timeout, stall_timeout, grace, pass_envelope, service_time
        )

    def _add(
        self,
        name: str,
        kind: str,
        processor: Any,
        run_on: str,
        startup_timeout: float,
        stall_timeout: float,
        grace: float,
        pass_envelope: bool,
        service_time: ServiceTime | float | None,
    ) -> NodeHandle[Any, Any]:
        self._check_name(name)
        shared = run_on.startswith("thread:") and run_on != "thread:"
        if run_on not in ("loop", "thread") and not shared:
            raise GraphError(f'{name}: run_on must be "loop", "thread" or "thread:NAME", not {run_on!r}')
        _refuse_coroutines(name, processor)
        model = service_time if callable(service_time) or service_time is None else _Constant(service_time)
        node = Node(name, processor, pass_envelope)
        node.trace = self.trace
        handle: NodeHandle[Any, Any] = NodeHandle(
            name, kind, node, run_on, startup_timeout, stall_timeout, grace, model
        )
        self.nodes[name] = handle
        return handle

    def _check_name(self, name: str) -> None:
        if name in self.sources or name in self.nodes:
            raise GraphError(f"there are two nodes named {name}")

    @overload
    def connect(
        self,
        producer: SourceHandle[Out] | NodeHandle[Any, Out],
        consumer: NodeHandle[Out, Any] | NodeHandle[Envelope[Out], Any],
        policy: Policy,
        *,
        expires: bool = True,
    ) -> Connection: ...

    @overload
    def connect(
        self,
        producer: SourceHandle[Any] | NodeHandle[Any, Any],
        consumer: NodeHandle[Any, Any],
        policy: Policy,
        *,
        as_side: str,
        join: Join,
        expires: bool = True,
    ) -> Connection: ...

    def connect(
        self,
        producer: SourceHandle[Any] | NodeHandle[Any, Any],
        consumer: NodeHandle[Any, Any],
        policy: Policy,
        *,
        as_side: str | None = None,
        join: Join | None = None,
        expires: bool = True,
    ) -> Connection:
        """Add an edge. A node has one primary input; any other is a side input, with a join, that `process` gets by keyword.

        Args:
            producer: a source or a transform.
            consumer: a transform or a sink.
            policy: what happens when the edge is full.
            as_side: the keyword with which the consumer's `process` gets it; None: it is the primary input.
            join: which side value a frame gets; only with `as_side`.
            expires: whether an envelope that the consumer picks up after its deadline is dropped. False for what keeps books or
                records: the work is done already, and it is not shown to anybody late. Primary inputs only; how old a side input may
                be, its join says.

        Raises:
            GraphError: the two do not go together, `process` has no such keyword, or the run has begun.
        """
        name = f"{producer.name}→{consumer.name}"
        if (as_side is None) != (join is None):
            raise GraphError(f"{name}: a side input needs both as_side and join")
        if as_side is not None and not expires:
            raise GraphError(f"{name}: a side input has no deadline; its join's max_age says how old it may be")
        if isinstance(producer, NodeHandle) and producer.kind == "sink":
            raise GraphError(f"{producer.name} is a sink: nothing comes out of it")
        if any(c.edge.name == name for c in self.connections):
            raise GraphError(f"{name} is connected twice")
        edge: Edge[Any] = Edge(name, policy)
        node = consumer.node
        if as_side is None or join is None:
            if node.primary is not None:
                raise GraphError(f"{consumer.name} has two primary inputs; make one a side input")
            node.primary = edge.receiver
            node.primary.expires = expires
            if hasattr(node.processor, "accepts"):
                edge.gated(node.accepts)
        else:
            if any(other.keyword == as_side for other in node.sides):
                raise GraphError(f"{consumer.name} has two side inputs named {as_side}")
            _check_keyword(name, node, as_side)
            side = SideInput(as_side, join, edge.receiver)
            side.keeps_up = isinstance(policy, Block)
            node.sides.append(side)
        (producer.source if isinstance(producer, SourceHandle) else producer.node).ports.senders.append(edge.sender)
        connection = Connection(edge, producer, consumer, as_side, join)
        self.connections.append(connection)
        return connection

    def on_drop(self, listener: DropListener) -> None:
        """Hear of every drop, on the thread where it happens: be quick there.

        Args:
            listener: called with connection, reason and envelope; the connection is the object that `connect` returned, so that edges
                are told apart by identity.
        """
        self._drop_listeners.append(listener)

    def _dropped(self, connection: Connection, reason: DropReason, envelope: Envelope[Any]) -> None:
        if self.trace is not None:
            self.trace.drop(connection.name, reason, envelope, self.clock.now())
        for listener in self._drop_listeners:
            listener(connection, reason, envelope)

    async def run(
        self,
        until: asyncio.Event | None = None,
        duration: float | None = None,
        *,
        drain_timeout: float = 2.0,
        handle_signals: bool = False,
        switch_interval: float | None = None,
    ) -> Report:
        """Run until every source has ended and all is processed, `until` is set, `duration` is over or `stop` is called.

        Then the sources stop, what is on its way is processed for at most `drain_timeout` seconds, every node gets its
        grace time, and the report says what happened and what is stuck: the end takes no longer than `drain_timeout`
        plus the longest grace time. A failed source or `open` does not raise here: it is `report.error`.
        If this call is cancelled the same happens, the report is left in `self.report`, and CancelledError is raised.

        Args:
            until: ends the run when it is set.
            duration: seconds after which it ends.
            drain_timeout: seconds for what is on its way when the sources have stopped.
            handle_signals: SIGINT and SIGTERM stop the run (report.reason "interrupted"); a second one ends the waiting, a third raises
                KeyboardInterrupt. Main thread only.
            switch_interval: `sys.setswitchinterval` for the time of the run; 0.0005 keeps busy threads from delaying others.

        Raises:
            GraphError: the graph cannot run as it is connected, or it ran before.
        """
        if self._run is not None:
            raise GraphError(f"{self.name} has been run already; build a new graph")
        order = upstream_first(self.nodes, self.connections)
        check_joins(order, self.connections)
        limit_watermarks(order, self.connections)
        for sentence in unconnected(self.sources, self.nodes, self.connections):
            log.warning("%s: %s", self.name, sentence)
        for handle in self.sources.values():
            if isinstance(handle.source.reader, AsyncIterableReader):
                handle.source.reader.attach(asyncio.get_running_loop())
        self._run = Run(order, list(self.sources.values()), self.connections, self.clock, self._dropped)
        try:
            await self._run.execute(until, duration, drain_timeout, handle_signals, switch_interval)
        finally:
            self.report = self.snapshot()
        return self.report

    def stop(self, reason: str = "stopped") -> None:
        """Stop the run. From any thread, any number of times.

        Args:
            reason: what the report says.
        """
        if self._run is not None:
            self._run.stop(reason)

    def force_stop(self) -> None:
        """While the run stops: wait for no node that is still at work. From any thread, any number of times."""
        if self._run is not None:
            self._run.force_stop()

    def snapshot(self, *, only: str | None = None) -> Report:
        """The run so far. From any thread.

        Args:
            only: the node whose figures and path are wanted. What concerns no more than other nodes and sources is left out: working out
                everybody's percentiles holds the interpreter for some milliseconds.
        """
        return make_report(self.name, self._run, self.clock, self.sources, self.nodes, self.connections, only=only)

    def mermaid(self, report: Report | None = None) -> str:
        """The graph as Mermaid text, each edge with its policy; with a report, also p95 times and drop shares."""
        return mermaid(self.sources, self.nodes, self.connections, report)


def _refuse_coroutines(name: str, processor: Any) -> None:
    process = getattr(processor, "process", processor)
    for function in (process, getattr(process, "__call__", None)):  # noqa: B004 - the method itself is wanted
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise GraphError(
                f"{name}: process is `async def`, and nobody would await it; give an ordinary function, with "
                'run_on="thread" where it waits for something'
            )


def _check_keyword(edge: str, node: Node, keyword: str) -> None:
    try:
        parameters = list(inspect.signature(node.process).parameters.values())
    except (TypeError, ValueError):
        return  # some functions written in C do not tell
    named = [p.name for p in parameters[1:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    named += [p.name for p in parameters[:1] if p.kind is p.KEYWORD_ONLY]
    if keyword not in named and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        there = ", ".join(named) or "none"
        raise GraphError(f"{edge}: {node.name} takes no keyword {keyword!r} (it has: {there})")


class _Constant:
    def __init__(self, seconds: float) -> None:
        self._seconds = float(seconds)

    def __call__(self, job: Job) -> float:  # noqa: ARG002 - a ServiceTime gets the job; this one does not need it
        return self._seconds
