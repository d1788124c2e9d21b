"""The columns of frames.csv and one row of it as text. Pure; measured at about 0.1 ms for a row with every value."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.names import name_of
from realtime.session.cells import number, text_cell
from realtime.session.hidden_column import HIDDEN, MEANING, hidden_cell
from realtime.session.length_columns import LengthColumns, length_cells, length_columns
from realtime.types import Analysis, FaceObservation

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 18, 20, 23, 25, 26, 43, 45)
POINTS = 98
LATEST = 1e12
"""Seconds: no capture time is as large; what a file says beyond it is damage."""

_LEADING = {
    "sequence": "frame number in capture order; a missing number is a frame the source itself lost",
    "capture_time": "seconds on the session's clock when the picture was taken",
    "status": "measured: this frame was analysed; held: shown with an older result; dropped: never shown",
    "cause": "why the frame was dropped, or why it was not analysed; pending: the session broke off before that was known; "
    "another face: N after M: from this frame on face N is measured instead of M",
    "face_id": "number of the tracked face; empty where no face was seen",
    "confidence": "the landmark model's presence score, 0 to 1",
    "result_age_ms": "age of the result shown with this frame, milliseconds",
    "found_by": "detected: a detector result entered; tracked: followed from the frame before",
    "box_x1": "face box, left edge, pixels",
    "box_y1": "face box, top edge, pixels",
    "box_x2": "face box, right edge, pixels",
    "box_y2": "face box, bottom edge, pixels",
    "yaw": "degrees; positive: turned to the patient's left",
    "pitch": "degrees; positive: looking up",
    "roll": "degrees; positive: tilted to the patient's left",
    "neutral": "what the Action Units were measured against: none (the mean face), running (median of this face so far), "
    "recording (this face's rest over the whole recording) or calibrated",
}


_TRAILING = {
    "rest": "how well the face at rest is known: provisional (still being learnt; without a baseline low intensities are lowered), "
    "settled (enough rest was seen) or calibrated; empty where OpenFace 2.2 measures",
    "rest_share": "share of the newest baseline in the Action Units, 0 to 1; below 1 a change of the baseline is being blended in",
}
"""After everything else, so that columns of earlier versions keep their places."""


_SEVERAL = {
    "person": "patient: the person whom the session is about; other: everybody else who was looked at on this frame, each in a row of "
    "its own below the frame's first row; empty where no patient was seen",
}
"""Behind the lengths, only where several people are followed."""


def column_names(
    aus: Sequence[int] = AUS, *, several: bool = False, millimetres: LengthColumns = False, hidden: bool = True
) -> list[str]:
    """Every column in order: leading ones, wflw_x_0..97, wflw_y_0..97, AUxx_left and AUxx_right by AU, rest, rest_share, last hidden.

    Args:
        aus: numbers of the units.
        several: with several people.
        millimetres: then mm_scale, mm_source, mm_state, mm_withheld and the lengths, left and right; a side: and its shares of the other.
        hidden: with the column of hidden parts, which files of earlier versions lack.
    """
    points = [f"wflw_{axis}_{index}" for axis in "xy" for index in range(POINTS)]
    return [
        *_LEADING,
        *points,
        *(f"AU{au:02d}_{side}" for au in aus for side in ("left", "right")),
        *_TRAILING,
        *length_columns(millimetres),
        *(_SEVERAL if several else ()),
        *([HIDDEN] if hidden else []),
    ]


def data_dictionary(
    aus: Sequence[int] = AUS, *, several: bool = False, millimetres: LengthColumns = False
) -> dict[str, str]:
    """What each column means and its unit, for session.json. Empty cells always mean: not measured.

    Args:
        aus: numbers of the units.
        several: with several people.
        millimetres: with the lengths.
    """
    meanings = dict(_LEADING)
    for axis, word in (("x", "right"), ("y", "down")):
        for index in range(POINTS):
            meanings[f"wflw_{axis}_{index}"] = f"WFLW point {index}, pixels {word} from the top left pixel's centre"
    for au in aus:
        for side in ("left", "right"):
            meanings[f"AU{au:02d}_{side}"] = (
                f"intensity 0 to 5 of Action Unit {au}, {name_of(au)}, on the patient's {side}"
            )
    meanings.update(_TRAILING)
    meanings.update(length_columns(millimetres))
    if several:
        meanings.update(_SEVERAL)
    return meanings | MEANING


@dataclass(slots=True)
class FrameRow:
    """What is known of one captured frame. `shown` None: not known yet; `analysis` only if it is of this frame.

    Attributes:
        sequence: of the frame.
        capture_time: seconds.
        shown: whether it was; None: not known yet.
        cause: why not, or why it was not measured.
        result_age: seconds between the frame and the result drawn on it.
        analysis: only if it is of this frame.
        analysis_final: nothing more will come of it.
    """

    sequence: int
    capture_time: float
    shown: bool | None = None
    cause: str = ""
    result_age: float | None = None
    analysis: Analysis | None = None
    analysis_final: bool = False

    @property
    def status(self) -> str:
        """The row's word for what is drawn: measured, held or none."""
        if self.analysis is not None:
            return "measured"
        return "held" if self.shown else "dropped"


