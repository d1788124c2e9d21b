"""Flow on pictures whose motion is known exactly."""

import cv2
import numpy as np
import pytest

from realtime.face.face_model import FACE_2D
from realtime.face.point_flow import PointFlow
from realtime.types import F64, U8

POINTS = (FACE_2D * 90 + (310, 140)).astype(np.float32)


def picture(seed: int = 0) -> U8:
    rng = np.random.default_rng(seed)
    blurred = cv2.GaussianBlur(rng.integers(0, 256, (360, 640, 3), dtype=np.uint8), (0, 0), 2.5)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX)


def warp(image: U8, matrix: F64) -> U8:
    return cv2.warpAffine(image, matrix, (640, 360), flags=cv2.INTER_CUBIC)


def similarity(angle: float, scale: float, dx: float, dy: float) -> F64:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    x, y = 310, 180
    return np.array(((c, -s, x - c * x + s * y + dx), (s, c, y - s * x - c * y + dy)))


@pytest.mark.parametrize("motion", [(0, 1, 0, 0), (0, 1, 3.3, -2.1), (0.03, 1.02, -4, 1), (-0.05, 0.97, 2, 5)])
def test_head_motion_to_a_tenth_of_a_pixel(motion: tuple[float, float, float, float]) -> None:
    matrix = similarity(*motion)
    flow = PointFlow()
    flow.anchor(picture(), POINTS)
    moved = flow.move(warp(picture(), matrix))
    truth = POINTS @ matrix[:, :2].T + matrix[:, 2]
    assert moved.trust > 0.8
    assert np.abs(moved.points - truth).max() < 0.25
    assert np.median(np.abs(moved.points - truth)) < 0.1
    assert np.abs(POINTS @ moved.rigid[:, :2].T + moved.rigid[:, 2] - truth).max() < 0.25


def test_long_way_in_small_steps_from_one_anchor() -> None:
    flow = PointFlow()
    flow.anchor(picture(), POINTS)
    for step in range(1, 11):
        moved = flow.move(warp(picture(), similarity(0, 1, 4.0 * step, 0)))
    assert np.abs(moved.points - POINTS - (40, 0)).max() < 0.5


def test_crop_is_used_again_without_a_difference() -> None:
    """Anchoring on the picture just moved to must give what a fresh crop gives."""
    images = [warp(picture(), similarity(0, 1, 2.0 * i, 0)) for i in range(3)]
    again, fresh = PointFlow(), PointFlow()
    again.anchor(images[0], POINTS)
    points = again.move(images[1]).points
    again.anchor(images[1], points)
    fresh.anchor(images[1], points)
    assert np.abs(again.move(images[2]).points - fresh.move(images[2]).points).max() < 0.15


def test_part_that_moves_on_its_own_is_followed() -> None:
    before = picture()
    after = before.copy()
    mouth = POINTS[76:96]
    x0, y0 = mouth.min(axis=0).astype(int) - 14
    x1, y1 = mouth.max(axis=0).astype(int) + 14
    after[y0 + 3 : y1 + 3, x0:x1] = before[y0:y1, x0:x1]
    flow = PointFlow()
    flow.anchor(before, POINTS)
    moved = flow.move(after)
    shift = moved.points - POINTS
    # a point in a featureless spot may be left to the head; the lips as a whole are not
    assert (np.abs(shift[76:96] - (0, 3)).max(axis=1) < 0.5).mean() >= 0.9
    assert np.abs(shift[60:76]).max() < 0.3


def test_contour_moves_with_the_head_only() -> None:
    before = picture()
    after = before.copy()
    after[:, :230] = np.roll(before, 4, axis=0)[:, :230]
    flow = PointFlow()
    flow.anchor(before, POINTS)
    moved = flow.move(after)
    assert np.abs(moved.points[:33] - POINTS[:33]).max() < 0.5


def test_another_picture_is_not_trusted() -> None:
    flow = PointFlow()
    flow.anchor(picture(0), POINTS)
    assert flow.move(picture(99)).trust < 0.4


def test_nothing_to_follow() -> None:
    flow = PointFlow()
    assert not flow.anchored
    assert flow.move(picture()) is None
    flow.anchor(picture(), np.full((98, 2), np.nan, np.float32))
    assert flow.move(picture()) is None
    flow.anchor(picture(), POINTS + np.float32(5000))
    assert flow.move(picture()) is None
    flow.anchor(picture(), POINTS)
    assert flow.anchored
    assert flow.move(np.ascontiguousarray(picture()[:100, :100])) is None
    flow.clear()
    assert not flow.anchored
