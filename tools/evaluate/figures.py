"""What a part of the evaluation gives back, and how it is printed.

A part is a module `tools.evaluate.NAME` with `measure(options: Options) -> list[Figure]`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Options:
    """weights: the folder of the shipped models. shared: the development material. data: crops and rendered heads."""

    weights: Path
    shared: Path
    data: Path


@dataclass(frozen=True)
class Figure:
    """One measured number. `at_most` / `at_least`: the aim, if there is one. `cases`: how many samples it rests on."""

    part: str
    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    cases: int | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without an aim."""
        if self.at_most is None and self.at_least is None:
            return None
        low = self.at_least is None or self.value >= self.at_least
        return bool(low and (self.at_most is None or self.value <= self.at_most))


def auc(high: NDArray[np.float32], low: NDArray[np.float32]) -> float:
    """Area under the curve: share of pairs in which the first is the greater one (ties count half)."""
    return float((high[:, None] > low[None]).mean() + 0.5 * (high[:, None] == low[None]).mean())


def table(figures: list[Figure]) -> str:
    """The figures as aligned text, one line each."""
    rows = [("part", "figure", "value", "aim", "met", "cases")]
    for f in figures:
        aim = f"<= {f.at_most:g}" if f.at_most is not None else (f">= {f.at_least:g}" if f.at_least is not None else "")
        met = {None: "", True: "yes", False: "NO"}[f.met]
        rows.append(
            (f.part, f.name, f"{f.value:.4g} {f.unit}".strip(), aim, met, "" if f.cases is None else str(f.cases))
        )
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def as_json(figures: list[Figure]) -> str:
    """The figures as JSON, with whether each aim was met."""
    return json.dumps([asdict(f) | {"met": f.met} for f in figures], indent=1, default=float)


def finish(figures: list[Figure], json_file: Path | None) -> int:
    """Print the figures, and write them where that is asked for.

    Returns:
        The exit code: 1 where a bound is not kept.
    """
    print(table(figures))
    if json_file is not None:
        json_file.write_text(as_json(figures), encoding="utf-8")
    return int(any(figure.met is False for figure in figures))
