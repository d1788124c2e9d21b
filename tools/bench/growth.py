"""What grows with what: processor time, age p99 and memory against size, rate, faces, outputs and hours.

`python -m tools.bench growth [--only size,rate,faces,outputs,day] [--seconds 8] [--rounds 1] [--plot FILE.svg]`. Each situation is
the whole program as a process of its own, live, on a clip made of the demo. Outputs are switched on one after another and stay on.
`day` is a simulated day on the virtual clock (see `simulated_day`). A size may cost more than 720p only what decoding it and one
resize cost.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohttp
import av
import cv2

from tools.bench.clips import crowd_clip, scaled_clip
from tools.bench.growth_plot import Panel, growth_svg
from tools.bench.simulated_day import simulate_day
from tools.bench.timing import Report

_AXES = ("size", "rate", "faces", "outputs", "day")
_HEIGHTS = (360, 480, 720, 1080, 1440, 2160)
_RATES = (15, 30, 60, 120)
_FACES = (1, 2, 4, 8)
_VIEWERS = (1, 2, 4, 8)
_UNITS = {"cores": "", "processor time a frame": "ms", "age p99": "ms", "memory": "MB", "dropped": "%"}
_PLOTTED = ("processor time a frame", "age p99", "memory")
_MORE_MS = 3.0
"""What a size may cost more than 720p, decoding and one resize apart, in ms a frame."""
_DROPPED = 2.0
"""Percent of dropped frames beyond which processor time says nothing of a frame."""
_START_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Situation:
    """One run.

    Attributes:
        axis: what grows.
        label: how far it has grown.
        clip: the source.
        words: more words of `run`.
        viewers: open pages of the dashboard.
        environment: more variables.
    """

    axis: str
    label: str
    clip: Path
    words: tuple[str, ...] = ()
    viewers: int = 0
    environment: tuple[tuple[str, str], ...] = ()


def run(arguments: Sequence[str] = ()) -> Report:
    """Measure every situation.

    Args:
        arguments: see the module.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.bench growth", description=__doc__)
    parser.add_argument("--only", default=",".join(_AXES), help="some of: " + ", ".join(_AXES))
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args(arguments)
    axes = [axis for axis in _AXES if axis in options.only.split(",")]
    report = Report(f"growth: live on clips made of the demo, {options.seconds:g} s each")
    found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="facemirror-growth-") as scratch, _display() as display:
        folder = Path(scratch)
        situations = list(_situations(folder, axes, options.seconds, display, report))
        for _ in range(options.rounds):
            for situation in situations:
                found[situation.axis, situation.label].append(_measure(situation, folder, options.seconds))
        for (axis, label), rounds in found.items():
            for what, unit in _UNITS.items():
                report.add_rounds(f"{axis} {label}: {what}", [one[what] for one in rounds], unit)
        if "size" in axes:
            _judge_sizes(report, folder, found)
    if "day" in axes:
        for name, value, unit, bound, met in simulate_day():
            report.add(f"day: {name}", value, unit, bound, met=met)
    if options.plot is not None:
        options.plot.write_text(growth_svg(report.title, _panels(found), _UNITS), encoding="utf-8")
    return report


def _situations(
    folder: Path, axes: Sequence[str], seconds: float, display: str | None, report: Report
) -> Iterator[Situation]:
    length = seconds + 2
    usual = scaled_clip(folder / "720.mp4", 720, 30, length)
    if "size" in axes:
        for height in _HEIGHTS:
            clip = usual if height == 720 else scaled_clip(folder / f"{height}.mp4", height, 30, length)
            yield Situation("size", f"{height}p", clip)
    if "rate" in axes:
        for fps in _RATES:
            clip = usual if fps == 30 else scaled_clip(folder / f"{fps}fps.mp4", 720, fps, length)
            yield Situation("rate", f"{fps} fps", clip)
    if "faces" in axes:
        for faces in _FACES:
            clip = crowd_clip(folder / f"{faces}faces.mp4", faces, length)
            yield Situation("faces", str(faces), clip, () if faces == 1 else ("--people", str(faces)))
    if "outputs" in axes:
        yield from _outputs(usual, display, report)


def _outputs(clip: Path, display: str | None, report: Report) -> Iterator[Situation]:
    """One after another; each stays on."""
    words: list[str] = []
    shown: tuple[tuple[str, str], ...] = ()
    yield Situation("outputs", "none", clip)
    if display is None:
        report.notes.append("  no window: there is neither a display nor Xvfb")
    else:
        shown = (("DISPLAY", display),)
        yield Situation("outputs", "window", clip, ("--window",), environment=shown)
        words.append("--window")
    for label, more in (("recording", ["--record"]), ("raw", ["--record", "raw"])):
        words = [*(word for word in words if word not in ("--record", "raw")), *more]
        yield Situation("outputs", label, clip, tuple(words), environment=shown)
    words += ["--dashboard", "--port", "0"]
    for viewers in _VIEWERS:
        yield Situation("outputs", f"{viewers} viewers", clip, tuple(words), viewers, shown)
    for label, package, more in (("LSL", "pylsl", ["--lsl"]), ("OSC", None, ["--osc", "127.0.0.1:9"])):
        if package is not None and find_spec(package) is None:
            report.notes.append(f"  no {label}: {package} is not installed")
            continue
        words += more
        yield Situation("outputs", label, clip, tuple(words), _VIEWERS[-1], shown)


