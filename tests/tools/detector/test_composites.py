"""Composites: truths move with the pictures, the same seed gives the same picture, held-out files stay apart."""

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from tools.train.detector import composites, scenery
from tools.train.detector.data import SIZES, Composites, Steps
from tools.train.detector.sources import LEVELS, Source, held_out

pytestmark = pytest.mark.tools

BOX = np.array([[300, 260, 420, 420]], np.float32)
POINTS = np.array([[[330, 320], [390, 320], [360, 350], [335, 385], [385, 385]]], np.float32)


def source() -> Source:
    """A grey picture whose five 'face' points are bright spots."""
    picture = np.full((900, 1000, 3), 60, np.uint8)
    for x, y in POINTS[0].astype(int).tolist():
        cv2.circle(picture, (x, y), 7, (255, 255, 255), -1, cv2.LINE_AA)
    levels = [picture]
    for _ in range(LEVELS - 1):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return Source("made.jpg", tuple(levels), BOX, POINTS)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("target", [40.0, 70.0, 150.0, 300.0])
def test_points_stay_on_the_picture_through_every_pyramid_level(target: float, mirror: bool) -> None:
    rng = np.random.default_rng(2)
    made = source()
    matrix, scale = composites.placement(rng, BOX[0], 384, target, (0.45, 0.55), 14.0, mirror)
    image = composites.warp(made, matrix, scale, 384, cv2.BORDER_CONSTANT, (60, 60, 60))
    boxes, points = composites.carry(BOX, POINTS, matrix, mirror)
    bright = np.clip(image[..., 1].astype(np.float32) - 80, 0, None)
    for point in points[0]:
        ys, xs = np.mgrid[0:384, 0:384]
        near = bright * (np.hypot(xs - point[0], ys - point[1]) < 12 * target / 160 + 1)
        centre = np.array([(xs * near).sum(), (ys * near).sum()]) / near.sum()
        assert np.abs(centre - point).max() < 0.6
    assert boxes[0, 3] - boxes[0, 1] == pytest.approx(target, rel=0.25)
    assert points[0, 0, 0] < points[0, 1, 0]
    assert points[0, 3, 0] < points[0, 4, 0]


def test_the_same_key_gives_the_same_picture_and_another_key_another() -> None:
    made = Composites([source()], seed=4)
    first, again, other = made[(17, 96)], made[(17, 96)], made[(18, 96)]
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.image, other.image)


def test_a_window_never_touches_a_face() -> None:
    composer = composites.Composer([source()])
    for seed in range(40):
        window = composer.window(np.random.default_rng(seed), 96)
        assert window is None or window.max() < 120


def test_a_face_lost_in_darkness_is_not_claimed_and_the_rest_then_unknown() -> None:
    image = np.zeros((96, 96, 3), np.uint8)
    image[:, 48:] = np.random.default_rng(1).integers(0, 255, (96, 48, 3), np.uint8)
    boxes = np.array([[5, 5, 40, 60], [52, 5, 90, 60]], np.float32)
    seen = composites.contrast(image, boxes) >= composites.LEAST_CONTRAST
    assert seen.tolist() == [False, True]


@pytest.mark.parametrize("seed", range(12))
def test_scenery_and_spoiling_give_pictures_of_the_size_asked_for(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = scenery.scene(rng, 96)
    spoilt = scenery.spoil(rng, picture)
    assert picture.shape == spoilt.shape == (96, 96, 3)
    assert picture.dtype == spoilt.dtype == np.uint8


def test_visible_wants_most_of_the_box_inside_and_not_too_small() -> None:
    boxes = np.array([[10, 10, 50, 60], [-30, 10, 10, 60], [10, 10, 14, 16]], np.float32)
    assert composites.visible(boxes, 64).tolist() == [True, False, False]


def test_a_resumed_run_sees_the_pictures_it_would_have_seen() -> None:
    whole, rest = list(Steps(0, 12, 8)), list(Steps(5, 12, 8))
    assert whole[5:] == rest
    assert len(whole[SIZES.index(320)]) < len(whole[0])


def test_about_a_sixth_of_the_files_is_held_out_for_good() -> None:
    share = np.mean([held_out(f"picture {k}.jpg") for k in range(3000)])
    assert share == pytest.approx(1 / 6, abs=0.03)
    assert held_out("textual_search_2_Eye Color_top_10_matches.jpg")
    assert not held_out("SFHQ_variability_age.jpg")
