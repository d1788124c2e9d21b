"""The lengths that facial-palsy clinicians publish, from 98 points, a scale and the head's pose; see `realtime.types.Millimetres`.

Definitions after Emotrics+ (auto-eFACE) and Dynaface, on WFLW points. Where both measure one thing in different ways, the way of
auto-eFACE is taken, whose published values for healthy people and patients can then be compared.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.clinic.curve import Curve, left_of, polygon_area
from realtime.clinic.frontal import Frontal, eye_axes, seen_from_front
from realtime.clinic.lip_correction import LipCorrection
from realtime.clinic.scale import Scale
from realtime.types import F64, FacePart, Millimetres, Sides

MOST_YAW = 20.0
MOST_PITCH = 20.0
"""Degrees of turn beyond which no length is given: up to there the distance of the mouth's corner, the lid gap and the brow height of one
and the same face change by at most 1.6 mm (root mean square over rendered heads, `python -m tools.evaluate lengths`)."""
MOST_PITCH_OF_PLACES = 15.0
"""The same for the corner's height, which lies farthest below the eyes' line and so follows every error of pitch."""
_SHUT_MM = 1.0
"""Lids nearer than this hide the pupil: its place is a guess there."""
_CHIN = slice(11, 22)

_NAN = float("nan")


class _Side(NamedTuple):
    """WFLW points of one side. Lids and lips run from the smaller x' to the greater, as `Curve` wants them."""

    pupil: int
    eye: tuple[int, ...]
    upper_lid: tuple[int, ...]
    lower_lid: tuple[int, ...]
    brow: tuple[int, ...]
    inner_eye_corner: int
    mouth_corner: int
    lower_lip: int
    inner_mouth_corner: int


_LEFT = _Side(
    pupil=97,
    eye=tuple(range(68, 76)),
    upper_lid=(68, 69, 70, 71, 72),
    lower_lid=(68, 75, 74, 73, 72),
    brow=(42, 43, 44, 45, 46),
    inner_eye_corner=68,
    mouth_corner=82,
    lower_lip=93,
    inner_mouth_corner=92,
)
_RIGHT = _Side(
    pupil=96,
    eye=tuple(range(60, 68)),
    upper_lid=(60, 61, 62, 63, 64),
    lower_lid=(60, 67, 66, 65, 64),
    brow=(33, 34, 35, 36, 37),
    inner_eye_corner=64,
    mouth_corner=76,
    lower_lip=95,
    inner_mouth_corner=88,
)
_OUTER_LOWER_LIP = (87, 86, 85, 84, 83)
_INNER_LIP = tuple(range(88, 96))
_UPPER_LIP = (88, 89, 90, 91, 92)
_LOWER_LIP = (88, 95, 94, 93, 92)


@dataclass(frozen=True, slots=True)
class _Eye:
    fissure_height: float
    fissure_area: float
    mrd1: float
    mrd2: float


def measure_lengths(
    points: NDArray[np.floating],
    scale: Scale,
    pose: tuple[float, float, float] | None,
    hidden: Sequence[FacePart] = (),
    lips: LipCorrection | None = None,
) -> Millimetres:
    """Every length of a face on one frame.

    Args:
        points: (98, 2) pixels, WFLW order.
        scale: millimetres of a pixel.
        pose: yaw, pitch, roll in degrees, as in `FaceObservation.pose`; None: not measured.
        hidden: parts that something covers.
        lips: of the network that gave the points; None: they are taken as they are.

    Returns:
        The lengths; all of them NaN, and `withheld` says why, where the head is turned too far or cannot be judged.
    """
    reason = refusal(pose, hidden)
    face = None if reason or pose is None else seen_from_front(points, pose)
    if face is None:
        return withheld(scale, reason or "the points are no face")
    face = face if lips is None else lips(face)
    return lengths_of(face, scale, hidden, pitch=pose[1] if pose is not None else 0.0)


def withheld(scale: Scale, reason: str) -> Millimetres:
    """What is given where nothing is measured.

    Args:
        scale: that was tried.
        reason: in a few words.
    """
    return Millimetres(scale.mm_per_pixel, scale.source, reason, scale.state)


