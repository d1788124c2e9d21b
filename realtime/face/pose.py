"""Head pose from 98 points: the mean face in three dimensions, turned, scaled and shifted until it lies on them.

The camera is taken as distant (scaled orthography), so angles are those toward the line of sight through the face.
R = Ry(yaw) Rx(-pitch) Rz(-roll) on axes x to the patient's left, y up, z toward the camera:
yaw > 0 turns to the patient's left, pitch > 0 looks up, roll > 0 tilts the head to the patient's left.
"""

import math
from dataclasses import dataclass

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
    turn = np.eye(3) if start is None else start.rotation.copy()
    found, scale, cx, cy, misfit = _fit(np.asarray(points, np.float64), model, _WEIGHTS, turn, 12)
    if not found or scale * _IOD < _LEAST_IOD:
        return None
    yaw, pitch, roll = angles(turn)
    return Pose(yaw, pitch, roll, turn, scale, np.array((cx, cy)), misfit / (scale * _IOD))


@njit(nogil=True)
def _solve(a: F64, b: F64) -> bool:
    """Solve the n x n system in place by elimination with pivoting; b becomes the answer. False where it is singular."""
    n = len(b)
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[pivot, k]):
                pivot = i
        if not abs(a[pivot, k]) > 1e-12:
            return False
        if pivot != k:
            for j in range(n):
                a[k, j], a[pivot, j] = a[pivot, j], a[k, j]
            b[k], b[pivot] = b[pivot], b[k]
        for i in range(k + 1, n):
            f = a[i, k] / a[k, k]
            for j in range(k, n):
                a[i, j] -= f * a[k, j]
            b[i] -= f * b[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            b[k] -= a[k, j] * b[j]
        b[k] /= a[k, k]
    return True


@njit(nogil=True)
def _start(points: F64, model: F64, weights: F64, turn: F64) -> tuple[float, float, float]:
    """Scale and shift for this rotation, in closed form."""
    total = mx = my = px = py = 0.0
    for i in range(len(points)):
        w = weights[i]
        x = turn[0, 0] * model[i, 0] + turn[0, 1] * model[i, 1] + turn[0, 2] * model[i, 2]
        y = -(turn[1, 0] * model[i, 0] + turn[1, 1] * model[i, 1] + turn[1, 2] * model[i, 2])
        total += w
        mx, my, px, py = mx + w * x, my + w * y, px + w * points[i, 0], py + w * points[i, 1]
    mx, my, px, py = mx / total, my / total, px / total, py / total
    dot = spread = 0.0
    for i in range(len(points)):
        w = weights[i]
        x = turn[0, 0] * model[i, 0] + turn[0, 1] * model[i, 1] + turn[0, 2] * model[i, 2] - mx
        y = -(turn[1, 0] * model[i, 0] + turn[1, 1] * model[i, 1] + turn[1, 2] * model[i, 2]) - my
        dot += w * (x * (points[i, 0] - px) + y * (points[i, 1] - py))
        spread += w * (x * x + y * y)
    scale = max(dot / spread, 1e-6)
    return scale, px - scale * mx, py - scale * my


@njit(nogil=True)
def _fit(points: F64, model: F64, weights: F64, turn: F64, steps: int) -> tuple[bool, float, float, float, float]:
    """Gauss-Newton over rotation, scale and shift; `turn` is updated in place."""
    roll = np.arctan2(points[72, 1] - points[60, 1], points[72, 0] - points[60, 0])
    if turn[0, 0] == 1.0 and turn[1, 1] == 1.0:
        turn[0, 0] = turn[1, 1] = np.cos(roll)
        turn[0, 1], turn[1, 0] = np.sin(roll), -np.sin(roll)
    scale, cx, cy = _start(points, model, weights, turn)
    misfit = 0.0
    normal, rhs, row = np.empty((6, 6)), np.empty(6), np.empty(6)
    rotated = np.empty(3)
    total = weights.sum()
    for _ in range(steps):
        normal[:] = 0.0
        rhs[:] = 0.0
        misfit = 0.0
        for i in range(len(points)):
            w = weights[i]
            if w == 0.0:
                continue
            for k in range(3):
                rotated[k] = turn[k, 0] * model[i, 0] + turn[k, 1] * model[i, 1] + turn[k, 2] * model[i, 2]
            ex = points[i, 0] - (scale * rotated[0] + cx)
            ey = points[i, 1] - (-scale * rotated[1] + cy)
            misfit += w * (ex * ex + ey * ey)
            for axis in range(2):
                if axis == 0:
                    row[0], row[1], row[2] = 0.0, scale * rotated[2], -scale * rotated[1]
                    row[3], row[4], row[5] = rotated[0], 1.0, 0.0
                    e = ex
                else:
                    row[0], row[1], row[2] = scale * rotated[2], 0.0, -scale * rotated[0]
                    row[3], row[4], row[5] = -rotated[1], 0.0, 1.0
                    e = ey
                for a in range(6):
                    rhs[a] += w * row[a] * e
                    for b in range(6):
                        normal[a, b] += w * row[a] * row[b]
        if not np.isfinite(misfit):
            return False, scale, cx, cy, misfit
        for a in range(6):
            normal[a, a] *= 1.0 + 1e-4
        if not _solve(normal, rhs):
            return False, scale, cx, cy, misfit
        angle = np.sqrt(rhs[0] ** 2 + rhs[1] ** 2 + rhs[2] ** 2)
        shrink = 0.5 / angle if angle > 0.5 else 1.0
        _turn_by(turn, rhs[0] * shrink, rhs[1] * shrink, rhs[2] * shrink)
        if shrink < 1.0:
            scale, cx, cy = _start(points, model, weights, turn)
            continue
        scale, cx, cy = max(scale + rhs[3], 1e-6), cx + rhs[4], cy + rhs[5]
        if angle < 1e-5:
            break
    return True, scale, cx, cy, np.sqrt(misfit / total)


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
