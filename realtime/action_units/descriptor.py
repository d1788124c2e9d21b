"""A face's shape with position, size and head pose taken out: what is left is the person and the expression.

The mean face, posed as the head is, is subtracted from the points; what remains is turned back into the face's own axes.
A picture shows two of three dimensions, so the shortest displacement that explains each residual is taken.
"""

from dataclasses import dataclass

import numpy as np

from realtime.face import wflw
from realtime.face.face_model import HEAD_3D
from realtime.face.pose import Pose, estimate_pose, facing_angles, left_over
from realtime.types import F32

_IOD = float(np.hypot(*(HEAD_3D[72, :2] - HEAD_3D[60, :2])))
_FLIP = wflw.FLIP_ORDER
_MIRRORED = np.array((-1.0, 1.0), np.float32)
_TEMPLATE = np.ascontiguousarray(HEAD_3D, np.float64)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A face's shape without position, size and pose.

    Attributes:
        shape: (98, 2) displacement from the mean face in inter-ocular distances of the mean face, x to the patient's left, y up.
        pose: yaw, pitch, roll in degrees in the axes of the head model: the Action Unit network is taught with these.
    """

    shape: F32
    pose: tuple[float, float, float]

    @property
    def facing(self) -> tuple[float, float, float]:
        """yaw, pitch, roll in degrees of the face itself: 0 where the person looks straight ahead."""
        return facing_angles(self.pose)

    def mirrored(self) -> "Descriptor":
        """The descriptor of the mirror image of this face."""
        yaw, pitch, roll = self.pose
        return Descriptor(mirror_shape(self.shape), (-yaw, pitch, -roll))


def mirror_shape(shape: F32) -> F32:
    """(..., 98, 2) displacements of the mirror image.

    Args:
        shape: (..., 98, 2) displacements.
    """
    return shape[..., _FLIP, :] * _MIRRORED


def describe(points: F32, pose: Pose | None = None) -> Descriptor | None:
    """The descriptor of (98, 2) points (pixels); None where they are no face.

    Args:
        points: (98, 2) pixels.
        pose: of these points if it is known already.
    """
    found = pose or estimate_pose(points, model=_TEMPLATE)
    if found is None:
        return None
    shape = left_over(points, _TEMPLATE, found.rotation, found.centre, found.scale, found.scale * _IOD)
    return Descriptor(shape, found.angles)
