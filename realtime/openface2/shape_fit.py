"""Fit the 68-point model to 68 image points: scale, rotation, translation and 34 local parameters.

Weak perspective: image point i = scale * (first two rows of R) . (mean_i + basis_i . local) + (tx, ty), R = Rx.Ry.Rz.
Regularised Gauss-Newton: minimises |residual|^2 + local' . diag(1/eigenvalues) . local. Each step solves the normal
equations by Cholesky and takes 0.75 of it; it stops after the third step that gains less than 0.1 % (Saragih et al.
2011; Baltrusaitis et al. 2013, as OpenFace's CalcParams). A warm start begins at the previous frame's solution.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from realtime.openface2._fit_kernels import euler_from_matrix, fit, matrix_from_euler
from realtime.openface2.pdm import POINTS, ShapeModel
from realtime.types import F64

MINIMUM_POINTS = 24  # fewer say nothing about 40 parameters that the regularisation did not say already
RESIDUAL_LIMIT = 0.06  # RMS, as a fraction of the face's fitted size; landmarks of real faces leave 0.01 to 0.03
SMALLEST_FACE = 10.0  # px
MAXIMUM_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Fit:
    """One fitted face.

    Attributes:
        global_: (6,) scale in px per mm, Euler angles rx, ry, rz in radians, tx, ty in px.
        local: (34,).
        converged: False when the points cannot be a face of this model; the numbers are then not to be used.
        residual: RMS distance in px between the visible points and the model.
        steps: Gauss-Newton steps taken.
        warm: it was started at the frame before.
    """

    global_: F64
    local: F64
    converged: bool
    residual: float
    steps: int
    warm: bool

    @property
    def rotation(self) -> F64:
        """(3, 3) rotation matrix."""
        out: F64 = matrix_from_euler(self.global_[1], self.global_[2], self.global_[3])
        return out


@dataclass(slots=True)
class ShapeFitter:
    """Fits frame after frame; keeps the last converged solution to start from. `reset()` forgets it.

    Attributes:
        model: the shape model.
        regularisation: factor on 1/eigenvalues; 1 is OpenFace's.
    """

    model: ShapeModel
    regularisation: float = 1.0
    _mean: F64 = field(init=False)
    _modes: F64 = field(init=False)
    _precision: F64 = field(init=False)
    _previous: Fit | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._mean = np.ascontiguousarray(self.model.mean)
        self._modes = self.model.modes_first
        self._precision = self.regularisation / self.model.eigenvalues

    def reset(self) -> None:
        """Forget the last solution."""
        self._previous = None

    def update(self, points: NDArray[np.floating]) -> Fit:
        """Fit (68, 2) pixel points, NaN or x = 0 meaning missing; warm when the frame before converged."""
        xy = np.ascontiguousarray(points.T, dtype=np.float64)
        if xy.shape != (2, POINTS):
            raise ValueError(f"expected (68, 2) points, got {points.shape}")
        seen = np.isfinite(xy[0]) & np.isfinite(xy[1]) & (xy[0] != 0.0)
        if int(seen.sum()) < MINIMUM_POINTS:
            self._previous = None
            return Fit(np.full(6, np.nan), np.full(self._precision.size, np.nan), False, float("nan"), 0, False)
        before, self._previous = self._previous, None
        result: Fit | None = None
        if before is not None:
            result = self._fit(xy, seen, before)
        if result is None or not result.converged:
            result = self._fit(xy, seen, None)
        if result.converged:
            self._previous = result
        return result

    def _fit(self, xy: F64, seen: NDArray[np.bool_], start: Fit | None) -> Fit:
        if start is None:
            global_, local = self._cold_start(xy, seen), np.zeros(self._precision.size)
        else:
            global_, local = start.global_.copy(), start.local.copy()
            # Between two frames a face mostly moves as a whole: put the old face where the points are now.
            global_[4:] += np.mean(xy[:, seen], axis=1) - self._centre(start, seen)
        steps, residual = fit(self._mean, self._modes, self._precision, xy, seen, global_, local, MAXIMUM_STEPS)
        size = global_[0] * float(np.mean(self.model.size))
        plausible = (
            steps < MAXIMUM_STEPS
            and bool(np.isfinite(local).all())
            and size >= SMALLEST_FACE
            and residual <= RESIDUAL_LIMIT * size
        )
        return Fit(global_, local, bool(plausible), float(residual), int(steps), start is not None)

    def _cold_start(self, xy: F64, seen: NDArray[np.bool_]) -> F64:
        low, high = xy[:, seen].min(axis=1), xy[:, seen].max(axis=1)
        width, height = self.model.size
        scale = max(((high[0] - low[0]) / width + (high[1] - low[1]) / height) / 2, 1e-6)
        middle = (low + high) / 2
        return np.array([scale, 0.0, 0.0, 0.0, middle[0], middle[1]])

    def _centre(self, fit_: Fit, seen: NDArray[np.bool_]) -> F64:
        out: F64 = np.mean(project(self.model, fit_.global_, fit_.local)[seen], axis=0)
        return out


def project(model: ShapeModel, global_: F64, local: F64) -> F64:
    """Where the model puts its points. The plain formula, for checks and drawing.

    Args:
        model: the shape model.
        global_: (6,) see `Fit`.
        local: (34,).

    Returns:
        (68, 2) px.
    """
    rotation = matrix_from_euler(global_[1], global_[2], global_[3])
    flat = global_[0] * (rotation[:2] @ model.shape(local))
    out: F64 = flat.T + global_[4:]
    return out


__all__ = ["Fit", "ShapeFitter", "euler_from_matrix", "matrix_from_euler", "project"]
