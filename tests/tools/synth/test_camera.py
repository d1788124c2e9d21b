"""Pose conventions and projection against closed forms."""

import numpy as np
import pytest

from tools.synth.camera import Camera, angles, project, rotation, to_camera

STRAIGHT = np.array([0.0, 0.0, 60.0])


def test_patients_left_is_on_the_images_right_and_up_is_up() -> None:
    points = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    seen = to_camera(points, rotation(0, 0, 0), STRAIGHT)
    assert seen[0, 0] > 0
    assert seen[1, 1] < 0
    assert seen[2, 2] < 60


@pytest.mark.parametrize(
    ("pose", "expected"),
    [((30, 0, 0), (np.sin(np.pi / 6), 0, np.cos(np.pi / 6))), ((0, 20, 0), (0, np.sin(np.pi / 9), np.cos(np.pi / 9)))],
)
def test_nose_follows_yaw_and_pitch(pose: tuple[float, float, float], expected: list[float]) -> None:
    np.testing.assert_allclose(rotation(*pose) @ [0, 0, 1], expected, atol=1e-12)


def test_positive_yaw_moves_the_nose_to_the_images_right_positive_pitch_up_positive_roll_tilts_left() -> None:
    nose, crown = np.array([[0, 0, 10]], np.float32), np.array([[0, 10, 0]], np.float32)
    assert to_camera(nose, rotation(20, 0, 0), STRAIGHT)[0, 0] > 0
    assert to_camera(nose, rotation(0, 20, 0), STRAIGHT)[0, 1] < 0
    assert to_camera(crown, rotation(0, 0, 20), STRAIGHT)[0, 0] > 0


def test_angles_invert_rotation_and_rotation_is_proper() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        pose = rng.uniform(-80, 80, 3)
        matrix = rotation(*pose)
        np.testing.assert_allclose(angles(matrix), pose, atol=1e-9)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(matrix) == pytest.approx(1)


def test_pinhole() -> None:
    camera = Camera(500.0, (319.5, 239.5))
    points = np.array([[3.0, -4.0, 50.0], [0.0, 0.0, 10.0]], np.float32)
    np.testing.assert_allclose(project(points, camera), [[319.5 + 30, 239.5 - 40], [319.5, 239.5]], rtol=1e-6)
