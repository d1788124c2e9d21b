"""The lips' correction moves lips alone, whatever a face's size and place, and belongs to one network."""

import numpy as np
import pytest

from realtime.clinic.frontal import Frontal, seen_from_front
from realtime.clinic.lengths import measure_lengths
from realtime.clinic.lip_correction import LIPS, MOST, TOLD_FROM, LipCorrection, lip_correction_of
from realtime.clinic.meter import LengthMeter, ScaleChoice
from realtime.clinic.scale import Scale
from realtime.face.wflw import FLIP_ORDER
from realtime.models import Registry
from realtime.types import F64
from tests.clinic.test_meter import HEAD, IMAGE, MM, face

PIXELS = 25.0


def front(turn: float = 0.0, scale: float = PIXELS) -> Frontal:
    """The mean head from the front, rolled by some degrees, `scale` pixels a centimetre."""
    sine, cosine = np.sin(np.deg2rad(turn)), np.cos(np.deg2rad(turn))
    return Frontal(HEAD[:, :2] @ np.array(((cosine, sine), (-sine, cosine))) * scale + (40.0, -7.0), scale)


def made(weights: F64 | None = None, offset: F64 | None = None) -> LipCorrection:
    """A correction that has no effect but what is given."""
    places, lips = 2 * len(TOLD_FROM), 2 * len(LIPS)
    return LipCorrection(
        np.zeros(places),
        np.zeros((places, lips)) if weights is None else weights,
        np.zeros(lips) if offset is None else offset,
    )


def shipped() -> LipCorrection:
    """The one of the embedded network."""
    found = lip_correction_of(Registry().manifest.find("landmarks").name)
    assert found is not None
    return found


def test_the_table_was_fitted_to_the_embedded_network() -> None:
    # A network trained anew errs otherwise: `python -m tools.train.lip_correction` fits the table again.
    assert shipped().fitted_to == Registry().manifest.find("landmarks").sha256


@pytest.mark.parametrize("turn", [0.0, 30.0])
def test_only_lips_move_and_along_the_axes_of_the_eyes(turn: float) -> None:
    up = np.tile((0.0, 0.2), len(LIPS))
    before = front(turn)
    moved = made(offset=up)(before).points - before.points
    others = np.setdiff1d(np.arange(98), LIPS)
    assert np.allclose(moved[others], 0)
    along = 0.2 * PIXELS * np.array((-np.sin(np.deg2rad(turn)), np.cos(np.deg2rad(turn))))
    assert np.allclose(moved[list(LIPS)], along, atol=0.02 * PIXELS)  # the mean head's eyes are level to a degree or so


def test_a_face_twice_as_large_is_corrected_twice_as_far() -> None:
    correction = shipped()
    small, large = (correction(front(scale=scale)).points - front(scale=scale).points for scale in (PIXELS, 2 * PIXELS))
    assert np.abs(small).max() > 0.01 * PIXELS
    assert np.allclose(large, 2 * small)


def test_left_and_right_are_corrected_alike() -> None:
    rng = np.random.default_rng(4)
    correction = shipped()
    face_ = Frontal(front().points + rng.normal(0, 3, (98, 2)), PIXELS)
    mirrored = Frontal(face_.points[FLIP_ORDER] * (-1.0, 1.0), PIXELS)
    assert np.allclose(
        correction(mirrored).points, correction(face_).points[FLIP_ORDER] * (-1.0, 1.0), atol=0.002 * PIXELS
    )


def test_a_place_out_of_all_reason_counts_as_the_bound() -> None:
    """Points may be anywhere; the correction stays of a size that faces have."""
    weights = np.zeros((2 * len(TOLD_FROM), 2 * len(LIPS)))
    weights[2 * TOLD_FROM.index(76), 2 * LIPS.index(76)] = 0.1
    wild = front()
    wild.points[76, 0] -= 1000 * PIXELS
    moved = made(weights)(wild).points - wild.points
    assert np.abs(moved).max() == pytest.approx(0.1 * MOST * PIXELS, rel=0.05)


def test_eyes_that_coincide_are_left_as_they_are() -> None:
    broken = Frontal(np.zeros((98, 2)), PIXELS)
    assert shipped()(broken) is broken


def test_the_correction_belongs_to_the_network_it_was_fitted_to() -> None:
    assert lip_correction_of("openface3-star") is None
    assert len(shipped().fitted_to) == 64


def test_lengths_of_the_mouth_are_measured_on_corrected_lips() -> None:
    """A correction that takes both corners out by 2 mm of the head: in a picture as in the running meter."""
    offset = np.zeros((len(LIPS), 2))
    offset[LIPS.index(82), 0], offset[LIPS.index(76), 0] = 0.2, -0.2
    lips = made(offset=offset.ravel())
    seen = face()
    plain, corrected = (measure_lengths(seen.points, Scale(MM, "iris"), seen.pose, lips=each) for each in (None, lips))
    farther = 0.2 * PIXELS * MM
    for side in (0, 1):
        assert corrected.commissure[side] - plain.commissure[side] == pytest.approx(farther, rel=0.1)
    assert corrected.brow_height == plain.brow_height
    assert corrected.fissure_height == plain.fissure_height
    meter = LengthMeter(ScaleChoice("pupil distance", pupil_distance=62.0), lips=lips)
    without = LengthMeter(ScaleChoice("pupil distance", pupil_distance=62.0))
    moved, still = (one.update(seen, IMAGE, 0.0).commissure for one in (meter, without))
    for side in (0, 1):
        expected = corrected.commissure[side] / plain.commissure[side]
        assert moved[side] / still[side] == pytest.approx(expected, rel=1e-6)


def test_the_front_of_a_turned_face_is_what_is_corrected() -> None:
    seen = face(yaw=10.0)
    assert seen.pose is not None
    frontal = seen_from_front(seen.points, seen.pose)
    assert frontal is not None
    lips = shipped()
    expected = lips(frontal).points[76] - frontal.points[76]
    straight = lips(front()).points[76] - front().points[76]
    assert np.linalg.norm(expected - straight) < 0.05 * PIXELS
