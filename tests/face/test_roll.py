"""A face at any roll is found with its true roll, or not at all: upside down is never measured as upright."""

import itertools
from typing import cast

import numpy as np
import pytest

from realtime import FaceAnalyzer, FaceTracker
from realtime.analyze.results import TrackedFace
from realtime.face import matching
from realtime.face.contract import LandmarkContract
from realtime.face.crops import five_of, roll_of_five
from realtime.face.face_model import FACE_2D
from realtime.face.geometry import invert, transform
from realtime.face.landmarks import LandmarkModel, Landmarks
from realtime.face.locator import SURE, Locator
from realtime.face.settings import FaceSettings
from realtime.face.tracker import Tracker
from realtime.types import F64, U8, Detection, Detections, Frame

CONTRACT = LandmarkContract(size=112, presence="probability", upright=True)
IMAGE = np.zeros((480, 640, 3), np.uint8)
PATCH = np.random.default_rng(0).uniform(-1, 1, (3, 112, 112)).astype(np.float32)


def face(roll: float, size: float = 60.0) -> np.ndarray:
    """(98, 2) points of a face in the middle of the picture, rolled clockwise by so many degrees."""
    angle = np.radians(roll)
    turn = np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    return ((FACE_2D * size) @ turn + (320, 240)).astype(np.float32)


def upright_five(points: np.ndarray) -> np.ndarray:
    """What a detector that knows upright faces only makes of a face: eyes above the mouth whatever its roll."""
    x0, y0 = points.min(axis=0)
    w, h = points.max(axis=0) - (x0, y0)
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return (shares * (w, h) + (x0, y0)).astype(np.float32)


class RolledFace:
    """A landmark network's place: finds the face as it is where the crop is turned with it, else an upright one in the crop."""

    contract = CONTRACT

    def __init__(self, truth: np.ndarray, wrong: float = 0.7) -> None:
        self.truth = truth
        self.wrong = wrong
        self.asked = 0

    def locate(self, image: U8, crop: F64, correction: object = None, *, rough: bool = False) -> Landmarks:
        self.asked += 1
        in_crop = transform(crop, self.truth)
        turned = abs(float(roll_of_five(five_of(in_crop)))) < np.radians(50)
        points = self.truth if turned else transform(invert(crop), ((FACE_2D * 30) + 56).astype(np.float32))
        return Landmarks(points, None, 0.99 if turned else self.wrong, crop, PATCH)


@pytest.mark.parametrize("roll", [0, 40, 90, 135, 180, -90, -135])
def test_the_presence_of_four_rolls_tells_the_true_one(roll: float) -> None:
    truth = face(roll)
    box = Detection(matching.face_box(truth), 0.9, upright_five(truth))
    found = Locator(cast("LandmarkModel", RolledFace(truth)), 0.5).at_any_roll(IMAGE, box)
    assert found.presence >= SURE
    np.testing.assert_array_equal(found.landmarks.points, truth)


def test_a_sure_upright_face_costs_no_further_run() -> None:
    truth = face(0)
    model = RolledFace(truth)
    Locator(cast("LandmarkModel", model), 0.5).at_any_roll(
        IMAGE, Detection(matching.face_box(truth), 0.9, upright_five(truth))
    )
    assert model.asked == 2


@pytest.mark.parametrize(("roll", "wrong"), [(180, 0.7), (180, 0.1), (90, 0.6)])
def test_the_tracker_follows_a_rolled_face_and_does_not_start_it_again_and_again(roll: float, wrong: float) -> None:
    """The detector's five points disagree with the true ones all the time: that is no slipping."""
    truth = face(roll)
    tracker = Tracker(cast("LandmarkModel", RolledFace(truth, wrong)), FaceSettings())
    starts = []
    for number in range(40):
        frame = Frame(IMAGE, number, number / 30)
        seen = None
        if tracker.try_claim_detection(number):
            seen = Detections(number, number / 30, (Detection(matching.face_box(truth), 0.9, upright_five(truth)),))
        found = tracker.update(frame, seen)
        if found is None:
            assert number < 5
            continue
        starts.append(number)
        np.testing.assert_allclose(found.points, truth, atol=0.01)
        assert found.face_id == 1
    assert starts[-1] == 39
    assert tracker._cadence.interval > FaceSettings().cadence.shortest


def test_the_box_of_a_turned_face_holds_its_forehead() -> None:
    for roll, edge in ((0, 1), (180, 3), (90, 2), (-90, 0)):
        truth = face(roll)
        box, around = matching.face_box(truth), np.concatenate((truth.min(axis=0), truth.max(axis=0)))
        assert int(np.argmax(np.abs(box - around))) == edge


@pytest.fixture(scope="module")
def demo() -> list[TrackedFace]:
    with FaceTracker("demo") as tracker:
        return list(itertools.islice(tracker, 25))


def test_the_demo_upside_down_keeps_the_patients_sides(demo: list[TrackedFace]) -> None:
    height, width = demo[0].frame.image.shape[:2]
    corner = np.array([width - 1, height - 1], np.float32)
    found = 0
    with FaceTracker() as tracker:
        for frame, upright in demo:
            face = tracker.update(np.ascontiguousarray(frame.image[::-1, ::-1]), frame.capture_time)
            if face is None:
                continue
            found += 1
            assert face.pose is not None
            assert abs(face.pose[2]) > 150
            apart = np.abs((corner - face.points) - upright.points).max()
            assert apart < 0.1 * np.ptp(upright.points[:, 0])
            assert face.action_units.left[25] == pytest.approx(upright.action_units.left[25], abs=0.5)
    assert found >= 20


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_still_at_any_quarter_turn_is_empty_or_true(demo: list[TrackedFace], turns: int) -> None:
    with FaceAnalyzer() as analyze:
        faces = analyze(np.ascontiguousarray(np.rot90(demo[5].frame.image, -turns)))
    assert len(faces) == 1 or turns in (1, 3)
    for face in faces:
        assert (
            np.degrees(roll_of_five(five_of(face.points))) % 360 == pytest.approx(90 * turns % 360, abs=20)
            or turns == 0
        )
