"""How one detector is counted against another."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from tools.evaluate.detector import table
from tools.evaluate.detector_agreement import Agreement, tall
from tools.evaluate.detector_network import Faces
from tools.evaluate.detector_pictures import Window, familiar
from tools.evaluate.detector_points import of_itself
from tools.train.detector.sources import LEVELS, Source

pytestmark = pytest.mark.tools

NONE = np.zeros((0, 4), np.float32)


def faces(*boxes: tuple[float, float, float, float], score: float = 0.9, shift: float = 0.0) -> Faces:
    table_ = np.array(boxes, np.float32).reshape(-1, 4)
    x, y, w, h = table_[:, 0], table_[:, 1], table_[:, 2] - table_[:, 0], table_[:, 3] - table_[:, 1]
    places = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    points = np.stack([np.stack([x + a * w + shift, y + b * h], axis=-1) for a, b in places], axis=1)
    return Faces(table_, np.full(len(table_), score, np.float32), points.astype(np.float32))


def test_found_missed_and_extra_faces_are_counted() -> None:
    agreement = Agreement()
    theirs = faces((0, 0, 50, 50), (100, 0, 150, 50), (200, 0, 250, 50))
    ours = faces((2, 1, 51, 50), (130, 0, 180, 50), (400, 0, 450, 50))
    agreement.add(ours, theirs, theirs.boxes, NONE)
    assert (agreement.wanted, agreement.found, agreement.extra) == (3, 1, 2)


def test_a_familiar_face_does_not_count_but_is_no_false_face_either() -> None:
    agreement = Agreement()
    theirs = faces((0, 0, 50, 50), (100, 0, 150, 50))
    agreement.add(faces((0, 0, 50, 50)), theirs, theirs.boxes, np.array([[0, 0, 50, 50]], np.float32))
    assert (agreement.wanted, agreement.found, agreement.extra) == (1, 0, 0)


def test_eye_error_is_a_share_of_the_distance_between_the_eyes() -> None:
    agreement = Agreement()
    theirs = faces((0, 0, 50, 50))
    agreement.add(faces((0, 0, 50, 50), shift=2.0), theirs, theirs.boxes, NONE)
    assert agreement.figures()["eye_error_mean"] == pytest.approx(2.0 / (0.4 * 50), rel=1e-4)


def test_nothing_found_is_no_measured_error() -> None:
    agreement = Agreement()
    theirs = faces((0, 0, 50, 50))
    agreement.add(faces(), theirs, theirs.boxes, NONE)
    assert agreement.figures()["recall"] == 0
    assert np.isnan(agreement.figures()["eye_error_mean"])


def test_tall_keeps_faces_by_their_height() -> None:
    assert len(tall(faces((0, 0, 90, 39), (0, 0, 20, 41)), 40).boxes) == 1


def test_the_table_has_a_line_for_each_entry() -> None:
    assert table({"a": {"x": 0.5, "n": 3}, "b": {}}).splitlines()[0].split() == ["a", "x", "0.5000", "n", "3"]


def test_a_face_that_was_trained_on_is_recognised_elsewhere() -> None:
    rng = np.random.default_rng(6)
    face, other = (rng.integers(0, 255, (8, 8, 3)).astype(np.uint8).repeat(10, 0).repeat(10, 1) for _ in range(2))

    def picture(content: np.ndarray, x: int, y: int) -> Source:
        base = np.full((200, 300, 3), 40, np.uint8)
        base[y : y + 80, x : x + 80] = content
        levels = tuple(np.ascontiguousarray(base[:: 2**k, :: 2**k]) for k in range(LEVELS))
        box = np.array([[x, y, x + 80, y + 80]], np.float32)
        return Source("made.jpg", levels, box, np.zeros((1, 5, 2), np.float32))

    known = familiar([picture(face, 100, 60), picture(other, 20, 20)], [picture(face, 20, 100)])
    assert [bool(k[0]) for k in known] == [True, False]


class Finds:
    """A detector for pictures with one white square, the face; `grid`: it tells the eyes in steps of so many pixels."""

    def __init__(self, grid: int) -> None:
        self._grid = grid

    def __call__(self, picture: np.ndarray) -> Faces:
        y, x = np.nonzero(picture[..., 0] > 128)
        found = faces((x.min(), y.min(), x.max() + 1, y.max() + 1))
        if self._grid > 1:
            found.points = np.rint(found.points / self._grid).astype(np.float32) * self._grid
        return found


def test_a_detector_is_held_against_itself_on_the_picture_moved() -> None:
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[20:80, 40:90] = 255  # eyes at (55, 44) and (75, 44), 20 apart
    shown = [Window(picture, NONE, NONE)]
    assert of_itself(Finds(1), shown)["eye_error_mean"] == 0  # type: ignore[arg-type]
    rough = of_itself(Finds(8), shown)  # type: ignore[arg-type]
    first = np.rint(np.array([[55, 44], [75, 44]]) / 8) * 8
    second = np.rint(np.array([[58, 46], [78, 46]]) / 8) * 8
    wanted = np.linalg.norm(second - first - [3, 2], axis=1).mean() / np.linalg.norm(first[0] - first[1])
    assert rough["faces"] == 1
    assert rough["eye_error_mean"] == pytest.approx(wanted)
