"""The WFLW 98-point scheme: mirror pairs, groups, crops and the figures that are read off the points.

Points are pixels, x right, y down, pixel centres at integers. "Right" and "left" are the patient's own.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
F64 = NDArray[np.float64]

CONTOUR = np.arange(0, 33)
BROWS = np.arange(33, 51)
NOSE = np.arange(51, 60)
RIGHT_EYE = np.arange(60, 68)
LEFT_EYE = np.arange(68, 76)
OUTER_LIP = np.arange(76, 88)
INNER_LIP = np.arange(88, 96)
RIGHT_PUPIL, LEFT_PUPIL = 96, 97
EYES = np.concatenate([RIGHT_EYE, LEFT_EYE, [96, 97]])
LIPS = np.concatenate([OUTER_LIP, INNER_LIP])

CROP_GROWTH = 1.3
"""Side of the network's square crop over the longer side of the points' upright bounding box."""

BOX_GROWTH, BOX_DOWN = 1.05, 0.12
"""From RetinaFace's box to the crop: its side over the box's longer side, and the way down the face to its centre."""

_PAIRS = (
    [(i, 32 - i) for i in range(16)]
    + [(33, 46), (34, 45), (35, 44), (36, 43), (37, 42), (38, 50), (39, 49), (40, 48), (41, 47)]
    + [(55, 59), (56, 58)]
    + [(60, 72), (61, 71), (62, 70), (63, 69), (64, 68), (65, 75), (66, 74), (67, 73)]
    + [(76, 82), (77, 81), (78, 80), (87, 83), (86, 84), (88, 92), (89, 91), (95, 93), (96, 97)]
)


def _mirror() -> NDArray[np.int64]:
    order = np.arange(98)
    for a, b in _PAIRS:
        order[a], order[b] = b, a
    return order


MIRROR = _mirror()
"""MIRROR[i] is the point that point i becomes in a mirrored picture."""


def flip_points(points: Floats, width: float) -> Floats:
    """Points (..., 98, 2) of the picture mirrored left to right; `width` in pixels."""
    out = points[..., MIRROR, :].copy()
    out[..., 0] = width - 1 - out[..., 0]
    return out


def inter_ocular(points: Floats) -> Floats:
    """Distance of the outer eye corners (60, 72), pixels; (..., 98, 2) -> (...)."""
    result: Floats = np.linalg.norm(points[..., 60, :] - points[..., 72, :], axis=-1)
    return result


def five_points(points: Floats) -> Floats:
    """The detector's five points (..., 5, 2): eye centres, nose tip, mouth corners, image left first."""
    eyes = [points[..., RIGHT_EYE, :].mean(-2), points[..., LEFT_EYE, :].mean(-2)]
    return np.stack([*eyes, points[..., 54, :], points[..., 76, :], points[..., 82, :]], axis=-2)


def roll_of(five: Floats) -> float:
    """Roll in radians of the face in the picture (0: upright) from five points (5, 2).

    The eye line and the line from the eyes down to the mouth, turned by a right angle, are added as vectors: where one
    is short (the eyes of a profile), the other decides.
    """
    eye_line = five[1] - five[0]
    down = (five[3] + five[4] - five[0] - five[1]) / 2
    along = eye_line + np.array((down[1], -down[0]))
    return float(np.arctan2(along[1], along[0]))


def square_from_points(points: Floats, growth: float = CROP_GROWTH) -> tuple[F64, float, float]:
    """Centre (2,), side in pixels and roll in radians of the upright square crop around points (98, 2)."""
    roll = roll_of(five_points(points))
    c, s = np.cos(roll), np.sin(roll)
    upright = points @ np.array([[c, -s], [s, c]])
    low, high = upright.min(0), upright.max(0)
    middle = (low + high) / 2
    centre = np.array([[c, -s], [s, c]]) @ middle
    return centre, float(growth * (high - low).max()), roll


def square_from_box(box: Floats, five: Floats) -> tuple[F64, float, float]:
    """The same square estimated from a detector's box (4,) and five points, before any of the 98 are known."""
    roll = roll_of(five)
    side = float((box[2:] - box[:2]).max())
    down = np.array((-np.sin(roll), np.cos(roll)))
    return (box[:2] + box[2:]) / 2 + BOX_DOWN * side * down, BOX_GROWTH * side, roll


def crop_matrix(centre: F64, side: float, roll: float, size: int) -> F64:
    """Affine (2, 3) that takes picture pixels to the pixels of a `size` x `size` crop.

    A crop-normalised position u in 0..1 lies at crop pixel u * size - 0.5 and at picture pixel
    centre + R(roll) (u - 0.5) side, so that 0 and 1 are the outer edges of the crop.
    """
    c, s = np.cos(roll), np.sin(roll)
    linear = np.array([[c, s], [-s, c]]) * (size / side)
    offset = np.array([(size - 1) / 2, (size - 1) / 2]) - linear @ np.asarray(centre, np.float64)
    return np.concatenate([linear, offset[:, None]], axis=1)


def transform(points: Floats, matrix: F64) -> Floats:
    """Points (..., 2) through an affine (2, 3)."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def invert(matrix: F64) -> F64:
    """The inverse of an affine (2, 3)."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, (-linear @ matrix[:, 2])[:, None]], axis=1)


def eye_opening(points: Floats) -> Floats:
    """Opening ratio of the right and the left eye, (..., 98, 2) -> (..., 2): mean lid distance over the eye's width."""

    def one(first: int) -> Floats:
        eye = points[..., first : first + 8, :]
        lids = sum(np.linalg.norm(eye[..., a, :] - eye[..., b, :], axis=-1) for a, b in ((1, 7), (2, 6), (3, 5)))
        result: Floats = lids / np.maximum(3 * np.linalg.norm(eye[..., 0, :] - eye[..., 4, :], axis=-1), 1e-6)
        return result

    return np.stack([one(60), one(68)], axis=-1)


def corner_drop(points: Floats) -> Floats:
    """Height of the patient's right mouth corner below the left one, over the inter-ocular distance, in the eyes' frame."""
    axis = points[..., 72, :] - points[..., 60, :]
    length = np.maximum(np.linalg.norm(axis, axis=-1), 1e-6)
    down = np.stack([-axis[..., 1], axis[..., 0]], axis=-1) / length[..., None]
    result: Floats = ((points[..., 76, :] - points[..., 82, :]) * down).sum(-1) / length
    return result


def nme(predicted: Floats, truth: Floats) -> Floats:
    """Mean point error over the inter-ocular distance, per face."""
    result: Floats = np.linalg.norm(predicted - truth, axis=-1).mean(-1) / inter_ocular(truth)
    return result
