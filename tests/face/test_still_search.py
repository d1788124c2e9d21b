"""A still picture is searched once more, with a border, where a face may fill it."""

from typing import cast

import numpy as np
import pytest

from realtime.analyze.results import Face
from realtime.analyze.still_search import searches, whole_faces
from realtime.face.detector import FaceDetector
from realtime.types import U8, Detection, Detections, Frame, Region, Sides

IMAGE = np.full((300, 400, 3), 90, np.uint8)
BORDER = 150


def box(x: float, y: float, side: float, score: float) -> Detection:
    corners = np.array((x, y, x + side, y + side), np.float32)
    along = np.linspace(0, side, 5, dtype=np.float32)
    return Detection(corners, score, corners[:2] + along[:, None])


class Seeing:
    """Finds some faces in the picture as it is, others in one with a border."""

    def __init__(self, plain: list[Detection], bordered: list[Detection]) -> None:
        self.seen: list[U8] = []
        self._found = {IMAGE.shape: plain, (600, 700, 3): bordered}

    def detect(self, frame: Frame, region: Region | None = None) -> Detections:
        assert region is None
        self.seen.append(frame.image)
        return Detections(0, 0.0, tuple(self._found[frame.image.shape]))


def test_a_picture_of_small_faces_is_searched_once() -> None:
    plain = [box(10, 20, 60, 0.9), box(200, 20, 104, 0.5), box(0, 0, 200, 0.3)]
    detector = Seeing(plain, [])
    assert next(searches(cast("FaceDetector", detector), IMAGE, 0.4)) == plain[:2], (
        "what is too unsure is no large face"
    )
    assert len(detector.seen) == 1


@pytest.mark.parametrize("plain", [[], [box(100, 0, 106, 0.8)], [box(10, 20, 60, 0.6), box(100, 0, 250, 0.8)]])
def test_a_large_face_or_none_is_looked_for_with_a_border_and_small_ones_stay(plain: list[Detection]) -> None:
    detector = Seeing(plain, [box(140, 130, 280, 0.95), box(0, 0, 90, 0.2)])
    found = next(searches(cast("FaceDetector", detector), IMAGE, 0.4))
    assert [round(face.score, 2) for face in found] == ([0.95, 0.6] if len(plain) == 2 else [0.95])
    np.testing.assert_allclose(found[0].box, np.array((-10, -20, 270, 260)), atol=1e-4)
    np.testing.assert_allclose(found[0].points[-1], found[0].box[2:], atol=1e-4)
    wider = detector.seen[1]
    assert not wider.flags.writeable
    assert not wider[:BORDER].any()
    np.testing.assert_array_equal(wider[BORDER:-BORDER, BORDER:-BORDER], IMAGE)


def face(corners: tuple[float, float, float, float], presence: float) -> Face:
    return Face(1, np.array(corners, np.float32), np.zeros((98, 2), np.float32), None, None, presence, Sides({}, {}))


def test_nostrils_and_mouth_are_no_face_of_their_own_but_a_child_before_its_mother_is() -> None:
    mother, lips = face((100, 100, 300, 340), 0.98), face((170, 200, 230, 270), 0.73)
    child, beside = face((170, 200, 230, 270), 0.95), face((280, 200, 340, 270), 0.6)
    assert whole_faces([mother, lips, beside]) == [mother, beside]
    assert whole_faces([lips, mother]) == [mother], "whichever was found first"
    assert whole_faces([mother, child]) == [mother, child]
    unsure = face((100, 100, 300, 340), 0.6)
    assert whole_faces([unsure, lips]) == [unsure, lips], "the inner one is the surer one"
    assert whole_faces([]) == []


def test_a_huge_picture_is_reduced_before_it_gets_its_border() -> None:
    class Wide:
        def detect(self, frame: Frame, region: Region | None = None) -> Detections:
            found = (box(90, 80, 200, 0.9),) if frame.image.shape == (120, 1340, 3) else ()
            return Detections(0, 0.0, found)

    (found,) = next(searches(cast("FaceDetector", Wide()), np.zeros((120, 2560, 3), np.uint8), 0.4))
    np.testing.assert_allclose(found.box, np.array((120, 100, 520, 500)))
