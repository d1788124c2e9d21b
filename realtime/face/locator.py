"""Landmarks from a place in the picture, with the head's pose and how surely they are a face."""

from dataclasses import dataclass

import numpy as np

from realtime.face.appearance import plausibility
from realtime.face.crops import crop_from_box, crop_from_points, crop_shift
from realtime.face.face_model import HEAD_3D
from realtime.face.geometry import F32, scale_of
from realtime.face.landmarks import LandmarkModel, Landmarks
from realtime.face.pose import Pose, estimate_pose
from realtime.types import U8, Detection


@dataclass(frozen=True, slots=True)
class Located:
    """presence: 0..1, the landmark model's own, or a plausibility from geometry where it has none."""

    landmarks: Landmarks
    pose: Pose | None
    presence: float


class Locator:
    """One caller at a time: the landmark model's buffers are used again.

    second_look: a face this far from its crop's middle (crop sides) is looked at once more.
    """

    def __init__(self, landmarks: LandmarkModel, second_look: float) -> None:
        self._landmarks = landmarks
        self._second_look = second_look

    def from_points(self, image: U8, points: F32, pose: Pose | None) -> Located:
        """The face near these (98, 2) points. pose: where the search for the new one starts."""
        contract = self._landmarks.contract
        found = self._landmarks.locate(image, crop_from_points(points, contract))
        if crop_shift(found.points, found.crop, contract) > self._second_look:
            found = self._landmarks.locate(image, crop_from_points(found.points, contract))
        return self._judged(found, pose)

    def from_box(self, image: U8, face: Detection, shift: F32) -> Located:
        """The face in a detector's box moved by shift (2,): first from the box, then once more from its own points' crop."""
        contract = self._landmarks.contract
        first = self._landmarks.locate(image, crop_from_box(face.box + np.tile(shift, 2), face.points, contract))
        return self._judged(self._landmarks.locate(image, crop_from_points(first.points, contract)), None)

    def _judged(self, found: Landmarks, start: Pose | None) -> Located:
        pose = estimate_pose(found.points, start, HEAD_3D)
        if not np.isfinite(found.points).all():
            return Located(found, None, 0.0)
        if found.presence is not None:
            return Located(found, pose, found.presence)
        contract = self._landmarks.contract
        ratio = scale_of(crop_from_points(found.points, contract)) / scale_of(found.crop)
        return Located(found, pose, plausibility(pose, crop_shift(found.points, found.crop, contract), ratio))


def share_inside(points: F32, height: int, width: int) -> float:
    """Share of the (N, 2) points that lie inside a picture of this size, 0..1."""
    inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    return float(inside.mean())
