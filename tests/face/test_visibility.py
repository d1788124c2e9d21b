"""Confidence falls with size, blur and what covers a face; what cannot be seen is named."""

import math
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
import pytest

from realtime.action_units.covered import without_hidden
from realtime.face.contract import LandmarkContract
from realtime.face.face_model import FACE_2D
from realtime.face.follower import FaceFollower
from realtime.face.landmarks import LandmarkModel, Landmarks
from realtime.face.locator import Locator
from realtime.face.pose import Pose
from realtime.face.settings import FaceSettings
from realtime.face.track import Track
from realtime.face.visibility import (
    ALL_PARTS,
    MOUTH_HALVES,
    VisibilityLimits,
    detail_of,
    hidden_in_a_turn,
    outside,
    visibility,
)
from realtime.types import F32, F64, U8, FacePart, Frame, Sides

LIMITS = VisibilityLimits(full_detail=0.08, full_size=28.0, mouth=0.026, eye=0.0285, brow=0.0262)
SHARP = np.random.default_rng(0).uniform(-1, 1, (3, 112, 112)).astype(np.float32)
MOUTH, LEFT_EYE, RIGHT_EYE, LEFT_BROW = range(76, 96), range(68, 76), range(60, 68), range(42, 51)


def points(distance: float = 100.0) -> F32:
    """(98, 2) with the outer eye corners this far apart."""
    return (FACE_2D * (distance / np.hypot(*(FACE_2D[72] - FACE_2D[60]))) + 300).astype(np.float32)


def spread(distance: float = 100.0, **deviations: float) -> F32:
    """(98, 2, 2) with 0.02 inter-ocular distances everywhere but on the parts named."""
    sigma = np.full(98, 0.02)
    for part, value in deviations.items():
        sigma[list({"mouth": MOUTH, "left_eye": LEFT_EYE, "right_eye": RIGHT_EYE, "left_brow": LEFT_BROW}[part])] = (
            value
        )
    return ((sigma * distance) ** 2)[:, None, None].astype(np.float32) * np.eye(2, dtype=np.float32)


def test_a_clear_face_hides_nothing() -> None:
    seen = visibility(LIMITS, SHARP, points(), spread(), None, 1.0)
    assert seen.clarity == 1
    assert seen.hidden == ()


def test_confidence_falls_with_size_until_nothing_is_measured() -> None:
    found = [visibility(LIMITS, SHARP, points(size), spread(size), None, 1.0) for size in (28.0, 21.0, 13.5)]
    assert [round(seen.clarity, 2) for seen in found] == [1.0, 0.75, 0.48]
    assert [seen.hidden for seen in found] == [(), (), ALL_PARTS]


def test_confidence_falls_with_blur_until_nothing_is_measured() -> None:
    """Of a photograph-like crop; brightness and contrast do not count."""
    rng = np.random.default_rng(1)
    base = sum(
        cv2.resize(rng.normal(0, 1, (n, n)).astype(np.float32), (112, 112), interpolation=cv2.INTER_CUBIC) / n
        for n in (8, 16, 32, 64)
    )
    crops = [
        np.stack([cv2.GaussianBlur(base, (0, 0), blur) if blur else base] * 3).astype(np.float32)
        for blur in (0, 1, 2, 4, 8)
    ]
    details = [detail_of(crop) for crop in crops]
    assert details == sorted(details, reverse=True)
    assert detail_of(crops[1] * 0.5 + 0.3) == pytest.approx(details[1], rel=1e-3)
    assert visibility(LIMITS, crops[0], points(), spread(), None, 1.0).hidden == ()
    assert visibility(LIMITS, crops[-1], points(), spread(), None, 1.0).hidden == ALL_PARTS


@pytest.mark.parametrize(
    ("part", "name"),
    [("mouth", "mouth"), ("left_eye", "left eye"), ("right_eye", "right eye"), ("left_brow", "left brow")],
)
def test_a_covered_part_is_named(part: str, name: str) -> None:
    seen = visibility(LIMITS, SHARP, points(), spread(**{part: 0.03}), None, 0.9)
    assert seen.hidden == (name,)


