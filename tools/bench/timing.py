"""Interleaved timing: every contestant runs once per round, so that a busy moment hits them all alike."""

import gc
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds per call over all rounds."""

    median: float
    p95: float
    best: float


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
        name: Timing(float(np.median(values)), float(np.percentile(values, 95)), min(values))
        for name, values in samples.items()
    }


@dataclass(slots=True)
class Report:
    """Figures with their units and, where there is one, the bound they are held against.

    Attributes:
        rows: name, value, unit and bound of each figure.
        missed: the names of figures that a measurement found beyond their bounds.
    """

    title: str
    rows: list[tuple[str, float, str, str]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

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

    def table(self) -> str:
        """The figures in columns."""
        width = max((len(name) for name, *_ in self.rows), default=0)
        lines = [
            self.title,
            *(f"  {n:<{width}}  {v:>10.4g} {u:<12} {self._bound(n, b)}".rstrip() for n, v, u, b in self.rows),
        ]
        return "\n".join(lines)

    def _bound(self, name: str, bound: str) -> str:
        return f"{bound}  MISSED" if name in self.missed else bound

    def as_dict(self) -> dict[str, object]:
        """For JSON: the same figures, and what they were measured on."""
        return {
            "title": self.title,
            "machine": platform.machine(),
            "python": platform.python_version(),
            "figures": {n: {"value": v if np.isfinite(v) else None, "unit": u, "bound": b} for n, v, u, b in self.rows},
            "missed": self.missed,
        }
