"""A network's own answers as labels: averaged over crops and mirror images, and believed only where they are near the label."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="needs the tools extra")

from tests.tools.data.test_points98 import face
from tests.tools.landmarks.test_batches import CALM
from tools.data import own_answers
from tools.data.landmark_batches import FaceSet, LandmarkBatches
from tools.data.own_answers import FARTHEST, OwnAnswers
from tools.data.points98 import square_from_points

SIZE = own_answers.SIZE
RIGHT, DOWN = 3.0, 1.0
F32 = NDArray[np.float32]


class Dot:
    """Answers as a network whose 98 points all lie at the crop's brightest spot, always too far right and too low."""

    def run(self, outputs: Sequence[str], given: Mapping[str, F32]) -> list[F32]:
        assert list(outputs) == ["points"]
        green = given["crop"][0, 1] + 1
        y, x = np.mgrid[:SIZE, :SIZE]
        light = np.where(green > green.max() / 2, green, 0)
        at = np.array(((x * light).sum(), (y * light).sum())) / light.sum() + (RIGHT, DOWN)
        return [np.repeat(((at + 0.5) / SIZE)[None, None], 98, 1).astype(np.float32)]


@pytest.fixture
def dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_answers, "one_thread_session", lambda model: Dot())


def picture_with_dot(at: F32, side: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side]
    grey = 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 12)
    return np.repeat(grey[..., None], 3, -1).astype(np.uint8)


@pytest.mark.usefixtures("dot")
def test_what_errs_to_one_side_is_right_in_the_mean_with_the_mirror_image() -> None:
    points = face()
    at = np.array((100.0, 110.0), np.float32)
    found = OwnAnswers(Path("any"), 1.0).answer(picture_with_dot(at, 220), points)
    scale = square_from_points(points)[1] / SIZE
    np.testing.assert_allclose(found[:, 0], at[0], atol=0.15)
    np.testing.assert_allclose(found[:, 1], at[1] + DOWN * scale, atol=0.2)


@pytest.mark.usefixtures("dot")
def test_labels_go_their_share_of_the_way_but_not_to_what_is_far_off_nor_where_people_placed_them() -> None:
    at = np.array((56.0, 60.0), np.float32)
    own = OwnAnswers(Path("any"), 0.5)
    crop = picture_with_dot(at, SIZE)
    points = (face() * np.float32(SIZE / 200)).astype(np.float32)
    answer = own.answer(crop, points)[0]
    near = [16, 54, 60, 90]
    points[near] = answer + np.array((2.0, 0.0))
    trust = np.ones(98, np.float32)
    trust[90] = 2.5
    # The crops follow the points' square, so the answer is asked once more.
    answer = own.answer(crop, points)[0]
    taught = own.taught(crop, points, trust)
    np.testing.assert_allclose(taught[[16, 54]], points[[16, 54]] + 0.5 * (answer - points[[16, 54]]), atol=1e-4)
    assert (taught[[60, 90]] == points[[60, 90]]).all()
    far = np.linalg.norm(points - answer, axis=1) > FARTHEST
    assert far.sum() > 80
    assert (taught[far] == points[far]).all()


@pytest.mark.usefixtures("dot")
@pytest.mark.parametrize(("name", "moved"), [("photographs", True), ("rendered", False)])
def test_photographs_labels_move_and_exact_ones_stay(name: str, moved: bool) -> None:
    points = face()
    points[16] = 100, 110
    faces = FaceSet(
        name, [picture_with_dot(points[16], 220)], points[None], np.ones((1, 98)), [[square_from_points(points)]],
        CALM, 1.0, np.ones(1),
    )  # fmt: skip
    plain, taught = (
        next(islice(LandmarkBatches([faces], 4, 0.0, 3, own), 1))["points"].numpy()
        for own in (None, (Path("any"), 0.5))
    )
    rows = np.abs(taught - plain).max(2) > 1e-6
    assert rows[:, 16].all() == moved
    assert not np.delete(rows, [16], 1).any(axis=0)[60:76].any()
    assert moved or not rows.any()
