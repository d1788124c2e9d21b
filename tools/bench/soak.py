"""A long run under changing load: `python -m tools.bench soak [--minutes 60] [--load 2]`.

The whole program in its own process on the looped demo, with recording, rows and a dashboard viewer. In every second minute
other processes keep the processors busy. Each minute gives memory, descriptors, threads and the age of the pictures at the
viewer; the end compares the first calm minutes with the last one, and gives the books, the number of rows and what `verify`
says. Exit 1 where anything has grown or does not balance. In a run of 20 minutes and more a leak is told by the slope of memory
over the second half, and a step as large as the memory pools' (docs/pages/decisions.md) is let pass; a shorter run cannot tell them apart.
"""

import argparse
import asyncio
import contextlib
import csv
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil

from realtime.media.demux_options import demo_clip
from tools.bench.timing import Report

_START_SECONDS = 180
_END_SECONDS = 120
_MEMORY_GROWTH = 1.1
"""Of a run that is too short to tell a step from a leak."""
_POOLS_MB = 55.0
"""What the two memory pools keep once queues have filled under load, at most."""
_SLOPE_MINUTES = 5
_SLOPE_MB = 5.0
"""An hour; the second half of a run."""
_AGE_GROWTH = 1.5
_AGE_SLACK_MS = 20.0
"""Other programs of the machine make a picture this much older in one minute than in another."""
_LEAST_IDLE = 0.2


@dataclass(slots=True)
class Minute:
    """What was seen in one minute.

    Attributes:
        loaded: other processes of this command were busy.
        rss: megabytes, once a second.
        descriptors: once a second.
        threads: once a second.
        ages: milliseconds from capture to the message for the page, one a shown picture.
        idle: share of the processors that nobody used, 0..1, once a second.
    """

    loaded: bool
    rss: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


