"""Head pose: exact on the model's own projections, right in sign, steady under noise."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.face import wflw
from realtime.face.face_model import FACE_3D, HEAD_3D
from realtime.face.pose import HEAD_PITCH_ZERO, angles, estimate_pose, facing_angles, rotation
from realtime.types import F32, F64


def project(
    yaw: float,
    pitch: float,
    roll: float,
    scale: float = 20.0,
    x: float = 320.0,
    y: float = 240.0,
    distance: float | None = None,
) -> F32:
    """(98, 2) points of the turned mean face; distance in centimetres: a perspective camera, else a distant one."""
    turned = FACE_3D @ rotation(yaw, pitch, roll).T
    depth = 1.0 if distance is None else (distance / (distance - turned[:, 2]))[:, None]
    return (turned[:, :2] * (1, -1) * scale * depth + (x, y)).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.floats(-60, 60), st.floats(-35, 35), st.floats(-60, 60), st.floats(0.5, 200))
def test_recovers_the_pose_it_was_made_with(yaw: float, pitch: float, roll: float, scale: float) -> None:
    found = estimate_pose(project(yaw, pitch, roll, scale))
    assert found is not None
    assert found.angles == pytest.approx((yaw, pitch, roll), abs=0.2)
    assert found.scale == pytest.approx(scale, rel=1e-2)
    assert found.misfit < 0.01


@given(st.floats(-180, 180), st.floats(-80, 80), st.floats(-170, 170))
def test_angles_undo_rotation(yaw: float, pitch: float, roll: float) -> None:
    again = rotation(*angles(rotation(yaw, pitch, roll)))
    assert again == pytest.approx(rotation(yaw, pitch, roll), abs=1e-9)


def test_signs_are_the_patients() -> None:
    frontal = project(0, 0, 0)
    nose = 54
    # turning to the patient's left moves the nose to the image's right
    assert project(20, 0, 0)[nose, 0] > frontal[nose, 0]
    assert project(0, 20, 0)[nose, 1] < frontal[nose, 1]
    # tilting to the patient's left lowers the patient's left eye
    tilted = project(0, 0, 20)
    assert tilted[wflw.LEFT_EYE_OUTER, 1] > tilted[wflw.RIGHT_EYE_OUTER, 1]


def test_mirrored_points_have_mirrored_pose() -> None:
    points = project(25, 10, -15)
    mirrored = points[wflw.FLIP_ORDER] * np.array((-1, 1), np.float32) + np.array((640, 0), np.float32)
    assert estimate_pose(mirrored).angles == pytest.approx((-25, 10, 15), abs=0.5)


def test_noise_of_a_hundredth_of_the_eye_distance_costs_little() -> None:
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(60):
        truth = rng.uniform((-40, -25, -30), (40, 25, 30))
        yaw, pitch, roll = truth
        points = project(yaw, pitch, roll, scale=20.0)
        noisy = points + rng.normal(0, 0.01 * 178, points.shape).astype(np.float32)
        errors.append(np.abs(np.array(estimate_pose(noisy).angles) - truth))
    assert np.mean(errors) < 2.0


def test_a_near_camera_costs_little() -> None:
    """Half a metre away, perspective is what the model leaves out."""
    errors = [
        np.abs(np.array(estimate_pose(project(y, p, 0, distance=50)).angles) - (y, p, 0))
        for y in (-30, 0, 30)
        for p in (-15, 0, 15)
    ]
    assert np.mean(errors) < 4.0


def test_last_pose_as_a_start_gives_the_same_answer() -> None:
    start = estimate_pose(project(10, 5, 3))
    points = project(14, 2, 5)
    assert estimate_pose(points, start).angles == pytest.approx(estimate_pose(points).angles, abs=0.05)


def test_head_is_symmetric_and_as_wide_as_the_mean_face() -> None:
    assert np.abs(HEAD_3D[wflw.FLIP_ORDER] * (-1, 1, 1) - HEAD_3D).max() <= 0.011
    width = [np.hypot(*(model[72, :2] - model[60, :2])) for model in (HEAD_3D, FACE_3D)]
    assert width[0] == pytest.approx(width[1], rel=2e-3)


@pytest.mark.parametrize("truth", [(0, 0, 0), (30, -10, 5), (-45, 15, -20)])
def test_head_as_the_model(truth: tuple[float, float, float]) -> None:
    turned = HEAD_3D @ rotation(*truth).T
    points = (turned[:, :2] * (15, -15) + (320, 240)).astype(np.float32)
    assert estimate_pose(points, model=HEAD_3D).angles == pytest.approx(truth, abs=0.2)


@pytest.mark.parametrize("truth", [(0, 0, 0), (30, -10, 5), (-45, 15, -20)])
def test_a_faces_own_angles_start_where_it_looks_straight_ahead(truth: tuple[float, float, float]) -> None:
    """The model's axes are tilted in the face: angles are those of the face, also where the head is turned."""
    posed = rotation(*truth) @ rotation(0, HEAD_PITCH_ZERO, 0)
    assert facing_angles(angles(posed)) == pytest.approx(truth, abs=1e-6)


@pytest.mark.shared
def test_frontal_people_are_reported_as_looking_straight_ahead(shared: Path) -> None:
    """Real people who look into the camera, against MediaPipe's pose of the same photographs."""
    cv2 = pytest.importorskip("cv2")
    from realtime.analyze.models import landmark_model
    from realtime.models import Registry
    from tools.data.face_landmarker import FaceLandmarker
    from tools.train.action_units.points import locate

    registry, theirs = Registry(), FaceLandmarker(shared)
    model = landmark_model(registry.open(registry.manifest.find("landmarks")))
    rng, found = np.random.default_rng(0), []
    for file in sorted((shared / "faces/london_ccby/neutral").glob("*.jpg"))[::4]:
        picture = cv2.imread(str(file))
        placed = np.loadtxt(file.with_suffix(".tem"), skiprows=1, max_rows=189, dtype=np.float32)
        corners = placed[[18, 22, 23, 33, 87, 93, 129]]
        guess = FACE_3D[:, :2] * (1, -1)
        move, _ = cv2.estimateAffinePartial2D(guess[[60, 64, 68, 72, 76, 82, 16]], corners)
        points = locate(model, picture, (guess @ move[:, :2].T + move[:, 2]).astype(np.float32), rng)
        own = facing_angles(estimate_pose(points, model=HEAD_3D).angles)
        found.append((own, angles(theirs.rotation(theirs.points(picture, points), picture))))
    own, reference = np.array(found).transpose(1, 0, 2)
    assert np.abs((own - reference).mean(axis=0)).max() < 2.0
    assert np.corrcoef(own[:, 1], reference[:, 1])[0, 1] > 0.85, "and up is up for both"
    assert np.abs(own[:, 1]).max() < 15, "a calibration takes them all"


def test_start_is_not_changed() -> None:
    start = estimate_pose(project(10, 5, 3))
    before = start.rotation.copy()
    estimate_pose(project(-30, 2, 5), start)
    assert np.array_equal(start.rotation, before)


@pytest.mark.parametrize("points", [np.zeros((98, 2)), np.full((98, 2), np.nan)])
def test_no_face_no_pose(points: F64) -> None:
    assert estimate_pose(points.astype(np.float32)) is None
