"""Interleaved timing: every contestant runs once per round, so that a busy moment hits them all alike."""

import contextlib
import gc
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from tools.bench.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds per call over all rounds.

    Attributes:
        median: of the rounds.
        p95: likewise.
        best: likewise.
        rounds: each of them.
    """

    median: float
    p95: float
    best: float
    rounds: tuple[float, ...] = ()


def interleaved(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int = 50, calls: int = 1, warm: int = 3, settle: int = 0
) -> dict[str, Timing]:
    """Time callables in turns: `rounds` rounds, `calls` calls per turn, after `warm` calls that do not count.

    settle: calls at the start of each turn that do not count, for contestants that otherwise pay for the one before
    (weights not in the caches, its threads still waiting busily).
    Garbage collection is held off during the measurement.
    """
    for call in contestants.values():
        for _ in range(warm):
            call()
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(rounds):
            names = list(contestants)
            # another one goes first each time: nobody always inherits the same caches
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                call = contestants[name]
                for _ in range(settle):
                    call()
                start = time.perf_counter()
                for _ in range(calls):
                    call()
                samples[name].append((time.perf_counter() - start) / calls * 1e3)
    finally:
        if collecting:
            gc.enable()
    return {
        name: Timing(float(np.median(values)), float(np.percentile(values, 95)), min(values), tuple(values))
        for name, values in samples.items()
    }


@dataclass(slots=True)
class Report:
    """Figures with their units and, where there is one, the bound they are held against.

    Attributes:
        rows: name, value, unit and bound of each figure.
        missed: the names of figures that a measurement found beyond their bounds.
        rounds: by name, the value of each round, where a figure is the median of several: `compare` reads noise from them.
        notes: lines under the table.
        surroundings: what else took the processors meanwhile; None: not known.
    """

    title: str
    rows: list[tuple[str, float, str, str]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    rounds: dict[str, tuple[float, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    surroundings: Surroundings | None = None

    def add_rounds(self, name: str, values: Sequence[float], unit: str, bound: str = "") -> None:
        """A figure that was measured several times: the median counts.

        Args:
            name: for table and JSON.
            values: of the rounds.
            unit: its unit.
            bound: what it should be, in words.
        """
        self.add(name, float(np.median(values)), unit, bound)
        self.rounds[name] = tuple(float(value) for value in values)

    def add(self, name: str, value: float, unit: str, bound: str = "", *, met: bool = True) -> None:
        """One figure.

        Args:
            name: for table and JSON.
            value: the figure.
            unit: its unit.
            bound: what it should be, in words ("<= 1").
            met: whether it is; where it is not, the command exits with 1.
        """
        self.rows.append((name, value, unit, bound))
        if not met:
            self.missed.append(name)

    def add_timings(self, timings: Mapping[str, Timing], bounds: Mapping[str, str] | None = None) -> None:
        """One row of median milliseconds per contestant."""
        for name, timing in timings.items():
            self.add(name, timing.median, "ms", (bounds or {}).get(name, ""))
            self.rounds[name] = timing.rounds

    def table(self) -> str:
        """The figures in columns."""
        width = max((len(name) for name, *_ in self.rows), default=0)
        lines = [
            self.title,
            *(f"  {n:<{width}}  {v:>10.4g} {u:<12} {self._bound(n, b)}".rstrip() for n, v, u, b in self.rows),
        ]
        around = [] if self.surroundings is None else [f"  {self.surroundings.sentence()}"]
        return "\n".join([*lines, *self.notes, *around])

    def _bound(self, name: str, bound: str) -> str:
        return f"{bound}  MISSED" if name in self.missed else bound

    def as_dict(self) -> dict[str, object]:
        """For JSON: the same figures, and what they were measured on."""
        return {
            "title": self.title,
            "machine": platform.machine(),
            "processor": processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "surroundings": None if self.surroundings is None else asdict(self.surroundings),
            "figures": {
                name: {"value": value if np.isfinite(value) else None, "unit": unit, "bound": bound}
                | self._rounds(name)
                for name, value, unit, bound in self.rows
            },
            "missed": self.missed,
        }

    def _rounds(self, name: str) -> dict[str, object]:
        """Of a figure that was measured several times."""
        values = self.rounds.get(name)
        return {} if not values else {"rounds": [round(one, 6) if np.isfinite(one) else None for one in values]}


def processor() -> str:
    """The processor's name, as far as the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
