"""Which detection is the tracked face?"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime.face.geometry import iou
from realtime.jit import njit
from realtime.types import F32, F64, Detection, FaceObservation, Region

# RetinaFace's box reaches above the brows by this share of the height of the points' bounds
_FOREHEAD = 0.25
_MOUTH = [76, 82]
# cosine of the roll (55 degrees) beyond which the detector's five points are not to be believed
_TAUGHT_COSINE = 0.57


def face_box(points: F32) -> F32:
    """(4,) the box a detector would draw around the face with these (98, 2) points: their bounds and the forehead."""
    bounds, eyes = bounds_and_eyes(points, 1.0, 0.0)
    box = np.asarray(bounds, np.float32)
    if is_upright(eyes):
        box[1] -= _FOREHEAD * (box[3] - box[1])
        return box
    up = eyes.mean(axis=0) - points[_MOUTH].mean(axis=0)
    reach = _FOREHEAD * (box[2:] - box[:2]) * up / max(float(np.hypot(*up)), 1e-6)
    box[:2] += np.minimum(reach, 0)
    box[2:] += np.maximum(reach, 0)
    return box


def is_upright(eyes: F32) -> bool:
    """Whether a face is rolled less than a detector was taught.

    Args:
        eyes: (2, 2) eye centres, the patient's right first.
    """
    (left, top), (right, bottom) = eyes.tolist()
    return bool(right - left > _TAUGHT_COSINE * math.hypot(right - left, bottom - top))


def eye_centres(points: F32) -> F32:
    """The middles of the lids of both eyes.

    Args:
        points: (98, 2).

    Returns:
        (2, 2) image left and right eye.
    """
    return bounds_and_eyes(points, 1.0, 0.0)[1]


@njit(nogil=True)
def bounds_and_eyes(points: F32, cosine: float, sine: float) -> tuple[F64, F32]:
    """The box around points that are turned first, and the centres of the eyes that are not.

    One kernel, as each step of a frame that goes through NumPy costs more than all of this.

    Args:
        points: (98, 2).
        cosine: of the angle by which they are turned back, clockwise in the picture.
        sine: likewise.

    Returns:
        (4,) x1, y1, x2, y2 along the turned axes, NaN where the points are no numbers, and (2, 2) eyes, the patient's right first.
    """
    box, eyes = np.empty(4), np.empty((2, 2), np.float32)
    eyes[0, 0] = eyes[0, 1] = eyes[1, 0] = eyes[1, 1] = 0.0
    box[0] = box[1] = np.inf
    box[2] = box[3] = -np.inf
    total = 0.0
    for i in range(points.shape[0]):
        x = cosine * points[i, 0] + sine * points[i, 1]
        y = cosine * points[i, 1] - sine * points[i, 0]
        box[0], box[1], box[2], box[3] = min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)
        total += x + y
    if not np.isfinite(total):
        for k in range(4):
            box[k] = np.nan
    for i in range(60, 76):
        eye = (i - 60) // 8
        eyes[eye, 0] += points[i, 0]
        eyes[eye, 1] += points[i, 1]
    for k in range(2):
        eyes[0, k] /= np.float32(8)
        eyes[1, k] /= np.float32(8)
    return box, eyes


def middle(box: F32) -> F32:
    """(2,) the middle of a box."""
    return np.asarray((box[:2] + box[2:]) / 2, np.float32)


def eye_drift(face: Detection, eyes: F32) -> float:
    """Mean distance between the detector's eyes and these, in distances between the detector's eyes.

    Args:
        face: of the detector.
        eyes: (2, 2), image left first.
    """
    between = float(np.hypot(*(face.points[1] - face.points[0])))
    size = max(between, 0.2 * float(face.box[2] - face.box[0]), 1e-3)
    return float(np.hypot(*(face.points[:2] - eyes).T).mean()) / size


def best_match(faces: Sequence[Detection], box: F32, overlap: float) -> Detection | None:
    """The detection that overlaps the tracked box most, at least by `overlap` (IoU).

    Args:
        faces: to choose from.
        box: (4,) of the tracked face.
        overlap: least IoU.
    """
    best = max(faces, key=lambda face: iou(face.box, box), default=None)
    return best if best is not None and iou(best.box, box) >= overlap else None


def choose(faces: Sequence[Detection], lost: F32 | None) -> Detection | None:
    """The face to follow: the one nearest to the lost one in place and size, else the largest sure one.

    Args:
        faces: to choose from.
        lost: (4,) box of the face that was lost, or None.
    """
    if lost is None:
        return max(faces, key=lambda face: face.score * np.sqrt(max(_area(face.box), 0.0)), default=None)
    return max(faces, key=lambda face: face.score * (0.1 + nearness(face.box, lost)), default=None)


def next_to_the_right(others: Sequence[Detection], box: F32) -> Detection | None:
    """The face whose middle lies next to the right of this box's, from the rightmost the leftmost; None without others.

    Args:
        others: to choose from.
        box: (4,).
    """
    here = float(box[0] + box[2])
    rightwards = [face for face in others if float(face.box[0] + face.box[2]) > here]
    return min(rightwards or others, key=lambda face: float(face.box[0] + face.box[2]), default=None)


def nearness(box: F32, other: F32) -> float:
    """1 for the same place and size, falling to 0 within about two face sizes or a factor of three in size.

    Args:
        box: (4,).
        other: likewise.
    """
    size, other_size = np.sqrt(max(_area(box), 1.0)), np.sqrt(max(_area(other), 1.0))
    shift = np.hypot(*((box[:2] + box[2:]) - (other[:2] + other[2:]))) / 2 / other_size
    return float(np.exp(-(shift**2) - np.log(size / other_size) ** 2))


def searched_region_covers(region: Region | None, box: F32) -> bool:
    """Was the middle of this box, with most of the face around it, in the region that was searched?

    Args:
        region: x0, y0, x1, y1; None: the whole picture.
        box: (4,).
    """
    if region is None:
        return True
    x0, y0 = max(float(box[0]), region[0]), max(float(box[1]), region[1])
    x1, y1 = min(float(box[2]), region[2]), min(float(box[3]), region[3])
    return max(0.0, x1 - x0) * max(0.0, y1 - y0) >= 0.8 * _area(box)


def confirmed(observation: FaceObservation) -> FaceObservation:
    """The same observation, with a detector's agreement in it."""
    return replace(observation, detected=True)


def _area(box: F32) -> float:
    return float(box[2] - box[0]) * float(box[3] - box[1])
