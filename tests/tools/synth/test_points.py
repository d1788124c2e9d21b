"""The 98 points on the mesh: order, sides, movement, silhouette."""

import numpy as np
import pytest

from realtime.types import F32
from tools.data.points98 import MIRROR, corner_drop, eye_opening
from tools.synth.camera import Camera, project, rotation, to_camera
from tools.synth.contour import _first_facing, spaced_contour
from tools.synth.expressions import coefficients
from tools.synth.kit import Kit
from tools.synth.points import UPPER_LIDS, place, point_model
from tools.synth.raster import rasterise, vertex_normals

CAMERA = Camera(1500.0, (255.5, 255.5))


def view(kit: Kit, expression: F32 | None = None, pose: tuple[float, float, float] = (0, 0, 0)) -> tuple[F32, F32, F32]:
    vertices = kit.shape(np.zeros(100, np.float32), np.zeros(57, np.float32) if expression is None else expression)
    seen = to_camera(vertices, rotation(*pose), np.array([0.0, 0.0, 80.0]))
    screen = project(seen, CAMERA)
    return place(point_model(kit), seen, vertex_normals(seen, kit.triangles), screen), seen, screen


def test_first_facing_place_is_interpolated() -> None:
    facing = np.array([[-1.0, 0.0, 1.0], [0.5, 1.0, 1.0]], np.float32)
    places = np.array([[[0, 0], [1, 0], [2, 0]], [[5, 5], [6, 6], [7, 7]]], np.float32)
    np.testing.assert_allclose(_first_facing(facing, places, 0.5), np.array([[1.5, 0], [5, 5]]))


def test_contour_steps_are_even_on_both_sides_and_the_chin_leans_to_the_far_half() -> None:
    turn = np.linspace(0, np.pi, 33) ** 1.3
    turn = turn / turn[-1] * np.pi
    arc = np.stack([-np.cos(turn), np.sin(turn)], 1).astype(np.float32)
    spaced = spaced_contour(arc)
    steps = np.linalg.norm(np.diff(spaced, axis=0), axis=1)
    np.testing.assert_allclose(steps[:16], steps[0], rtol=0.01)
    np.testing.assert_allclose(steps[16:], steps[-1], rtol=0.01)
    np.testing.assert_allclose(spaced[[0, 32]], arc[[0, 32]], atol=1e-6)
    # The first half is the shorter one here: the chin moves back along it.
    assert turn[16] < np.pi / 2
    assert spaced[16, 0] < arc[16, 0]


def test_neutral_points_are_symmetric_and_in_wflw_order(kit: Kit) -> None:
    points, _, _ = view(kit)
    mirrored = points[MIRROR] * [-1, 1] + [511, 0]
    eyes = np.linalg.norm(points[60] - points[72])
    assert np.linalg.norm(points - mirrored, axis=1).max() < 0.02 * eyes
    assert points[0, 0] < points[60, 0] < points[64, 0] < points[54, 0] < points[68, 0] < points[72, 0] < points[32, 0]
    assert points[33:51, 1].max() < points[60, 1] < points[54, 1] < points[76, 1] < points[16, 1]
    assert points[62, 1] < points[66, 1]
    assert points[79, 1] < points[90, 1] <= points[94, 1] < points[85, 1]


@pytest.mark.parametrize(("left", "right"), [(1.0, 0.0), (0.0, 1.0)])
def test_one_sided_movements_move_their_side(kit: Kit, left: float, right: float) -> None:
    still, _, _ = view(kit)
    blink, _, _ = view(kit, coefficients("blink", left, right))
    shut = 1 - eye_opening(blink) / eye_opening(still)
    closed, opened = (shut[1], shut[0]) if left else (shut[0], shut[1])
    assert closed > 0.75
    assert abs(opened) < 0.03
    smile, _, _ = view(kit, coefficients("smile", left, right))
    # Positive: the right corner hangs lower than the left one.
    assert (corner_drop(smile) - corner_drop(still)) * (left - right) > 0.05


def test_turned_contour_lies_on_the_silhouette_of_the_far_side(kit: Kit) -> None:
    points, seen, screen = view(kit, pose=(40, 0, 0))
    ids, _, _ = rasterise(screen, np.ascontiguousarray(seen[:, 2]), kit.triangles, 512, 512)
    eyes = 9.0 * CAMERA.focal / 80
    # Turned to the patient's left: the left cheek (points 20-28) is at the image's right edge of the head.
    for x, y in points[22:28]:
        edge = np.flatnonzero(ids[round(float(y))] >= 0).max()
        assert abs(edge - x) < 0.06 * eyes
    # The near side keeps its jaw line in front of the ear, well inside the silhouette.
    left_edge = np.flatnonzero(ids[round(float(points[2, 1]))] >= 0).min()
    assert points[2, 0] - left_edge > 0.3 * eyes


def test_upper_lids_lie_at_the_lashes_of_an_open_eye_and_on_the_edge_of_a_shut_one(kit: Kit) -> None:
    model = point_model(kit)
    for shut, low, high in ((0.0, 0.9, 1.0), (1.0, 0.0, 0.25)):
        points, seen, screen = view(kit, coefficients("blink", shut, shut))
        edge = model.edge.on(screen)
        mm = 10 * 80 / CAMERA.focal  # of a pixel at the head's distance
        margin = np.linalg.norm(points[list(UPPER_LIDS)] - edge, axis=1) * mm
        full = np.linalg.norm(model.fixed.on(screen)[list(UPPER_LIDS)] - edge, axis=1) * mm
        assert ((margin >= (low - 1e-6) * full) & (margin <= high * full + 1e-6)).all()
        assert seen.shape[1] == 3
