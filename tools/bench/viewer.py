"""`facemirror-live open` with a long recording: seconds until the page can be used, and milliseconds of a seek to an exact frame.

`python -m tools.bench viewer [--minutes 60] [--seeks 40] [--keep DIR]`. The session is made by `viewer_session`: 720p30, recorded
by the program's own recorder. The page runs in a headless Chromium, which decodes on the processor. A seek is measured in the
page, from the wish to the picture and its rows on the screen; "random" frames are anywhere in the recording, as far from the
picture that stands alone as it comes. For comparison, the same frames as JPEGs made by the program, which is how recordings are
shown that browsers do not play.
"""

import argparse
import asyncio
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
_PICTURES = """
(async (frames) => {
  const taken = [];
  for (const frame of frames) {
    const started = performance.now(), image = new Image();
    image.src = `/viewer/api/0/picture/shown/${frame}?width=900`;
    await image.decode();
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
        async with asyncio.timeout(_LIMIT_SECONDS), browser() as page:
            ready = await _opened(page, url)
            used = sum(server.cpu_times()[:2])
            report.add(
                "from the link to picture, curves and rows",
                ready,
                "s",
                f"< {_OPEN_SECONDS:g}",
                met=ready < _OPEN_SECONDS,
            )
            report.add("the same, page read again", await _opened(page, url), "s")
            report.add("processor time of the program until then", used, "s")
            chance = random.Random(3)
            anywhere = [chance.randrange(frames) for _ in range(seeks)]
            near = [anywhere[0] + step for step in range(1, seeks + 1)]
            _add(report, "seek to a random frame", await page.value(f"{_SEEK}({anywhere})"), bound=True)
            _add(report, "step to the next frame", await page.value(f"{_SEEK}({near})"), bound=True)
            _add(report, "step to the frame before", await page.value(f"{_SEEK}({near[-2::-1]})"), bound=True)
            _add(report, "random frame as a JPEG by the program", await page.value(f"{_PICTURES}({anywhere[::-1]})"))
            _add(report, "next frame as a JPEG by the program", await page.value(f"{_PICTURES}({near})"))
            report.add("memory of the program", server.memory_info().rss / 1e6, "MB")


async def _opened(page: Page, url: str) -> float:
    """Seconds from asking for the page to the first frame with everything on it."""
    await page.open(url, 1400, 900)
    await page.until("document.body.dataset.ready")
    return float(await page.value("document.body.dataset.ready")) / 1e3


def _add(report: Report, name: str, taken: list[float], *, bound: bool = False) -> None:
    middle, late = statistics.median(taken), sorted(taken)[max(0, round(0.95 * len(taken)) - 1)]
    report.add(f"{name}, median", middle, "ms", f"< {_SEEK_MS:g}" if bound else "", met=not bound or middle < _SEEK_MS)
    report.add(f"{name}, 95 %", late, "ms", f"< {_SEEK_MS:g}" if bound else "", met=not bound or late < _SEEK_MS)


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
