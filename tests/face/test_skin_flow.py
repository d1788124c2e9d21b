"""The skin's movement against movements that were made, and against OpenCV's dense inverse search."""

import cv2
import numpy as np
import pytest

from realtime.action_units.rest_frame import EYE, EYE_FLOW, MOUTH, MOUTH_FLOW
from realtime.face.skin_flow import SkinFlow, settled_pyramid
from tools.bench.skin import MARGIN, dense, moved_skin, pores, run

F32 = np.ndarray
BOTH = [(EYE, EYE_FLOW), (MOUTH, MOUTH_FLOW)]


def skin(size: tuple[int, int], seed: int) -> F32:
    """A window of pores and shades, with a margin that movements bring into view."""
    return np.clip(pores(np.random.default_rng(seed), size), 0, 255).astype(np.float32)


def window(picture: F32, size: tuple[int, int], moved: F32 | None = None) -> F32:
    """The middle of a picture whose content was moved: `moved` is a (2, 3) matrix from old places to new ones."""
    if moved is not None:
        picture = cv2.warpAffine(picture, moved, picture.shape[::-1], flags=cv2.INTER_CUBIC)
    return np.ascontiguousarray(picture[MARGIN : MARGIN + size[0], MARGIN : MARGIN + size[1]])


@pytest.mark.parametrize(("size", "flow"), BOTH)
@pytest.mark.parametrize("shift", [(0.3, 0.0), (0.0, -0.4), (1.7, 1.2), (-3.1, 2.6)])
def test_a_shift_is_found_to_a_tenth_of_a_pixel(
    size: tuple[int, int], flow: SkinFlow, shift: tuple[float, float]
) -> None:
    picture = skin(size, 1)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    found = flow.moved(flow.template(window(picture, size)), window(picture, size, matrix))
    assert found.shape == (*flow.cells, 2)
    inner = found[1:-1, 1:-1].reshape(-1, 2)
    np.testing.assert_allclose(np.median(inner, axis=0), shift, atol=0.1)
    assert np.abs(inner - shift).mean() < 0.25


def test_a_stretch_grows_across_the_cells() -> None:
    picture = skin(EYE, 2)
    middle = np.array(picture.shape[::-1]) / 2 - 0.5
    matrix = np.array([[1, 0, 0], [0, 1.08, -0.08 * middle[1]]])
    found = EYE_FLOW.moved(EYE_FLOW.template(window(picture, EYE)), window(picture, EYE, matrix))
    rows = found[..., 1].mean(axis=1)
    places = (np.arange(7) + 0.5) * EYE[0] / 7 - EYE[0] / 2
    assert abs(np.polyfit(places, rows, 1)[0] - 0.08) < 0.015
    assert np.abs(found[..., 0]).mean() < 0.15


def test_no_movement_is_none_and_light_is_none_either() -> None:
    still = window(skin(EYE, 3), EYE)
    template = EYE_FLOW.template(still)
    assert np.abs(EYE_FLOW.moved(template, still)).max() < 1e-3
    darker = (0.6 * still + 20).astype(np.float32)
    assert np.abs(EYE_FLOW.moved(template, darker)).max() < 0.02


def test_skin_without_any_texture_stays_where_it_was() -> None:
    flat = np.full(EYE, 90, np.uint8)
    noisy = np.random.default_rng(4).integers(80, 100, EYE).astype(np.uint8)
    assert not EYE_FLOW.moved(EYE_FLOW.template(flat), flat).any()
    assert np.isfinite(EYE_FLOW.moved(EYE_FLOW.template(flat), noisy)).all()
    assert np.isfinite(EYE_FLOW.moved(EYE_FLOW.template(noisy), flat)).all()


@pytest.mark.parametrize(("size", "flow"), BOTH)
def test_the_mirror_image_moves_as_the_mirror_says(size: tuple[int, int], flow: SkinFlow) -> None:
    before, after = (window(skin(size, 5), size, np.array([[1, 0, x], [0, 1, -x]])) for x in (0.0, 1.4))
    plain = flow.moved(flow.template(before), after)
    mirror = [np.ascontiguousarray(picture[:, ::-1]) for picture in (before, after)]
    swapped = flow.moved(flow.template(mirror[0]), mirror[1])
    np.testing.assert_allclose(swapped[:, ::-1] * (-1, 1), plain, atol=2e-3)


def test_it_follows_as_well_as_opencvs_dense_inverse_search() -> None:
    reference, rng = dense(), np.random.default_rng(6)
    ours, theirs = list[float](), list[float]()
    for _ in range(30):
        before, after, truth = moved_skin(rng)
        found = EYE_FLOW.moved(EYE_FLOW.template(before), after)
        for errors, field in ((ours, found), (theirs, reference(before, after))):
            errors.append(np.linalg.norm(field - truth, axis=-1)[1:-1, 1:-1].mean())
    assert np.median(ours) < 1.3 * np.median(theirs)
    assert np.median(ours) < 0.1


def test_the_bench_times_and_judges_every_way() -> None:
    figures = {name: value for name, value, _, _ in run(["--rounds", "3"]).rows}
    assert all(np.isfinite(value) and value > 0 for value in figures.values())
    assert {name.removeprefix("error of ") for name in figures if name.startswith("error")} == {
        "ours",
        "dense inverse search (OpenCV)",
        "Lucas-Kanade (OpenCV)",
    }


@pytest.mark.parametrize("size", [EYE, MOUTH])
def test_the_kernel_for_bytes_settles_a_window_as_opencv_does(size: tuple[int, int]) -> None:
    window = np.random.default_rng(4).integers(30, 220, size).astype(np.uint8)
    for ours, theirs in zip(settled_pyramid(window), settled_pyramid(window.astype(np.float32)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)