class RowFormat:
    """Turns rows into CSV lines for one list of Action Units.

    Args:
        aus: numbers of the units.
        several: several people are followed. A frame's first row is the patient's, also where the patient is not seen; a row for
            everybody else who was looked at on it follows.
        millimetres: lengths have columns; only the patient's are measured.
        hidden: the hidden parts have a column.
    """

    def __init__(
        self,
        aus: Sequence[int] = AUS,
        *,
        several: bool = False,
        millimetres: LengthColumns = False,
        hidden: bool = True,
    ) -> None:
        self._aus = tuple(aus)
        self._millimetres = millimetres
        self._several, self._hidden = several, hidden
        self._points = ",%.2f" * (2 * POINTS)
        self._intensities = ",%.3f" * (2 * len(self._aus))
        self._no_face = "," * (8 + 2 * POINTS)

    def line(self, row: FrameRow) -> str:
        """The frame's row, or rows, each with its line end. Whatever was not measured is an empty cell."""
        if not self._several:
            return f"{self._cells(row)}{self._hidden_cell(row)}\n"
        seen = row.analysis is not None and row.analysis.face is not None
        others = row.analysis.others if row.analysis is not None else ()
        everybody = [(row, "patient" if seen else ""), *((replace(row, analysis=one), "other") for one in others)]
        return "".join(f"{self._cells(one)},{person}{self._hidden_cell(one)}\n" for one, person in everybody)

    def _hidden_cell(self, row: FrameRow) -> str:
        """With the comma before it; nothing where there is no such column."""
        if not self._hidden:
            return ""
        face = None if row.analysis is None else row.analysis.face
        return "," if face is None else f",{hidden_cell(face)}"

    def _cells(self, row: FrameRow) -> str:
        face = row.analysis.face if row.analysis is not None else None
        age = "" if row.result_age is None else f"{1e3 * row.result_age:.2f}"
        head = f"{row.sequence},{row.capture_time:.6f},{row.status},{text_cell(row.cause)}"
        if face is None or row.analysis is None:
            lengths = length_cells(None, self._millimetres)
            return f"{head},,,{age},{self._no_face}{',' * (2 * len(self._aus))}{',' * len(_TRAILING)}{lengths}"
        left, right = row.analysis.au_left, row.analysis.au_right
        intensities = self._intensity_cells([side.get(au) for au in self._aus for side in (left, right)])
        rest = f"{row.analysis.rest},{number(row.analysis.rest_share, 3)}" if row.analysis.rest else ","
        lengths = length_cells(row.analysis.millimetres, self._millimetres)
        return f"{head},{self._face(face, age, row.analysis.neutral)}{intensities},{rest}{lengths}"

    def _face(self, face: FaceObservation, age: str, neutral: str) -> str:
        box = ",".join(number(float(edge), 2) for edge in face.box)
        pose = ",".join(number(angle, 2) for angle in face.pose) if face.pose is not None else ",,"
        found = "detected" if face.detected else "tracked"
        return (
            f"{face.face_id},{number(face.confidence, 4)},{age},{found},{box},{pose},{neutral}"
            f"{self._point_cells(face.points)}"
        )

    def _intensity_cells(self, values: list[float | None]) -> str:
        known = [value for value in values if value is not None]
        if len(known) == len(values) and math.isfinite(sum(known)):
            return self._intensities % tuple(known)
        return "".join(f",{number(value, 3)}" for value in values)

    def _point_cells(self, points: NDArray[np.float32]) -> str:
        values = points.T.ravel()
        if np.isfinite(values).all():
            return self._points % tuple(values.tolist())
        return "".join(f",{number(float(value), 2)}" for value in values)
