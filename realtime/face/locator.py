"""Landmarks from a place in the picture, with the head's pose, the face's presence and what of it can be seen."""

import math
from dataclasses import dataclass, field

import numpy as np

from realtime.face.appearance import plausibility
from realtime.face.crops import crop_from_box, crop_from_points, crop_shift
from realtime.face.face_model import HEAD_3D
from realtime.face.geometry import scale_of
from realtime.face.landmarks import LandmarkModel, Landmarks
from realtime.face.matching import bounds_and_eyes
from realtime.face.mirror_correction import MirrorCorrection
from realtime.face.pose import Pose, estimate_pose
from realtime.face.visibility import Visibility, VisibilityLimits, visibility
from realtime.types import F32, F64, U8, Detection

SURE = 0.9
"""Presence from which the crop's roll is right: a face in a crop that is turned wrongly reaches 0.8 at most."""
_OTHER_TURNS = (math.pi, math.pi / 2, -math.pi / 2)
_STILL = np.zeros(2, np.float32)


@dataclass(frozen=True, slots=True)
class Located:
    """A face's landmarks.

    Args:
        landmarks: the points, their covariance and the crop.
        pose: of the head; None where it could not be estimated.
        presence: 0..1, the landmark model's own, or a plausibility from geometry where it has none.
        visibility: how clearly the face is seen, and which parts are covered.
    """

    landmarks: Landmarks
    pose: Pose | None
    presence: float
    visibility: Visibility = field(default_factory=Visibility)

    @property
    def confidence(self) -> float:
        """0..1: presence, reduced where the face is small or blurred."""
        return self.presence * self.visibility.clarity


class Locator:
    """Finds the landmarks near known points or in a detector's box. One caller at a time: the model's buffers are reused.

    Args:
        landmarks: the landmark network.
        second_look: a face further than this from its crop's middle (crop sides) is located a second time.
    """

    def __init__(self, landmarks: LandmarkModel, second_look: float) -> None:
        self._landmarks = landmarks
        self._second_look = second_look

    @property
    def limits(self) -> VisibilityLimits:
        """The landmark network's limits: when a part counts as covered, or too small."""
        return self._landmarks.contract.visibility

    def from_points(
        self,
        image: U8,
        points: F32,
        pose: Pose | None,
        correction: MirrorCorrection | None = None,
        *,
        mouth_covered: bool = False,
    ) -> Located:
        """The face near known points.

        Args:
            image: (H, W, 3) BGR.
            points: (98, 2) where the face is expected.
            pose: where the search for the new pose starts.
            correction: of the face that is followed; None: nobody's is.
            mouth_covered: it counted as covered on the frame before, see `visibility`.
        """
        contract = self._landmarks.contract
        found = self._landmarks.locate(image, crop_from_points(points, contract), correction)
        if crop_shift(found.points, found.crop, contract) > self._second_look:
            found = self._landmarks.locate(image, crop_from_points(found.points, contract), correction)
        return self._assess(image, found, pose, mouth_covered=mouth_covered)

    def from_box(self, image: U8, face: Detection, shift: F32 = _STILL) -> Located:
        """The face in a detector's box, taken to be rolled as the detector's five points say.

        Args:
            image: (H, W, 3) BGR.
            face: a detection.
            shift: (2,) pixels by which the box has moved since.
        """
        return self._in_turned_box(image, face, shift, 0.0)

    def at_any_roll(self, image: U8, face: Detection, shift: F32 = _STILL, first: Located | None = None) -> Located:
        """The face in a detector's box, however it is rolled.

        A detector that was taught upright faces places its five points as on an upright face also where the face is upside
        down. The landmark network's presence tells: with the wrong roll it stays low.

        Args:
            image: (H, W, 3) BGR.
            face: a detection.
            shift: (2,) pixels by which the box has moved since.
            first: what `from_box` gave, if it was asked already and its crop's buffer was not used since.

        Returns:
            What the surest of four rolls gave.
        """
        best = self.from_box(image, face, shift) if first is None else first
        contract = self._landmarks.contract
        if best.presence >= SURE or not contract.upright or contract.presence == "none":
            return best
        newest = best
        for turn in _OTHER_TURNS:
            newest = self._in_turned_box(image, face, shift, turn)
            if newest.presence > best.presence:
                best = newest
            if best.presence >= SURE:
                break
        if best is not newest:  # its patch was overwritten
            best = self._assess(image, self._landmarks.locate(image, best.landmarks.crop), best.pose)
        return best

    def _in_turned_box(self, image: U8, face: Detection, shift: F32, turn: float) -> Located:
        """From a crop around the box, turned by so many radians."""
        return self.in_crop(
            image, crop_from_box(face.box + np.tile(shift, 2), face.points, self._landmarks.contract, turn)
        )

    def in_crop(self, image: U8, crop: F64) -> Located:
        """The face inside a crop: seen once, then once more from the crop of the points found there.

        Args:
            image: (H, W, 3) BGR.
            crop: (2, 3) frame to crop pixels.
        """
        first = self._landmarks.locate(image, crop, rough=True)
        second = self._landmarks.locate(image, crop_from_points(first.points, self._landmarks.contract))
        return self._assess(image, second, None)

    def _assess(self, image: U8, found: Landmarks, start: Pose | None, *, mouth_covered: bool = False) -> Located:
        """Pose, presence and visibility of these landmarks."""
        pose = estimate_pose(found.points, start, HEAD_3D)
        # Points that have a pose are numbers.
        if (pose is None and not np.isfinite(found.points).all()) or not math.isfinite(found.presence or 0.0):
            return Located(found, None, 0.0)
        contract = self._landmarks.contract
        presence = found.presence
        if presence is None:
            ratio = scale_of(crop_from_points(found.points, contract)) / scale_of(found.crop)
            presence = plausibility(pose, crop_shift(found.points, found.crop, contract), ratio)
        seen = visibility(
            contract.visibility,
            found.patch,
            found.points,
            found.covariance,
            pose,
            presence,
            mouth_covered=mouth_covered,
            picture=(image.shape[0], image.shape[1]),
        )
        return Located(found, pose, presence, seen)


def share_inside(points: F32, height: int, width: int) -> float:
    """Share of a face's points that lie inside a picture of this size, 0..1.

    Args:
        points: (98, 2) pixels.
        height: of the picture, pixels.
        width: likewise.
    """
    x0, y0, x1, y1 = bounds_and_eyes(points, 1.0, 0.0)[0].tolist()
    if x0 >= 0 and y0 >= 0 and x1 < width and y1 < height:
        return 1.0
    inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    return int(np.count_nonzero(inside)) / len(points)
