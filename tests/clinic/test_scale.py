"""The scale of a person's face: kept over the session, robust, and honest about its age."""

import math

import numpy as np
import pytest

from realtime.clinic.frontal import Frontal
from realtime.clinic.scale import HeadSize, iris_scale, pupil_scale


def face(head_scale: float) -> Frontal:
    """A face of a given size in pixels; its pupils stand 6.1 cm of the mean head apart."""
    points = np.zeros((98, 2))
    points[97, 0] = 6.1 * head_scale
    return Frontal(points, head_scale)


def test_the_scale_follows_the_distance_to_the_camera_without_new_measurements() -> None:
    size = HeadSize("iris", settled=3)
    for frame in range(3):
        size.add(0.5, face(20.0), frame / 30)
    near = size.scale(face(40.0), 0.2)
    assert near.mm_per_pixel == pytest.approx(0.25)
    assert (near.source, near.state) == ("iris", "measured")


def test_a_scale_says_whether_it_is_provisional_or_held() -> None:
    size = HeadSize("iris", settled=3, fresh_seconds=2.0)
    assert not size.scale(face(20.0), 0.0).known
    size.add(0.5, face(20.0), 0.0)
    assert size.scale(face(20.0), 0.0).state == "provisional"
    for frame in range(5):
        size.add(0.5, face(20.0), frame / 30)
    assert size.scale(face(20.0), 1.0).state == "measured"
    assert size.scale(face(20.0), 9.0).state == "held"
    size.forget()
    assert size.samples == 0
    assert not size.scale(face(20.0), 9.0).known


def test_two_wrong_frames_in_five_do_not_move_the_scale() -> None:
    size, rng = HeadSize("iris"), np.random.default_rng(5)
    for frame in range(150):
        wrong = frame % 5 < 2
        size.add(2.0 if wrong else float(rng.normal(0.5, 0.01)), face(20.0), frame / 30)
    assert size.scale(face(20.0), 5.0).mm_per_pixel == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize("nothing", [math.nan, math.inf, 0.0, -1.0])
def test_a_frame_without_a_measurement_adds_nothing(nothing: float) -> None:
    size = HeadSize("iris")
    size.add(nothing, face(20.0), 0.0)
    assert size.samples == 0


def test_rulers() -> None:
    assert iris_scale(23.54, "adult") == pytest.approx(0.5)
    assert iris_scale(22.44, "child") == pytest.approx(0.5)
    assert math.isnan(iris_scale(0.0, "adult"))
    assert pupil_scale(face(20.0), 61.0) == pytest.approx(0.5)
    assert math.isnan(pupil_scale(Frontal(np.zeros((98, 2)), 20.0), 61.0))
