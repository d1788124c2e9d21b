"""Alignment: a known similarity comes back, the mask is the union of the triangles, halves equal mirrored pictures."""

import cv2
import numpy as np
import pytest
from scipy.spatial import procrustes

from realtime.face.mirroring import Midline
from realtime.openface2.alignment import RIGID, SCALE, SIZE, Aligner, fill_triangles, similarity
from realtime.openface2.mirrored_halves import half_points
from realtime.openface2.pdm import ShapeModel
from realtime.types import U8
from tests.openface2 import synthetic

EYE, CENTRE = 36, 56.0


@pytest.fixture(scope="module")
def aligner(model: ShapeModel) -> Aligner:
    return Aligner(model, synthetic.triangles(model))


def placed(model: ShapeModel, scale: float, degrees: float, at: tuple[float, float]) -> np.ndarray:
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return model.mean[:2].T @ turn.T + at


@pytest.mark.parametrize(
    ("scale", "degrees", "at"), [(1.5, 0, (320, 240)), (0.9, 25, (200.5, 180.25)), (2.2, -40, (310, 250))]
)
def test_known_similarity_comes_back(
    aligner: Aligner, model: ShapeModel, scale: float, degrees: float, at: tuple[float, float]
) -> None:
    points = placed(model, scale, degrees, at)
    matrix = aligner.matrix(points, np.array(at, np.float64))
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(moved, SCALE * model.mean[:2].T + CENTRE, atol=1e-9)


@pytest.mark.parametrize(
    ("scale", "degrees", "at"), [(1.4, 0, (320, 240)), (1.1, 20, (300.5, 220.25)), (1.9, -30, (310, 250))]
)
def test_a_warped_picture_comes_back_within_a_tenth_of_a_pixel(
    aligner: Aligner, model: ShapeModel, scale: float, degrees: float, at: tuple[float, float]
) -> None:
    """Dots at the landmarks of a turned and scaled face: their centroids must lie where the mean shape puts them."""
    points = placed(model, scale, degrees, at)
    chosen = [30, 33, 39, 42, 48, 54]
    big = np.zeros((480, 640, 3), np.float32)
    ys, xs = np.mgrid[0:480, 0:640]
    for i in chosen:
        big += (
            255 * np.exp(-((xs - points[i, 0]) ** 2 + (ys - points[i, 1]) ** 2) / (2 * (2.0 * scale) ** 2))[..., None]
        )
    aligned = aligner.align(np.clip(big, 0, 255).astype(np.uint8), points, np.array(at, np.float64))
    grey = aligned.image[..., 0].astype(np.float64)
    for i in chosen:
        x, y = SCALE * model.mean[:2, i] + CENTRE
        x0, y0 = round(x) - 5, round(y) - 5
        patch = grey[y0 : y0 + 11, x0 : x0 + 11]
        yy, xx = np.mgrid[y0 : y0 + 11, x0 : x0 + 11]
        centroid = (xx * patch).sum() / patch.sum(), (yy * patch).sum() / patch.sum()
        assert np.hypot(centroid[0] - x, centroid[1] - y) <= 0.1, f"point {i}"