def _measure(situation: Situation, folder: Path, seconds: float) -> dict[str, float]:
    summary, session, log = folder / "summary.json", folder / "session", folder / "stderr"
    window = "--window" in situation.words
    words = [word for word in situation.words if word != "--window"]
    words += [] if window else ["--headless"]
    words += [] if "--record" in words else ["--no-record"]
    command = [sys.executable, "-m", "realtime", "run", "--source", str(situation.clip), *words]
    command += ["--duration", str(seconds), "--quiet", "--session", str(session), "--summary", str(summary)]
    with log.open("wb") as sink:
        program = subprocess.Popen(command, stderr=sink, env={**os.environ, **dict(situation.environment)})
    viewers = None
    try:
        if situation.viewers:
            context = multiprocessing.get_context("spawn")
            viewers = context.Process(target=_watch, args=(_link(program, log), situation.viewers), daemon=True)
            viewers.start()
        code = program.wait(_START_SECONDS + seconds)
    finally:
        program.kill()
        program.wait()
        if viewers is not None:
            viewers.kill()
            viewers.join()
        shutil.rmtree(session, ignore_errors=True)
    if code:
        raise FileNotFoundError(f"{situation.axis} {situation.label}: {log.read_text('utf-8', 'replace')[-500:]}")
    return figures_of(json.loads(summary.read_text("utf-8")))


def figures_of(summary: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a run's summary.

    Args:
        summary: as `--summary` writes it.
    """
    frames = summary["frames"]
    age = summary["age_ms"]["p99"]
    return {
        "cores": float(summary["cores_running"]),
        # Of a captured frame: a frame that is dropped later has been decoded, too.
        "processor time a frame": 1e3 * summary["cpu_seconds_running"] / max(1, frames["captured"]),
        "age p99": float("nan") if age is None else float(age),
        "memory": float(summary["peak_rss_mb"]),
        "dropped": 100 * frames["dropped_total"] / max(1, frames["captured"]),
    }


def _judge_sizes(report: Report, folder: Path, found: Mapping[tuple[str, str], Sequence[Mapping[str, float]]]) -> None:
    """What a size costs more than 720p, less what decoding it and one resize cost more."""

    def cost(label: str) -> float:
        rounds = sorted(one["processor time a frame"] for one in found["size", label])
        return rounds[len(rounds) // 2]

    base = _decoding(folder / "720.mp4")
    for height in (height for height in _HEIGHTS if height > 720):
        own = _decoding(folder / f"{height}.mp4")
        more = cost(f"{height}p") - cost("720p") - (own - base)
        report.add(f"size {height}p: decoding and one resize", own, "ms")
        name = f"size {height}p: more than 720p, decoding and one resize apart"
        if max(one["dropped"] for one in found["size", f"{height}p"]) > _DROPPED:
            report.add(name, more, "ms", "not judged: this machine drops such frames")
        else:
            report.add(name, more, "ms", f"<= {_MORE_MS:g}", met=more <= _MORE_MS)


def _decoding(clip: Path) -> float:
    """Processor time of decoding a frame to a BGR picture and resizing it to 720 lines, ms."""
    count = 0
    began = time.process_time()
    with av.open(str(clip)) as file:
        for frame in file.decode(video=0):
            picture = frame.to_ndarray(format="bgr24")
            if picture.shape[0] > 720:
                cv2.resize(picture, (1280, 720), interpolation=cv2.INTER_LINEAR)
            count += 1
            if count == 60:
                break
    return 1e3 * (time.process_time() - began) / max(1, count)


def _panels(found: Mapping[tuple[str, str], Sequence[Mapping[str, float]]]) -> dict[str, dict[str, Panel]]:
    panels: dict[str, dict[str, list[tuple[str, float | None]]]] = {what: {} for what in _PLOTTED}
    for (axis, label), rounds in found.items():
        for what in _PLOTTED:
            values = sorted(one[what] for one in rounds)
            middle = values[len(values) // 2]
            panels[what].setdefault(axis, []).append((label, middle if middle == middle else None))
    return {what: dict(row.items()) for what, row in panels.items()}


def _link(program: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and program.poll() is None:
        if found := re.search(r"Dashboard: (http://\S+)", log.read_text("utf-8", "replace")):
            return found[1]
        time.sleep(0.1)
    raise FileNotFoundError(f"the program printed no dashboard link: {log.read_text('utf-8', 'replace')[-500:]}")


def _watch(link: str, viewers: int) -> None:
    """Open pages that take every picture, until this process is ended."""

    async def view() -> None:
        origin = link.split("/?")[0]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(link):
                pass
            async with session.ws_connect(f"{origin}/live?picture=1", headers={"Origin": origin}) as socket:
                async for _ in socket:
                    pass

    async def all_of_them() -> None:
        await asyncio.gather(*(view() for _ in range(viewers)), return_exceptions=True)

    asyncio.run(all_of_them())


@contextlib.contextmanager
def _display() -> Iterator[str | None]:
    """The name of a display for the window; None where there is none."""
    if shutil.which("Xvfb") is None:
        yield os.environ.get("DISPLAY")
        return
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1600x900x24", "-nolisten", "tcp"],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as pipe:
            number = pipe.readline().strip()
        yield f":{number}" if number else None
    finally:
        server.terminate()
        server.wait()