def test_points_spread_on_a_turned_face_and_that_covers_nothing() -> None:
    """Presence stays high then."""
    assert visibility(LIMITS, SHARP, points(), spread(mouth=0.05, left_eye=0.05), None, 0.99).hidden == ()


def test_a_low_presence_hides_at_least_the_part_that_is_least_sure() -> None:
    assert visibility(LIMITS, SHARP, points(), spread(mouth=0.024), None, 0.6).hidden == ("mouth",)


HALVES = VisibilityLimits(presence=0.95, mouth=0.026, half_mouth=0.026, half_presence=0.995, seen_presence=0.999)


def uneven(right: float, left: float) -> F32:
    """Covariances of a mouth whose halves spread so far; the rest lies at 0.02."""
    sigma = np.full(98, 0.02)
    sigma[list(MOUTH)] = (right + left) / 2
    sigma[list(MOUTH_HALVES.left)], sigma[list(MOUTH_HALVES.right)] = left, right
    return ((sigma * 100) ** 2)[:, None, None].astype(np.float32) * np.eye(2, dtype=np.float32)


@pytest.mark.parametrize(("right", "left"), [(0.028, 0.021), (0.021, 0.028)])
def test_fingers_on_one_half_of_the_mouth_hide_it_though_lips_show_between_them(right: float, left: float) -> None:
    """The mouth as a whole stays below its limit, and the presence above the one of the other parts."""
    seen = visibility(HALVES, SHARP, points(), uneven(right, left), None, 0.98)
    assert seen.hidden == ("mouth",)


@pytest.mark.parametrize(
    ("right", "left", "presence"),
    [
        (0.028, 0.027, 0.98),  # both halves alike: a mouth that is hard to read
        (0.024, 0.02, 0.98),  # surer than the limit on either half
        (0.028, 0.021, 0.9995),  # half a smile of a face that is surely seen
    ],
)
def test_a_mouth_that_moves_on_one_side_is_measured(right: float, left: float, presence: float) -> None:
    assert visibility(HALVES, SHARP, points(), uneven(right, left), None, presence).hidden == ()


def test_a_covered_mouth_stays_covered_until_it_is_plainly_seen() -> None:
    """A hand that does not move: the network is surer of it from frame to frame, and no sooner is the mouth measured."""
    covered, shown, found = False, [], []
    for right, left, presence in (
        (0.022, 0.021, 0.99),  # nothing there yet
        (0.028, 0.021, 0.98),  # fingers come
        (0.0245, 0.0235, 0.997),  # and stay: no longer uneven enough to be found by themselves
        (0.0245, 0.0235, 0.9995),  # plainly seen
        (0.0245, 0.0235, 0.997),  # nothing was found before: not covered
    ):
        seen = visibility(HALVES, SHARP, points(), uneven(right, left), None, presence, mouth_covered=covered)
        covered = "mouth" in seen.hidden
        shown.append(covered)
        found.append(seen.mouth_covered)
    assert shown == [False, True, True, False, False]
    assert found == [False, True, False, False, False]


def test_a_mouth_too_small_to_be_seen_is_not_taken_for_covered_afterwards() -> None:
    limits = VisibilityLimits(full_size=28.0, mouth=0.026, half_mouth=0.025)
    assert not visibility(limits, SHARP, points(13.0), spread(13.0), None, 1.0).mouth_covered


FINGERS, UNSURE, FAINT = (0.028, 0.021, 0.98), (0.0245, 0.0235, 0.997), (0.0, 0.0, 1.0)
"""Spread of the mouth's right and left half, and presence; the last stands for a crop without any detail."""


