"""Lengths frame by frame: the scale is learnt, held, and never another person's."""

import math
from dataclasses import replace

import numpy as np
import pytest

from realtime.clinic.meter import LEAST_IRIS, MOST_SPREAD, LengthMeter, ScaleChoice
from realtime.clinic.ruler import Ruler
from realtime.errors import UserInputError
from realtime.face.face_model import HEAD_3D
from realtime.face.iris import Iris
from realtime.face.pose import HEAD_PITCH_ZERO, rotation
from realtime.types import F32, U8, FaceObservation, Millimetres, Sides

IMAGE = np.zeros((8, 8, 3), np.uint8)
HEAD = HEAD_3D @ rotation(0.0, -HEAD_PITCH_ZERO, 0.0)
MM = 0.4  # of a pixel, in truth


def face(face_id: int = 1, pixels: float = 25.0, *, shut: bool = False, yaw: float = 0.0) -> FaceObservation:
    """A face whose head measures so many pixels a centimetre."""
    head = HEAD.copy()
    if shut:
        head[[61, 62, 63, 69, 70, 71]] = head[[67, 66, 65, 75, 74, 73]]
    seen = head @ rotation(yaw, 0.0, 0.0).T * pixels
    points = np.stack([300 + seen[:, 0], 200 - seen[:, 1]], axis=1).astype(np.float32)
    box = np.array([0, 0, 1, 1], np.float32)
    return FaceObservation(face_id, box, points, points, 1.0, detected=False, pose=(yaw, 0.0, 0.0))


class Irises:
    """Stands in for the network. diameter: of both irises, pixels."""

    def __init__(self, diameter: float = 11.77 / MM, spread: float = 0.02) -> None:
        self.diameter, self.spread, self.asked = diameter, spread, 0

    def read(self, _image: U8, _points: F32) -> Sides[Iris | None]:
        """Both the same."""
        self.asked += 1
        iris = Iris(np.zeros(2, np.float32), self.diameter, self.spread)
        return Sides(iris, iris)


def run(meter: LengthMeter, one: FaceObservation, frames: int, start: float = 0.0) -> Millimetres:
    """The last of so many frames, 30 a second."""
    return [meter.update(one, IMAGE, start + n / 30) for n in range(frames)][-1]


def test_the_scale_comes_from_the_iris_and_settles() -> None:
    irises = Irises()
    meter = LengthMeter(ScaleChoice("iris"), irises.read)
    first = meter.update(face(), IMAGE, 0.0)
    assert (first.source, first.scale_state) == ("iris", "provisional")
    assert first.mm_per_pixel == pytest.approx(MM)
    later = run(meter, face(), 60, 0.1)
    assert later.scale_state == "measured"
    assert later.commissure.left == pytest.approx(10 * math.dist(HEAD[85, :2], HEAD[82, :2]), rel=1e-3)


def test_the_iris_is_read_seldom_once_the_scale_is_settled() -> None:
    irises = Irises()
    meter = LengthMeter(ScaleChoice("iris", every=10), irises.read)
    run(meter, face(), 60)
    before = irises.asked
    run(meter, face(), 100, 3.0)
    assert irises.asked - before == 10


def test_a_childs_iris_is_smaller() -> None:
    meter = LengthMeter(ScaleChoice("iris", "child"), Irises().read)
    assert meter.update(face(), IMAGE, 0.0).mm_per_pixel == pytest.approx(MM * 11.22 / 11.77)


def test_shut_eyes_are_measured_with_the_scale_that_was_learnt_and_say_so() -> None:
    meter = LengthMeter(ScaleChoice("iris"), Irises().read)
    run(meter, face(), 60)
    held = run(meter, face(shut=True, pixels=30.0), 150, 2.0)
    assert held.scale_state == "held"
    assert held.mm_per_pixel == pytest.approx(MM * 25 / 30)
    assert held.fissure_height == (0.0, 0.0)
    assert held.brow_height.left > 10


@pytest.mark.parametrize(
    ("irises", "shut", "word"),
    [
        (Irises(), True, "shut"),
        (Irises(LEAST_IRIS - 1), False, "small"),
        (Irises(spread=MOST_SPREAD + 0.01), False, "clearly"),
    ],
)
def test_without_a_scale_nothing_is_measured_and_the_reason_is_given(irises: Irises, shut: bool, word: str) -> None:
    found = run(LengthMeter(ScaleChoice("iris"), irises.read), face(shut=shut), 5)
    assert word in found.withheld
    assert math.isnan(found.mm_per_pixel)
    assert math.isnan(found.commissure.left)


def test_a_turned_head_is_withheld_and_adds_nothing_to_the_scale() -> None:
    irises = Irises()
    found = run(LengthMeter(ScaleChoice("iris"), irises.read), face(yaw=40.0), 10)
    assert "turned" in found.withheld
    assert irises.asked == 0


def test_another_face_begins_without_a_scale() -> None:
    irises = Irises()
    meter = LengthMeter(ScaleChoice("iris"), irises.read)
    run(meter, face(1), 60)
    irises.diameter *= 1.2
    found = meter.update(face(2), IMAGE, 3.0)
    assert found.scale_state == "provisional"
    assert found.mm_per_pixel == pytest.approx(MM / 1.2)


def test_pupil_distance_and_population_mean_are_named() -> None:
    apart = float(np.hypot(*(HEAD[97, :2] - HEAD[96, :2]))) * 25
    own = run(LengthMeter(ScaleChoice("pupil distance", pupil_distance=58.0)), face(), 40)
    assert (own.source, own.scale_state) == ("pupil distance", "measured")
    assert own.mm_per_pixel == pytest.approx(58 / apart, rel=1e-4)
    guess = run(LengthMeter(ScaleChoice("population mean")), face(), 40)
    assert guess.source == "population mean"
    assert guess.mm_per_pixel == pytest.approx(63 / apart, rel=1e-4)
    assert "shut" in run(LengthMeter(ScaleChoice("population mean")), face(shut=True), 4).withheld


def test_a_ruler_counts_at_the_beginning_and_then_the_head_is_followed() -> None:
    meter = LengthMeter(ScaleChoice("ruler", ruler=Ruler(50.0, (0.0, 0.0), (125.0, 0.0))))
    assert run(meter, face(), 120).mm_per_pixel == pytest.approx(0.4)
    near = run(meter, face(pixels=50.0), 300, 5.0)
    assert near.mm_per_pixel == pytest.approx(0.2)
    assert near.scale_state == "held"


def test_a_choice_without_its_number_is_refused() -> None:
    with pytest.raises(UserInputError, match="pupil distance need its value"):
        ScaleChoice("pupil distance")
    with pytest.raises(UserInputError, match="need its length in mm and its ends"):
        ScaleChoice("ruler")
    with pytest.raises(UserInputError, match="iris network"):
        LengthMeter(ScaleChoice("iris"))


def test_points_that_are_no_face_are_withheld() -> None:
    found = LengthMeter(ScaleChoice("iris"), Irises().read).update(
        replace(face(), points=np.full((98, 2), np.nan, np.float32)), IMAGE, 0.0
    )
    assert found.withheld


@pytest.mark.parametrize("text", ["", "50", "50:1,2,3", "x:1,2,3,4", "-5:0,0,9,9", "50:1,1,1,1", "nan:0,0,9,9"])
def test_a_ruler_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ruler"):
        Ruler.parse(text)


def test_a_ruler_is_read() -> None:
    ruler = Ruler.parse("50:412,300,512.5,300")
    assert ruler.mm_per_pixel == pytest.approx(50 / 100.5)
