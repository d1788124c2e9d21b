"""The table of depths of lips and chin against the head kit's own geometry, and the regression that made it."""

import numpy as np
import pytest

from realtime.clinic.frontal import FACING_HEAD, seen_from_front
from realtime.clinic.mouth_depth import POINTS, depths
from realtime.face.face_model import HEAD_3D
from realtime.face.pose import estimate_pose, facing_angles, rotation
from realtime.types import F64
from tools.synth.depths import fitted, laid_on_mean_head
from tools.synth.kit import EXPRESSION_INDEX, EXPRESSION_NAMES, Kit
from tools.synth.points import point_model


def face(kit: Kit, **expression: float) -> F64:
    """(98, 3) of the kit's mean face, laid on the mean head."""
    values = np.zeros(len(EXPRESSION_NAMES), np.float32)
    for name, value in expression.items():
        values[EXPRESSION_INDEX[name]] = value
    vertices = kit.shape(np.zeros(kit.identity.shape[0], np.float32), values)
    return laid_on_mean_head(point_model(kit).fixed.on(vertices).astype(np.float64))


SMILES = {
    "left smile": {"mouthSmile_L": 1.0},
    "smile": {"mouthSmile_L": 0.9, "mouthSmile_R": 0.9},
    "pucker": {"mouthPucker": 0.9},
    "open mouth": {"jawOpen": 0.5},
}


@pytest.mark.parametrize("name", SMILES)
def test_a_turned_head_s_movement_is_that_of_the_facing_one(kit: Kit, name: str) -> None:
    """Corners against the lower lip's middle: the mean head's depths would be wrong by up to 2.2 mm."""

    def reach(points: F64, yaw: float) -> F64:
        turned = points @ rotation(yaw, 0.0, 0.0).T
        found = seen_from_front(10 * turned[:, :2] * (1, -1), (yaw, 0.0, 0.0))
        assert found is not None
        return np.linalg.norm(found.points[[76, 82]] - found.points[85], axis=1)

    calm, moved = face(kit), face(kit, **SMILES[name])
    straight = reach(moved, 0.0) - reach(calm, 0.0)
    for yaw in (-15.0, 15.0):
        assert reach(moved, yaw) - reach(calm, yaw) == pytest.approx(straight, abs=0.8)


@pytest.mark.parametrize("turn", [(0.0, 0.0), (14.0, -7.0), (-14.0, 7.0)])
def test_a_wide_smile_hardly_changes_the_pitch(kit: Kit, turn: tuple[float, float]) -> None:
    pitches = []
    for name in ("", "smile"):
        seen = face(kit, **SMILES.get(name, {})) @ rotation(*turn, 0.0).T
        pose = estimate_pose((20 * seen[:, :2] * (1, -1)).astype(np.float32), model=HEAD_3D)
        assert pose is not None
        pitches.append(facing_angles(pose.angles)[1])
    assert abs(pitches[1] - pitches[0]) < 3


def test_depths_follow_the_corner_back_and_the_pucker_forward(kit: Kit) -> None:
    calm, smile, pucker = (face(kit, **SMILES.get(name, {})) for name in ("", "left smile", "pucker"))
    told = [dict(zip(POINTS, depths(one[:, :2], np.zeros(2)), strict=True)) for one in (calm, smile, pucker)]
    for point, other, real in ((82, 1, smile), (82, 2, pucker), (76, 2, pucker), (79, 2, pucker)):
        assert told[other][point] - told[0][point] == pytest.approx(real[point, 2] - calm[point, 2], abs=0.35)
    assert told[1][76] == pytest.approx(told[0][76], abs=0.15)


def test_places_no_face_has_give_bounded_depths() -> None:
    wild = np.random.default_rng(1).uniform(-1e3, 1e3, (98, 2))
    assert np.abs(depths(wild, np.array((0.3, -0.3))) - FACING_HEAD[list(POINTS), 2]).max() < 30


def test_a_linear_truth_is_found() -> None:
    rng = np.random.default_rng(2)
    seen, weights = rng.normal(2, 1, (400, 10)), rng.normal(0, 1, (31, 10))
    table = fitted(seen, seen @ weights.T + 3.0, 1e-9)
    np.testing.assert_allclose(table[:, 0], 3.0, atol=1e-4)
    np.testing.assert_allclose(table[:, 1:], weights, atol=1e-5)
