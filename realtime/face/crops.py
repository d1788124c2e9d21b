"""Where a landmark network looks: a square crop around the face, from a detector's box or from points already known.

A crop is a similarity (2, 3) from frame pixels to crop pixels, pixel centres at integers in both; the square's outer edges come to
lie on the crop's outer edges, half a pixel outside its first and last pixel centres.
"""

import math

import numpy as np

from realtime.face.contract import LandmarkContract
from realtime.face.matching import bounds_and_eyes, face_box
from realtime.types import F32, F64

_NOSE_AND_MOUTH = [54, 76, 82]


def crop_from_box(box: F32, five: F32, contract: LandmarkContract, turn: float = 0.0) -> F64:
    """The crop for a face that a detector found.

    Args:
        box: (4,) x1, y1, x2, y2.
        five: (5, 2) the detector's points, which give the face's roll.
        contract: of the landmark network.
        turn: radians added to that roll, clockwise in the picture (only where the contract's crops are upright).

    Returns:
        (2, 3) frame to crop pixels.
    """
    angle = roll_of_five(five) + turn if contract.upright else 0.0
    side = _side(box, contract)
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    shift = contract.box_shift * side
    return square_crop(
        x - np.sin(angle) * shift, y + np.cos(angle) * shift, contract.box_scale * side, angle, contract.size
    )


def crop_from_points(points: F32, contract: LandmarkContract) -> F64:
    """(2, 3) frame to crop for known points (98, 2): the square around their bounds, turned with the face where upright.

    Where the contract takes the shorter side, the square lies on the box that a detector would draw, as it does for a detection.

    Args:
        points: (98, 2) frame pixels.
        contract: of the network.
    """
    if contract.square == "shorter":
        box = face_box(points)
        x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
        return square_crop(x, y, contract.point_scale * _side(box, contract), 0.0, contract.size)
    return _around(points, contract.point_scale, contract.upright, contract.size)


def _side(box: F32, contract: LandmarkContract) -> float:
    """The side of a box (x1, y1, x2, y2) that counts, in pixels."""
    choose = min if contract.square == "shorter" else max
    return choose(float(box[2] - box[0]), float(box[3] - box[1]))


def crop_shift(points: F32, used: F64, contract: LandmarkContract) -> float:
    """How far the crop these points ask for lies from the one they were found in, in crop sides; NaN points: infinitely.

    Args:
        points: (98, 2) frame pixels.
        used: (2, 3) frame to the crop they were found in.
        contract: of the network.
    """
    shift = _shift(crop_from_points(points, contract), used, contract.size)
    return shift if shift == shift else np.inf


def _shift(own: F64, used: F64, size: int) -> float:
    """Distance of the two crops' middles, in sides of `used`; NaN where `own` is no map."""
    (a, b, x), (c, d, y) = own.tolist()
    det = a * d - b * c
    if det == 0:
        return math.nan
    middle = (size - 1) / 2
    u, v = middle - x, middle - y
    u, v = (d * u - b * v) / det, (a * v - c * u) / det
    (a, b, x), (c, d, y) = used.tolist()
    return math.hypot(a * u + b * v + x - middle, c * u + d * v + y - middle) / size


def square_crop(x: float, y: float, side: float, angle: float, size: int) -> F64:
    """The map of a square of the frame to a square crop.

    Args:
        x: its middle, frame pixels.
        y: likewise.
        side: frame pixels.
        angle: by which it is turned, radians, clockwise.
        size: of the crop, pixels.

    Returns:
        (2, 3) frame to crop pixels.
    """
    scale = size / max(side, 1e-3)
    c, s = math.cos(angle) * scale, math.sin(angle) * scale
    middle = (size - 1) / 2
    return np.array(((c, s, middle - c * x - s * y), (-s, c, middle + s * x - c * y)))


def roll_of_five(five: F32) -> float:
    """Tilt in radians, clockwise in the picture, from eyes, nose and mouth corners (5, 2).

    The line between the eyes and the line from eyes to mouth both have a say: a turned head shortens the first only.

    Args:
        five: (5, 2) eyes, nose and mouth corners.
    """
    *eyes, _, right_corner, left_corner = five.tolist()
    return _roll(eyes, right_corner, left_corner)


def five_of(points: F32) -> F32:
    """(5, 2) eye centres, nose tip and mouth corners of (98, 2) points, image left before image right."""
    five = np.empty((5, 2), np.float32)
    five[:2] = points[60:76].reshape(2, 8, 2).mean(axis=1)
    five[2:] = points[_NOSE_AND_MOUTH]
    return five


def _around(points: F32, scale: float, upright: bool, size: int) -> F64:
    box, eyes = bounds_and_eyes(points, 1.0, 0.0)
    angle, c, s = 0.0, 1.0, 0.0
    if upright:
        angle = _roll(eyes.tolist(), points[76].tolist(), points[82].tolist())
        c, s = math.cos(angle), math.sin(angle)
        box, _ = bounds_and_eyes(points, c, s)
    x0, y0, x1, y1 = box.tolist()
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return square_crop(c * x - s * y, s * x + c * y, scale * max(x1 - x0, y1 - y0), angle, size)


def _roll(eyes: list[list[float]], right_corner: list[float], left_corner: list[float]) -> float:
    """See `roll_of_five`."""
    (lx, ly), (rx, ry) = eyes
    dx, dy = (right_corner[0] + left_corner[0] - lx - rx) / 2, (right_corner[1] + left_corner[1] - ly - ry) / 2
    return math.atan2(ry - ly - dx, rx - lx + dy)
