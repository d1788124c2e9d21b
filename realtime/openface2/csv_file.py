"""CSV in OpenFace 2.2's own columns, order and precision, so that scripts written for OpenFace read it.

Groups come in OpenFace's order and can be left out, as its switches do (-gaze, -pose, -2Dfp, -3Dfp, -pdmparams, -aus).
This path measures no gaze: that group is off unless asked for, and its cells are then always empty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from realtime.files import AppendedFile
from realtime.openface2.assets import INTENSITY_AUS, OCCURRENCE_AUS
from realtime.openface2.camera import Camera, head_pose, landmarks_3d
from realtime.openface2.pdm import MODES, POINTS, ShapeModel
from realtime.openface2.pipeline import Face, Measurement
from realtime.types import F64

Group = Literal["gaze", "pose", "landmarks_2d", "landmarks_3d", "pdm", "aus"]

GROUPS: tuple[Group, ...] = ("gaze", "pose", "landmarks_2d", "landmarks_3d", "pdm", "aus")
MEASURED_GROUPS = GROUPS[1:]
LEADING = ("frame", "face_id", "timestamp", "confidence", "success")
EYE_POINTS = 56


def group_columns(group: Group, occurrences: bool = True) -> list[str]:
    """One group's column names in OpenFace's order.

    Args:
        group: of columns.
        occurrences: the classifiers are installed, so the `_c` columns exist.
    """

    def numbered(prefixes: Iterable[str], count: int) -> list[str]:
        return [f"{prefix}_{i}" for prefix in prefixes for i in range(count)]

    if group == "gaze":
        gaze = [f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"] + ["gaze_angle_x", "gaze_angle_y"]
        return gaze + numbered((f"eye_lmk_{axis}" for axis in "xyXYZ"), EYE_POINTS)
    if group == "pose":
        return [f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"]
    if group == "landmarks_2d":
        return numbered("xy", POINTS)
    if group == "landmarks_3d":
        return numbered("XYZ", POINTS)
    if group == "pdm":
        return ["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty", *numbered("p", MODES)]
    names = [f"AU{au:02d}_r" for au in INTENSITY_AUS]
    return names + ([f"AU{au:02d}_c" for au in OCCURRENCE_AUS] if occurrences else [])


def columns(groups: Sequence[Group] = MEASURED_GROUPS, occurrences: bool = True) -> list[str]:
    """Every column of the file.

    Args:
        groups: in order.
        occurrences: the classifiers are installed, so the `_c` columns exist.
    """
    return [*LEADING, *(name for group in GROUPS if group in groups for name in group_columns(group, occurrences))]


@dataclass(frozen=True, slots=True)
class RowContext:
    """What a row holds beside the measurement.

    Attributes:
        frame: its number, from 1.
        face_id: of the tracked face; 0 where there is none.
        timestamp: seconds.
        confidence: 0..1.
    """

    frame: int
    face_id: int
    timestamp: float
    confidence: float


class CsvRows:
    """Turns measurements into lines.

    Args:
        model: the shape model.
        camera: assumed.
        groups: of columns.
        occurrences: the classifiers are installed.
        missing: a frame without a measurement has success 0 and zeros, as OpenFace writes it, or empty cells.
    """

    def __init__(
        self,
        model: ShapeModel,
        camera: Camera,
        groups: Sequence[Group] = MEASURED_GROUPS,
        occurrences: bool = True,
        missing: Literal["openface", "empty"] = "openface",
    ) -> None:
        self._model = model
        self._camera = camera
        self._groups = tuple(group for group in GROUPS if group in groups)
        self._occurrences = occurrences
        self._blank = {group: len(group_columns(group, occurrences)) for group in self._groups}
        self._filler = ",0" if missing == "openface" else ","

    def line(self, context: RowContext, measurement: Measurement) -> str:
        """One line without its line end. Cells that a measured frame still lacks are empty.

        Args:
            context: of the frame.
            measurement: of the face.
        """
        head = f"{context.frame},{context.face_id},{context.timestamp:.3f}"
        if not measurement.measured:
            tail = "".join(("," if group == "gaze" else self._filler) * n for group, n in self._blank.items())
            return f"{head},{0.0:.2f},0{tail}"
        tail = "".join(self._group(group, measurement) for group in self._groups)
        return f"{head},{context.confidence:.2f},1{tail}"

    def _group(self, group: Group, m: Measurement) -> str:
        assert m.fit is not None
        assert m.points is not None
        if group == "gaze":
            return "," * self._blank[group]
        if group == "pose":
            pose = head_pose(self._model, m.fit, m.points, self._camera)
            return "," * 6 if pose is None else _cells(pose[0], 1) + _cells(pose[1], 3)
        if group == "landmarks_2d":
            return _cells(m.points.T.ravel(), 1)
        if group == "landmarks_3d":
            return _cells(landmarks_3d(self._model, m.fit, m.points, self._camera).T.ravel(), 1)
        if group == "pdm":
            return _cells(m.fit.global_, 3) + _cells(m.fit.local, 3)
        cells = "".join(_cell(m.intensity.get(au), 2) for au in INTENSITY_AUS)
        return cells + ("".join(_cell(m.occurrence.get(au), 1) for au in OCCURRENCE_AUS) if self._occurrences else "")


def _cells(values: F64, digits: int) -> str:
    return (f",%.{digits}f" * values.size) % tuple(values.tolist())


def _cell(value: float | None, digits: int) -> str:
    return "," if value is None or not np.isfinite(value) else f",{value:.{digits}f}"


def file_name(face: Face, stem: str = "openface2") -> str:
    """openface2.csv for the whole face, openface2_left.csv and openface2_right.csv for the patient's halves.

    Args:
        face: whole or a half.
        stem: what the name begins with.
    """
    return f"{stem}.csv" if face is Face.WHOLE else f"{stem}_{face.value}.csv"


class CsvFile:
    """One face's file. Opened at once; every line reaches the system when `flush` or `close` is called.

    Args:
        path: of a file that does not exist.
        rows: makes the lines.
        header: the columns' names.

    Raises:
        DeviceError: it cannot be created.
    """

    def __init__(self, path: Path, rows: CsvRows, header: Sequence[str]) -> None:
        self._rows = rows
        self.path = path
        self._file = AppendedFile(path, (",".join(header) + "\n").encode())

    def write(self, context: RowContext, measurement: Measurement) -> None:
        """Append one frame.

        Args:
            context: of the frame.
            measurement: of the face.

        Raises:
            DeviceError: the disk does not take it.
        """
        self._file.write((self._rows.line(context, measurement) + "\n").encode())

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()
