"""Action Units over time from a session or another program's file, and two of them on the same moments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np

from realtime.errors import UserInputError
from realtime.exchange.store import annotation_files, read_annotations
from realtime.exchange.tables import rows_of
from realtime.session.folder import FRAMES
from realtime.session.manifest import session_of
from realtime.session.read_frames import read_rows
from realtime.session.schema import LATEST
from realtime.types import F64

By = Literal["wall", "capture", "start"]
Key = tuple[int, str]
"""Number of an Action Unit, and left, right, or whole (of a program that knows no sides)."""
_ALIKE = 1.1


@dataclass(frozen=True, slots=True)
class Series:
    """One side of a comparison.

    Attributes:
        name: for people.
        times: (N,) rising, seconds on the clock of `by`.
        by: what the times count from: the wall clock, the capture clock, or the first row.
        values: (N,) intensities; NaN: not measured.
        excluded: (start, end) on the same clock.
    """

    name: str
    times: F64
    by: By
    values: dict[Key, F64]
    excluded: Sequence[tuple[float, float]] = ()

    @property
    def step(self) -> float:
        """Median seconds between rows with a value."""
        known = np.zeros(len(self.times), bool)
        for values in self.values.values():
            known |= np.isfinite(values)
        times = self.times[known]
        return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def read_series(path: Path, by: By | None) -> Series:
    """Read a session's folder, OpenFace's CSV, or a table with `capture_time` and `AU12` or `AU12_left`.

    Args:
        path: folder or file.
        by: None: the wall clock where a session tells it, else the capture clock; OpenFace's files count from their start.

    Raises:
        UserInputError: there are no rows, or they are damaged.
    """
    if path.is_dir():
        return _session(path, by)
    clocks = ("capture_time", "timestamp", "time")
    table = rows_of(
        path,
        lambda name: name in (*clocks, "success") or _key(name) is not None,
        numbers=lambda name: name in clocks or _key(name) is not None,
    )
    rows = [{name: cell.strip() for name, cell in row.items()} for row in table]
    if not rows:
        raise UserInputError(f"{path} has no rows.")
    clock = next((name for name in clocks if name in rows[0]), None)
    names = {name: key for name in rows[0] if (key := _key(name)) is not None}
    if clock is None or not names:
        raise UserInputError(f"{path} holds no Action Units over time: it lacks timestamp or AU12_r.")
    try:
        times = np.array([float(row[clock]) for row in rows])
        seen = np.array([row.get("success", "1") not in ("0", "") for row in rows])
        values = {key: np.array([float(row[name] or "nan") for row in rows]) for name, key in names.items()}
    except ValueError as error:
        raise UserInputError(f"{path} is damaged ({str(error)[:60]}).") from None
    values = {key: np.where(seen, found, np.nan) for key, found in values.items()}
    order = np.argsort(times, kind="stable")
    found_by: By = "capture" if clock == "capture_time" else "start"
    if by == "start":
        times, found_by = times - times.min(), "start"
    elif by is not None and by != found_by:
        raise UserInputError(f"{path} does not tell {by} times; compare with --by start.")
    return Series(path.name, times[order], found_by, {key: found[order] for key, found in values.items()})


def _key(name: str) -> Key | None:
    """AU12_left, AU12_right: ours; AU12_r and AU12: the whole face."""
    head, _, tail = name.partition("_")
    if not head.startswith("AU") or not head[2:].isdigit() or tail not in ("left", "right", "r", ""):
        return None
    return int(head[2:]), tail if tail in ("left", "right") else "whole"


def _session(folder: Path, by: By | None) -> Series:
    described, rows = session_of(folder), read_rows(folder / FRAMES)
    if not len(rows.times):
        raise UserInputError(f"{folder} has no rows, so there is nothing to compare.")
    begun = described.get("started")
    wall = None
    if isinstance(begun, dict):
        try:
            begin = datetime.fromisoformat(begun["utc"]).timestamp() - float(begun["capture_clock"])
            wall = begin if abs(begin) < LATEST else None
        except (KeyError, TypeError, ValueError, OverflowError):
            wall = None
    if by == "wall" and wall is None:
        raise UserInputError(f"{folder} does not tell the time of day; compare with --by start.")
    chosen: By = by or ("capture" if wall is None else "wall")
    zero = {"wall": rows.start + (wall or 0.0), "capture": rows.start, "start": 0.0}[chosen]
    values = {(au, "left"): rows.left[au] for au in rows.units()} | {
        (au, "right"): rows.right[au] for au in rows.units()
    }
    excluded = [
        (zero + one.start / 1000, zero + one.end / 1000)
        for path in annotation_files(folder)
        for one in read_annotations(path).annotations.exclusions
    ]
    return Series(folder.resolve().name, rows.times + zero, chosen, values, excluded)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two series on the same moments.

    Attributes:
        times: (M,) seconds from the overlap's start.
        pairs: values of the first and of the second, (M,) each; moments at which one has none are NaN in both or in one.
        notes: sentences on what was done.
    """

    times: F64
    pairs: dict[Key, tuple[F64, F64]]
    notes: list[str]


