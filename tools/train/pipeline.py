"""A training pipeline from nothing: steps whose result exists are skipped, so that an interrupted run resumes."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.manifest import WEIGHTS

ROOT = WEIGHTS.parent


@dataclass(frozen=True, slots=True)
class Step:
    """module with its arguments for `python -m`; result: what it leaves, None where it must run every time."""

    command: tuple[str, ...]
    result: Path | None = None


def step(module: str, *arguments: object, result: Path | None = None) -> Step:
    """A step from words, numbers and paths."""
    return Step((module, *map(str, arguments)), result)


def run(plan: list[Step]) -> None:
    """Run the steps in order. Raises CalledProcessError where one fails."""
    for each in plan:
        if each.result is not None and each.result.exists():
            print(f"{each.command[0]}: {each.result} is there already", flush=True)
            continue
        print("python -m " + " ".join(each.command), flush=True)
        subprocess.run([sys.executable, "-m", *each.command], cwd=ROOT, check=True)
