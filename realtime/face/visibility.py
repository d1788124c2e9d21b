"""How much of a face a picture shows: detail of the crop, size, and parts that something covers.

A landmark network answers for a mouth under a mask as for an open one. What gives a covered part away is that its points
spread more while the network is less sure of the face as a whole; what gives a tiny or blurred face away is that its crop
holds no fine detail. Thresholds belong to the network and come from its manifest entry.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.face import wflw
from realtime.face.face_model import HEAD_3D
from realtime.face.pose import Pose
from realtime.types import F32, FacePart

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
    """

    full_detail: float = 0.0
    full_size: float = 0.0
    presence: float = 0.95
    mouth: float = 0.0
    eye: float = 0.0
    brow: float = 0.0


@dataclass(frozen=True, slots=True)
class Visibility:
    """What can be seen of a face.

    Args:
        clarity: 0..1, the share of the detail and size that the network can use.
        hidden: parts on which nothing should be measured.
    """

    clarity: float = 1.0
    hidden: tuple[FacePart, ...] = ()


def visibility(
    limits: VisibilityLimits, patch: F32, points: F32, covariance: F32 | None, pose: Pose | None, presence: float
) -> Visibility:
    """Judge one face.

    Args:
        limits: of the network.
        patch: (3, S, S) float32, its input.
        points: (98, 2) frame pixels.
        covariance: (98, 2, 2) pixels squared; None: no part can be judged.
        pose: of the points.
        presence: the network's, 0..1.
    """
    clarity = 1.0
    distance = eye_distance(points, pose)
    if limits.full_detail > 0:
        clarity = min(clarity, detail_of(patch) / limits.full_detail)
    if limits.full_size > 0:
        clarity = min(clarity, distance / limits.full_size)
    if clarity < _TOO_LITTLE:
        return Visibility(clarity, ALL_PARTS)
    if covariance is None or presence >= limits.presence or distance <= 0:
        return Visibility(clarity)
    excess: dict[FacePart, float] = {}
    for part, spread in spreads(covariance, distance).items():
        limit = getattr(limits, kind_of(part))
        if limit > 0:
            excess[part] = spread / limit
    hidden = {part for part, share in excess.items() if share > 1}
    if excess and presence < limits.presence - SURELY_COVERED:
        hidden.add(max(excess, key=lambda part: excess[part]))
    return Visibility(clarity, tuple(part for part in ALL_PARTS if part in hidden))


def spreads(covariance: F32, distance: float) -> dict[FacePart, float]:
    """Mean standard deviation of each part's points, in inter-ocular distances.

    Args:
        covariance: (98, 2, 2) pixels squared.
        distance: of the outer eye corners, see `eye_distance`.
    """
    deviations = np.sqrt((covariance[:, 0, 0] + covariance[:, 1, 1]) / 2)
    return {part: float(deviations[list(indices)].mean()) / distance for part, (indices, _) in _PARTS.items()}


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
    inner = np.ascontiguousarray(green[1:-1, 1:-1])
    edges = cv2.Laplacian(green, cv2.CV_32F, ksize=1)[1:-1, 1:-1]
    deviation = float(cv2.meanStdDev(inner)[1].item())
    return cv2.norm(edges, cv2.NORM_L1) / inner.size / max(deviation, _LEAST_CONTRAST)