def run(arguments: list[str] | None = None) -> Report:
    """One run."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench soak")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--load", type=int, default=os.cpu_count() or 2, help="busy processes in every second minute")
    parser.add_argument("--source", default=f"lavfi:movie={demo_clip()}:loop=0,setpts=N/(30*TB)")
    options = parser.parse_args(arguments or [])
    with tempfile.TemporaryDirectory() as scratch:
        folder, summary = Path(scratch) / "session", Path(scratch) / "summary.json"
        words = ["run", "--source", options.source, "--headless", "--quiet", "--record", "--dashboard", "--port", "0"]
        words += ["--session", str(folder), "--summary", str(summary)]
        log = Path(scratch) / "stderr"
        with log.open("wb") as sink:
            program = subprocess.Popen([sys.executable, "-m", "realtime", *words], stderr=sink)
        try:
            link = _link(program, log)
            minutes = asyncio.run(_watch(program, link, options.minutes, options.load))
            program.send_signal(signal.SIGINT)
            code = program.wait(_END_SECONDS)
        finally:
            program.kill()
            program.wait()
        verified = subprocess.run(
            [sys.executable, "-m", "realtime", "verify", str(folder)], capture_output=True, check=False
        )
        with (folder / "frames.csv").open(newline="") as rows:
            count = sum(1 for _ in csv.reader(rows)) - 1
        return report_of(minutes, json.loads(summary.read_text("utf-8")), count, code, verified.returncode)


def report_of(minutes: list[Minute], summary: dict[str, Any], rows: int, code: int, verified: int) -> Report:
    """The figures of a run.

    Args:
        minutes: in order.
        summary: the program's own.
        rows: of frames.csv.
        code: the program's exit code.
        verified: `verify`'s exit code.
    """
    report = Report(
        f"soak: {len(minutes)} minutes with recording and a viewer, other processes busy in every second one"
    )
    for number, minute in enumerate(minutes, 1):
        name = f"minute {number}{' (loaded)' if minute.loaded else ''}"
        report.add(f"{name}: memory", float(np.median(minute.rss)), "MB")
        report.add(f"{name}: descriptors", float(max(minute.descriptors)), "")
        report.add(f"{name}: threads", float(max(minute.threads)), "")
        report.add(f"{name}: age p99", float(np.percentile(minute.ages, 99)) if minute.ages else float("nan"), "ms")
    _add_growth(report, minutes)
    frames = summary["frames"]
    lost = frames["captured"] - frames["delivered"] - frames["dropped_total"] - frames["queued"]
    report.add("captured", float(frames["captured"]), "frames")
    report.add("delivered", float(frames["delivered"]), "frames")
    report.add("dropped", float(frames["dropped_total"]), "frames")
    extra = rows - frames["captured"]
    report.add("captured and not accounted for", float(lost), "frames", "0", met=lost == 0)
    report.add("rows less captured", float(extra), "rows", "0", met=extra == 0)
    report.add("exit code after Ctrl-C", float(code), "", "130", met=code == 130)
    report.add("verify's exit code", float(verified), "", "0", met=verified == 0)
    return report


def _add_growth(report: Report, minutes: list[Minute]) -> None:
    """Begin and end side by side. The begin is the second calm minute where there are three: caches fill in the first."""
    calm = [minute for minute in minutes if not minute.loaded and minute.rss]
    first, last = calm[min(1, (len(calm) - 1) // 2)], calm[-1]
    rss = [float(np.median(minute.rss)) for minute in (first, last)]
    threads = [float(max(minute.threads)) for minute in (first, last)]
    descriptors = [float(max(minute.descriptors)) for minute in (first, last)]
    ages = [float(np.median(minute.ages)) if minute.ages else float("nan") for minute in (first, last)]
    report.add("begin: memory", rss[0], "MB")
    if _add_slope(report, [(number, one) for number, one in enumerate(minutes) if not one.loaded and one.rss]):
        report.add("end: memory", rss[1], "MB", f"<= begin + {_POOLS_MB:.0f}", met=rss[1] <= rss[0] + _POOLS_MB)
    else:
        report.add("end: memory", rss[1], "MB", f"<= {_MEMORY_GROWTH} x begin", met=rss[1] <= _MEMORY_GROWTH * rss[0])
    report.add("begin: threads", threads[0], "")
    report.add("end: threads", threads[1], "", "<= begin", met=threads[1] <= threads[0])
    report.add("begin: descriptors", descriptors[0], "")
    report.add("end: descriptors", descriptors[1], "", "<= begin", met=descriptors[1] <= descriptors[0])
    idle = [float(np.mean(minute.idle)) if minute.idle else 0.0 for minute in (first, last)]
    report.add("begin: idle processors", idle[0], "share")
    report.add("end: idle processors", idle[1], "share")
    report.add("begin: age p50", ages[0], "ms")
    bound = f"<= {_AGE_GROWTH} x begin + {_AGE_SLACK_MS:.0f}"
    if min(idle) < _LEAST_IDLE:
        report.add("end: age p50", ages[1], "ms", "not judged: other programs were busy")
    else:
        report.add("end: age p50", ages[1], "ms", bound, met=ages[1] <= _AGE_GROWTH * ages[0] + _AGE_SLACK_MS)


def _add_slope(report: Report, calm: list[tuple[int, Minute]]) -> bool:
    """Whether memory still grows in the second half. Queues that filled once under load keep what they took; a leak goes on.

    The median of the slopes between all pairs of calm minutes (P. K. Sen, 1968).

    Args:
        report: gets the slope.
        calm: number and figures of each minute without load.

    Returns:
        False where there are too few minutes to judge it.
    """
    half = calm[len(calm) // 2 :]
    if len(half) < _SLOPE_MINUTES:
        return False
    at = np.array([number for number, _ in half], float)
    memory = np.array([np.median(minute.rss) for _, minute in half])
    first, second = np.triu_indices(len(half), 1)
    slope = 60 * float(np.median((memory[second] - memory[first]) / (at[second] - at[first])))
    report.add("second half: growth of memory", slope, "MB/h", f"<= {_SLOPE_MB:.0f}", met=slope <= _SLOPE_MB)
    return True


def _link(program: "subprocess.Popen[bytes]", log: Path) -> str:
    """The dashboard's address, once it is printed."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and program.poll() is None:
        found = re.search(r"Dashboard: (http://\S+)", log.read_text("utf-8", "replace"))
        if found:
            return found[1]
        time.sleep(0.2)
    raise FileNotFoundError(f"the program printed no dashboard link: {log.read_text('utf-8', 'replace')[-500:]}")


async def _watch(program: "subprocess.Popen[bytes]", link: str, minutes: float, load: int) -> list[Minute]:
    """Look at the program once a second, and at every message for the page."""
    seen = [Minute(loaded=False)]
    listening = asyncio.create_task(_listen(link, seen))
    busy: list[multiprocessing.process.BaseProcess] = []
    process, context = psutil.Process(program.pid), multiprocessing.get_context("spawn")
    start = time.monotonic()
    try:
        while (gone := time.monotonic() - start) < 60 * minutes and program.poll() is None:
            if gone >= 60 * len(seen):
                seen.append(Minute(loaded=len(seen) % 2 == 1))
                for each in busy:
                    each.kill()
                busy = [context.Process(target=_spin, daemon=True) for _ in range(load if seen[-1].loaded else 0)]
                for each in busy:
                    each.start()
            seen[-1].idle.append(psutil.cpu_times_percent().idle / 100)
            with process.oneshot():
                seen[-1].rss.append(process.memory_info().rss / 1e6)
                seen[-1].threads.append(process.num_threads())
                seen[-1].descriptors.append(process.num_fds() if hasattr(process, "num_fds") else process.num_handles())
            await asyncio.sleep(1)
    finally:
        for each in busy:
            each.kill()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    return seen


async def _listen(link: str, seen: list[Minute]) -> None:
    origin = link.split("/?")[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(link):
            pass
        async with session.ws_connect(f"{origin}/live?picture=1", headers={"Origin": origin}) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    content = json.loads(message.data)
                    if content.get("type") == "state":
                        seen[-1].ages.append(content["age_ms"])


def _spin() -> None:
    while True:
        sum(range(10_000))
