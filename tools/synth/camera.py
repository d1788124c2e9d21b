"""Head pose and pinhole projection.

Head frame: x patient's left, y up, z out of the face (cm). Camera frame: x image right, y image down, z away from the
camera. A head with pose (0, 0, 0) looks into the camera, so its left side is on the image's right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# Head frame -> camera frame of an upright head that looks into the camera.
_FACING = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True, slots=True)
class Camera:
    """focal: pixels. centre: principal point (x, y), pixel centres at integers."""

    focal: float
    centre: tuple[float, float]


def rotation(yaw: float, pitch: float, roll: float) -> F64:
    """(3, 3) turn of the head in its own frame, degrees.

    R = Ry(yaw) Rx(-pitch) Rz(-roll): yaw > 0 turns to the patient's left, pitch > 0 looks up, roll > 0 tilts the top of
    the head to the patient's left. So the nose points along (sin yaw cos pitch, sin pitch, cos yaw cos pitch).
    """
    y, p, r = np.deg2rad([yaw, pitch, roll])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rx = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    rz = np.array([[np.cos(r), np.sin(r), 0], [-np.sin(r), np.cos(r), 0], [0, 0, 1]])
    result: F64 = ry @ rx @ rz
    return result


def angles(matrix: F64) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of a rotation matrix; the inverse of `rotation` for |pitch| < 90."""
    nose = matrix[:, 2]
    yaw = np.arctan2(nose[0], nose[2])
    pitch = np.arcsin(np.clip(nose[1], -1, 1))
    roll = np.arctan2(matrix[1, 0] * -1, matrix[1, 1])
    return float(np.rad2deg(yaw)), float(np.rad2deg(pitch)), float(np.rad2deg(roll))


def to_camera(points: F32, matrix: F64, translation: F64) -> F32:
    """Head-frame points (N, 3) -> camera frame: turn, face the camera, move by translation (cm, camera frame)."""
    return (points @ (_FACING @ matrix).T.astype(np.float32) + np.asarray(translation, np.float32)).astype(np.float32)


def project(points: F32, camera: Camera) -> F32:
    """Camera-frame points (N, 3) -> pixels (N, 2)."""
    scale = camera.focal / points[:, 2:3]
    return (points[:, :2] * scale + np.asarray(camera.centre, np.float32)).astype(np.float32)
