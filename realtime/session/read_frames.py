"""frames.csv read back: what reports need, as arrays."""

import csv
import io
import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.symmetry import symmetry_over_time
from realtime.clinic.measures import length_names
from realtime.errors import UserInputError
from realtime.files import open_regular, reason
from realtime.session.hidden_column import HIDDEN, hidden_in
from realtime.session.schema import AUS, LATEST
from realtime.types import F64, FacePart

GAP = 0.5
"""Seconds without a measured face that count as a gap; shorter pauses are the analysis taking every second frame."""


@dataclass(frozen=True, slots=True)
class Rows:
    """N rows in capture order.

    Attributes:
        sequences: (N,) frame numbers.
        times: (N,) seconds from the first row.
        start: capture time of the first row, seconds.
        face: (N,) whether a face was measured.
        status: (N,) as in the file.
        neutral: (N,) as in the file.
        left: (N,) intensities 0..5 by Action Unit on the patient's left; NaN: not measured.
        right: the same on the patient's right.
        lengths: (N,) by column name without its mm_, millimetres, mm2 or degrees; NaN: not measured. Empty where the file has none.
        scale_source: what the millimetres come from; empty where there are none.
        hidden: (N,) parts of the face on which nothing is measured, as they are covered, outside the picture or too small; empty where
            none is, or where the file does not tell.
        tells_hidden: the file says which parts are hidden.
    """

    sequences: NDArray[np.int64]
    times: F64
    start: float
    face: NDArray[np.bool_]
    status: list[str]
    neutral: list[str]
    left: dict[int, F64]
    right: dict[int, F64]
    lengths: dict[str, F64] = field(default_factory=dict)
    scale_source: str = ""
    hidden: list[tuple[FacePart, ...]] = field(default_factory=list)
    tells_hidden: bool = False

    def units(self) -> list[int]:
        """The Action Units that have at least one value."""
        return [au for au in self.left if np.isfinite(self.left[au]).any() or np.isfinite(self.right[au]).any()]

    def gaps(self) -> list[tuple[float, float]]:
        """(start, end) in seconds of every stretch longer than GAP without a measured face."""
        if not len(self.times):
            return []
        seen = [float(self.times[0]), *self.times[self.face].tolist(), float(self.times[-1])]
        return [(a, b) for a, b in pairwise(seen) if b - a > GAP]

    def symmetry(self, au: int) -> F64:
        """(N,) the weaker side's share of the stronger side's intensity; NaN at rest or where a side is not measured.

        Args:
            au: number of the unit.
        """
        return symmetry_over_time(self.left[au], self.right[au])

    def overall_symmetry(self) -> F64:
        """(N,) mean over the Action Units that are active; NaN where none is."""
        every = np.array([self.symmetry(au) for au in self.units()]).reshape(len(self.units()), len(self.times))
        known = np.isfinite(every)
        count = known.sum(axis=0)
        total = np.where(known, every, 0.0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def read_rows(path: Path) -> Rows:
    """Read a session's frames.csv; a last row cut short is left out, and so are the rows of others than the patient.

    Args:
        path: of the file.

    Raises:
        UserInputError: there is no such file, it cannot be read or is damaged.
    """
    sequences: list[int] = []
    times: list[float] = []
    texts: tuple[list[str], list[str]] = ([], [])
    values: list[list[float]] = []
    names = [f"AU{au:02d}_{side}" for au in AUS for side in ("left", "right")]
    measured, source = length_names(), ""
    lengths: list[list[float]] = []
    hidden: list[tuple[FacePart, ...]] = []
    told = False
    try:
        with open_regular(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or ()
            if "sequence" not in columns:
                raise ValueError("there is no header")
            if "mm_scale" not in columns:
                measured = []
            for row in reader:
                if None in row.values() or None in row:
                    break
                if row.get("person") == "other":
                    continue
                sequence, time = int(row["sequence"]), float(row["capture_time"])
                if not abs(time) < LATEST or not 0 <= sequence < 2**53:
                    raise ValueError(f"frame {sequence} at {time} s")
                intensities = [_intensity(row[name]) for name in names]
                values.append([*intensities, float(row["face_id"] != "")])
                lengths.append([_length(row[f"mm_{name}"]) for name in measured])
                source = row.get("mm_source") or source
                sequences.append(sequence)
                times.append(time)
                texts[0].append(row["status"])
                texts[1].append(row.get("neutral", ""))
                hidden.append(hidden_in(row.get(HIDDEN) or ""))
                told = told or bool(row.get(HIDDEN))
    except FileNotFoundError:
        raise UserInputError(f"{path.parent} holds no {path.name}.") from None
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except (ValueError, KeyError, csv.Error) as error:
        fault = f"there is no column {error}" if isinstance(error, KeyError) else str(error)
        raise UserInputError(f"{path} is damaged after {len(times)} rows ({fault}).") from None
    table = np.array(values, np.float64).reshape(-1, len(names) + 1)
    start = times[0] if times else 0.0
    return Rows(
        np.array(sequences, np.int64),
        np.array(times) - start,
        start,
        table[:, -1] > 0,
        *texts,
        {au: table[:, 2 * i] for i, au in enumerate(AUS)},
        {au: table[:, 2 * i + 1] for i, au in enumerate(AUS)},
        dict(zip(measured, np.array(lengths, np.float64).reshape(-1, len(measured)).T, strict=True))
        if measured
        else {},
        source,
        hidden,
        told,
    )


def _intensity(cell: str) -> float:
    """NaN where nothing was measured. Raises ValueError."""
    if not cell:
        return math.nan
    value = float(cell)
    if not -1.0 <= value <= 10.0:
        raise ValueError(f"{cell} is no intensity of 0 to 5")
    return value


def _length(cell: str) -> float:
    """NaN where nothing was measured. Raises ValueError."""
    value = float(cell) if cell else math.nan
    if abs(value) > 1e6:
        raise ValueError(f"{cell} is no length of a face")
    return value
