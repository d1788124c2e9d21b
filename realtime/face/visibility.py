"""How much of a face a picture shows: detail of the crop, size, and parts that something covers.

A landmark network answers for a mouth under a mask as for an open one. What gives a covered part away is that its points
spread more while the network is less sure of the face as a whole; what gives a tiny or blurred face away is that its crop
holds no fine detail. Thresholds belong to the network and come from its manifest entry.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.face import wflw
from realtime.face.face_model import HEAD_3D
from realtime.face.matching import bounds_and_eyes
from realtime.face.pose import Pose
from realtime.types import F32, FacePart, Sides

_MOUTH = tuple(range(76, 96))
_PARTS: dict[FacePart, tuple[tuple[int, ...], str]] = {
    "left brow": (tuple(range(42, 51)), "brow"),
    "right brow": (tuple(range(33, 42)), "brow"),
    "left eye": (tuple(wflw.LEFT_EYE), "eye"),
    "right eye": (tuple(wflw.RIGHT_EYE), "eye"),
    "mouth": (_MOUTH, "mouth"),
}
ALL_PARTS: tuple[FacePart, ...] = tuple(_PARTS)
_IOD = float(np.hypot(*(HEAD_3D[72, :2] - HEAD_3D[60, :2])))
# crops with less contrast than this (in units of the network's input) are judged as if they had it
_LEAST_CONTRAST = 0.05
# share of full detail, and of full size, below which nothing of a face is measured
_TOO_LITTLE = 0.5
# from a pixel's centre to its edge
_EDGE = 0.5
# share of a part's points outside the picture from which it is not measured
_CUT_OFF = 0.25
MOUTH_HALVES = Sides((80, 81, 82, 83, 84, 91, 92, 93), (76, 77, 78, 86, 87, 88, 89, 95))
"""The numbers of the points of the mouth's left and right half, corner and lips; those in the middle belong to neither."""
UNEVEN = 1.1
"""By how much less sure than the other one a half of the mouth must be to count as covered by itself. One in eight half smiles of real
people reaches that, so it says something only together with a presence below `half_presence`: that of all of them was above 0.9995."""
FAST_TURN, BLURRED_EYE = 100.0, 3.0
"""Degrees a second, up or sideways, from which eyes of less than this many times `least_eye` pixels are blurred."""
NOISE_OF_TURN = 4.0
"""Degrees from one frame to the next that the noise of a small face's pose reaches."""
STILL_COVERED = 0.88
"""Share of `half_mouth` below which both halves of a covered mouth must come to be seen again."""
SURELY_COVERED = 0.1
"""Presence this far below the limit: something is covered for certain, if only the part that is least sure."""


@dataclass(frozen=True, slots=True)
class VisibilityLimits:
    """What a landmark network's own figures mean. Zero: not judged.

    Args:
        full_detail: detail of the crop (see `detail_of`) from which a face is as sharp as the network can use.
        full_size: pixels between the outer eye corners from which a face is as large as it can use. A face of less than
            half of that is too small to measure anything on it.
        presence: from this presence on no part counts as covered.
        mouth: standard deviation of the mouth's points, in inter-ocular distances, above which the mouth is covered.
        eye: the same for an eye.
        brow: the same for a brow.
        half_mouth: the same for one half of the mouth that is less sure than the other one (`UNEVEN`): fingers with lips between them.
        half_presence: from this presence on no half of the mouth counts as covered.
        seen_presence: from this presence on a mouth that was covered is seen again.
        least_eye: pixels of the picture between an eye's corners under which its lids are not measured.
    """

    full_detail: float = 0.0
    full_size: float = 0.0
    presence: float = 0.95
    mouth: float = 0.0
    eye: float = 0.0
    brow: float = 0.0
    half_mouth: float = 0.0
    half_presence: float = 0.995
    seen_presence: float = 0.999
    least_eye: float = 0.0

    @property
    def tell_every_part(self) -> bool:
        """Whether there is a limit for each kind of part; without one nothing is known of what covers it."""
        return min(self.mouth, self.eye, self.brow) > 0


