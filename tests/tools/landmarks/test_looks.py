"""A second look is taken around the points of the first, its mirror image is swapped back, and errors are of faces in view.

What is said of `FaceAnalyzer` is what it returns.
"""

from collections.abc import Iterator
from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="needs the tools extra")

from realtime import FaceAnalyzer
from realtime.analyze.still_search import searches
from realtime.face.settings import FaceSettings
from tests.conftest import ROOT
from tests.tools.data.test_points98 import face
from tools.data.crops import SIZE, Sample, Strength
from tools.data.landmark_batches import FaceSet
from tools.data.points98 import crop_matrix, square_from_points, transform
from tools.evaluate.landmark_cuts import CUTS, cut, cut_figures
from tools.evaluate.landmark_looks import hard_looks, looks
from tools.evaluate.landmark_models import Landmarks
from tools.evaluate.landmark_stills import BORDER, ENLARGED, analysed, look, scene, still_locator, still_looks

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


@pytest.fixture(scope="module")
def analyze() -> Iterator[FaceAnalyzer]:
    with FaceAnalyzer(weights=ROOT / "weights") as opened:
        yield opened


@pytest.fixture(scope="module")
def person(analyze: FaceAnalyzer) -> FaceSet:
    """One person of the demo clip, cut out with room around the face."""
    clip = cv2.VideoCapture(str(ROOT / "realtime/media/assets/demo.mp4"))
    image = np.asarray(clip.read()[1], np.uint8)
    clip.release()
    (seen,) = analyze(image)
    left, top, right, bottom = (seen.box + np.array((-100, -100, 100, 100))).clip(0).astype(int)
    picture = np.ascontiguousarray(image[top:bottom, left:right])
    points = (seen.points - (left, top)).astype(np.float32)[None]
    squares = [[square_from_points(points[0])]]
    return FaceSet("photographs", [picture], points, np.ones((1, 98)), squares, Strength(), 1.0, np.ones(1))


def test_the_locator_that_is_measured_gives_what_face_analyzer_returns(analyze: FaceAnalyzer, person: FaceSet) -> None:
    (picture,) = person.pictures
    (found,) = analyze(picture)
    assert analyze._parts is not None
    box = next(searches(analyze._parts._detector, picture, FaceSettings().tracker.candidate_score))[0]
    again = still_locator(ROOT / "weights").at_any_roll(picture, box)
    np.testing.assert_array_equal(again.landmarks.points, found.points)
    assert again.presence >= FaceSettings().tracker.start_presence


def test_figures_of_stills_are_of_all_faces_in_view_and_of_those_that_are_told(person: FaceSet) -> None:
    weights = ROOT / "weights"
    figures = {
        figure.name.removeprefix("photographs displaced and degraded, "): figure
        for figure in still_looks(weights, person, 2)
    }
    every, told = (
        figures[f"as FaceAnalyzer looks{words}: mean NME"]
        for words in ("", ", presence from 0.5 on, else it tells no face")
    )
    assert 0 < (told.cases or 0) <= (every.cases or 0) <= 2
    assert 0 < every.value < 20
    turned = [figure for name, figure in figures.items() if "yaw" in name and "mean" in name]
    assert sum(figure.cases or 0 for figure in turned) == every.cases
    assert sum("mean" in name for name in figures) == 2 + len(turned) + 3
    found, besides, *errors = analysed(weights, person)
    assert found.cases == besides.cases
    assert len(errors) == (2 if found.value else 0)


def test_a_scene_shows_the_crop_where_its_points_are() -> None:
    crop = np.full((SIZE, SIZE, 3), 40, np.uint8)
    crop[30, 70] = 255
    points = np.tile((np.array((70.0, 30.0)) + 0.5) / SIZE, (98, 1)).astype(np.float32)
    sample = Sample(crop, points, np.ones(98), 1.0, np.eye(2, 3), crop)
    picture, there = scene(sample)
    brightest = np.unravel_index(int(picture[..., 0].argmax()), picture.shape[:2])
    np.testing.assert_allclose(there[0], brightest[::-1], atol=0.01)
    assert picture.shape == (SIZE * ENLARGED + 2 * BORDER,) * 2 + (3,)


def test_a_clear_crop_is_located_with_a_small_error(person: FaceSet) -> None:
    (picture,), (true,) = person.pictures, person.points
    matrix = crop_matrix(*square_from_points(true), SIZE)
    crop = np.asarray(cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR), np.uint8)
    points = ((transform(true, matrix) + 0.5) / SIZE).astype(np.float32)
    found = look(still_locator(ROOT / "weights"), Sample(crop, points, np.ones(98), 1.0, matrix, crop))
    assert found.error < 3
    assert found.presence > 0.99
    assert found.yaw < 20


def test_a_picture_is_cut_where_it_says() -> None:
    picture = np.arange(200 * 300 * 3, dtype=np.uint32).astype(np.uint8).reshape(200, 300, 3)
    points = np.linspace((100, 50), (200, 150), 98).astype(np.float32)
    part, first = cut(picture, points, CUTS["through its left cheek and eye"])
    assert (first.tolist(), part.shape) == ([0, 0], (200, 175, 3))
    part, first = cut(picture, points, CUTS["through its brows"])
    assert (first.tolist(), part.shape) == ([0, 62], (138, 300, 3))
    np.testing.assert_array_equal(part, picture[62:])


def test_figures_of_cut_pictures_are_of_the_one_face(person: FaceSet, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ("along the face", "through its chin")
    monkeypatch.setattr("tools.evaluate.landmark_cuts.CUTS", {name: CUTS[name] for name in chosen})
    found = {
        figure.name.removeprefix("photographs cut "): figure
        for figure in cut_figures(ROOT / "weights", person.pictures)
    }
    for name in chosen:
        assert (found[f"{name}: faces found"].value, found[f"{name}: taken for a face besides"].value) == (100, 0)
        assert 0 < found[f"{name}: points in view, from the whole picture's"].value < 3