class FollowedMouth:
    """A follower whose network says of the mouth what it is told; the face itself stays where it is."""

    contract = LandmarkContract(size=112, visibility=replace(HALVES, full_detail=0.08))

    def __init__(self) -> None:
        self.locator = Locator(cast("LandmarkModel", self), 10.0)
        self.follower = FaceFollower(self.locator, FaceSettings())
        self.track = Track(1, points(), points(), np.zeros(4, np.float32), None, 0.0)
        self._said = FINGERS

    def locate(self, image: U8, crop: F64, correction: object = None, *, rough: bool = False) -> Landmarks:
        right, left, presence = self._said
        patch = SHARP * np.float32(self._said != FAINT)
        return Landmarks(points(), uneven(right, left), presence, crop, patch)

    def hidden(self, time: float, said: tuple[float, float, float], *, detected: bool = False) -> bool:
        """Whether the mouth counts as covered on this frame. detected: a detector says where the face is."""
        self._said = said
        frame = Frame(np.zeros((480, 640, 3), np.uint8), round(1000 * time), time)
        if detected:
            found = self.locator.from_points(frame.image, points(), None)
            return "mouth" in self.follower.start(frame, self.track, found, np.zeros(256, np.float32)).hidden
        return "mouth" in self.follower.take(frame, self.track, self.follower.look(frame, self.track)).hidden


def test_a_follower_holds_a_cover_for_some_seconds_only() -> None:
    """What is unsure for ever, a beard perhaps, is measured again."""
    mouth = FollowedMouth()
    seen = [(0.0, UNSURE), (1.0, FINGERS), (2.0, UNSURE), (5.5, UNSURE), (6.5, UNSURE), (7.0, UNSURE)]
    assert [mouth.hidden(*one) for one in seen] == [False, True, True, True, False, False]


@pytest.mark.parametrize("rate", [15, 60])
def test_a_cover_is_held_as_long_at_any_frame_rate(rate: int) -> None:
    mouth = FollowedMouth()
    assert mouth.hidden(0.0, FINGERS)
    held = [mouth.hidden(number / rate, UNSURE) for number in range(1, 6 * rate)]
    assert sum(held) == 5 * rate - 1
    assert held == sorted(held, reverse=True)


def test_a_cover_is_not_held_for_a_face_that_was_lost() -> None:
    mouth = FollowedMouth()
    assert mouth.hidden(1.0, FINGERS)
    mouth.follower.lose()
    assert not mouth.hidden(1.1, UNSURE)


def test_a_cover_is_not_held_for_a_face_that_a_detector_found() -> None:
    """Also where the first picture of that face is too faint to tell what is in front of it."""
    mouth = FollowedMouth()
    assert mouth.hidden(1.0, FINGERS)
    assert mouth.hidden(1.1, FAINT, detected=True)
    assert not mouth.hidden(1.2, UNSURE)


def test_lids_of_an_eye_of_few_pixels_are_not_measured() -> None:
    limits = VisibilityLimits(least_eye=6.5)
    small = points(15.0)
    assert visibility(limits, SHARP, small, None, None, 1.0).hidden == ("left eye", "right eye")
    turned = points(60.0)
    turned[60:68, 0] = turned[60, 0] + (turned[60:68, 0] - turned[60, 0]) * 0.2
    assert visibility(limits, SHARP, turned, spread(60.0), None, 1.0).hidden == ("right eye",)
    assert visibility(limits, SHARP, points(60.0), None, None, 1.0).hidden == ()


def pose(yaw: float, pitch: float = 0.0) -> Pose:
    return Pose(yaw, pitch, 0.0, np.eye(3), 10.0, np.zeros(2), 0.02)


