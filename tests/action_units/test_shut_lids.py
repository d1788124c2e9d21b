"""An eye whose lids meet is shut, by the points, on its own side and whatever the picture reads."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.descriptor import Descriptor
from realtime.action_units.estimator import ActionUnitEstimator, shrunk
from realtime.action_units.model import ActionUnits, FaceWindows
from realtime.action_units.recording_rest import Measurable, measure_against
from realtime.action_units.reference import Reference
from realtime.action_units.shut_lids import SHUT_EYE, closure_by_lids, lid_gaps, raised, with_shut_lids
from realtime.face.alignment import canonical
from realtime.face.face_model import HEAD_3D
from realtime.types import F32, FaceObservation, Sides

POINTS = (canonical(160) + np.float32(40)).astype(np.float32)
PICTURE = np.zeros((240, 320, 3), np.uint8)
WINDOWS = FaceWindows().cut(PICTURE, POINTS)
IOD = float(np.linalg.norm(HEAD_3D[72, :2] - HEAD_3D[60, :2]))
LEFT, RIGHT = ((69, 75), (70, 74), (71, 73)), ((61, 67), (62, 66), (63, 65))


def lids(left: float, right: float) -> Descriptor:
    """A face whose lids stand this far apart, in inter-ocular distances: the upper ones come down on the lower ones."""
    shape = np.zeros((98, 2), np.float32)
    for eye, gap in ((LEFT, left), (RIGHT, right)):
        for upper, lower in eye:
            at = HEAD_3D[lower, :2] / IOD + np.array((0.0, gap))
            shape[upper] = at - HEAD_3D[upper, :2] / IOD
    return Descriptor(shape, (0.0, 0.0, 0.0))


def reads(closure: float, other: float = 2.0) -> ActionUnits:
    """A network that reads this of AU 45 and of AU 7 on every face."""

    def network(rows: F32) -> Mapping[str, F32]:
        values = np.tile(np.array((other, closure), np.float32), (len(rows), 1))
        return {"intensity": values, "look": np.zeros((len(rows), EMBEDDING_SIZE), np.float32)}

    return ActionUnits(network, [7, 45], frames=True)


def test_gaps_are_measured_on_the_patients_own_sides() -> None:
    assert lid_gaps(lids(0.08, 0.02).shape) == pytest.approx((0.08, 0.02), abs=1e-6)
    found = lids(0.012, 0.05)
    assert closure_by_lids(found) == (SHUT_EYE, 0.0)
    assert closure_by_lids(found.mirrored()) == (0.0, SHUT_EYE)


def test_a_narrow_eye_is_not_shut_and_between_the_two_it_goes_evenly() -> None:
    said = [closure_by_lids(lids(gap, 0.03)).left for gap in np.linspace(0, 0.04, 41)]
    assert said[:15] == [SHUT_EYE] * 15
    assert said[31:] == [0.0] * 10
    assert np.all(np.diff(said) <= 1e-9)
    assert np.abs(np.diff(said)).max() < 0.4


def test_lids_that_meet_raise_what_is_read_halfway_and_never_lower_it() -> None:
    for read in (1.5, 2.0, 4.0):
        values = Sides({7: 2.0, 45: read}, {7: 2.0, 45: read})
        left, right = with_shut_lids(values, lids(0.0, 0.06))
        assert values.left == {7: 2.0, 45: read}
        assert left == pytest.approx({7: 2.0, 45: (read + SHUT_EYE) / 2})
        assert right == pytest.approx({7: 2.0, 45: read})
    assert raised(4.8, SHUT_EYE) == 4.8


def test_lids_alone_shut_no_eye_that_the_network_sees_open() -> None:
    for read in (0.0, 0.2, 1.0):
        assert raised(read, SHUT_EYE) == pytest.approx(2 * read)
    steps = [raised(read, SHUT_EYE) for read in np.linspace(0, 5, 101).tolist()]
    assert np.diff(steps).min() > 0
    assert np.diff(steps).max() <= 0.1 + 1e-9


def test_live_and_recorded_frames_are_raised_alike_and_rest_is_judged_by_the_network_alone() -> None:
    units, found = reads(2.0), lids(0.022, 0.01)
    assert units.measure(found, None, WINDOWS).right[45] == 2.0
    reference = Reference(Baseline(np.zeros((98, 2), np.float32)), None, True)
    recorded = measure_against(
        units, [Measurable(found, WINDOWS, (), reference), Measurable(found, WINDOWS, ("right eye",), reference)]
    )
    assert recorded[0].right[45] == (2.0 + SHUT_EYE) / 2
    assert 2.0 < recorded[0].left[45] < recorded[0].right[45]
    assert math.isnan(recorded[1].right[45])
    assert recorded[1].left == recorded[0].left


def test_a_live_face_whose_left_lids_meet_shuts_its_left_eye() -> None:
    points = POINTS.copy()
    for upper, lower in LEFT:
        points[upper] = points[lower]
    face = FaceObservation(
        face_id=1,
        box=np.array((40, 40, 200, 200), np.float32),
        points=points,
        raw_points=points,
        confidence=1.0,
        detected=True,
    )
    left, right = ActionUnitEstimator(reads(4.0)).update(face, PICTURE, time=0.0)
    network = shrunk(Sides({45: 4.0}, {45: 4.0})).left[45]
    assert left[45] == pytest.approx((network + SHUT_EYE) / 2)
    assert right[45] == pytest.approx(network)


def test_without_the_unit_nothing_is_said_of_it() -> None:
    values = Sides({12: 1.0}, {12: 1.0})
    assert with_shut_lids(values, lids(0.0, 0.0)) == values