def lengths_of(face: Frontal, scale: Scale, hidden: Sequence[FacePart] = (), *, pitch: float = 0.0) -> Millimetres:
    """Every length of a face that is seen from the front already.

    Args:
        face: from the front.
        scale: millimetres of a pixel.
        hidden: parts that something covers.
        pitch: degrees by which the head was raised.
    """
    axes = eye_axes(face.points)
    if axes is None:
        return withheld(scale, "the eyes cannot be told apart")
    at = axes.places(face.points) * scale.mm_per_pixel
    eyes = Sides(*(_eye(at, side) for side in (_LEFT, _RIGHT)))
    mouth_seen, chin = "mouth" not in hidden, Curve(at[_CHIN])
    brow_seen = Sides("left brow" not in hidden, "right brow" not in hidden)
    mouths, lip = Sides(mouth_seen, mouth_seen), _lip_middle(at)
    places = Sides(*(seen and abs(pitch) <= MOST_PITCH_OF_PLACES for seen in mouths))
    area = _gap_areas(at)
    return Millimetres(
        scale.mm_per_pixel,
        scale.source,
        scale_state=scale.state,
        brow_height=_sides(lambda side: _brow_height(at, side), brow_seen),
        fissure_height=Sides(*(eye.fissure_height for eye in eyes)),
        fissure_area=Sides(*(eye.fissure_area for eye in eyes)),
        mrd1=Sides(*(eye.mrd1 for eye in eyes)),
        mrd2=Sides(*(eye.mrd2 for eye in eyes)),
        commissure=_sides(lambda side: math.dist(lip, at[side.mouth_corner]), mouths),
        smile_angle=_sides(lambda side: _smile_angle(at[side.mouth_corner], lip), mouths),
        corner_height=_sides(lambda side: float(at[side.mouth_corner, 1]), places),
        lower_lip_height=_sides(lambda side: float(at[side.lower_lip, 1]) - chin(float(at[side.lower_lip, 0])), mouths),
        dental_show=_sides(lambda side: _gap_midway(at, side), mouths),
        interlabial_area=_seen(area, mouths),
        philtrum_deviation=float(at[79, 0]) if mouth_seen else _NAN,
        fai=_asymmetry(at) if mouth_seen else _NAN,
    )


def refusal(pose: tuple[float, float, float] | None, hidden: Sequence[FacePart]) -> str:
    """Why nothing can be measured at all, in a few words; empty where something can.

    Args:
        pose: of the head, or None.
        hidden: parts that something covers, that are outside the picture, or too small.
    """
    if pose is None:
        return "the head's pose is not known"
    yaw, pitch, _ = pose
    if not abs(yaw) <= MOST_YAW:
        return f"the head is turned by more than {MOST_YAW:.0f} degrees"
    if not abs(pitch) <= MOST_PITCH:
        return f"the head is raised or lowered by more than {MOST_PITCH:.0f} degrees"
    if "left eye" in hidden or "right eye" in hidden:
        return "an eye is covered, outside the picture, or too small to be measured"  # the axes run through both eyes
    return ""


def _eye_centre(points: F64, side: _Side) -> F64:
    """(2,) the middle of an eye's corners: it stands in for the pupil, which follows the gaze and is a guess in a shut eye."""
    return np.asarray((points[side.eye[0]] + points[side.eye[4]]) / 2, np.float64)


def _eye(at: F64, side: _Side) -> _Eye:
    upper, lower = Curve(at[list(side.upper_lid)]), Curve(at[list(side.lower_lid)])
    middle = float(at[side.eye[0], 0] + at[side.eye[4], 0]) / 2
    height = _gap(upper, lower, middle)
    pupil_x, pupil_y = at[side.pupil].tolist()
    open_enough = height >= _SHUT_MM
    return _Eye(
        height,
        polygon_area(at[list(side.eye)]),
        upper(pupil_x) - pupil_y if open_enough else _NAN,
        pupil_y - lower(pupil_x) if open_enough else _NAN,
    )


def _brow_height(at: F64, side: _Side) -> float:
    x, y = _eye_centre(at, side)
    return Curve(at[list(side.brow)])(float(x)) - float(y)


def _lip_middle(at: F64) -> F64:
    """(2,) where the lower lip's outer edge crosses the midline: one corner that moves pulls the lip along, but not the midline."""
    return np.array((0.0, Curve(at[list(_OUTER_LOWER_LIP)])(0.0)))


def _smile_angle(corner: F64, lip: F64) -> float:
    away, above = math.dist(lip, corner), float(corner[1] - lip[1])
    return 90 + math.degrees(math.asin(above / away)) if away > 0 else _NAN


def _gap_midway(at: F64, side: _Side) -> float:
    """Height of the gap between the lips halfway from their middle to the corner; lips that touch or cross: 0."""
    x = float((at[90, 0] + at[94, 0]) / 2 + at[side.inner_mouth_corner, 0]) / 2
    return _gap(Curve(at[list(_UPPER_LIP)]), Curve(at[list(_LOWER_LIP)]), x)


def _gap(upper: Curve, lower: Curve, x: float) -> float:
    gap = upper(x) - lower(x)
    return gap if math.isnan(gap) else max(0.0, gap)


def _gap_areas(at: F64) -> Sides[float]:
    """mm2 between the lips, left and right of x' = 0."""
    ring = at[list(_INNER_LIP)]
    left = polygon_area(left_of(ring, 0.0))
    right = polygon_area(left_of(ring * (-1.0, 1.0), 0.0))
    return Sides(left, right)


def _asymmetry(at: F64) -> float:
    left, right = (math.dist(at[s.inner_eye_corner], at[s.mouth_corner]) for s in (_LEFT, _RIGHT))
    return left - right


def _sides(measure: Callable[[_Side], float], seen: Sides[bool]) -> Sides[float]:
    return _seen(Sides(measure(_LEFT), measure(_RIGHT)), seen)


def _seen(values: Sides[float], seen: Sides[bool]) -> Sides[float]:
    return Sides(*(value if here else _NAN for value, here in zip(values, seen, strict=True)))