def test_similarity_is_kabsch_with_the_ratio_of_radii() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        source, target = rng.normal(size=(24, 2)), rng.normal(size=(24, 2)) * 3
        a, b = source - source.mean(0), target - target.mean(0)
        u, _, vt = np.linalg.svd(b.T @ a)
        rotation = u @ np.diag([1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
        expected = rotation * np.sqrt((b**2).sum() / (a**2).sum())
        np.testing.assert_allclose(similarity(source, target), expected, atol=1e-10)
    noisy = source + 0.01 * rng.normal(size=source.shape)
    moved = noisy @ similarity(noisy, source).T
    assert procrustes(source, noisy)[2] == pytest.approx(procrustes(source, moved)[2], rel=1e-6)


def test_points_without_extent_are_refused(aligner: Aligner) -> None:
    with pytest.raises(ValueError, match="coincide"):
        aligner.matrix(np.full((68, 2), 7.0), np.zeros(2))


def test_expressions_do_not_move_the_alignment(aligner: Aligner, model: ShapeModel) -> None:
    points = placed(model, 1.5, 10, (320, 240))
    before = aligner.matrix(points, np.array([320.0, 240.0]))
    smiling = points.copy()
    loose = [i for i in range(68) if i not in RIGID]
    smiling[loose] += 9.0
    np.testing.assert_array_equal(aligner.matrix(smiling, np.array([320.0, 240.0])), before)


def test_mask_is_the_union_of_the_triangles() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-10, 50, (12, 2))
    triangles = rng.integers(0, 12, (9, 3)).astype(np.int32)
    mask = np.zeros((40, 40), np.uint8)
    fill_triangles(points, triangles, mask)
    ys, xs = np.mgrid[0:40, 0:40]
    inside = np.zeros((40, 40), bool)
    close = np.zeros((40, 40), bool)
    for t in triangles:
        signs = []
        for p, q in zip(points[t], points[np.roll(t, -1)], strict=True):
            signs.append((q[0] - p[0]) * (ys - p[1]) - (q[1] - p[1]) * (xs - p[0]))
        stack = np.array(signs)
        inside |= (stack >= 0).all(0) | (stack <= 0).all(0)
        close |= (np.abs(stack) < 1e-6).any(0)
    np.testing.assert_array_equal(mask.astype(bool)[~close], inside[~close])
    assert 0 < inside.sum() < 1600


def test_whole_pixels_on_edges_count_as_inside() -> None:
    mask = np.zeros((6, 6), np.uint8)
    fill_triangles(np.array([[1.0, 1.0], [4.0, 1.0], [1.0, 4.0]]), np.array([[0, 1, 2]], np.int32), mask)
    expected = [[0] * 6, [0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0] * 6]
    np.testing.assert_array_equal(mask, expected)


def test_background_is_black_and_the_forehead_stays(aligner: Aligner, model: ShapeModel) -> None:
    points = placed(model, 1.5, 0, (320, 240))
    aligned = aligner.align(np.full((480, 640, 3), 200, np.uint8), points, np.array([320.0, 240.0]))
    assert aligned.image.shape == (SIZE, SIZE, 3)
    assert set(np.unique(aligned.image)) == {0, 200}
    np.testing.assert_array_equal(aligned.image[..., 0] > 0, aligned.mask > 0)
    brow = SCALE * model.mean[1, 19] + CENTRE
    x = round(SCALE * model.mean[0, 19] + CENTRE)
    assert aligned.mask[max(0, round(brow) - 20), x] == 1, "20 px above the brow"
    assert aligned.outside == 0.0


def test_share_outside_the_picture(aligner: Aligner, model: ShapeModel) -> None:
    picture = np.full((480, 640, 3), 200, np.uint8)
    half_out = aligner.align(picture, placed(model, 1.5, 0, (0.0, 240)), np.array([0.0, 240.0]))
    assert 0.4 < half_out.outside < 0.6
    assert aligner.align(picture, placed(model, 1.5, 0, (-900.0, 240)), np.array([-900.0, 240.0])).outside == 1.0


@pytest.mark.parametrize("keep_right", [True, False])
def test_folding_equals_aligning_a_mirrored_picture(
    aligner: Aligner, model: ShapeModel, texture: U8, keep_right: bool
) -> None:
    """A vertical midline on a pixel column: the mirrored picture is exact, without interpolation."""
    column = 300
    points = placed(model, 1.3, 8, (column + 3.0, 240))
    line = Midline(float(column), 200.0, -1.0, 0.0, 100.0)
    half = half_points(points, line, keep_right)
    translation = np.array([float(column), 240.0])
    mirrored = texture.copy()
    width = min(column, 639 - column)
    left = texture[:, column - width : column]
    right = texture[:, column + 1 : column + 1 + width]
    if keep_right:
        mirrored[:, column + 1 : column + 1 + width] = left[:, ::-1]
    else:
        mirrored[:, column - width : column] = right[:, ::-1]
    ours = aligner.align_half(texture, half, translation, line, keep_right)
    theirs = aligner.align(mirrored, half, translation)
    np.testing.assert_array_equal(ours.mask, theirs.mask)
    difference = np.abs(ours.image.astype(int) - theirs.image)
    assert difference.max() <= 2, "rounding of the interpolation"
    assert difference.mean() < 0.05
    unfolded = aligner.align(texture, half, translation)
    assert np.abs(ours.image.astype(int) - unfolded.image).mean() > 1, "the other side really is replaced"
    assert cv2.countNonZero(ours.mask) > 3000
