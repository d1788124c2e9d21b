"""A second look is taken around the points of the first, its mirror image is swapped back, and errors are of faces in view."""

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="needs the tools extra")

from tests.tools.data.test_points98 import face
from tools.data.crops import SIZE, Strength
from tools.data.landmark_batches import FaceSet
from tools.data.points98 import square_from_points
from tools.evaluate.landmark_looks import hard_looks, looks
from tools.evaluate.landmark_models import Landmarks

F32 = NDArray[np.float32]
SHAPE = face() * np.float32(0.4) + np.float32(18)


class Square:
    """Finds the white square's middle, errs by a tenth of the way to the crop's middle and by two pixels to the right."""

    def __init__(self) -> None:
        self.away: list[float] = []

    def crop(self, crop: NDArray[np.uint8]) -> tuple[F32, F32, float]:
        y, x = np.nonzero(crop[..., 1] > 127)
        middle, here = np.array(((SIZE - 1) / 2, (SIZE - 1) / 2)), np.array((x.mean(), y.mean()))
        self.away.append(float(np.linalg.norm(here - middle)))
        at = here + 0.1 * (middle - here) + (2.0, 0.0)
        points = SHAPE - SHAPE.mean(0) + at
        return ((points + 0.5) / SIZE).astype(np.float32), np.zeros((98, 3), np.float32), 1.0


def test_the_second_look_is_centred_on_the_first_and_the_mirror_takes_out_what_errs_to_one_side() -> None:
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[28:40, 66:78] = 255
    true = np.array((71.5, 33.5))
    network = Square()
    found = looks(cast("Landmarks", network), picture)
    off = [np.linalg.norm(points.mean(0) - true) for points in found.values()]
    assert network.away[1] < network.away[0] / 2
    assert network.away[2] == pytest.approx(network.away[1], abs=0.6)
    assert off[0] > off[1] > off[2]
    assert abs(found["a second look and its mirror image"].mean(0)[0] - true[0]) < 1


def test_errors_are_of_faces_in_view() -> None:
    points = np.stack([face(i) for i in range(6)]).astype(np.float32)
    picture = np.full((220, 220, 3), 255, np.uint8)
    faces = FaceSet(
        "photographs", [picture] * 6, points, np.ones((6, 98)), [[square_from_points(p)] for p in points],
        Strength(), 1.0, np.full(6, 1 / 6),
    )  # fmt: skip

    class Middle:
        def crop(self, crop: NDArray[np.uint8]) -> tuple[F32, F32, float]:
            return ((SHAPE + 0.5) / SIZE).astype(np.float32), np.zeros((98, 3), np.float32), 1.0

    figures = hard_looks(cast("Landmarks", Middle()), faces, views=2)
    assert len(figures) == 6
    assert {figure.cases for figure in figures} == {figures[0].cases}
    assert 0 < (figures[0].cases or 0) <= 12
    assert all(figure.value > 0 for figure in figures)