def paired(a: Series, b: Series) -> Paired:
    """Lay two series on the moments of the coarser one, where both have rows and nothing is excluded.

    The finer one's values within half an interval of a moment are averaged. Where only one knows sides, the other's value is
    compared with left, right and their mean.

    Args:
        a: the first.
        b: the second.

    Raises:
        UserInputError: they share no time, no Action Unit, or count from different clocks.
    """
    if a.by != b.by:
        raise UserInputError(f"{a.name} and {b.name} count from different clocks; compare with --by start.")
    start, end = max(a.times[0], b.times[0]), min(a.times[-1], b.times[-1])
    slack = max(a.step, b.step) / 2
    if end + slack < start - slack:
        raise UserInputError(
            f"{a.name} and {b.name} have no time in common; --by start lays their first rows together."
        )
    coarse, fine = (a, b) if a.step >= b.step else (b, a)
    inside = (coarse.times >= start - slack) & (coarse.times <= end + slack)
    notes = [f"{end - start:.2f} s in common"]
    common = int(inside.sum())
    for begin, last in (*a.excluded, *b.excluded):
        inside &= ~((coarse.times >= begin) & (coarse.times < last))
    if inside.sum() < common:
        notes.append(f"{common - int(inside.sum()):,} of {common:,} rows lie in exclude ranges and are left out")
    moments = coarse.times[inside]
    if coarse.step > _ALIKE * fine.step:
        notes.append(f"resampled to the rows of {coarse.name}, one every {1000 * coarse.step:.1f} ms")
    pairs = {}
    for key, first, second in _shared(a, b):
        slow, fast = (first, second) if coarse is a else (second, first)
        on_coarse = slow[inside]
        on_fine = _averaged(fine.times, fast, moments, coarse.step / 2)
        pairs[key] = (on_coarse, on_fine) if coarse is a else (on_fine, on_coarse)
    if not pairs:
        raise UserInputError(f"{a.name} and {b.name} share no Action Unit.")
    return Paired(moments - start, pairs, notes)


def _shared(a: Series, b: Series) -> list[tuple[Key, F64, F64]]:
    found = []
    for unit in sorted({unit for unit, _ in a.values} & {unit for unit, _ in b.values}):
        for side in ("left", "right", "whole"):
            first, second = _side(a, unit, side), _side(b, unit, side)
            sided = [(unit, "left") in one.values for one in (a, b)]
            wanted = not all(sided) if side == "whole" else any(sided)
            if first is not None and second is not None and wanted:
                found.append(((unit, side), first, second))
    return found


def _side(one: Series, unit: int, side: str) -> F64 | None:
    """A side's values, or the whole face's where the program knows no sides; whole: the mean of sides."""
    if (unit, side) in one.values:
        return one.values[unit, side]
    if side == "whole" and (unit, "left") in one.values and (unit, "right") in one.values:
        return (one.values[unit, "left"] + one.values[unit, "right"]) / 2
    return one.values.get((unit, "whole"))


def _averaged(times: F64, values: F64, moments: F64, half: float) -> F64:
    """(M,) mean of the known values within `half` seconds of each moment; NaN: none is known."""
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    edge = half * (1 - 1e-6)
    first, last = np.searchsorted(times, moments - edge), np.searchsorted(times, moments + edge, "right")
    count = counts[last] - counts[first]
    return np.where(count > 0, (sums[last] - sums[first]) / np.maximum(count, 1), np.nan)
