"""Several faces live: rate, drops, age and how often each face is analysed, for one, two and four people.

`python -m tools.bench people [--seconds 20] [--rounds 1] [--weights DIR]`. Each run is the whole program as a process of its own, on a
720p30 clip of the demo's person so many times in one picture; rows are written, nothing is shown. Seconds before everybody was
found do not count for the analyses. The bounds are those of two idle cores.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tools.bench.clips import crowd_clip
from tools.bench.growth import figures_of
from tools.bench.timing import Report

_PEOPLE = (1, 2, 4)
_UNITS = {"rate": "fps", "dropped": "%", "age p99": "ms", "cores": "cores", "analyses of the rarest face": "1/s"}
_BOUNDS = {"rate": ">= 29.5", "dropped": "<= 0", "age p99": "<= 25", "analyses of the rarest face": ">= 15"}


def run(arguments: Sequence[str] = ()) -> Report:
    """Measure each number of people.

    Args:
        arguments: see the module.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.bench people", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args(arguments)
    more = ["--weights", str(options.weights)] if options.weights else []
    report = Report(f"people: so many faces at 720p30, {options.seconds:g} s each")
    with tempfile.TemporaryDirectory(prefix="facemirror-people-") as scratch:
        folder = Path(scratch)
        clips = {people: crowd_clip(folder / f"{people}.mp4", people, options.seconds + 2) for people in _PEOPLE}
        found: dict[int, list[dict[str, float]]] = defaultdict(list)
        for _ in range(options.rounds):
            for people, clip in clips.items():
                found[people].append(_live(clip, people, options.seconds, more))
    for people, rounds in found.items():
        for what, unit in _UNITS.items():
            report.add_rounds(f"{people}: {what}", [one[what] for one in rounds], unit, _BOUNDS.get(what, ""))
        report.add(f"{people}: faces followed", rounds[-1]["faces"], "", str(people))
    return report


def _live(clip: Path, people: int, seconds: float, more: Sequence[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        session, summary = Path(scratch) / "session", Path(scratch) / "summary.json"
        words = ["run", "--source", str(clip), "--people", str(people), "--duration", str(seconds), "--headless"]
        words += ["--quiet", "--no-record", "--session", str(session), "--summary", str(summary), *more]
        subprocess.run([sys.executable, "-m", "realtime", *words], check=True)
        figures = json.loads(summary.read_text("utf-8"))
        with (session / "frames.csv").open(newline="") as file:
            rates = analyses_a_second(csv.DictReader(file), people)
    usual = figures_of(figures)
    rarest = min(rates.values()) if len(rates) == people else 0.0
    return {
        "rate": float(figures["fps"]),
        "dropped": usual["dropped"],
        "age p99": usual["age p99"],
        "cores": usual["cores"],
        "analyses of the rarest face": rarest,
        "faces": float(len(rates)),
    }


def analyses_a_second(rows: Iterable[Mapping[str, str]], people: int) -> dict[str, float]:
    """How often each face was analysed, from when everybody had been found.

    Args:
        rows: of frames.csv.
        people: how many there are.

    Returns:
        Analyses a second by face id, of the faces seen most.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    last = 0.0
    for row in rows:
        last = float(row["capture_time"])
        if row["face_id"]:
            seen[row["face_id"]].append(last)
    known = sorted(seen, key=lambda face: -len(seen[face]))[:people]
    if not known:
        return {}
    begin = max(seen[face][0] for face in known)
    return {face: sum(time >= begin for time in seen[face]) / max(last - begin, 1e-9) for face in known}
