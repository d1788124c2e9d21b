"""The descriptor against faces projected here from known heads."""

import numpy as np
import pytest

from realtime.action_units.descriptor import describe, mirror_shape
from realtime.face import wflw
from realtime.face.face_model import HEAD_3D
from realtime.face.pose import rotation

IOD = float(np.hypot(*(HEAD_3D[72, :2] - HEAD_3D[60, :2])))


def picture_points(head: np.ndarray, yaw: float, pitch: float, roll: float, scale: float = 20.0) -> np.ndarray:
    """(98, 2) pixels of a head (98, 3) seen from far away."""
    turned = head @ rotation(yaw, pitch, roll).T
    return (np.stack([320 + scale * turned[:, 0], 240 - scale * turned[:, 1]], axis=1)).astype(np.float32)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (25, 0, 0), (-30, 10, 15), (10, -15, -20)])
def test_the_mean_face_leaves_nothing_however_it_is_turned(yaw: float, pitch: float, roll: float) -> None:
    found = describe(picture_points(np.asarray(HEAD_3D), yaw, pitch, roll))
    assert found is not None
    assert np.abs(found.shape).max() < 2e-3
    np.testing.assert_allclose(found.pose, (yaw, pitch, roll), atol=0.2)


def test_size_and_place_do_not_matter() -> None:
    head = np.asarray(HEAD_3D).copy()
    head[76:80, 1] += 0.5
    near = describe(picture_points(head, 5, 0, 0, scale=30))
    far = describe(picture_points(head, 5, 0, 0, scale=6) + np.float32(40))
    assert near is not None
    assert far is not None
    np.testing.assert_allclose(near.shape, far.shape, atol=2e-3)


def test_a_raised_mouth_corner_shows_on_its_side_and_in_its_size() -> None:
    head = np.asarray(HEAD_3D).copy()
    head[82, 1] += 0.6  # the patient's left mouth corner, 6 mm up
    found = describe(picture_points(head, 0, 0, 0))
    assert found is not None
    assert found.shape[82, 1] == pytest.approx(0.6 / IOD, rel=0.1)
    assert abs(found.shape[76, 1]) < 0.02


def test_the_mirror_image_has_the_mirrored_descriptor() -> None:
    rng = np.random.default_rng(3)
    head = np.asarray(HEAD_3D) + rng.normal(0, 0.05, (98, 3))
    points = picture_points(head, 12, -5, 8)
    mirrored = (points * np.array([-1, 1], np.float32) + np.array([640, 0], np.float32))[wflw.FLIP_ORDER]
    one, other = describe(points), describe(mirrored)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.mirrored().shape, other.shape, atol=3e-3)
    np.testing.assert_allclose(one.mirrored().pose, other.pose, atol=0.1)
    np.testing.assert_array_equal(mirror_shape(mirror_shape(one.shape)), one.shape)


def test_points_that_are_no_face_have_no_descriptor() -> None:
    assert describe(np.full((98, 2), np.nan, np.float32)) is None
