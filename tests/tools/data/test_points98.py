"""The 98-point scheme: mirror pairs, crops and figures."""

import cv2
import numpy as np
import pytest

from tools.data import points98 as p98


def face(seed: int = 0) -> np.ndarray:
    """A face-like arrangement of 98 points, upright, with a little noise."""
    rng = np.random.default_rng(seed)
    points = np.zeros((98, 2), np.float32)
    t = np.linspace(np.pi, 0, 33)
    points[:33] = np.stack([100 + 80 * np.cos(t), 90 + 90 * np.sin(t)], 1)
    upper, lower = np.linspace(40, 85, 5), np.linspace(82, 48, 4)
    points[33:42] = np.stack([np.concatenate([upper, lower]), np.repeat((52, 57), (5, 4))], 1)
    points[42:51] = np.stack([200 - np.concatenate([upper[::-1], lower[::-1]]), np.repeat((52, 57), (5, 4))], 1)
    points[51:55] = np.stack([np.full(4, 100), np.linspace(80, 115, 4)], 1)
    points[55:60] = np.stack([np.linspace(85, 115, 5), np.full(5, 122)], 1)
    for first, x in ((60, 65), (68, 135)):
        a = np.pi + np.arange(8) * np.pi / 4
        points[first : first + 8] = np.stack([x + 14 * np.cos(a), 80 + 6 * np.sin(a)], 1)
    a = np.pi + np.arange(12) * np.pi / 6
    points[76:88] = np.stack([100 + 28 * np.cos(a), 145 + 12 * np.sin(a)], 1)
    a = np.pi + np.arange(8) * np.pi / 4
    points[88:96] = np.stack([100 + 20 * np.cos(a), 145 + 5 * np.sin(a)], 1)
    points[96], points[97] = (65, 80), (135, 80)
    return points + rng.normal(0, 0.3, points.shape).astype(np.float32)


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    a = np.radians(degrees)
    return points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def test_mirror_is_its_own_inverse_and_swaps_sides() -> None:
    assert (p98.MIRROR[p98.MIRROR] == np.arange(98)).all()
    assert p98.MIRROR[60] == 72
    assert p98.MIRROR[76] == 82
    assert p98.MIRROR[16] == 16
    flipped = p98.flip_points(face(), 200)
    assert np.abs(flipped - face() - np.array((-1, 0))).max() < 3  # a nearly symmetric face about x = 100 stays itself


@pytest.mark.parametrize("degrees", [-50, -10, 0, 25, 60])
def test_roll_follows_the_face(degrees: float) -> None:
    five = p98.five_points(turned(face(), degrees))
    assert np.degrees(p98.roll_of(five)) == pytest.approx(degrees, abs=1.5)


def test_crop_holds_the_face_with_the_stated_margin_whatever_the_roll() -> None:
    for degrees in (-40, 0, 33):
        points = turned(face(), degrees)
        matrix = p98.crop_matrix(*p98.square_from_points(points), 112)
        u = (p98.transform(points, matrix) + 0.5) / 112
        assert (u.max(0) - u.min(0)).max() == pytest.approx(1 / p98.CROP_GROWTH, abs=1e-3)
        assert (u.max(0) + u.min(0)) / 2 == pytest.approx((0.5, 0.5), abs=1e-3)


def test_crop_matrix_agrees_with_the_pictures_pixels() -> None:
    picture = np.zeros((80, 80), np.uint8)
    picture[30, 50] = 255
    matrix = p98.crop_matrix(np.array((49.5, 29.5)), 20.0, 0.0, 40)
    crop = cv2.warpAffine(picture, matrix, (40, 40), flags=cv2.INTER_LINEAR).astype(float)
    y, x = np.mgrid[:40, :40]
    centroid = (x * crop).sum() / crop.sum(), (y * crop).sum() / crop.sum()
    assert centroid == pytest.approx(tuple(p98.transform(np.array((50.0, 30.0)), matrix)), abs=0.02)
    assert p98.transform(p98.transform(face(), matrix), p98.invert(matrix)) == pytest.approx(face(), abs=1e-3)


def test_figures_read_what_was_put_in() -> None:
    points = face(1)
    assert p98.nme(points, points) == 0
    span = p98.inter_ocular(points)
    assert p98.nme(points + np.array((0.03 * span, 0)), points) == pytest.approx(0.03, rel=1e-3)
    dropped = points.copy()
    dropped[76, 1] += 0.05 * span
    assert p98.corner_drop(dropped) - p98.corner_drop(points) == pytest.approx(0.05, abs=2e-3)
    shut = points.copy()
    shut[[65, 66, 67]] = shut[[63, 62, 61]]
    right, left = p98.eye_opening(shut)
    assert right == pytest.approx(0, abs=1e-6)
    assert left == pytest.approx(p98.eye_opening(points)[1])
