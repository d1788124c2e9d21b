"""Several faces live: rate, drops, age and how often each face is analysed, for one, two and four people.

`python -m tools.bench people [--seconds 20] [--rounds 1] [--weights DIR]`. Each run is the whole program as a process of its own, on a
720p30 clip of the demo's person so many times in one picture; rows are written, nothing is shown. Frames before everybody was
found, and those on which a face is out of the picture, do not count for the analyses. The bounds are those of two idle cores.
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

from tools.bench.clips import crowd_clip, crowd_place, is_away
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
        report.add(f"{people}: identities given to them", rounds[-1]["identities"], "")
    return report


def _live(clip: Path, people: int, seconds: float, more: Sequence[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        session, summary = Path(scratch) / "session", Path(scratch) / "summary.json"
        words = ["run", "--source", str(clip), "--people", str(people), "--duration", str(seconds), "--headless"]
        words += ["--quiet", "--no-record", "--session", str(session), "--summary", str(summary), *more]
        subprocess.run([sys.executable, "-m", "realtime", *words], check=True)
        figures = json.loads(summary.read_text("utf-8"))
        with (session / "frames.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
    rates = analyses_a_second(rows, people)
    usual = figures_of(figures)
    rarest = min(rates.values()) if len(rates) == people else 0.0
    return {
        "rate": float(figures["fps"]),
        "dropped": usual["dropped"],
        "age p99": usual["age p99"],
        "cores": usual["cores"],
        "analyses of the rarest face": rarest,
        "faces": float(len(rates)),
        "identities": float(len({row["face_id"] for row in rows} - {""})),
    }


def analyses_a_second(rows: Iterable[Mapping[str, str]], people: int) -> dict[int, float]:
    """How often each face was analysed while it was in the picture, from when everybody had been found.

    Faces are told apart by their place in the clip, which the program does not know.

    Args:
        rows: of frames.csv, one or more a frame.
        people: how many there are.

    Returns:
        Analyses a second by place; places without any face are not there.
    """
    times: dict[int, float] = {}
    seen: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        number = int(row["sequence"])
        times[number] = float(row["capture_time"])
        if row["face_id"]:
            x, y = (float(row[f"box_{axis}1"]) + float(row[f"box_{axis}2"]) for axis in "xy")
            seen[crowd_place(people, x / 2, y / 2)].append(number)
    if not seen:
        return {}
    begin, end = max(numbers[0] for numbers in seen.values()), max(times)
    interval = (times[end] - times[begin]) / max(end - begin, 1)
    found = {}
    for place, numbers in seen.items():
        there = sum(not is_away(place, number) for number in range(begin, end + 1))
        looks = sum(number >= begin and not is_away(place, number) for number in numbers)
        found[place] = looks / max(there * interval, 1e-9)
    return found