@dataclass(frozen=True, slots=True)
class Visibility:
    """What can be seen of a face.

    Args:
        clarity: 0..1, the share of the detail and size that the network can use.
        hidden: parts on which nothing should be measured.
        mouth_covered: something was found in front of the mouth on this very frame; it may count as covered for longer.
        known: every part was judged, so that those that are not hidden are seen.
    """

    clarity: float = 1.0
    hidden: tuple[FacePart, ...] = ()
    mouth_covered: bool = False
    known: bool = False


def visibility(
    limits: VisibilityLimits,
    patch: F32,
    points: F32,
    covariance: F32 | None,
    pose: Pose | None,
    presence: float,
    *,
    mouth_covered: bool = False,
    picture: tuple[int, int] | None = None,
) -> Visibility:
    """Judge one face.

    Args:
        limits: of the network.
        patch: (3, S, S) float32, its input.
        points: (98, 2) frame pixels.
        covariance: (98, 2, 2) pixels squared; None: no part can be judged.
        pose: of the points.
        presence: the network's, 0..1.
        mouth_covered: the same face's mouth counted as covered on the frame before: it stays so until it is plainly seen.
        picture: height and width of the picture that the points lie in; None: they all do.
    """
    clarity = 1.0
    distance = eye_distance(points, pose)
    if limits.full_detail > 0:
        clarity = min(clarity, detail_of(patch) / limits.full_detail)
    if limits.full_size > 0:
        clarity = min(clarity, distance / limits.full_size)
    if clarity < _TOO_LITTLE:
        return Visibility(clarity, ALL_PARTS, known=True)
    hidden = _small_eyes(points, limits.least_eye)
    if picture is not None:
        hidden |= outside(points, *picture)
    found, known = False, False
    if covariance is not None and distance > 0:
        hidden |= _covered(limits, covariance, distance, presence)
        found, known = "mouth" in hidden, limits.tell_every_part
        if mouth_covered and _unsure(limits, covariance, distance, presence):
            hidden.add("mouth")
    return Visibility(clarity, tuple(part for part in ALL_PARTS if part in hidden), found, known)


def outside(points: F32, height: int, width: int) -> set[FacePart]:
    """Parts that the picture's edge cuts off, as far as the network's guess of where they would be goes.

    Args:
        points: (98, 2) frame pixels.
        height: of the picture, pixels.
        width: likewise.
    """
    x0, y0, x1, y1 = bounds_and_eyes(points, 1.0, 0.0)[0].tolist()
    if x0 >= -_EDGE and y0 >= -_EDGE and x1 <= width - _EDGE and y1 <= height - _EDGE:
        return set()
    x, y = points.T
    beyond = (x < -_EDGE) | (y < -_EDGE) | (x > width - _EDGE) | (y > height - _EDGE)
    return {
        part
        for part, (indices, _) in _PARTS.items()
        if np.count_nonzero(beyond[list(indices)]) > _CUT_OFF * len(indices)
    }


def _small_eyes(points: F32, least: float) -> set[FacePart]:
    """Eyes of so few pixels that a lid's way is less than the error of its points: on small faces, and the far eye of a turned head."""
    eyes: tuple[tuple[FacePart, int, int], ...] = (("left eye", 68, 72), ("right eye", 60, 64))
    return {part for part, inner, outer in eyes if math.dist(points[inner], points[outer]) < least}


def hidden_in_a_turn(
    limits: VisibilityLimits, points: F32, before: Pose | None, after: Pose | None, seconds: float
) -> set[FacePart]:
    """Eyes of few pixels on a head that turns fast: motion blurs an open eye to the dark bar of a shut one.

    Args:
        limits: of the network.
        points: (98, 2) frame pixels.
        before: the head's pose on the frame before; None: not known.
        after: likewise now.
        seconds: between both.
    """
    if limits.least_eye <= 0 or before is None or after is None or seconds <= 0:
        return set()
    turned = max(abs(now - then) for now, then in zip(after.angles[:2], before.angles[:2], strict=True))
    fast = turned > max(FAST_TURN * seconds, NOISE_OF_TURN)
    return _small_eyes(points, BLURRED_EYE * limits.least_eye) if fast else set()


