"""How long a user waits for the first measured picture: on a fresh machine, where everything is compiled, and ever after.

`python -m tools.bench start [--rounds 3] [--source demo] [--weights DIR]`. Each start is a process of its own, with `run`'s
defaults and no window. First starts compile into an empty folder; warm ones use it again. Processor time counts children; on a
busy machine it says more than the clock. Bytecode of the sources is kept, as an installation keeps it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from tools.bench.timing import Report

_PROGRAM = "import sys; from tools.bench.start import first_picture; sys.exit(first_picture(sys.argv[1:]))"
_BOUNDS = {
    "first start: wait": "<= 8",
    "warm start: processor time": "<= 1.8",
    "first start: memory": "<= 235",
    "warm start: memory": "<= 235",
}


def run(arguments: Sequence[str] = ()) -> Report:
    """Measure first and warm starts in turns.

    Args:
        arguments: see the module.

    Raises:
        FileNotFoundError: a start showed no measured picture.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.bench start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", default="demo")
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args(arguments)
    words = ["--source", options.source, *(["--weights", str(options.weights)] if options.weights else [])]
    figures: dict[str, list[dict[str, float]]] = {"first start": [], "warm start": []}
    for turn in range(options.rounds + 1):
        with tempfile.TemporaryDirectory(prefix="facemirror-bench-") as folder:
            first = _start(words, Path(folder))
            _start(words, Path(folder))  # compiles what the first one left for later
            warm = _start(words, Path(folder))
        if turn or not options.rounds:  # the first round writes bytecode and fills the system's file cache
            figures["first start"].append(first)
            figures["warm start"].append(warm)
    report = Report(f"start: {options.source}, from the process's start to its first measured picture")
    units = {"wait": "s", "processor time": "s", "memory": "MB"}
    for name, starts in figures.items():
        for what, unit in units.items():
            rounds = [start[what] for start in starts]
            report.add_rounds(f"{name}: {what}", rounds, unit, _BOUNDS.get(f"{name}: {what}", ""))
    quiet = [start["processor time"] / 2 for start in figures["first start"]]
    report.add_rounds("first start: processor time shared by two idle cores", quiet, "s")
    return report


def _start(words: Sequence[str], folder: Path) -> dict[str, float]:
    drop = ("PYTHONDONTWRITEBYTECODE", "NUMBA_CACHE_DIR", "COVERAGE_RUN")
    environment = {name: value for name, value in os.environ.items() if name not in drop}
    environment["NUMBA_CACHE_DIR"] = str(folder)
    command = [sys.executable, "-c", _PROGRAM, *words]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    if ended.returncode:
        raise FileNotFoundError(f"a start ended with exit code {ended.returncode}: {ended.stderr.strip()[-500:]}")
    result: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return result


def first_picture(words: Sequence[str]) -> int:
    """One start, in its own process: print when the first picture was measured, and stop.

    Args:
        words: settings and their values.

    Returns:
        The exit code.
    """
    from realtime.face.kernel_cache import begin

    compilation = begin()  # as the command line does: before the rest is loaded
    from realtime.action_units import ActionUnitEstimator
    from realtime.app.run import Run
    from realtime.app.summary import Usage, peak_rss_mb
    from realtime.config import resolve

    found: dict[str, float] = {}
    measure = ActionUnitEstimator.update

    def update(self: ActionUnitEstimator, *values: Any, **more: Any) -> Any:
        result = measure(self, *values, **more)
        if not found:
            found["wait"] = time.time() - psutil.Process().create_time()
            found["processor time"] = Usage.now().cpu_seconds
            found["memory"] = peak_rss_mb()
            live.stop()
        return result

    ActionUnitEstimator.update = update  # type: ignore[method-assign]
    settings = dict(zip((word.removeprefix("--") for word in words[::2]), words[1::2], strict=True))
    live = Run(resolve({**settings, "headless": True, "duration": 30.0}), compilation=compilation)
    code, _ = live.execute()
    print(json.dumps(found))
    return code if found else 3
