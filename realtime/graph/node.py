"""One node, without any waiting in it: what to do next, given what lies on its edges.

A driver (thread, event loop, virtual clock) calls `begin`, runs the `Job` it may get, and hands the outcome to `finish`.
Whatever a node may be waiting for wakes its driver, which then calls `begin` again.
"""

import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from realtime.graph.edge_ends import Receiver, Sender
from realtime.graph.edge_state import Entry
from realtime.graph.histogram import DurationHistogram
from realtime.graph.joins import SideInput
from realtime.graph.messages import Envelope, Reset, Side
from realtime.graph.policies import DropReason
from realtime.graph.protocols import call_where_there
from realtime.graph.trace import Trace


@dataclass(slots=True)
class NodeMetrics:
    """How the frames that came to a node fared.

    Attributes:
        processed: frames that gave a result.
        skipped: those that the processor's gate refused.
        empty: those that gave None.
        failed: those for which it raised.
        resets: interruptions of its source.
        stalls: how often it was bypassed.
        last_error: what it raised last, in words.
    """

    processed: int = 0
    skipped: int = 0
    empty: int = 0
    failed: int = 0
    resets: int = 0
    stalls: int = 0
    last_error: str | None = None


@dataclass(slots=True)
class NodeTimes:
    """Durations in seconds. A frame's way through a node is queue + executor + join + service.

    Attributes:
        queue: waiting while the node was busy with earlier frames.
        join: waiting for side inputs, waking up included.
        executor: from then until its thread really ran.
        service: in `process`.
        age: capture to the end of `process`.
        result_age: the age of the oldest side input that the frame carried.
    """

    queue: DurationHistogram = field(default_factory=DurationHistogram)
    join: DurationHistogram = field(default_factory=DurationHistogram)
    executor: DurationHistogram = field(default_factory=DurationHistogram)
    service: DurationHistogram = field(default_factory=DurationHistogram)
    age: DurationHistogram = field(default_factory=DurationHistogram)
    result_age: DurationHistogram = field(default_factory=DurationHistogram)


class OutputPorts:
    """The sending ends of a node. Keeps what a full `Block` edge did not take yet."""

    def __init__(self) -> None:
        self.senders: list[Sender[Any]] = []
        self._unsent: deque[tuple[Sender[Any], Envelope[Any]]] = deque()
        self._watermark = -1

    def flush(self, now: float) -> bool:
        """Offer the unsent again. True when nothing is left.

        Args:
            now: seconds.
        """
        while self._unsent:
            sender, envelope = self._unsent[0]
            if not sender.put_nowait(envelope, now):
                return False
            self._unsent.popleft()
        return True

    def put(self, envelope: Envelope[Any], now: float) -> None:
        """Offer the envelope to every edge; `flush` must have returned True before.

        Args:
            envelope: the result.
            now: seconds.
        """
        self._watermark = max(self._watermark, envelope.sequence)
        for sender in self.senders:
            if not sender.put_nowait(envelope, now, wake=False):
                self._unsent.append((sender, envelope))
        for sender in self.senders:
            sender.wake()

    def advance_watermark(self, sequence: int) -> None:
        """On every edge: nothing with a sequence up to `sequence` will still come."""
        if sequence > self._watermark:
            self._watermark = sequence
            for sender in self.senders:
                sender.advance_watermark(sequence)

    def mark_skipped(self, sequence: int) -> None:
        """On every edge: there will be nothing for this one `sequence`."""
        if sequence > self._watermark:
            for sender in self.senders:
                sender.mark_skipped(sequence)

    def reset(self, message: Reset) -> None:
        """Announce to every consumer that the stream was interrupted, as `message` says."""
        for sender in self.senders:
            sender.reset(message)

    def end(self) -> None:
        """Nothing more will be put."""
        for sender in self.senders:
            sender.end()


class Job(NamedTuple):
    """One frame ready to be processed. Times are on the graph's clock, seconds.

    Attributes:
        primary: the frame, and when it came.
        sides: the side values by keyword.
        started: when it is processed.
        ready: when it had arrived and the node was free.
        picked_up_at: when the node's thread first saw it.
    """

    primary: Entry
    sides: dict[str, Side[Any] | None]
    started: float
    ready: float  # when it had arrived and the node was free
    picked_up_at: float  # when the node's thread first saw it


class Idle(NamedTuple):
    """Nothing to do before the driver is woken, or before `until`.

    Attributes:
        until: seconds on the graph's clock.
    """

    until: float


class Done(NamedTuple):
    """The input has ended and everything was handed on."""


FOREVER: Final = Idle(math.inf)
DONE: Final = Done()


log = logging.getLogger(__name__)


