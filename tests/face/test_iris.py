"""Eye windows and what is read from them: a made-up network that sees a dark disc finds it wherever the face stands."""

import math
from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from realtime.face.iris import EYE, TYPICAL, WINDOW, IrisReader, eye_window, window_matrix
from realtime.types import F32, U8


def picture(centres: list[tuple[float, float]], radius: float, size: tuple[int, int] = (480, 640)) -> U8:
    """White, with dark discs, drawn at eight times the size."""
    fine = np.full((size[0] * 8, size[1] * 8), 255, np.uint8)
    for x, y in centres:
        cv2.circle(fine, (round(8 * x + 3.5), round(8 * y + 3.5)), round(8 * radius), 0, -1)
    small = cv2.resize(fine, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.repeat(small[:, :, None], 3, axis=2))


def points_of(right: tuple[float, float], left: tuple[float, float], width: float, roll: float = 0.0) -> F32:
    """98 points of which only the corners of the eyes mean something."""
    points = np.full((98, 2), -1.0, np.float32)
    along = width / 2 * np.array((math.cos(roll), math.sin(roll)))
    points[60], points[64] = right - along, right + along
    points[68], points[72] = left - along, left + along
    return points


def disc_network(blob: F32) -> Mapping[str, F32]:
    """Place and size of the dark pixels of each window."""
    answers = []
    for window in blob:
        dark = (1 - window[0]) / 2
        y, x = np.mgrid[: WINDOW[1], : WINDOW[0]]
        area = max(float(dark.sum()), 1e-6)
        cx, cy = float((dark * x).sum() / area), float((dark * y).sum() / area)
        diameter = 2 * math.sqrt(area / math.pi)
        middle = ((WINDOW[0] - 1) / 2, (WINDOW[1] - 1) / 2)
        answers.append(
            ((cx - middle[0]) / EYE, (cy - middle[1]) / EYE, math.log(diameter / (TYPICAL * EYE)), math.log(0.02))
        )
    return {"iris": np.array(answers, np.float32)}


@pytest.mark.parametrize(("width", "roll"), [(30.0, 0.0), (60.0, 0.4), (140.0, 0.0), (200.0, -0.2)])
def test_irises_are_found_where_they_are_at_any_size_and_roll(width: float, roll: float) -> None:
    right, left = (250.0, 240.0), (990.0, 236.0)
    # The discs stand off the eyes' middles, by different ways.
    discs = [(right[0] + 0.07 * width, right[1] - 0.02 * width), (left[0] - 0.09 * width, left[1] + 0.03 * width)]
    image = picture(discs, 0.22 * width, (480, 1240))
    found = IrisReader(disc_network).read(image, points_of(right, left, width, roll))
    for iris, disc in ((found.right, discs[0]), (found.left, discs[1])):
        assert iris is not None
        assert iris.centre == pytest.approx(disc, abs=0.3)
        assert iris.diameter == pytest.approx(0.44 * width, rel=0.02)
        assert iris.spread == pytest.approx(0.02)


def test_the_left_eye_is_seen_as_the_mirror_image_of_a_right_one() -> None:
    image = picture([(200.0, 240.0), (439.0, 240.0)], 12.0)  # the mirror axis lies between two pixels
    image[230:236, 210:214] = 90
    image[230:236, 426:430] = 90
    right = eye_window(image, window_matrix(np.array((170.0, 240.0)), np.array((230.0, 240.0)), mirrored=False))
    left = eye_window(image, window_matrix(np.array((469.0, 240.0)), np.array((409.0, 240.0)), mirrored=True))
    # The warp rounds places to 1/32 pixel, which at a hard edge is some grey levels.
    assert float(np.abs(right.astype(int) - left).mean()) < 0.5


def test_the_corners_lie_upright_in_the_windows_middle() -> None:
    outer, inner = np.array((100.0, 200.0)), np.array((140.0, 230.0))
    for mirrored in (False, True):
        matrix = window_matrix(*((outer, inner) if not mirrored else (inner, outer)), mirrored=mirrored)
        placed = np.stack([outer, inner]) @ matrix[:, :2].T + matrix[:, 2]
        assert placed[:, 1] == pytest.approx((WINDOW[1] - 1) / 2)
        assert np.ptp(placed[:, 0]) == pytest.approx(EYE)


def test_an_eye_without_width_has_no_iris() -> None:
    points = points_of((200.0, 240.0), (440.0, 240.0), 60.0)
    points[64] = points[60]
    found = IrisReader(disc_network).read(picture([(440.0, 240.0)], 12.0), points)
    assert found.right is None
    assert found.left is not None
    points[68] = points[72] = np.nan
    assert IrisReader(disc_network).read(picture([], 1.0), points) == (None, None)


def test_an_answer_that_is_no_number_is_no_iris() -> None:
    def broken(blob: F32) -> Mapping[str, F32]:
        return {"iris": np.full((len(blob), 4), np.nan, np.float32)}

    points = points_of((200.0, 240.0), (440.0, 240.0), 60.0)
    assert IrisReader(broken).read(picture([(200.0, 240.0)], 12.0), points) == (None, None)


def test_a_face_at_the_pictures_border_is_read_without_fault() -> None:
    found = IrisReader(disc_network).read(picture([(2.0, 2.0)], 30.0), points_of((2.0, 2.0), (630.0, 470.0), 300.0))
    assert found.right is not None
