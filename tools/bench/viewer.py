"""`facemirror-live open` with a long recording: seconds until the page can be used, and milliseconds of a seek to an exact frame.

`python -m tools.bench viewer [--minutes 60] [--seeks 40] [--keep DIR]`. The session is made by `viewer_session`: 720p30, recorded
by the program's own recorder. The page runs in a headless Chromium, which decodes on the processor. A seek is measured in the
page, from the wish to the picture and its rows on the screen; "random" frames are anywhere in the recording, as far from the
picture that stands alone as it comes. Processor times are those of the program and of all of the browser's processes together:
a busy machine changes them little, and on an idle one a seek takes less than that. For comparison, what was decided against: the
same frames by the browser's own seek in the recording.
"""

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.dashboard.chromium import PROGRAM, Page, browser
from tools.bench.timing import Report
from tools.bench.viewer_session import make_session

_OPEN_SECONDS = 2.0
_SEEK_MS = 100.0
_LIMIT_SECONDS = 120
_SEEK = """
(async (frames) => {
  const go = document.getElementById("go"), taken = [];
  for (const frame of frames) {
    const started = performance.now();
    const shown = new Promise((done) => {
      const watch = new MutationObserver(() => document.body.dataset.shown === String(frame) && (watch.disconnect(), done()));
      watch.observe(document.body, { attributes: true });
    });
    go.value = frame + 1;
    go.dispatchEvent(new Event("change"));
    await shown;
    taken.push(performance.now() - started);
  }
  return taken;
})"""
_OWN_SEEK = """
(async (frames) => {
  const index = await (await fetch("/viewer/api/0/index")).arrayBuffer();
  const length = new DataView(index).getUint32(0, true);
  const { at, length: count } = JSON.parse(new TextDecoder().decode(new Uint8Array(index, 4, length))).arrays.shown_film;
  const clock = new Float64Array(index, 4 + length + at, count), video = document.querySelector("video"), taken = [];
  for (const frame of frames) {
    const started = performance.now();
    const shown = new Promise((done) => video.addEventListener("seeked", done, { once: true }));
    video.currentTime = (clock[frame] + clock[frame + 1]) / 2;
    await shown;
    taken.push(performance.now() - started);
  }
  return taken;
})"""


def run(arguments: Sequence[str] = ()) -> Report:
    """Measure all of it."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench viewer", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of the recording")
    parser.add_argument("--seeks", type=int, default=40, help="of each kind")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="use the session in this folder; make it where it is missing"
    )
    options = parser.parse_args(arguments)
    if PROGRAM is None:
        raise FileNotFoundError("Chromium is not installed")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch) / "session"
        if not (folder / "manifest.json").exists():
            make_session(folder, 60 * options.minutes)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
        report = Report(f"viewer, {options.minutes:g} minutes, {size:,.0f} MB, {load} on {os.cpu_count()} cores")
        asyncio.run(_measure(report, folder, options.seeks, round(1800 * options.minutes)))
    return report


async def _measure(report: Report, folder: Path, seeks: int, frames: int) -> None:
    started = time.monotonic()
    with _served(folder) as (url, server):
        linked = time.monotonic() - started
        report.add("from the command to its link", linked, "s")
        server_start = sum(server.cpu_times()[:2])
        async with asyncio.timeout(_LIMIT_SECONDS), browser() as page:
            before = _used()
            ready = await _opened(page, url)
            met = ready < _OPEN_SECONDS
            report.add("from the link to picture, curves and rows", ready, "s", f"< {_OPEN_SECONDS:g}", met=met)
            report.add("processor time of that, and of the program's start", _used() - before + server_start, "s")
            report.add("the same, page read again", await _opened(page, url), "s")
            await page.until("document.body.dataset.verified")
            chance = random.Random(3)
            anywhere = [chance.randrange(frames - 1) for _ in range(seeks)]
            near = [anywhere[0] + step for step in range(1, seeks + 1)]
            await _seeks(report, page, "seek to a random frame", _SEEK, anywhere)
            await _seeks(report, page, "step to the next frame", _SEEK, near)
            await _seeks(report, page, "step to the frame before", _SEEK, near[-2::-1])
            await _seeks(report, page, "browser's own seek, random", _OWN_SEEK, anywhere[::-1], bound=False)
            await _seeks(report, page, "browser's own seek, next frame", _OWN_SEEK, near, bound=False)
            report.add("memory of the program", server.memory_info().rss / 1e6, "MB")


async def _opened(page: Page, url: str) -> float:
    """Seconds from asking for the page to the first frame with everything on it."""
    await page.open(url, 1400, 900)
    await page.until("document.body.dataset.ready")
    return float(await page.value("document.body.dataset.ready")) / 1e3


async def _seeks(report: Report, page: Page, name: str, script: str, frames: list[int], *, bound: bool = True) -> None:
    before = _used()
    taken = await page.value(f"{script}({frames})")
    used = (_used() - before) / len(frames) * 1e3
    middle, late = statistics.median(taken), sorted(taken)[max(0, round(0.95 * len(taken)) - 1)]
    words = f"< {_SEEK_MS:g}" if bound else ""
    report.add(f"{name}, median", middle, "ms", words, met=not bound or middle < _SEEK_MS)
    report.add(f"{name}, 95 %", late, "ms", words, met=not bound or late < _SEEK_MS)
    report.add(f"{name}, processor time", used, "ms")


def _used() -> float:
    """Seconds of processor time of every process that this one has started, and of theirs."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:2])
    return total


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    child = subprocess.Popen([sys.executable, "-m", "realtime", "open", str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield child.stdout.readline().split()[-1], psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(10)
        if child.stdout is not None:
            child.stdout.close()