@pytest.mark.parametrize(
    ("size", "yaw", "pitch", "seconds", "hidden"),
    [
        (50.0, 14.0, 0.0, 0.083, True),  # a small face turns by 14 degrees a frame: an open eye is a dark bar
        (50.0, 0.0, -14.0, 0.083, True),
        (50.0, 5.0, 0.0, 0.083, False),
        (50.0, 3.0, 0.0, 0.01, False),  # fast by the numbers, but no more than a small face's pose is noisy
        (120.0, 14.0, 0.0, 0.083, False),  # large eyes are read in a turn as well
    ],
)
def test_small_eyes_are_not_measured_while_the_head_turns_fast(
    size: float, yaw: float, pitch: float, seconds: float, hidden: bool
) -> None:
    limits = VisibilityLimits(least_eye=6.5)
    gone = hidden_in_a_turn(limits, points(size), pose(0.0), pose(yaw, pitch), seconds)
    assert gone == ({"left eye", "right eye"} if hidden else set())


def test_a_turn_is_not_judged_without_a_limit_or_a_pose_before() -> None:
    limits = VisibilityLimits(least_eye=6.5)
    assert hidden_in_a_turn(VisibilityLimits(), points(50.0), pose(0.0), pose(30.0), 0.08) == set()
    assert hidden_in_a_turn(limits, points(50.0), None, pose(30.0), 0.08) == set()
    assert hidden_in_a_turn(limits, points(50.0), pose(0.0), None, 0.08) == set()
    assert hidden_in_a_turn(limits, points(50.0), pose(0.0), pose(30.0), 0.0) == set()


def test_a_network_without_limits_or_covariance_is_not_judged() -> None:
    assert visibility(VisibilityLimits(), SHARP * 0, points(5), None, None, 0.2).hidden == ()
    assert visibility(LIMITS, SHARP, points(), None, None, 0.2).hidden == ()


def test_that_nothing_is_hidden_is_known_only_where_every_kind_of_part_was_judged() -> None:
    """What a network without limits, or without covariances, does not hide may well be covered."""
    assert visibility(LIMITS, SHARP, points(), spread(), None, 1.0).known
    assert visibility(LIMITS, SHARP, points(13.0), None, None, 1.0).known, "too small: nothing of it is measured"
    for limits, covariance in ((VisibilityLimits(), spread()), (HALVES, spread()), (LIMITS, None)):
        assert not visibility(limits, SHARP, points(), covariance, None, 1.0).known
    mouth = FollowedMouth()
    found = mouth.locator.from_points(np.zeros((480, 640, 3), np.uint8), points(), None)
    for known in (False, True):
        judged = replace(found, visibility=replace(found.visibility, known=known))
        frame = Frame(np.zeros((480, 640, 3), np.uint8), 0, 0.0)
        assert mouth.follower.start(frame, mouth.track, judged, np.zeros(256, np.float32)).hidden_known == known


def test_action_units_of_a_covered_part_are_empty_on_its_side() -> None:
    values = Sides({1: 1.0, 12: 2.0, 45: 3.0}, {1: 1.5, 12: 2.5, 45: 3.5})
    assert without_hidden(values, ()) is values
    left, right = without_hidden(values, ("mouth", "left brow"))
    assert math.isnan(left[12])
    assert math.isnan(right[12])
    assert math.isnan(left[1])
    assert right[1] == 1.5
    assert (left[45], right[45]) == (3.0, 3.5)


@pytest.mark.parametrize(
    ("part", "index", "to", "least"),
    [("left eye", 68, (641.0, 240.0), 3), ("right brow", 33, (320.0, -0.6), 3), ("mouth", 76, (320.0, 480.0), 6)],
)
def test_a_part_is_hidden_from_a_quarter_of_its_points_outside_the_picture(
    part: FacePart, index: int, to: tuple[float, float], least: int
) -> None:
    at = np.full((98, 2), 200.0, np.float32)
    at[96:] = 639.4, 479.4
    assert outside(at, 480, 640) == set(), "a pixel reaches half a pixel beyond its middle"
    for count in range(1, least + 1):
        at[index : index + count] = to
        assert outside(at, 480, 640) == ({part} if count >= least else set())
    assert part in visibility(VisibilityLimits(), SHARP, at, None, None, 1.0, picture=(480, 640)).hidden
