"""The rasteriser against closed forms: triangles, a sphere, occlusion, perspective-correct weights."""

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.types import F32, F64
from tools.synth.camera import Camera, project
from tools.synth.raster import rasterise, vertex_normals


def sphere(centre: F64, radius: float, rings: int = 48) -> tuple[F32, NDArray[np.int32]]:
    """Camera-frame vertices and triangles, counter-clockwise seen from outside in the head's y-up world."""
    polar, around = np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, 2 * rings)
    p, a = np.meshgrid(polar, around, indexing="ij")
    unit = np.stack([np.sin(p) * np.cos(a), np.cos(p), np.sin(p) * np.sin(a)], -1).reshape(-1, 3)
    n = 2 * rings
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(n - 1), indexing="ij")
    a0 = (i * n + j).ravel()
    triangles = np.concatenate([np.stack([a0, a0 + 1, a0 + n], 1), np.stack([a0 + 1, a0 + n + 1, a0 + n], 1)])
    # Camera frame: y down and z away are a half turn of y up and z near, so the winding stays.
    return (unit * [1, -1, -1] * radius + centre).astype(np.float32), triangles.astype(np.int32)


def test_triangle_covers_exactly_the_pixels_inside_it() -> None:
    screen = np.array([[2.0, 2.0], [2.0, 12.0], [14.0, 2.0]], np.float32)
    ids, bary, z = rasterise(screen, np.full(3, 5, np.float32), np.array([[0, 1, 2]], np.int32), 16, 20)
    yy, xx = np.mgrid[0:16, 0:20]
    inside = (xx >= 2) & (yy >= 2) & ((xx - 2) / 12 + (yy - 2) / 10 <= 1 + 1e-6)
    np.testing.assert_array_equal(ids >= 0, inside)
    np.testing.assert_allclose(bary[inside].sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(z[inside], 5, rtol=1e-5)
    assert np.isinf(z[~inside]).all()


def test_back_side_is_culled_only_when_asked() -> None:
    screen = np.array([[2.0, 2.0], [14.0, 2.0], [2.0, 12.0]], np.float32)
    one = np.array([[0, 1, 2]], np.int32)
    depth = np.full(3, 5, np.float32)
    assert (rasterise(screen, depth, one, 16, 16)[0] < 0).all()
    assert (rasterise(screen, depth, one, 16, 16, False)[0] >= 0).any()


def test_weights_are_perspective_correct() -> None:
    camera = Camera(100.0, (32.0, 32.0))
    corners = np.array([[-3, 3, 10], [3, 3, 30], [0, -3, 20]], np.float32)
    triangles = np.array([[0, 1, 2]], np.int32)
    ids, bary, z = rasterise(project(corners, camera), corners[:, 2].copy(), triangles, 64, 64, False)
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0]).astype(float)
    for y, x in np.argwhere(ids >= 0)[::7]:
        ray = np.array([(x - 32) / 100, (y - 32) / 100, 1.0])
        hit = ray * (normal @ corners[0]) / (normal @ ray)
        np.testing.assert_allclose(bary[y, x] @ corners, hit, atol=2e-3)
        assert z[y, x] == pytest.approx(hit[2], rel=1e-4)


def test_sphere_has_its_perspective_outline_depth_and_radial_normals() -> None:
    distance, radius, focal = 40.0, 8.0, 300.0
    camera = Camera(focal, (63.5, 63.5))
    vertices, triangles = sphere(np.array([0, 0, distance]), radius)
    ids, _, z = rasterise(project(vertices, camera), vertices[:, 2].copy(), triangles, 128, 128)
    outline = focal * radius / np.sqrt(distance**2 - radius**2)
    assert (ids >= 0).sum() == pytest.approx(np.pi * outline**2, rel=0.01)
    assert z[63:65, 63:65].mean() == pytest.approx(distance - radius, rel=1e-3)
    normals = vertex_normals(vertices, triangles)
    # The seam and the poles have only half of their triangles.
    inner = np.abs(vertices[:, 1]) < 0.9 * radius
    cosine = (normals * (vertices - [0, 0, distance])).sum(1) / radius
    assert np.quantile(cosine[inner], 0.02) > 0.99


def test_the_nearer_of_two_spheres_is_seen() -> None:
    camera = Camera(300.0, (63.5, 63.5))
    near, triangles = sphere(np.array([0, 0, 30.0]), 3, 24)
    far, _ = sphere(np.array([0, 0, 60.0]), 12, 24)
    both = np.concatenate([far, near])
    ids, _, _ = rasterise(
        project(both, camera), both[:, 2].copy(), np.concatenate([triangles, triangles + len(far)]), 128, 128
    )
    assert ids[64, 64] >= len(triangles)
    assert 0 <= ids[64, 64 + 50] < len(triangles)
