"""What the examination reads of one analysed frame, with the precision that the session's rows keep."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from realtime.types import Analysis, Millimetres, ScaleSource, Sides

_NAN = float("nan")
# WFLW: the outer corners of the right and of the left eye.
_OUTER_CORNERS = (60, 72)
_SIDED = tuple(one.name for one in fields(Millimetres) if isinstance(one.default, Sides))
_MIDLINE = ("philtrum_deviation", "fai")


@dataclass(frozen=True, slots=True)
class Observation:
    """One analysed frame.

    Attributes:
        sequence: the frame's number.
        time: its capture time, seconds.
        face_id: of the followed face; None: no face was seen.
        units: intensity 0..5 by Action Unit, left and right; NaN: not measured.
        lengths: by the field name of `Millimetres`, left and right.
        midline: the measures without a side.
        yaw, pitch, roll: degrees; NaN: not measured.
        confidence: 0..1.
        width: distance of the outer eye corners as a share of the picture's width.
        inside: the whole face is in the picture.
        light: mean grey of the face, 0..255; None: not known.
        faces: how many faces the newest search of the whole picture showed; None: not known.
        calibrated: the Action Units are measured against a calibration that is wholly in force.
        scale: what the lengths come from; None: there are none.
    """

    sequence: int
    time: float
    face_id: int | None = None
    units: Mapping[int, Sides[float]] = field(default_factory=dict)
    lengths: Mapping[str, Sides[float]] = field(default_factory=dict)
    midline: Mapping[str, float] = field(default_factory=dict)
    yaw: float = _NAN
    pitch: float = _NAN
    roll: float = _NAN
    confidence: float = 0.0
    width: float = _NAN
    inside: bool = True
    light: float | None = None
    faces: int | None = None
    calibrated: bool = False
    scale: ScaleSource | None = None


def observe(analysis: Analysis, height: int, width: int, light: float | None) -> Observation:
    """Read an analysis.

    Args:
        analysis: of one frame.
        width: likewise.
        light: mean grey of the face, 0..255; None: not known.
        height, width: of the picture, pixels.
    """
    face = analysis.face
    if face is None:
        return Observation(analysis.sequence, analysis.capture_time, faces=analysis.faces)
    points = np.round(face.points[list(_OUTER_CORNERS)].astype(np.float64), 2)
    box = np.round(face.box.astype(np.float64), 2)
    yaw, pitch, roll = face.pose if face.pose is not None else (_NAN, _NAN, _NAN)
    lengths, midline = _lengths(analysis.millimetres)
    return Observation(
        analysis.sequence,
        analysis.capture_time,
        face.face_id,
        {
            unit: Sides(_rounded(value, 3), _rounded(analysis.au_right.get(unit, _NAN), 3))
            for unit, value in analysis.au_left.items()
        },
        lengths,
        midline,
        _rounded(yaw, 2),
        _rounded(pitch, 2),
        _rounded(roll, 2),
        _rounded(face.confidence, 4),
        float(np.hypot(*(points[1] - points[0]))) / width,
        bool(box[0] >= -1 and box[1] >= -1 and box[2] <= width + 1 and box[3] <= height + 1),
        light,
        analysis.faces,
        analysis.neutral == "calibrated" and analysis.rest_share >= 1.0,
        analysis.millimetres.source if lengths and analysis.millimetres is not None else None,
    )


def _lengths(found: Millimetres | None) -> tuple[dict[str, Sides[float]], dict[str, float]]:
    if found is None or found.withheld:
        return {}, {}
    sided = {name: _rounded_sides(getattr(found, name)) for name in _SIDED}
    middle = {name: _rounded(getattr(found, name), 3) for name in _MIDLINE}
    return sided, middle


def _rounded_sides(value: Sides[float]) -> Sides[float]:
    return Sides(_rounded(value.left, 3), _rounded(value.right, 3))


def _rounded(value: float, digits: int) -> float:
    return round(float(value), digits) if math.isfinite(value) else _NAN
