"""One eye shuts alone, the skin around it moves with its points, and nothing happens on the other side."""

import cv2
import numpy as np
import pytest

from tests.tools.data.test_points98 import face
from tools.data.points98 import crop_matrix, eye_opening, square_from_points, transform
from tools.data.winks import Shut, draw_shut, random_eyes, squeezed, winked

RIGHT_BROW, LEFT_BROW = slice(33, 42), slice(42, 51)


@pytest.fixture
def picture() -> np.ndarray:
    rng = np.random.default_rng(3)
    return cv2.GaussianBlur(rng.integers(0, 255, (240, 240, 3)).astype(np.uint8), (0, 0), 2)


@pytest.mark.parametrize(("first", "eye"), [(60, 0), (68, 1)])
@pytest.mark.parametrize("squeeze", [0.0, 1.0])
def test_one_eye_shuts_and_the_other_stays(picture: np.ndarray, first: int, eye: int, squeeze: float) -> None:
    points = face() + 10
    _, still = winked(picture, points, [], np.random.default_rng(0))
    _, moved = winked(picture, points, [Shut(first, 1.0, squeeze)], np.random.default_rng(0))
    before, after = eye_opening(still), eye_opening(moved)
    assert after[eye] < 0.3 * before[eye]
    assert after[1 - eye] == pytest.approx(before[1 - eye], rel=0.1)


def test_nothing_asked_is_the_picture_itself(picture: np.ndarray) -> None:
    points = face() + 10
    seen, moved = winked(picture, points, [], np.random.default_rng(0), size=200)
    matrix = crop_matrix(*square_from_points(points, 1.9), 200)
    np.testing.assert_allclose(moved, transform(points, matrix), atol=0.05)
    plain = cv2.warpAffine(picture, matrix, (200, 200), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(seen.astype(int) - plain).max() <= 3


def test_a_squeeze_lowers_its_own_brow_and_lifts_its_own_cheek() -> None:
    points = face() / 220
    places, move = squeezed(points, [Shut(68, 1.0, 1.0)])
    assert len(places) == len(move) == 98 + 3
    assert (move[LEFT_BROW, 1] > 0).all()
    assert (move[98:, 1] < 0).all()
    assert not move[RIGHT_BROW].any()
    assert not squeezed(points, [Shut(60, 1.0, 0.0)])[1].any()


def test_sides_mirror_each_other() -> None:
    points = face() / 220
    _, left = squeezed(points, [Shut(68, 1.0, 0.7)])
    _, right = squeezed(points, [Shut(60, 1.0, 0.7)])
    np.testing.assert_allclose(left[50], right[38] * (-1, 1), atol=2e-3)
    np.testing.assert_allclose(left[82], right[76] * (-1, 1), atol=2e-3)


def test_lashes_and_folds_darken_near_the_shut_eye_alone() -> None:
    points, grey = (face() / 220).astype(np.float32), np.full((112, 112, 3), 160, np.uint8)
    eyes = [Shut(60, 1.0, 1.0)]
    drawn = np.stack([draw_shut(grey, points, eyes, np.random.default_rng(s)) for s in range(8)])
    assert drawn.min() < 140
    assert (drawn[:, :, 60:] == 160).all()
    assert (draw_shut(grey, points, [Shut(60, 0.2)], np.random.default_rng(0)) == grey).all()


def test_broad_bands_darken_a_shut_eye_further_and_no_open_one() -> None:
    points, grey = (face() / 220).astype(np.float32), np.full((112, 112, 3), 160, np.uint8)

    def drawn(eyes: list[Shut], *, bands: bool) -> np.ndarray:
        made = [draw_shut(grey, points, eyes, np.random.default_rng(s), bands=bands) for s in range(12)]
        return np.stack(made)[..., 0]

    plain, broad = (drawn([Shut(60, 1.0)], bands=bands) for bands in (False, True))
    dark = [(pictures < 140).sum(axis=(1, 2)) for pictures in (plain, broad)]
    assert (dark[1] >= dark[0]).all()
    assert 3 <= (dark[1] > 1.3 * dark[0] + 5).sum() <= 9, "every other one"
    assert (broad[:, :, 60:] == 160).all()
    assert (drawn([Shut(60, 0.2)], bands=True) == 160).all()


def test_most_random_faces_shut_one_eye() -> None:
    rng = np.random.default_rng(1)
    drawn = [sorted(random_eyes(rng), key=lambda e: e.first) for _ in range(500)]
    amounts = np.array([[eye.amount for eye in eyes] for eyes in drawn])
    assert amounts.shape == (500, 2)
    assert amounts.max() <= 1
    assert (amounts.max(1) - amounts.min(1) > 0.3).mean() > 0.5
    assert ((amounts[:, 0] > amounts[:, 1]).mean()) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(("first", "other"), [(60, 68), (68, 60)])
def test_nothing_of_the_eyeball_shows_in_an_eye_that_is_squeezed_shut(first: int, other: int) -> None:
    """The brow's skin comes down in the same warp; the lid must be made of what then lies above the eye."""
    points = face() + 10
    picture = np.full((240, 240, 3), 128, np.uint8)
    for start in (60, 68):
        ring = np.round(points[start : start + 8] * 16).astype(np.int32)
        cv2.fillPoly(picture, [ring], (255, 255, 255), cv2.LINE_AA, 4)
    seen, moved = winked(picture, points, [Shut(first, 1.0, 1.0), Shut(other, 0.3, 0.3)], np.random.default_rng(0))
    bright = seen.min(2) > 200

    def white(start: int) -> int:
        low, high = moved[start : start + 8].min(0) - 25, moved[start : start + 8].max(0) + 25
        return int(bright[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])].sum())

    assert white(other) > 100
    assert white(first) < 0.05 * white(other)
