"""Head pose from 98 points: the mean face in three dimensions, turned, scaled and shifted until it lies on them.

The camera is taken as distant (scaled orthography), so angles are those toward the line of sight through the face.
R = Ry(yaw) Rx(-pitch) Rz(-roll) on axes x to the patient's left, y up, z toward the camera:
yaw > 0 turns to the patient's left, pitch > 0 looks up, roll > 0 tilts the head to the patient's left.
"""

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from realtime.face import wflw
from realtime.face.face_model import FACE_3D
from realtime.jit import njit
from realtime.types import F32, F64


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned, with the mean face as the model.

    Attributes:
        yaw: degrees, positive toward the patient's left.
        pitch: likewise.
        roll: likewise.
        rotation: (3, 3).
        scale: pixels per centimetre of the mean face.
        centre: (2,) pixels of its origin, the middle between the outer eye corners.
        misfit: root mean square distance of the points used, inter-ocular distances of the mean face.
    """

    yaw: float
    pitch: float
    roll: float
    rotation: F64
    scale: float
    centre: F64
    misfit: float

    @property
    def angles(self) -> tuple[float, float, float]:
        """yaw, pitch, roll in degrees, in the axes of the model that was fitted."""
        return self.yaw, self.pitch, self.roll


HEAD_PITCH_ZERO = 8.0
"""Pitch (degrees) in the axes of `face_model.HEAD_3D` of a person who looks straight ahead.

