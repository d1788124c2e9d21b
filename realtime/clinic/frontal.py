"""The face's points as seen from the front, whatever way the head is turned.

A length across a turned face is foreshortened, and points that lie at different depths move against each other. Both are undone
with the mean head: each point is put on the depth that the mean head has there, at the head's pose, and is then looked at from
the front. Lips and chin change their depth as they move, which `mouth_depth` tells from how they lie. What is left is how much this
head's depths differ, times the sine of the turn.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.clinic import mouth_depth
from realtime.face import wflw
from realtime.face.face_model import HEAD_3D
from realtime.face.pose import HEAD_PITCH_ZERO, rotation
from realtime.types import F64

FACING_HEAD: F64 = np.asarray(HEAD_3D @ rotation(0.0, -HEAD_PITCH_ZERO, 0.0), np.float64)
"""(98, 3) cm: the mean head in axes in which a person who looks straight ahead is not turned."""
# Points that no expression moves much: corners of the eyes, the bridge of the nose and its base's middle.
RIGID = [60, 64, 68, 72, *wflw.NOSE_BRIDGE, 57]
_TOLD = list(mouth_depth.POINTS)
# Pixels between the outer corners of the eyes below which the points are no face.
_LEAST_EYES = 4.0
_LEAST_APART = 1e-6


@dataclass(frozen=True, slots=True)
class Frontal:
    """A face as it is seen from the front.

    Attributes:
        points: (98, 2) in pixels, x to the patient's left, y up.
        head_scale: pixels of a centimetre of the mean head.
    """

    points: F64
    head_scale: float


def seen_from_front(points: NDArray[np.floating], pose: tuple[float, float, float]) -> Frontal | None:
    """Look at the face from the front.

    Args:
        points: (98, 2) pixels of the frame.
        pose: yaw, pitch, roll in degrees, as in `FaceObservation.pose`.

    Returns:
        None where the points are not finite, or no face.
    """
    seen = np.asarray(points, np.float64) * (1.0, -1.0)
    turn = rotation(*pose)
    if not (np.isfinite(seen).all() and np.isfinite(turn).all()):
        return None
    head = (FACING_HEAD[RIGID] @ turn.T)[:, :2]
    scale = _scale(seen[RIGID], head)
    if scale * (FACING_HEAD[wflw.LEFT_EYE_OUTER, 0] - FACING_HEAD[wflw.RIGHT_EYE_OUTER, 0]) < _LEAST_EYES:
        return None
    on_head = (seen - seen[RIGID].mean(axis=0)) / scale + head.mean(axis=0)
    return Frontal(_facing(on_head, turn) * scale, scale)


class EyeAxes(NamedTuple):
    """The axes of both eyes: x' to the patient's left along their centres, y' up, origin between them.

    Attributes:
        origin: (2,).
        directions: (2, 2) rows are x' and y'.
    """

    origin: F64
    directions: F64

    def places(self, points: F64) -> F64:
        """Points (N, 2) in these axes."""
        return np.asarray((points - self.origin) @ self.directions.T, np.float64)


def eye_axes(points: F64) -> EyeAxes | None:
    """The axes of a face's eyes; None where the eyes coincide.

    The middle of an eye's corners stands in for the pupil, which follows the gaze and is a guess in a shut eye.

    Args:
        points: (98, 2) from the front.
    """
    right, left = (points[60] + points[64]) / 2, (points[68] + points[72]) / 2
    distance = math.dist(right, left)
    if distance < _LEAST_APART:
        return None
    along = (left - right) / distance
    return EyeAxes((left + right) / 2, np.array((along, (-along[1], along[0]))))


def _facing(seen: F64, turn: F64) -> F64:
    """(98, 2) as seen from the front, of points (98, 2) that lie on the turned mean head, centimetres."""
    upright = np.linalg.inv(turn[:2, :2]).T
    flat, slant = seen @ upright, turn[:2, 2] @ upright
    depth = FACING_HEAD[:, 2].copy()
    depth[_TOLD] = mouth_depth.depths(flat, slant)
    return np.asarray(flat - np.outer(depth, slant), np.float64)


def _scale(seen: F64, model: F64) -> float:
    """The enlargement of `model` (N, 2) that fits `seen` (N, 2) best, in least squares, wherever it lies."""
    seen, model = seen - seen.mean(axis=0), model - model.mean(axis=0)
    return float((seen * model).sum() / (model * model).sum())
