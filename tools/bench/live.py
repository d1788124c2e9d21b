"""The live figures: the whole program as its own process on a clip, paced in real time, in the situations that matter.

`python -m tools.bench live [CLIP] [--seconds S] [--weights DIR]`. CLIP: default the demo clip.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.bench.timing import Report

_SITUATIONS: dict[str, list[str]] = {
    "live": ["--no-record"],
    "recording": ["--record"],
    "landmarks slowed to 150 ms": ["--no-record", "--set", "models.landmark_delay_ms=150"],
}
_BOUNDS = {
    "live": {"age p99": "<= 25", "dropped": "<= 1", "cores": "<= 0.35", "peak memory": "<= 300"},
    "recording": {"age p99": "<= 50"},
    "landmarks slowed to 150 ms": {"age p99": "<= 25", "result age p99": "<= 350"},
}


def summary_of(arguments: list[str]) -> dict[str, Any]:
    """Run the program with these words and return its summary."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "summary.json"
        session = Path(folder) / "session"
        words = ["run", *arguments, "--headless", "--quiet", "--session", str(session), "--summary", str(file)]
        subprocess.run([sys.executable, "-m", "realtime", *words], check=True)
        result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return result


def run(arguments: list[str] | None = None) -> Report:
    """Every situation once."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench live")
    parser.add_argument("clip", nargs="?", default="demo")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args(arguments or [])
    common = ["--source", options.clip, "--duration", str(options.seconds)]
    common += ["--weights", str(options.weights)] if options.weights else []
    report = Report(f"live: {options.clip}, {options.seconds:g} s each, overlay and CSV on")
    for name, words in _SITUATIONS.items():
        figures = summary_of(common + words)
        frames, bounds = figures["frames"], _BOUNDS[name]
        rows = [
            ("rate", figures["fps"], "fps"),
            ("dropped", 100 * frames["dropped_total"] / max(1, frames["captured"]), "%"),
            ("age p50", figures["age_ms"]["p50"], "ms"),
            ("age p99", figures["age_ms"]["p99"], "ms"),
            ("age max", figures["age_ms"]["max"], "ms"),
            ("result age p99", figures["result_age_ms"]["p99"], "ms"),
            ("cores", figures["cores_running"], ""),
            ("CPU per frame", 1e3 * figures["cpu_seconds_running"] / max(1, frames["delivered"]), "ms"),
            ("peak memory", figures["peak_rss_mb"], "MB"),
        ]
        for row, value, unit in rows:
            report.add(f"{name}: {row}", float("nan") if value is None else float(value), unit, bounds.get(row, ""))
    return report
