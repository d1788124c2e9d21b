"""Where a frame's time goes: each stage's processor time, and what live frames wait for.

`python -m tools.bench stages [CLIP] [--weights DIR]`. CLIP: default the demo clip. The graph runs as fast as it goes, undrawn and
drawn, then in real time, drawn, and recorded as well; the same functions in a plain sequence stand beside it. What is no stage's
is the graph's own: handing frames on, waking threads, the event loop, and measuring itself.

A stage's time on the clock is processor time, waiting for a processor (that other programs or our own threads have), and the rest:
waiting for another thread, which is nearly always the interpreter's lock, or for a device. On a busy machine only the first and the
last say something about the program. Waiting for a processor is known on Linux only; elsewhere it is part of the rest.
"""

import argparse
import asyncio
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from realtime.app.memory import collecting_only_new_objects
from realtime.app.pipeline import SWITCH_SECONDS, Outputs, build
from realtime.config import resolve
from realtime.graph import RealClock
from realtime.graph.histogram import Percentiles
from realtime.graph.node import Node
from realtime.media.convert import ToBgr
from realtime.media.decoder import Decoder
from realtime.media.recorder import VideoRecorder
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource
from tools.bench.peers import BareLoop
from tools.bench.timing import Report


class Spent(NamedTuple):
    """Seconds of one call: on the clock, on a processor, and waiting for one."""

    wall: float
    busy: float
    queued: float

    @property
    def blocked(self) -> float:
        """Neither at work nor waiting for a processor."""
        return max(0.0, self.wall - self.busy - self.queued)


class Stages:
    """Notes what calls spend, by stage; from any thread."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Spent]] = defaultdict(list)
        self._own = threading.local()
        self._files: list[int] = []

    def close(self) -> None:
        """Close what was opened to ask the system."""
        for number in self._files:
            os.close(number)

    def _queued(self) -> float:
        """Seconds that this thread has waited for a processor so far."""
        try:
            if not hasattr(self._own, "file"):
                self._own.file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
                self._files.append(self._own.file)
            return int(os.pread(self._own.file, 100, 0).split()[1]) / 1e9
        except (OSError, IndexError):  # not Linux, or a kernel without these figures
            return 0.0

    def wrapped(self, call: Callable[..., Any], name_of: Callable[[Any], str]) -> Callable[..., Any]:
        """The method, noting what it spends.

        Args:
            call: takes its object first.
            name_of: the stage, from that object.
        """

        def noted(owner: Any, *rest: Any, **named: Any) -> Any:
            queued = self._queued()
            wall, busy = time.perf_counter(), time.thread_time()
            try:
                return call(owner, *rest, **named)
            finally:
                busy, wall = time.thread_time() - busy, time.perf_counter() - wall
                self.calls[name_of(owner)].append(Spent(wall, busy, self._queued() - queued))

        return noted

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, every stage of every graph in this process is noted."""

        with ExitStack() as stack:
            for owner, method, name_of in (
                (Decoder, "next", lambda _: "decode"),
                (ToBgr, "convert", lambda _: "convert"),
                (Node, "run", lambda node: node.name),
            ):
                stack.enter_context(patch.object(owner, method, self.wrapped(getattr(owner, method), name_of)))
            yield

    def percentile(self, stage: str, part: Callable[[Spent], float], share: float) -> float:
        """Milliseconds that this share of a stage's calls stay below.

        Args:
            stage: its name.
            part: of what was spent.
            share: 0 to 100.
        """
        return 1e3 * float(np.percentile([part(spent) for spent in self.calls[stage]], share))

    def busy_per_frame(self, frames: int) -> dict[str, float]:
        """Milliseconds of processor time a frame, by stage."""
        return {name: 1e3 * sum(one.busy for one in calls) / frames for name, calls in self.calls.items()}


class Ran(NamedTuple):
    """What one run of the graph gave.

    Attributes:
        stages: what each spent.
        frames: pictures delivered.
        busy: milliseconds of the whole process's processor time a frame.
        age: of the pictures, milliseconds.
    """

    stages: Stages
    frames: int
    busy: float
    age: Percentiles


def graph_run(words: dict[str, Any], *, draw: bool = True, record: bool = False) -> Ran:
    """Run the program's graph once, its networks opened before anything counts.

    Args:
        words: settings.
        draw: every picture, as if somebody looked.
        record: what is shown.
    """
    config, clock, stages = resolve(words).config, RealClock(), Stages()
    with ExitStack() as stack:
        source = VideoSource(parse_source(config.source), clock.now, speed=config.speed)
        stack.callback(source.close)
        source.open()
        recorder = None
        if record:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            recorder = VideoRecorder(Path(folder) / "video.mp4")
        app = build(config, source, Outputs(always_draw=draw, recorder=recorder), clock)
        stack.enter_context(stages.watching())
        stack.callback(stages.close)
        stack.enter_context(collecting_only_new_objects())
        busy = time.process_time()
        report = asyncio.run(app.graph.run(switch_interval=SWITCH_SECONDS))
        busy = time.process_time() - busy
    path = report.paths["compose"]
    return Ran(stages, path.delivered, 1e3 * busy / max(1, path.delivered), report.nodes["compose"].age)


def add(report: Report, name: str, ran: Ran, *, live: bool) -> None:
    """A situation's rows.

    Args:
        report: gets them.
        name: of the situation.
        ran: what it gave.
        live: what frames waited for says something.
    """
    spent = ran.stages.busy_per_frame(ran.frames)
    report.add(f"{name}: whole", ran.busy, "ms/frame")
    for stage, busy in sorted(spent.items(), key=lambda one: -one[1]):
        report.add(f"{name}: {stage}", busy, "ms/frame")
    report.add(f"{name}: no stage's", ran.busy - sum(spent.values()), "ms/frame")
    if not live:
        return
    for stage in sorted(spent, key=lambda one: -spent[one]):
        for what, part in _PARTS.items():
            report.add(f"{name}: {stage}, {what} p99", ran.stages.percentile(stage, part, 99), "ms")
    for what, age in (("p50", ran.age.p50), ("p95", ran.age.p95), ("p99", ran.age.p99), ("max", ran.age.max)):
        report.add(f"{name}: age {what}", float("nan") if age is None else age, "ms")


_PARTS: dict[str, Callable[[Spent], float]] = {
    "at work": lambda spent: spent.busy,
    "without a processor": lambda spent: spent.queued,
    "blocked": lambda spent: spent.blocked,
}


def run(arguments: list[str] | None = None) -> Report:
    """Every situation once, after a run that warms up."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench stages")
    parser.add_argument("clip", nargs="?", default="demo")
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args(arguments or [])
    words = {"source": options.clip, "weights": options.weights}
    fast, live = words | {"speed": "max"}, words | {"speed": "realtime"}
    sequence = BareLoop(resolve(fast).config)
    sequence()
    report = Report(f"stages: {options.clip}, milliseconds of processor time a frame")
    busy = time.process_time()
    frames = sequence().frames
    report.add("drawn, in a plain sequence: whole", 1e3 * (time.process_time() - busy) / max(1, frames), "ms/frame")
    add(report, "undrawn", graph_run(fast, draw=False), live=False)
    add(report, "drawn", graph_run(fast), live=False)
    add(report, "live", graph_run(live), live=True)
    add(report, "live and recorded", graph_run(live, record=True), live=True)
    return report
