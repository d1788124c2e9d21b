"""The fused kernels against OpenCV, inside the picture, across its border, and beside it."""

import cv2
import numpy as np
import pytest

from realtime.face.alignment import Aligner, back_to_picture, canonical, warp_bytes, warp_float, warp_grey
from realtime.face.geometry import fit_similarity, invert, transform
from realtime.types import F64, U8


def photo(height: int = 180, width: int = 240, seed: int = 0) -> U8:
    rng = np.random.default_rng(seed)
    image = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), 1.5)
    image.flags.writeable = False  # as captured frames are: for another type the kernels would be compiled once more
    return image


def crop(x: float, y: float, side: float, angle: float, size: int) -> F64:
    scale = size / side
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    middle = (size - 1) / 2
    return np.array(((c, s, middle - c * x - s * y), (-s, c, middle + s * x - c * y)))


PLACES = {
    "inside": (120, 90, 90, 0.3, 112),
    "enlarged": (120, 90, 30, -0.7, 64),
    "over a corner": (5, 8, 80, 0.4, 112),
    "over the far edge": (238, 170, 60, 2.0, 96),
    "larger than the picture": (120, 90, 500, 0.1, 128),
    "upside down": (100, 80, 70, np.pi, 80),
    "quarter turn": (100, 80, 70, np.pi / 2, 80),
    "beside": (-400, 900, 60, 0.2, 48),
    "not turned": (100, 80, 112, 0.0, 112),
}


@pytest.mark.parametrize("place", PLACES)
def test_bytes_equal_opencv(place: str) -> None:
    image, matrix, size = photo(), crop(*PLACES[place]), PLACES[place][-1]
    expected = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=0)
    out = np.full((size, size, 3), 77, np.uint8)
    warp_bytes(image, matrix, out)
    difference = np.abs(out.astype(int) - expected)
    # OpenCV rounds sample positions to 1/32 pixel, or not, by version: that is worth a few grey levels on a steep slope
    assert difference.max() <= 6
    assert difference.mean() < 0.6


@pytest.mark.parametrize("place", PLACES)
def test_a_part_in_grey_is_that_part_of_the_whole_to_the_last_bit(place: str) -> None:
    image, matrix, size = photo(seed=2), crop(*PLACES[place]), PLACES[place][-1]
    whole = np.empty((size, size, 3), np.uint8)
    warp_bytes(image, matrix, whole)
    expected = cv2.cvtColor(whole, cv2.COLOR_BGR2GRAY)
    for x, y, width, height in ((0, 0, size, size), (7, 20, 30, 12), (size - 9, size - 5, 9, 5)):
        out = np.full((height, width), 77, np.uint8)
        warp_grey(image, back_to_picture(matrix), size, (x, y), out)
        np.testing.assert_array_equal(out, expected[y : y + height, x : x + width])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("rgb", [False, True])
def test_float_is_the_normalised_picture(place: str, rgb: bool) -> None:
    image, matrix, size = photo(seed=1), crop(*PLACES[place]), PLACES[place][-1]
    mean, scale = np.array((10, 20, 30), np.float32), np.array((0.5, 0.25, 2.0), np.float32)
    plain = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    expected = (plain[..., ::-1] if rgb else plain).astype(np.float32).transpose(2, 0, 1)
    expected = (expected - mean[:, None, None]) * scale[:, None, None]
    out = np.full((3, size, size), 9e9, np.float32)
    warp_float(image, matrix, mean, scale, rgb, out)
    difference = np.abs(out - expected) / scale[:, None, None]
    assert difference.max() <= 6
    assert difference.mean() < 0.6


def test_identity_copies_the_picture() -> None:
    image = photo()
    out = np.zeros_like(image)
    warp_bytes(image, np.eye(2, 3), out)
    assert np.abs(out.astype(int) - image).max() <= 1


def test_exact_position_on_a_slope() -> None:
    """On a linear slope bilinear sampling is exact, so this finds a shift of a hundredth of a pixel."""
    ramp = np.repeat(np.arange(0, 200, dtype=np.uint8)[None, :, None], 100, axis=0).repeat(3, axis=2)
    matrix = crop(100.37, 50.2, 40, 0.5, 60)
    out = np.zeros((3, 60, 60), np.float32)
    warp_float(ramp, matrix, np.zeros(3, np.float32), np.ones(3, np.float32), False, out)
    us, vs = np.meshgrid(np.arange(60), np.arange(60))
    xs = transform(invert(matrix), np.stack((us.ravel(), vs.ravel()), axis=1).astype(np.float32))[:, 0]
    assert np.abs(out[1].ravel() - xs).max() < 0.01


def test_a_map_that_is_no_map_is_refused() -> None:
    with pytest.raises(ValueError, match="no map"):
        warp_bytes(photo(), np.full((2, 3), np.nan), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="no map"):
        warp_float(
            photo(),
            np.zeros((2, 3)),
            np.zeros(3, np.float32),
            np.ones(3, np.float32),
            False,
            np.zeros((3, 8, 8), np.float32),
        )


@pytest.mark.parametrize("size", [112, 256])
def test_aligner_undoes_a_similarity(size: int) -> None:
    aligner = Aligner(size)
    placed = transform(crop(30, 20, 40, -0.4, 100), canonical(size))
    back = transform(aligner.matrix(placed), placed)
    assert np.abs(back - canonical(size)).max() < 1e-3


def test_aligned_face_lies_inside_the_picture() -> None:
    points = canonical(112)
    assert points.min() > 0
    assert points.max() < 112


def test_similarity_against_the_closed_form_by_svd() -> None:
    rng = np.random.default_rng(4)
    source, target = rng.normal(size=(30, 2)).astype(np.float32), rng.normal(size=(30, 2)).astype(np.float32)
    weights = rng.uniform(0.1, 1, 30).astype(np.float32)
    found = fit_similarity(source, target, weights)
    # linear least squares over (a, b, tx, ty), solved independently
    rows = np.zeros((60, 4))
    rows[0::2] = np.stack((source[:, 0], -source[:, 1], np.ones(30), np.zeros(30)), axis=1)
    rows[1::2] = np.stack((source[:, 1], source[:, 0], np.zeros(30), np.ones(30)), axis=1)
    root = np.sqrt(np.repeat(weights, 2))
    a, b, tx, ty = np.linalg.lstsq(rows * root[:, None], target.reshape(-1) * root, rcond=None)[0]
    assert found == pytest.approx(np.array(((a, -b, tx), (b, a, ty))), abs=1e-5)