class Node:
    """A transform or a sink: its inputs, its output ports and its counts.

    Args:
        name: in reports.
        processor: what works.
        pass_envelope: whether `process` gets the envelope instead of its payload.
    """

    def __init__(self, name: str, processor: Any, pass_envelope: bool = False) -> None:
        self.name = name
        self.processor = processor
        self.pass_envelope = pass_envelope
        self.process: Callable[..., Any] = processor.process if hasattr(processor, "process") else processor
        self.primary: Receiver[Any] | None = None
        self.sides: list[SideInput] = []
        self.ports = OutputPorts()
        self.counts = NodeMetrics()
        self.times = NodeTimes()
        self.busy_since: float | None = None
        self.current: Envelope[Any] | None = None
        self.stalled = False
        self.trace: Trace | None = None
        self.ended = False
        self._waiting: Entry | None = None
        self._free_at = -math.inf
        self._picked_up_at = -math.inf

    def open(self) -> None:
        """Call the processor's `open`, where it has one."""
        call_where_there(self.processor, "open")

    def close(self) -> None:
        """Call the processor's `close`, where it has one."""
        call_where_there(self.processor, "close")

    def accepts(self, envelope: Envelope[Any]) -> bool:
        """Ask the processor's gate; a frame it refuses is counted as skipped, and downstream does not wait for it.

        Called on the producer's thread. A gate that raises loses no frame: `process` gets it.

        Args:
            envelope: the frame.
        """
        try:
            if self.processor.accepts(envelope):
                return True
        except Exception as error:  # noqa: BLE001 - a node's own code may raise anything
            self._note_error(error)
            return True
        self.counts.skipped += 1
        self.ports.mark_skipped(envelope.sequence)
        return False

    def begin(self, now: float) -> Job | Idle | Done:
        """The next frame to process, or what to wait for. Expired frames are dropped on the way, before any work.

        Args:
            now: seconds.
        """
        assert self.primary is not None
        if not self.ports.flush(now):
            return FOREVER
        while True:
            entry = self._waiting
            if entry is None:
                exhausted = self.primary.exhausted
                entry = self.primary.take_nowait()
                if entry is None:
                    return self._nothing_to_take(exhausted)
                self._waiting, self._picked_up_at = entry, now
                self.primary.wait.record(now - entry.arrived)
                self._apply_resets(entry.envelope.sequence)
                self.ports.advance_watermark(entry.envelope.sequence - 1)
            envelope = entry.envelope
            deadline = envelope.deadline if self.primary.expires else math.inf
            if now > deadline:
                self._waiting = None
                self.primary.drop(DropReason.EXPIRED, envelope)
                self.ports.advance_watermark(envelope.sequence)
                continue
            until = -math.inf
            for side in self.sides:
                wanted = side.ready(entry, now, deadline)
                if wanted is not None:
                    until = max(until, wanted)
            if until > -math.inf:
                return Idle(until)
            self._waiting = None
            sides = {side.keyword: side.pick(envelope, now) for side in self.sides}
            self.busy_since, self.current = now, envelope
            return Job(entry, sides, now, max(entry.arrived, self._free_at), self._picked_up_at)

    def _nothing_to_take(self, exhausted: bool) -> Idle | Done:
        assert self.primary is not None
        self._apply_resets(None)
        if (watermark := self.primary.take_watermark()) is not None:
            self.ports.advance_watermark(watermark[0])
            for side in self.sides:
                side.advance_to(watermark[0])
            for sequence in watermark[1]:
                self.ports.mark_skipped(sequence)
        if not exhausted:
            return FOREVER
        self.finish_input(DropReason.STOPPING)
        return DONE

    def _apply_resets(self, up_to: int | None) -> None:
        assert self.primary is not None
        while (message := self.primary.take_reset(up_to)) is not None:
            self.counts.resets += 1
            for side in self.sides:
                side.interrupted(message)
            try:
                call_where_there(self.processor, "reset", message.reason)
            except Exception as error:  # noqa: BLE001 - a node's own code may raise anything
                self._note_error(error)
            self.ports.reset(message)

    def run(self, job: Job) -> Any:
        """Call `process`; the driver hands what it returns, or the exception, to `finish`.

        Args:
            job: the frame.
        """
        subject = job.primary.envelope if self.pass_envelope else job.primary.envelope.payload
        return self.process(subject, **job.sides) if job.sides else self.process(subject)

    def finish(self, job: Job, result: Any, error: Exception | None, now: float) -> None:
        """Settle the frame and hand the result on.

        Args:
            job: the frame.
            result: what `process` returned.
            error: what it raised instead.
            now: seconds.
        """
        assert self.primary is not None
        envelope = job.primary.envelope
        self.busy_since, self.current, self._free_at = None, None, now
        self._record(job, now, error)
        if error is not None:
            self.counts.failed += 1
            self._note_error(error)
            self.primary.drop(DropReason.FAILED, envelope)
            self.ports.advance_watermark(envelope.sequence)
            return
        self.counts.processed += 1
        self.primary.deliver(envelope)
        result_age = envelope.result_age
        ages = [side.age for side in job.sides.values() if side is not None]
        if ages:
            result_age = max(ages)
        self.times.age.record(now - envelope.capture_time)
        if result_age is not None:
            self.times.result_age.record(result_age)
        if not self.ports.senders:
            return
        if result is None:
            self.counts.empty += 1
            self.ports.advance_watermark(envelope.sequence)
            return
        self.ports.put(
            Envelope(result, envelope.sequence, envelope.capture_time, envelope.deadline, envelope.source, result_age),
            now,
        )

    def _record(self, job: Job, now: float, error: Exception | None) -> None:
        times, arrived = self.times, job.primary.arrived
        times.queue.record(job.ready - arrived)
        times.executor.record(max(0.0, job.picked_up_at - job.ready))
        if self.sides:
            times.join.record(job.started - job.picked_up_at)
        times.service.record(now - job.started)
        if self.trace is not None:
            self.trace.frame(self.name, job.primary.envelope, job.started, now, failed=error is not None)

    def _note_error(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self.counts.last_error:  # once, not thirty times a second
            # Where the machine has no more files, memory or disk, the lines of the program say nothing.
            told = None if isinstance(error, OSError | MemoryError) else error
            log.warning("node %s: %s", self.name, text, exc_info=told)
        self.counts.last_error = text

    def finish_input(self, reason: DropReason) -> None:
        """No more input will be taken: release what is held and end the outputs.

        Args:
            reason: of the drops.
        """
        if self.ended:
            return
        self.ended = True
        if self._waiting is not None and self.primary is not None:
            self.primary.drop(reason, self._waiting.envelope)
            self._waiting = None
        for side in self.sides:
            side.forget(reason)
            side.receiver.leave()
        self.ports.end()
