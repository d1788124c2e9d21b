"""Mirrored faces: whose side is kept, exact symmetry, and no seam."""

import numpy as np
import pytest

from realtime.face.face_model import FACE_2D
from realtime.face.mirroring import Midline, Mirror, midline, mirror_in_place
from realtime.types import F32, F64, U8


def face(x: float = 150.3, y: float = 80.7, size: float = 70.0, angle: float = 0.0) -> F32:
    c, s = np.cos(angle) * size, np.sin(angle) * size
    return (FACE_2D @ np.array(((c, s), (-s, c))) + (x, y)).astype(np.float32)


def line_of(points: F32) -> Midline:
    line = midline(points)
    assert line is not None
    return line


def two_sided(height: int, width: int, line: Midline) -> U8:
    """Grey 200 on the patient's right of the line, 50 on the left."""
    ys, xs = np.mgrid[0:height, 0:width]
    s = (xs - line.x) * line.nx + (ys - line.y) * line.ny
    return np.repeat(np.where(s >= 0, 200, 50).astype(np.uint8)[..., None], 3, axis=2)


def test_midline_by_the_formulae() -> None:
    points = np.zeros((98, 2), np.float32)
    points[38], points[50], points[16] = (10, 20), (20, 20), (15, 60)
    line = line_of(points)
    assert (line.x, line.y, line.length) == (15, 20, 40)
    # d = (0, 1), n = (-1, 0): smaller x is the patient's right
    assert (line.nx, line.ny) == (-1, 0)
    assert line.side(np.array(((11.0, 30.0), (16.5, 30.0)))) == pytest.approx((4, -1.5))
    assert line.reflect(np.array(((11.0, 30.0),))) == pytest.approx(np.array(((19.0, 30.0),)))


def test_no_midline_without_length() -> None:
    assert midline(np.zeros((98, 2), np.float32)) is None


def test_midline_is_sub_pixel() -> None:
    points = face()
    moved = line_of(points + np.float32(0.25))
    line = line_of(points)
    assert (moved.x - line.x, moved.y - line.y) == pytest.approx((0.25, 0.25), abs=1e-4)


def test_patients_right_eye_is_on_the_positive_side() -> None:
    for angle in (0.0, 0.6, -0.9):
        points = face(angle=angle)
        line = line_of(points)
        assert line.side(points[[60]])[0] > 0 > line.side(points[[72]])[0]


@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_each_half_shows_its_own_side_twice(angle: float) -> None:
    line = line_of(face(angle=angle))
    halves = Mirror(160, 200).update(two_sided(260, 320, line), line)
    assert np.all(halves.right[60:140, [70, 89]] == 200)
    assert np.all(halves.left[60:140, [70, 89]] == 50)


@pytest.mark.parametrize("width", [160, 161])
def test_halves_are_exactly_symmetric(width: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (260, 320, 3), dtype=np.uint8)
    halves = Mirror(width, 200).update(picture, line_of(face(angle=0.3)))
    for half in (halves.right, halves.left):
        assert np.array_equal(half, half[:, ::-1])
    assert not np.array_equal(halves.right, halves.left)


def gradient_step(row: U8) -> np.float64:
    """Largest second difference of a row: a seam is a jump or a kink."""
    return np.abs(np.diff(row.astype(float), n=2)).max()


def test_no_seam_on_a_gradient() -> None:
    """A slope across the midline comes back as a ridge; blended it is round, unblended it has a kink of twice the slope."""
    xs = np.mgrid[0:260, 0:320][1]
    picture = np.repeat(np.clip((xs - 118) * 4.0, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    line = line_of(face(size=60))
    blended = Mirror(241, 300, blend=0.1).update(picture, line).right[150, 90:151, 0].copy()
    hard = Mirror(241, 300, blend=0.0).update(picture, line).right[150, 90:151, 0].copy()
    assert gradient_step(blended) <= 2  # rounding alone can give two
    assert gradient_step(hard) >= 3


def test_no_seam_between_unlike_halves() -> None:
    """Two flat sides of different brightness: the mixing zone begins and ends without a step."""
    line = line_of(face())
    picture = two_sided(260, 320, line)
    out = mirror_in_place(picture, line, keep="right", blend=0.2)
    row = out[100, :, 0].astype(int)
    s = (np.arange(320) - line.x) * line.nx
    assert np.all(row[(np.abs(s) > 0.21 * line.length) & (np.abs(s) < line.length)] == 200)
    # the picture itself jumps at the midline; away from it only the profile's own slope is left
    between = np.abs(s[:-1] + 0.5 * line.nx)
    steps = np.abs(np.diff(row))[(between > 3) & (between < line.length)]
    steepest = 150 * 15 / 16 / (0.2 * line.length)
    assert 0 < steps.max() <= steepest + 2


def test_in_place_mirrors_about_a_tilted_line() -> None:
    ys, xs = np.mgrid[0:260, 0:320]
    line = line_of(face(angle=0.4))
    smooth = (127 + 60 * np.sin(xs / 23) + 60 * np.cos(ys / 19)).astype(np.uint8)
    picture = np.repeat(smooth[..., None], 3, axis=2)
    out = mirror_in_place(picture, line, keep="left", blend=0.05)
    rng = np.random.default_rng(2)
    p = np.array((line.x, line.y)) + rng.uniform(-40, 40, (200, 2)) + np.array((0.0, 30.0))
    q = line.reflect(p).astype(np.float64)

    def sample(at: F64) -> F64:
        a = np.floor(at).astype(int)
        f = at - a

        def v(dx: int, dy: int) -> F64:
            return out[a[:, 1] + dy, a[:, 0] + dx, 0].astype(float)

        top = v(0, 0) * (1 - f[:, 0]) + v(1, 0) * f[:, 0]
        low = v(0, 1) * (1 - f[:, 0]) + v(1, 1) * f[:, 0]
        return top * (1 - f[:, 1]) + low * f[:, 1]

    assert np.abs(sample(p) - sample(q)).max() < 4


def test_in_place_leaves_the_input_and_the_kept_side_alone() -> None:
    line = line_of(face())
    picture = np.random.default_rng(3).integers(0, 256, (260, 320, 3), dtype=np.uint8)
    before = picture.copy()
    out = mirror_in_place(picture, line, keep="right", blend=0.02)
    assert np.array_equal(picture, before)
    ys, xs = np.mgrid[0:260, 0:320]
    kept = line.side(np.stack((xs.ravel(), ys.ravel()), axis=1)).reshape(260, 320) > 0.03 * line.length
    assert np.array_equal(out[kept], picture[kept])