The model's axes are those of a rendered mesh, whose face is tilted in them. Measured on 71 frontal photographs (CC BY 4.0: Face
Research Lab London Set and Young Adult White Faces) against the pose of MediaPipe's face geometry: 7.8 on neutral, 8.8 on
smiling faces; yaw and roll differ by less than 0.5, so their zero is the model's.
"""


@functools.lru_cache(maxsize=8)  # several parts of the program ask for the same face's
def facing_angles(model_angles: tuple[float, float, float]) -> tuple[float, float, float]:
    """Angles of the face itself from angles in the axes of `face_model.HEAD_3D`.

    Args:
        model_angles: yaw, pitch, roll in degrees, as `estimate_pose` gives them for `HEAD_3D`.

    Returns:
        yaw, pitch, roll in degrees; all 0 for a person who looks straight ahead.
    """
    yaw, pitch, roll = model_angles
    y, p, r = math.radians(yaw), -math.radians(pitch), -math.radians(roll)
    cos_y, sin_y, cos_p, sin_p, cos_r, sin_r = (
        math.cos(y),
        math.sin(y),
        math.cos(p),
        math.sin(p),
        math.cos(r),
        math.sin(r),
    )
    # Second and third column of `rotation`, which the turn about the x axis mixes; written out, as it is asked for every frame.
    up = (-cos_y * sin_r + sin_y * sin_p * cos_r, cos_p * cos_r, sin_y * sin_r + cos_y * sin_p * cos_r)
    ahead = (sin_y * cos_p, -sin_p, cos_y * cos_p)
    x, y, z = (_COS_ZERO * there - _SIN_ZERO * above for above, there in zip(up, ahead, strict=True))
    across, upright = cos_p * sin_r, _COS_ZERO * up[1] + _SIN_ZERO * ahead[1]
    return (
        math.degrees(math.atan2(x, z)),
        math.degrees(math.asin(max(-1.0, min(1.0, y)))),
        math.degrees(math.atan2(-across, upright)),
    )


def rotation(yaw: float, pitch: float, roll: float) -> F64:
    """The rotation matrix of three angles.

    Args:
        yaw: degrees.
        pitch: likewise.
        roll: likewise.

    Returns:
        (3, 3).
    """
    y, p, r = math.radians(yaw), -math.radians(pitch), -math.radians(roll)
    turn_y = np.array(((math.cos(y), 0, math.sin(y)), (0, 1, 0), (-math.sin(y), 0, math.cos(y))))
    turn_x = np.array(((1, 0, 0), (0, math.cos(p), -math.sin(p)), (0, math.sin(p), math.cos(p))))
    turn_z = np.array(((math.cos(r), -math.sin(r), 0), (math.sin(r), math.cos(r), 0), (0, 0, 1)))
    return np.asarray(turn_y @ turn_x @ turn_z, np.float64)


def angles(matrix: F64) -> tuple[float, float, float]:
    """yaw, pitch, roll in degrees; the inverse of `rotation` while |pitch| < 90.

    Args:
        matrix: (3, 3).
    """
    yaw = math.atan2(matrix[0, 2], matrix[2, 2])
    pitch = math.asin(max(-1.0, min(1.0, matrix[1, 2])))
    roll = math.atan2(-matrix[1, 0], matrix[1, 1])
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


_COS_ZERO, _SIN_ZERO = math.cos(math.radians(HEAD_PITCH_ZERO)), math.sin(math.radians(HEAD_PITCH_ZERO))


def _weights() -> F64:
    """How far each point can be trusted to sit on the skull: nose and eyes do, jaw, lips and the sliding contour hardly."""
    weights = np.zeros(wflw.POINTS)
    weights[list(wflw.NOSE_BRIDGE)] = 1.0
    weights[list(wflw.NOSE_BASE)] = 1.0
    weights[[60, 64, 68, 72]] = 1.0
    weights[[61, 62, 63, 65, 66, 67, 69, 70, 71, 73, 74, 75]] = 0.3
    weights[[33, 37, 38, 42, 46, 50]] = 0.3
    weights[[76, 82]] = 0.3
    weights[[79, 85]] = 0.15
    weights[[2, 4, 6, 26, 28, 30]] = 0.15
    weights[16] = 0.1
    return weights


_WEIGHTS = _weights()
_IOD = float(np.hypot(*(FACE_3D[72, :2] - FACE_3D[60, :2])))


_STEPS = 12
# eyes closer together than this (pixels) are no face
_LEAST_IOD = 1.0


def estimate_pose(points: F32, start: Pose | None = None, model: F64 = FACE_3D) -> Pose | None:
    """The pose of a face.

    Args:
        points: (98, 2) pixels.
        start: the last frame's, which makes it converge faster.
        model: (98, 3) head, centimetres, outer eye corners as far apart as the mean face's; `head.HEAD_3D` gives truer angles, the
            mean face of `template` is what Action Units are described against.

    Returns:
        The pose; None where the points are no face at all (not finite, or collapsed onto a line).
    """
    seen = np.asarray(points, np.float64)
    if not math.isfinite(seen.sum()):
        return None
    turn = np.eye(3) if start is None else start.rotation.copy()
    if turn[0, 0] == 1.0 and turn[1, 1] == 1.0:
        across, down = (seen[72] - seen[60]).tolist()
        roll = math.atan2(down, across)
        turn[0, 0] = turn[1, 1] = math.cos(roll)
        turn[0, 1], turn[1, 0] = math.sin(roll), -math.sin(roll)
    steps, found, misfit = _STEPS, True, 0.0
    moments, place = _moments(model), np.empty(3)
    while found and steps:
        _start(seen, moments.sums, moments.middle, moments.spread, turn, place)
        found, steps, misfit = _fit(seen, model, _WEIGHTS, turn, place, steps)
    scale, cx, cy = place.tolist()
    if not found or scale * _IOD < _LEAST_IOD:
        return None
    yaw, pitch, roll = angles(turn)
    return Pose(yaw, pitch, roll, turn, scale, np.array((cx, cy)), misfit / (scale * _IOD))


@njit(nogil=True)
def left_over(points: F32, model: F64, turn: F64, centre: F64, scale: float, unit: float) -> F32:
    """What is left of points when the model, turned, scaled and shifted as they are, is taken away.

    Args:
        points: (N, 2) pixels.
        model: (N, 3) head.
        turn: (3, 3) rotation of the pose.
        centre: (2,) pixels of the model's origin.
        scale: pixels of one of the model's units.
        unit: pixels that count as one in the answer.

    Returns:
        (N, 2) in the face's own axes, x to the patient's left, y up.
    """
    out = np.empty((points.shape[0], 2), np.float32)
    for i in range(points.shape[0]):
        across = turn[0, 0] * model[i, 0] + turn[0, 1] * model[i, 1] + turn[0, 2] * model[i, 2]
        up = turn[1, 0] * model[i, 0] + turn[1, 1] * model[i, 1] + turn[1, 2] * model[i, 2]
        x, y = points[i, 0] - centre[0] - scale * across, centre[1] - points[i, 1] - scale * up
        out[i, 0] = (x * turn[0, 0] + y * turn[1, 0]) / unit
        out[i, 1] = (x * turn[0, 1] + y * turn[1, 1]) / unit
    return out


@njit(nogil=True)
def _solve(a: F64, b: F64) -> bool:
    """Solve the n x n system, symmetric and positive, in place; b becomes the answer. False where it is singular."""
    n = len(b)
    for k in range(n):
        if not a[k, k] > 1e-12:
            return False
        for i in range(k + 1, n):
            f = a[i, k] / a[k, k]
            b[i] -= f * b[k]
            for j in range(k + 1, n):
                a[i, j] -= f * a[k, j]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            b[k] -= a[k, j] * b[j]
        b[k] /= a[k, k]
    return True


class _Moments(NamedTuple):
    """What the closed form for scale and shift needs of a head model, whatever its points are laid on.

    Attributes:
        sums: (4, 98): their products with points are the weighted mean of these, and those with the model's centred axes.
        middle: (3,) weighted mean of the model.
        spread: (3, 3) weighted second moments about it.
    """

    sums: F64
    middle: F64
    spread: F64


def _moments(model: F64) -> _Moments:
    """Of a model, made once; the two that the program has stay for good."""
    known = _KNOWN.get(id(model))
    if known is None or known[0] is not model:
        total = _WEIGHTS.sum()
        middle = _WEIGHTS @ model / total
        centred = _WEIGHTS[:, None] * (model - middle)
        sums = np.ascontiguousarray(np.vstack([_WEIGHTS / total, centred.T]))
        known = model, _Moments(sums, middle, centred.T @ (model - middle))
        if len(_KNOWN) >= _MODELS:
            _KNOWN.clear()
        _KNOWN[id(model)] = known
    return known[1]


_MODELS = 4
_KNOWN: dict[int, tuple[F64, _Moments]] = {}


@njit(nogil=True)
def _start(points: F64, sums: F64, middle: F64, spread: F64, turn: F64, place: F64) -> None:
    """Scale and shift for this rotation, in closed form, into `place`; see `_Moments` for the model's."""
    found = np.empty((4, 2))
    for k in range(4):
        found[k, 0] = found[k, 1] = 0.0
        for i in range(len(points)):
            found[k, 0] += sums[k, i] * points[i, 0]
            found[k, 1] += sums[k, i] * points[i, 1]
    reach, along = 0.0, 0.0
    for row in range(2):
        down = 1.0 - 2.0 * row  # the model's y axis points up, the picture's down
        for a in range(3):
            along += down * turn[row, a] * found[1 + a, row]
            for b in range(3):
                reach += turn[row, a] * spread[a, b] * turn[row, b]
    scale = place[0] = max(along / reach, 1e-6)
    for row in range(2):
        down = 1.0 - 2.0 * row
        at = turn[row, 0] * middle[0] + turn[row, 1] * middle[1] + turn[row, 2] * middle[2]
        place[1 + row] = found[0, row] - scale * down * at


