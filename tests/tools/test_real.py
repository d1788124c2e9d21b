"""The figures on real people: what they compose and what they count."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.tools.data.test_points98 import face  # noqa: E402
from tools.data.half_smiles import half_smile  # noqa: E402
from tools.data.london import Portrait  # noqa: E402
from tools.data.london_labels import Labelled  # noqa: E402
from tools.data.points98 import eye_opening  # noqa: E402
from tools.data.winks import Shut  # noqa: E402
from tools.evaluate.aus import winks  # noqa: E402
from tools.evaluate.figures import Figure, auc  # noqa: E402
from tools.evaluate.real import closing_figures, rest_figures  # noqa: E402
from tools.evaluate.real_pictures import Seen, Viewer, wink_pictures  # noqa: E402
from tools.evaluate.real_points import lid_figures  # noqa: E402
from tools.train.action_units.photographs import LID, wink_truth  # noqa: E402
from tools.train.action_units.table import UNITS  # noqa: E402

pytestmark = pytest.mark.tools


def labelled(grey: int, points: np.ndarray) -> Labelled:
    picture = np.full((240, 240, 3), grey, np.uint8)
    portrait = Portrait("london/000", "white", False, False, picture, None, None)
    return Labelled(portrait, np.zeros(4, np.float32), np.zeros((5, 2), np.float32), points)


def by_name(figures: list[Figure]) -> dict[str, float]:
    return {f.name: f.value for f in figures}


def test_area_under_the_curve_counts_pairs() -> None:
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5
    assert auc(np.array([0.0, 2.0]), np.array([1.0])) == 0.5


@pytest.mark.parametrize("side", [0, 1])
def test_half_of_one_picture_lies_beside_half_of_the_other(side: int) -> None:
    points = face()
    smiling = points + np.array([6, 4], np.float32)  # the same face elsewhere in the frame
    mixed, placed = half_smile(labelled(60, points), labelled(200, smiling), side)
    # The patient's left is on the image's right.
    assert mixed[120, 220, 0] == (200 if side == 0 else 60)
    assert mixed[120, 5, 0] == (60 if side == 0 else 200)
    np.testing.assert_allclose(placed, points, atol=0.5)


def test_wink_pictures_shut_the_side_they_name() -> None:
    person = labelled(120, face())
    for side, picture, points in wink_pictures(person, "gentle", 0):
        opening = eye_opening(points)[::-1]
        assert opening[side] < 0.4 * opening[1 - side]
        assert picture.shape == (400, 400, 3)


def test_the_eye_that_is_shut_should_read_higher() -> None:
    known = np.zeros((4, 2, len(UNITS)), np.float32)
    known[:, 0, LID] = (4, 3, 2, 1)
    known[:, 1, LID] = (1, 1, 1, 2)
    found = by_name(closing_figures("x", known, known, np.ones((4, 2), np.float32), "gentle", judged=True))
    assert found["x: the shut eye reads higher"] == 75
    assert found["x: AU45 of the shut eye over the other's"] == 2


def test_the_rendered_exam_looks_at_one_eye_alone() -> None:
    truth = np.zeros((3, 2, len(UNITS)), np.float32)
    truth[:, 0, LID] = 5
    truth[1, 0, [UNITS.index(4), UNITS.index(6)]] = 4
    truth[2, 1, LID] = 5  # both: not judged
    found = by_name(winks(truth + 0.5, truth))
    assert found["one eye shut gently: AU45 over the other's"] == pytest.approx(11)
    assert found["one eye shut squeezed: it reads higher"] == 100


def test_what_a_wink_says_of_the_units() -> None:
    open_face = wink_truth([], neutral=True)
    assert not open_face.any()
    shut = wink_truth([Shut(68, 0.9, 0.5), Shut(60, -0.2)], neutral=True)
    assert shut[:, LID].tolist() == pytest.approx([4.5, 0])
    assert np.isnan(np.delete(shut, LID, 1)).all()
    assert wink_truth([], neutral=False)[:, LID].tolist() == [0, 0]


def test_the_eyes_opening_is_measured_in_millimetres() -> None:
    hand = np.stack([face()] * 2)
    found = hand.copy()
    found[:, [62, 70], 1] += 2
    values = by_name(lid_figures(found, hand, np.array([0.5, 0.5]), np.array(["a", "b"]), "x", judged=False))
    assert values["x: eye opening, mean error (negative: too small)"] == pytest.approx(-1, abs=0.05)
    assert values["x: eye opening, right from left, mean error"] == pytest.approx(0, abs=0.05)


def test_rest_is_admitted_by_the_units_that_are_measured() -> None:
    class Mirrored:
        """Reads the picture's brightness as a smile, and much of a unit that is not measured."""

        def face(self, picture: np.ndarray, near: np.ndarray) -> Seen:
            values = np.zeros((2, len(UNITS)), np.float32)
            values[:, UNITS.index(12)] = float(picture.mean()) / 50
            values[:, UNITS.index(23)] = 5.0
            return Seen(values, np.ones(2, np.float32), near)

    def person(number: int, grey: int, *, smiling: bool) -> Labelled:
        calm = labelled(grey, face())
        return calm._replace(portrait=replace(calm.portrait, person=f"london/{number:03d}", smiling=smiling))

    faces = [person(0, 10, smiling=False), person(0, 200, smiling=True), person(1, 150, smiling=False)]
    listed = [unit for unit in UNITS if unit != 23]
    found = by_name(rest_figures(cast("Viewer", Mirrored()), faces, listed))
    assert found["everybody: neutral pictures admitted as rest"] == 50
    assert found["everybody: smiling pictures admitted as rest"] == 0
    assert found["everybody: the neutral picture is the calmer of two"] == 100
    assert found["everybody: at rest, 95 % read at most"] == pytest.approx(0.2 + 0.95 * 2.8)
