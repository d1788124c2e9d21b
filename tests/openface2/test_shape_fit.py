"""The fit against known parameters, finite differences, SciPy's optimiser, and faces that are none."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from realtime.openface2 import _fit_kernels as kernels
from realtime.openface2.assets import Assets
from realtime.openface2.pdm import ShapeModel
from realtime.openface2.shape_fit import ShapeFitter, euler_from_matrix, matrix_from_euler, project


def random_face(model: ShapeModel, seed: int, yaw: float = 0.0, scale: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    global_ = np.array([scale, rng.uniform(-0.2, 0.2), np.radians(yaw), rng.uniform(-0.3, 0.3), 320.5, 201.25])
    return global_, rng.normal(size=34) * np.sqrt(model.eigenvalues) * 0.7


def test_rotation_is_rx_ry_rz_and_comes_back() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        angles = rng.uniform(-1.4, 1.4, 3)
        R = matrix_from_euler(*angles)
        np.testing.assert_allclose(R, Rotation.from_euler("XYZ", angles).as_matrix(), atol=1e-12)
        np.testing.assert_allclose(euler_from_matrix(R), angles, atol=1e-12)


def test_turning_is_the_exponential_map() -> None:
    R = matrix_from_euler(0.3, -0.5, 0.1)
    for w in ([0.0, 0.0, 0.0], [1e-9, 0, 0], [0.2, -0.4, 0.7]):
        np.testing.assert_allclose(kernels._turn(R, *w), R @ Rotation.from_rotvec(w).as_matrix(), atol=1e-12)


def test_jacobian_against_finite_differences(model: ShapeModel) -> None:
    global_, local = random_face(model, 1, yaw=25)
    scale, R = global_[0], matrix_from_euler(*global_[1:4])
    shape, weight = model.shape(local), np.ones(68)
    J = np.empty((40, 136))
    kernels.jacobian(shape, model.modes_first, R, scale, weight, J)

    def image(step: np.ndarray) -> np.ndarray:
        turned = kernels._turn(R, step[1], step[2], step[3])
        flat = (scale + step[0]) * (turned[:2] @ model.shape(local + step[6:]))
        return (flat + (global_[4:] + step[4:6])[:, None]).ravel()

    for k in range(40):
        step = np.zeros(40)
        step[k] = 1e-5
        numeric = (image(step) - image(-step)) / 2e-5
        np.testing.assert_allclose(J[k], numeric, atol=2e-6, err_msg=f"parameter {k}")


@pytest.mark.parametrize("yaw", [0, 20, -40, 40])
def test_known_parameters_are_recovered_from_a_cold_start(model: ShapeModel, yaw: int) -> None:
    """Without noise and with the regularisation all but off, the points come back within 0.1 px, and the angles too."""
    global_, local = random_face(model, abs(yaw) + 2, yaw)
    points = project(model, global_, local)
    fit = ShapeFitter(model, regularisation=1e-4).update(points)
    assert fit.converged
    assert not fit.warm
    assert np.abs(project(model, fit.global_, fit.local) - points).max() <= 0.1
    np.testing.assert_allclose(fit.global_[1:4], global_[1:4], atol=0.02)


@pytest.mark.parametrize("yaw", [0, 40])
def test_regularisation_costs_little(model: ShapeModel, yaw: float) -> None:
    """OpenFace's own regularisation pulls toward the mean: at 290 px face width that costs up to 0.15 px (RMS)."""
    global_, local = random_face(model, 3, yaw)
    points = project(model, global_, local)
    fit = ShapeFitter(model).update(points)
    assert fit.converged
    rms = np.sqrt(np.mean(np.sum((project(model, fit.global_, fit.local) - points) ** 2, axis=1)))
    assert rms == pytest.approx(fit.residual, abs=1e-9)
    assert rms <= 0.15


@pytest.mark.parametrize("warm", [False, True])
def test_result_is_the_minimum_that_scipy_finds(model: ShapeModel, warm: bool) -> None:
    global_, local = random_face(model, 5, 15)
    rng = np.random.default_rng(6)
    points = project(model, global_, local) + rng.normal(size=(68, 2))
    fitter = ShapeFitter(model)
    if warm:
        fitter.update(points + rng.normal(size=(68, 2)) + 4.0)
    fit = fitter.update(points)
    assert fit.warm is warm

    def residuals(p: np.ndarray) -> np.ndarray:
        return np.concatenate([(project(model, p[:6], p[6:]) - points).ravel(), p[6:] / np.sqrt(model.eigenvalues)])

    best = least_squares(residuals, np.concatenate([global_, local]), xtol=1e-14, ftol=1e-14)
    ours = residuals(np.concatenate([fit.global_, fit.local]))
    assert 0.5 * ours @ ours == pytest.approx(best.cost, rel=2e-4)
    # the stopping rule leaves a remainder far below the landmarks' own noise
    assert np.abs(project(model, fit.global_, fit.local) - project(model, best.x[:6], best.x[6:])).max() < 0.15


def test_missing_points_are_filled_by_the_others(model: ShapeModel) -> None:
    global_, local = random_face(model, 8)
    points = project(model, global_, local * 0.3)
    holes = points.copy()
    holes[[0, 5, 30, 45, 60]] = np.nan
    holes[[12, 51], 0] = 0.0
    fit = ShapeFitter(model).update(holes)
    assert fit.converged
    assert np.abs(project(model, fit.global_, fit.local) - points).max() < 3.0
    assert np.isfinite(fit.residual)


def test_what_is_no_face_does_not_converge(model: ShapeModel) -> None:
    rng = np.random.default_rng(9)
    fitter = ShapeFitter(model)
    assert not fitter.update(rng.uniform(0, 300, (68, 2))).converged
    assert not fitter.update(np.full((68, 2), 100.0)).converged
    assert not fitter.update(np.tile([[100.0, 50.0]], (68, 1)) + np.arange(68)[:, None]).converged
    few = project(model, *random_face(model, 1))
    few[20:] = np.nan
    fit = fitter.update(few)
    assert not fit.converged
    assert np.isnan(fit.local).all(), "nothing invented"


def test_upside_down_start_is_not_taken_over_after_a_failure(model: ShapeModel) -> None:
    global_, local = random_face(model, 10)
    good = project(model, global_, local)
    fitter = ShapeFitter(model)
    first = fitter.update(good)
    fitter.update(np.random.default_rng(1).uniform(0, 300, (68, 2)))
    after = fitter.update(good)
    assert not after.warm
    np.testing.assert_array_equal(after.local, first.local)


def test_a_jump_restarts_cold(model: ShapeModel) -> None:
    fitter = ShapeFitter(model)
    fitter.update(project(model, *random_face(model, 11, yaw=-40)))
    global_, local = random_face(model, 12, yaw=40, scale=0.7)
    fit = fitter.update(project(model, global_, local))
    assert fit.converged
    np.testing.assert_allclose(fit.global_[2], np.radians(40), atol=0.1)


def test_wrong_shape_is_the_callers_mistake(model: ShapeModel) -> None:
    with pytest.raises(ValueError, match="68, 2"):
        ShapeFitter(model).update(np.zeros((98, 2)))


def test_real_model_at_forty_degrees(real: Assets) -> None:
    for yaw in (-40, 40):
        global_, local = random_face(real.shape, 13, yaw)
        fit = ShapeFitter(real.shape).update(project(real.shape, global_, local))
        assert fit.converged
        np.testing.assert_allclose(fit.global_[2], np.radians(yaw), atol=0.03)
