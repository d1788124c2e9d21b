"""The rows of a session, in columns for the curves, and row by row with every point for the picture."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.clinic.measures import MIDLINE, SIDED
from realtime.errors import UserInputError
from realtime.session.columns import ColumnFile
from realtime.session.hidden_column import HIDDEN
from realtime.session.schema import AUS, POINTS
from realtime.types import F32, F64

STATUS = {"measured": 1, "held": 2, "dropped": 3}
QUALITY = "confidence"
_BOX = ("box_x1", "box_y1", "box_x2", "box_y2")
_POSE = ("yaw", "pitch", "roll")
_TEXTS = (
    "status", "cause", "face_id", "found_by", "neutral", "rest", "person", "mm_source", "mm_state", "mm_withheld", HIDDEN,
)  # fmt: skip
_WFLW = tuple(f"wflw_{axis}_{index}" for axis in "xy" for index in range(POINTS))
MOST_ROWS = 600
MOST_FACES = 200
"""Face ids that the page offers: a damaged file may hold any number of them."""


def unit_columns(units: Sequence[int] = AUS) -> list[str]:
    """The columns of Action Units, left before right."""
    return [f"AU{unit:02d}_{side}" for unit in units for side in ("left", "right")]


def length_columns() -> list[str]:
    """The columns of lengths."""
    sided = [f"mm_{measure.name}_{side}" for measure in SIDED for side in ("left", "right")]
    return sided + [f"mm_{measure.name}" for measure in MIDLINE]


class SessionRows:
    """N frames of a session: the patient's row of each.

    Args:
        path: of frames.csv.

    Attributes:
        start: capture time of the first row, seconds.
        times: (N,) seconds from the first row.
        status: (N,) see STATUS; 0: another word.
        sequences: (N,) frame numbers.
        several: the file has rows of other people.
        faces: their face ids, and the patient's; empty where the file has only one person.
        has_points: the file has landmarks.
        seen: (N,) a face was measured; all false where the file does not tell.
        notices: sentences about what is wrong with the file.

    Raises:
        UserInputError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = ColumnFile(path)
        self._curves = [name for name in (QUALITY, *unit_columns(), *length_columns()) if name in self._file.names]
        self.several = "person" in self._file.names
        wanted = ["sequence", *self._curves, *(["face_id"] if self.several else [])]
        cells = self._file.read(wanted, ("status", "person"))
        self.notices: list[str] = []
        if cells.odd:
            self.notices.append(f"{path.name} is damaged: {cells.odd:,} rows have another number of cells.")
        ids = cells.numbers["face_id"] if self.several else np.empty(0, np.float32)
        self.faces = sorted({int(number) for number in np.unique(ids[np.isfinite(ids)])})[:MOST_FACES]
        own = self._file.classes(cells.texts["person"], {"other": 1}) == 0
        known = np.isfinite(cells.times)
        if not known.all():
            self.notices.append(
                f"{path.name} is damaged: {int((~known).sum()):,} rows have no time; they are left out."
            )
        own &= known
        patient = np.flatnonzero(own)
        order = patient[np.argsort(cells.times[patient], kind="stable")]
        if (order != patient).any():
            self.notices.append(f"{path.name} is damaged: its rows are not in the order of time.")
        if len(self._file.names) and cells.starts[-1] < self._file.size:
            self.notices.append("The last row was cut short and is left out.")
        self.start = float(cells.times[order[0]]) if len(order) else 0.0
        self.times: F64 = cells.times[order] - self.start
        self.sequences: NDArray[np.int64] = np.nan_to_num(cells.numbers["sequence"][order], nan=-1).astype(np.int64)
        self.status = self._file.classes(cells.texts["status"], STATUS)[order]
        self.has_points = "wflw_x_0" in self._file.names
        self._numbers = {name: cells.numbers[name][order] for name in self._curves}
        self.seen: NDArray[np.bool_] = np.isfinite(self._numbers.get(QUALITY, np.full(len(order), np.nan)))
        self._begins = cells.starts[order]
        # A frame's rows of other people follow its own.
        following = np.append(patient[1:], len(cells.times)) if len(patient) else patient
        ends = np.empty(len(cells.times) + 1, np.int64)
        ends[patient] = cells.starts[following] if len(patient) else 0
        self._ends = ends[order]

    def curves(self) -> list[str]:
        """The columns that have at least one value."""
        return [name for name in self._curves if np.isfinite(self._numbers[name]).any()]

    def values(self, name: str) -> F32:
        """(N,) of one of `curves`.

        Args:
            name: of the column.

        Raises:
            UserInputError: there is no such curve.
        """
        if name not in self._numbers:
            raise UserInputError(f"There is no curve called {name[:40]!r}.")
        return self._numbers[name]

    def stretch(self, first: int, count: int) -> tuple[list[str], F32, NDArray[np.int32], list[dict[str, str]]]:
        """Frames with everything that was measured on them.

        Args:
            first: the first frame.
            count: how many.

        Returns:
            The columns' names, (R, C) numbers of R rows, (R,) each row's frame, and the texts of each row that are not empty.
        """
        wanted = [*_BOX, *_POSE, *self._curves, *(_WFLW if self.has_points else ())]
        last = min(first + min(count, MOST_ROWS), len(self.times))
        frames, texts = list[int](), list[dict[str, str]]()
        tables = [np.empty((0, len(wanted)), np.float32)]
        for begin, end, among in self._pieces(max(0, first), last):
            cells = self._file.read(wanted, _TEXTS, begin, end)
            tables.append(np.stack([cells.numbers[name] for name in wanted], axis=1))
            frames += among[np.searchsorted(self._begins[among], cells.starts[:-1], "right") - 1].tolist()
            for row in range(len(cells.times)):
                spans = {name: span[row] for name, span in cells.texts.items()}
                texts.append({name: self._file.text(span) for name, span in spans.items() if span[1] > span[0]})
        return wanted, np.concatenate(tables), np.array(frames, np.int32), texts

    def _pieces(self, first: int, last: int) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
        """Where frames lie in the file, and which ones: one piece, unless the file is damaged and they are out of order."""
        every = np.arange(first, last)
        if len(every) and (np.diff(self._begins[first:last]) > 0).all():
            yield int(self._begins[first]), int(self._ends[last - 1]), every
            return
        for frame in every:
            yield int(self._begins[frame]), int(self._ends[frame]), every[frame - first : frame - first + 1]

    def describe(self) -> list[dict[str, Any]]:
        """The curves for the page: their columns with words, unit and scale."""
        present = set(self.curves())
        found: list[dict[str, Any]] = []
        for unit in AUS:
            pair = unit_columns([unit])
            if present & set(pair):
                found.append({"kind": "unit", "unit": unit, "left": pair[0], "right": pair[1]})
        if QUALITY in present:
            found.append({"kind": "quality", "words": "quality", "both": QUALITY})
        for measure in SIDED:
            left, right = f"mm_{measure.name}_left", f"mm_{measure.name}_right"
            if present & {left, right}:
                found.append(
                    {"kind": "length", "words": measure.words, "in": measure.unit, "left": left, "right": right}
                )
        found += [
            {"kind": "length", "words": measure.words, "in": measure.unit, "both": f"mm_{measure.name}"}
            for measure in MIDLINE
            if f"mm_{measure.name}" in present
        ]
        return found

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self._file.close()