def _covered(limits: VisibilityLimits, covariance: F32, distance: float, presence: float) -> set[FacePart]:
    """Parts with something in front of them."""
    hidden: set[FacePart] = set()
    if presence < limits.presence:
        found = spreads(covariance, distance)
        excess = {part: found[part] / limit for part in found if (limit := getattr(limits, kind_of(part))) > 0}
        hidden = {part for part, share in excess.items() if share > 1}
        if excess and presence < limits.presence - SURELY_COVERED:
            hidden.add(max(excess, key=lambda part: excess[part]))
    if limits.half_mouth > 0 and presence < limits.half_presence:
        surer, other = sorted(mouth_halves(covariance, distance))
        if other > limits.half_mouth and other > UNEVEN * surer:
            hidden.add("mouth")
    return hidden


def spreads(covariance: F32, distance: float) -> dict[FacePart, float]:
    """Mean standard deviation of each part's points, in inter-ocular distances.

    Args:
        covariance: (98, 2, 2) pixels squared.
        distance: of the outer eye corners, see `eye_distance`.
    """
    deviations = _deviations(covariance)
    return {part: float(deviations[list(indices)].mean()) / distance for part, (indices, _) in _PARTS.items()}


def _deviations(covariance: F32) -> F32:
    """(98,) standard deviation of each point, pixels: the root mean square of both axes'."""
    result: F32 = np.sqrt((covariance[:, 0, 0] + covariance[:, 1, 1]) / 2)
    return result


def _unsure(limits: VisibilityLimits, covariance: F32, distance: float, presence: float) -> bool:
    """Whether a mouth that was covered is not plainly seen yet. A hand that stays still grows familiar to the network."""
    low = limits.half_mouth > 0 and presence < limits.seen_presence
    return low and max(mouth_halves(covariance, distance)) > STILL_COVERED * limits.half_mouth


def mouth_halves(covariance: F32, distance: float) -> Sides[float]:
    """Mean standard deviation of the points of the mouth's left and right half, in inter-ocular distances.

    Args:
        covariance: (98, 2, 2) pixels squared.
        distance: of the outer eye corners, see `eye_distance`.
    """
    deviations = _deviations(covariance)
    left, right = (float(deviations[list(half)].mean()) / distance for half in MOUTH_HALVES)
    return Sides(left, right)


def kind_of(part: FacePart) -> str:
    """The field of `VisibilityLimits` that holds a part's limit: mouth, eye or brow."""
    return _PARTS[part][1]


def points_of(part: FacePart) -> tuple[int, ...]:
    """The numbers of a part's points."""
    return _PARTS[part][0]


def eye_distance(points: F32, pose: Pose | None) -> float:
    """Pixels between the outer eye corners, as if the head were not turned; without a pose as they are.

    Args:
        points: (98, 2) frame pixels.
        pose: of the points.
    """
    return wflw.interocular(points) if pose is None else pose.scale * _IOD


def detail_of(patch: F32) -> float:
    """Fine detail of a (3, S, S) crop: mean absolute Laplacian of its green channel, in standard deviations of it.

    Independent of brightness and contrast. It falls alike with blur and with a face of few pixels, which its crop enlarges.

    Args:
        patch: (3, S, S) float32 as the landmark network saw it.
    """
    green = patch[1]
    inner: F32 = green[1:-1, 1:-1]
    edges = cv2.Laplacian(green, cv2.CV_32F, ksize=1)[1:-1, 1:-1]
    deviation = float(cv2.meanStdDev(inner)[1].item())
    return cv2.norm(edges, cv2.NORM_L1) / inner.size / max(deviation, _LEAST_CONTRAST)
