"""One half of the face, doubled: where its points are, without building the mirrored picture.

The midline runs through the glabella and the chin. A half face keeps the patient's right (or left) points and replaces
the others by their reflections; a point of the midline is put on the line, and so is a kept point that has strayed
across it, because the mirrored picture shows nothing of the other side.
"""

import math

import numpy as np

from realtime.face.mirroring import Midline
from realtime.openface2.points68 import BROW_ENDS, CHIN, FLIP_68
from realtime.types import F64

# The patient's right: contour, brow, nose wing, eye, mouth corner and lips on the image's left.
_RIGHT = np.array([*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67])
_LEFT = FLIP_68[_RIGHT]
_MIDDLE = np.flatnonzero(np.arange(68) == FLIP_68)


def midline_of_68(points: F64) -> Midline | None:
    """The midline when only the 68 points are known: middle of the inner brow ends to the chin; None without extent."""
    top = points[list(BROW_ENDS)].mean(axis=0)
    dx, dy = (float(v) for v in points[CHIN] - top)
    length = math.hypot(dx, dy)
    if not length > 1e-6:
        return None
    return Midline(float(top[0]), float(top[1]), -dy / length, dx / length, length)


def reflection(line: Midline) -> F64:
    """(2, 3) the reflection at the line as an affine map of the frame's pixels."""
    normal = np.array([line.nx, line.ny])
    linear = np.eye(2) - 2 * np.outer(normal, normal)
    return np.column_stack([linear, 2 * (line.nx * line.x + line.ny * line.y) * normal])


def half_points(points: F64, line: Midline, keep_right: bool) -> F64:
    """The points of a doubled half. A missing point (NaN) is missing on both sides.

    Args:
        points: (68, 2) px.
        line: the midline.
        keep_right: the patient's right side is doubled.

    Returns:
        (68, 2).
    """
    kept, other = (_RIGHT, _LEFT) if keep_right else (_LEFT, _RIGHT)
    out = points.copy()
    side = line.side(points)
    normal = np.array([line.nx, line.ny])
    strayed = side[kept] < 0 if keep_right else side[kept] > 0
    out[kept] -= np.where(strayed, side[kept], 0.0)[:, None] * normal
    out[other] = line.reflect(out[kept])
    out[_MIDDLE] -= side[_MIDDLE][:, None] * normal
    return out