@njit(nogil=True)
def _fit(points: F64, model: F64, weights: F64, turn: F64, place: F64, steps: int) -> tuple[bool, int, float]:
    """Gauss-Newton over rotation, scale and shift; `turn` and `place` (scale, x, y) are updated in place.

    Returns:
        Whether the points are a face so far, the steps left after a turn so large that the place should be found anew (0: done),
        and the root mean square distance.
    """
    misfit = total = 0.0
    normal, rhs, row, rotated, e = np.empty((6, 6)), np.empty(6), np.empty((2, 6)), np.empty(3), np.empty(2)
    row[0, 0] = row[1, 1] = row[0, 5] = row[1, 4] = 0.0
    row[0, 4] = row[1, 5] = 1.0
    for i in range(len(weights)):
        total += weights[i]
    for step in range(steps):
        scale = place[0]
        for a in range(6):
            rhs[a] = 0.0
            for b in range(6):
                normal[a, b] = 0.0
        misfit = 0.0
        for i in range(len(points)):
            w = weights[i]
            if w == 0.0:
                continue
            for k in range(3):
                rotated[k] = turn[k, 0] * model[i, 0] + turn[k, 1] * model[i, 1] + turn[k, 2] * model[i, 2]
            row[0, 3], row[1, 3] = rotated[0], -rotated[1]
            row[0, 1], row[0, 2] = scale * rotated[2], -scale * rotated[1]
            row[1, 0], row[1, 2] = row[0, 1], -scale * rotated[0]
            for axis in range(2):
                e[axis] = points[i, axis] - (scale * row[axis, 3] + place[1 + axis])
                misfit += w * e[axis] * e[axis]
                for a in range(6):
                    rhs[a] += w * row[axis, a] * e[axis]
                    for b in range(6):
                        normal[a, b] += w * row[axis, a] * row[axis, b]
        for a in range(6):
            normal[a, a] *= 1.0 + 1e-4
        if not np.isfinite(misfit) or not _solve(normal, rhs):
            return False, 0, misfit
        angle = np.sqrt(rhs[0] * rhs[0] + rhs[1] * rhs[1] + rhs[2] * rhs[2])
        shrink = 0.5 / angle if angle > 0.5 else 1.0
        _turn_by(turn, rhs[0] * shrink, rhs[1] * shrink, rhs[2] * shrink)
        if shrink < 1.0:
            return True, steps - step - 1, np.sqrt(misfit / total)
        place[0] = max(scale + rhs[3], 1e-6)
        place[1] += rhs[4]
        place[2] += rhs[5]
        if angle < 1e-5:
            break
    return True, 0, np.sqrt(misfit / total)


@njit(nogil=True)
def _turn_by(turn: F64, wx: float, wy: float, wz: float) -> None:
    """turn <- exp([w]x) turn (Rodrigues)."""
    angle = np.sqrt(wx * wx + wy * wy + wz * wz)
    if angle < 1e-12:
        return
    x, y, z = wx / angle, wy / angle, wz / angle
    c, s = np.cos(angle), np.sin(angle)
    d = 1.0 - c
    for k in range(3):
        a, b, e = turn[0, k], turn[1, k], turn[2, k]
        dot = x * a + y * b + z * e
        turn[0, k] = c * a + s * (y * e - z * b) + d * x * dot
        turn[1, k] = c * b + s * (z * a - x * e) + d * y * dot
        turn[2, k] = c * e + s * (x * b - y * a) + d * z * dot
