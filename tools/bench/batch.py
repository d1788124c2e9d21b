"""`batch`: times real time per core, two workers against one, memory over many recordings, and what a recording costs before
its first frame.

`python -m tools.bench batch [CLIP] [--recordings 100] [--copies 4] [--rounds 3]`. CLIP: default the embedded one, 720p30
H.264, 14.6 s. "Per core" is processor time of one process, which a busy machine changes little; "two against one" is wall
time, and means something on an idle machine only. `--openface3` (needs PyTorch) adds OpenFace 3.0's networks on one core.
"""

import argparse
import os
import queue
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from realtime.batch.fingerprint import Fingerprint
from realtime.batch.inputs import Input
from realtime.batch.ledger import Ledger
from realtime.batch.measure import measure_recording, open_networks, specs_of
from realtime.batch.options import Options
from realtime.batch.plan import Plan, begin
from realtime.batch.pool import Message, WorkerProcess
from realtime.batch.run import Watch, work
from realtime.config import Config
from realtime.face.kernel_cache import prepare
from realtime.media.demux_options import demo_clip
from tools.bench.openface3_networks import seconds_a_frame
from tools.bench.timing import Report
from tools.chaos.folders import make_clips


def run(arguments: Sequence[str] = ()) -> Report:
    """Measure all of it."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench batch", description=__doc__)
    parser.add_argument("clip", nargs="?", type=Path, default=demo_clip())
    parser.add_argument("--recordings", type=int, default=100, help="for the memory")
    parser.add_argument("--copies", type=int, default=4, help="of the clip, for one and two workers; 0: not")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--openface3", action="store_true", help="also what OpenFace 3.0's networks take, in PyTorch")
    options = parser.parse_args(arguments)
    prepare()
    report = Report(f"batch, {options.clip.name}")
    _per_core(report, options.clip, options.rounds)
    if options.openface3:
        _openface3(report)
    if options.copies:
        _two_against_one(report, options.clip, options.copies)
    _memory(report, options.recordings)
    return report


def _per_core(report: Report, clip: Path, rounds: int) -> None:
    config, extras = Config(), Options()
    networks = open_networks(config)
    stamp = Fingerprint.of(config, extras, specs_of(config))
    speeds, starts = [], []
    for _ in range(rounds + 1):
        with tempfile.TemporaryDirectory() as scratch:
            used = time.process_time()
            measured = measure_recording(Input("clip", clip), Path(scratch), networks, stamp, extras)
            speeds.append(measured.recording.seconds / (time.process_time() - used))
            starts.append(measured.figures["timings"]["start_up"])
    # The first one warms caches up.
    report.add_rounds("times real time per core (processor time)", speeds[1:], "x", ">= 5")
    report.add_rounds("from the file to its first frame", starts[1:], "s", "< 0.5")


def _openface3(report: Report) -> None:
    """The networks alone, at 30 frames a second."""
    costs = seconds_a_frame()
    for name, seconds in costs.items():
        report.add(f"OpenFace 3.0's networks, {name}", 1e3 * seconds, "ms")
    report.add("OpenFace 3.0's networks: times real time per core at 30 fps", 1 / (30 * sum(costs.values())), "x")


@contextmanager
def _batch(clips: Path) -> Iterator[tuple[Ledger, Plan]]:
    config, extras = Config(), Options()
    with tempfile.TemporaryDirectory() as scratch:
        ledger = Ledger(Path(scratch) / "out")
        found = [Input(path.stem, path) for path in sorted(clips.iterdir())]
        yield ledger, begin(ledger, found, Fingerprint.of(config, extras, specs_of(config)), config, extras)


def _two_against_one(report: Report, clip: Path, copies: int) -> None:
    seconds = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(copies):
            shutil.copy(clip, Path(scratch) / f"clip{number}.mp4")
        for workers in (1, 2):
            with _batch(Path(scratch)) as (ledger, plan):
                seconds[workers] = _working(ledger, plan, workers)
    report.add("one worker (wall)", seconds[1], "s")
    report.add("two workers (wall)", seconds[2], "s")
    report.add("two workers against one", seconds[1] / seconds[2], "x", f">= 1.9 on two idle cores ({_load()})")


def _working(ledger: Ledger, plan: Plan, workers: int) -> float:
    """Seconds from the first news of a frame to the end, so that starting Python is left out."""
    heard: list[float] = []
    work(ledger, plan, workers, Watch(progress=lambda *_: heard.append(time.monotonic())))
    return time.monotonic() - heard[0]


def _load() -> str:
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"load now {load}, {os.cpu_count()} cores"


def _memory(report: Report, recordings: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        clips = make_clips(Path(scratch) / "clips", recordings, frames=10, size=(1280, 720))
        with _batch(clips) as (ledger, plan):
            held, seconds = _one_worker(ledger, [one.name for one in plan.inputs])
    early = statistics.median(held[4:14] or held)
    late = statistics.median(held[-10:])
    report.add(f"memory of a worker, most of {recordings} recordings", max(held), "MB", "<= 350")
    report.add("its growth from the first ten to the last ten", late - early, "MB", "flat")
    report.add("a recording of ten frames, all of it", statistics.median(seconds[1:]), "s")


def _one_worker(ledger: Ledger, names: Sequence[str]) -> tuple[list[float], list[float]]:
    """Resident memory (MB) after each recording, and the seconds each took."""
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    worker = WorkerProcess(ledger.out, inbox, time.monotonic)
    process, held, seconds = psutil.Process(worker.process.pid), [], []
    for name in names:
        started = time.monotonic()
        worker.give(name)
        while True:
            content = inbox.get().content
            if content is None:
                raise RuntimeError(f"the worker ended over {name}")
            if "outcome" in content:
                break
        seconds.append(time.monotonic() - started)
        held.append(process.memory_info().rss / 1e6)
    worker.close()
    worker.wait(10)
    return held, seconds
