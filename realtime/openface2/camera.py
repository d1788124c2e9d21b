"""Head pose and 3-D landmarks in millimetres before a pinhole camera, as OpenFace derives them from the shape fit.

Axes: x to the image's right, y down, z away from the camera. Angles in radians, R = Rx.Ry.Rz.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.openface2.pdm import ShapeModel
from realtime.openface2.shape_fit import Fit, euler_from_matrix
from realtime.types import F64


@dataclass(frozen=True, slots=True)
class Camera:
    """The pinhole camera that is assumed, in px.

    Attributes:
        focal: length.
        cx: principal point.
        cy: likewise.
    """

    focal: float
    cx: float
    cy: float

    @classmethod
    def assumed(cls, width: int, height: int) -> "Camera":
        """OpenFace's guess for an unknown camera: 500 px at 640x480, the principal point in the middle.

        Args:
            width: of the picture, px.
            height: likewise.
        """
        return cls((500.0 * width / 640 + 500.0 * height / 480) / 2, width / 2, height / 2)

    @property
    def matrix(self) -> F64:
        """(3, 3) intrinsic matrix."""
        return np.array([[self.focal, 0.0, self.cx], [0.0, self.focal, self.cy], [0.0, 0.0, 1.0]])


def landmarks_3d(model: ShapeModel, fit: Fit, points: F64, camera: Camera) -> F64:
    """Each observed point at the depth that the fitted shape gives it (Baltrusaitis 2012, eq. 10).

    Args:
        model: the shape model.
        fit: of the points.
        points: (68, 2) px.
        camera: assumed.

    Returns:
        (68, 3) mm.
    """
    depth = camera.focal / fit.global_[0] + (fit.rotation @ model.shape(fit.local))[2]
    xy = depth[:, None] * (points - (camera.cx, camera.cy)) / camera.focal
    return np.column_stack([xy, depth])


def head_pose(model: ShapeModel, fit: Fit, points: F64, camera: Camera) -> tuple[F64, F64] | None:
    """The head's place and turn by PnP, started at the weak-perspective fit.

    Args:
        model: the shape model.
        fit: of the points.
        points: (68, 2) px.
        camera: assumed.

    Returns:
        (3,) translation in mm and (3,) rotation in radians; None where there is no solution in front of the camera.
    """
    shape = np.ascontiguousarray(model.shape(fit.local).T)
    depth = camera.focal / fit.global_[0]
    at = (fit.global_[4:] - (camera.cx, camera.cy)) * (depth / camera.focal)
    turn, _ = cv2.Rodrigues(fit.rotation)
    start = np.array([at[0], at[1], depth]).reshape(3, 1)
    found, turn, place = cv2.solvePnP(
        shape, np.ascontiguousarray(points), camera.matrix, None, turn, start, True, cv2.SOLVEPNP_ITERATIVE
    )
    if not found or not np.isfinite(place).all() or place[2, 0] <= 0:
        return None
    rotation, _ = cv2.Rodrigues(turn)
    return place.ravel(), np.array(euler_from_matrix(np.ascontiguousarray(rotation)))
