"""Numba kernels of the shape fit. Stacked arrays: shapes (3, n), image points (2, n), modes (m, 3, n), Jacobian (6+m, 2n).

`reassoc` and `contract` let the dot products run on vectors; no kernel here relies on NaN or infinity being absent.
"""

import math

import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit
from realtime.types import F64

FAST = {"reassoc", "contract"}
STEP = 0.75
GAIN = 0.999
PATIENCE = 3


@njit(nogil=True)
def matrix_from_euler(rx: float, ry: float, rz: float) -> F64:
    """(3, 3) rotation Rx.Ry.Rz from angles in radians.

    Args:
        rx: radians.
        ry: likewise.
        rz: likewise.
    """
    s1, c1 = math.sin(rx), math.cos(rx)
    s2, c2 = math.sin(ry), math.cos(ry)
    s3, c3 = math.sin(rz), math.cos(rz)
    R = np.empty((3, 3))
    R[0, 0], R[0, 1], R[0, 2] = c2 * c3, -c2 * s3, s2
    R[1, 0], R[1, 1], R[1, 2] = c1 * s3 + s1 * s2 * c3, c1 * c3 - s1 * s2 * s3, -s1 * c2
    R[2, 0], R[2, 1], R[2, 2] = s1 * s3 - c1 * s2 * c3, s1 * c3 + c1 * s2 * s3, c1 * c2
    return R


@njit(nogil=True)
def euler_from_matrix(R: F64) -> tuple[float, float, float]:
    """Angles rx, ry, rz in radians of R = Rx.Ry.Rz, with |ry| <= pi/2."""
    return math.atan2(-R[1, 2], R[2, 2]), math.asin(max(-1.0, min(1.0, R[0, 2]))), math.atan2(-R[0, 1], R[0, 0])


@njit(nogil=True)
def _turn(R: F64, w0: float, w1: float, w2: float) -> F64:
    """R . exp([w]x): the rotation R followed, in its own frame, by the rotation vector w."""
    angle = math.sqrt(w0 * w0 + w1 * w1 + w2 * w2)
    a = math.sin(angle) / angle if angle > 1e-12 else 1.0
    b = (1.0 - math.cos(angle)) / (angle * angle) if angle > 1e-6 else 0.5
    D = np.empty((3, 3))
    D[0, 0], D[0, 1], D[0, 2] = 1 - b * (w1 * w1 + w2 * w2), -a * w2 + b * w0 * w1, a * w1 + b * w0 * w2
    D[1, 0], D[1, 1], D[1, 2] = a * w2 + b * w0 * w1, 1 - b * (w0 * w0 + w2 * w2), -a * w0 + b * w1 * w2
    D[2, 0], D[2, 1], D[2, 2] = -a * w1 + b * w0 * w2, a * w0 + b * w1 * w2, 1 - b * (w0 * w0 + w1 * w1)
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = R[i, 0] * D[0, j] + R[i, 1] * D[1, j] + R[i, 2] * D[2, j]
    return out


@njit(nogil=True, fastmath=FAST)
def _shape(mean: F64, modes: F64, local: F64, out: F64) -> None:
    for k in range(3):
        for i in range(mean.shape[1]):
            out[k, i] = mean[k, i]
    for m in range(modes.shape[0]):
        p = local[m]
        for k in range(3):
            for i in range(mean.shape[1]):
                out[k, i] += p * modes[m, k, i]


@njit(nogil=True, fastmath=FAST)
def _residual(shape: F64, R: F64, scale: float, tx: float, ty: float, xy: F64, weight: F64, out: F64) -> float:
    """Observed minus modelled, (2n,); returns its squared length."""
    n = shape.shape[1]
    total = 0.0
    for i in range(n):
        x = scale * (R[0, 0] * shape[0, i] + R[0, 1] * shape[1, i] + R[0, 2] * shape[2, i]) + tx
        y = scale * (R[1, 0] * shape[0, i] + R[1, 1] * shape[1, i] + R[1, 2] * shape[2, i]) + ty
        out[i] = weight[i] * (xy[0, i] - x)
        out[n + i] = weight[i] * (xy[1, i] - y)
        total += out[i] * out[i] + out[n + i] * out[n + i]
    return total


@njit(nogil=True, fastmath=FAST)
def jacobian(shape: F64, modes: F64, R: F64, scale: float, weight: F64, J: F64) -> None:
    """The derivative of the image points by scale, the rotation vector in the model's frame, tx, ty and the local parameters.

    Args:
        shape: (3, n) mm.
        modes: (m, 3, n) mm.
        R: (3, 3).
        scale: px per mm.
        weight: (n,) of the points.
        J: (6 + m, 2n), filled.
    """
    n = shape.shape[1]
    for row in range(2):
        r0, r1, r2 = R[row, 0], R[row, 1], R[row, 2]
        at = row * n
        for i in range(n):
            x, y, z, w = shape[0, i], shape[1, i], shape[2, i], weight[i]
            J[0, at + i] = w * (r0 * x + r1 * y + r2 * z)
            J[1, at + i] = w * scale * (r2 * y - r1 * z)
            J[2, at + i] = w * scale * (r0 * z - r2 * x)
            J[3, at + i] = w * scale * (r1 * x - r0 * y)
            J[4, at + i] = w * (1 - row)
            J[5, at + i] = w * row
        for m in range(modes.shape[0]):
            for i in range(n):
                J[6 + m, at + i] = (weight[i] * scale) * (
                    r0 * modes[m, 0, i] + r1 * modes[m, 1, i] + r2 * modes[m, 2, i]
                )


@njit(nogil=True, fastmath=FAST)
def _normal_equations(J: F64, residual: F64, precision: F64, local: F64, A: F64, b: F64) -> None:
    """Lower half of A = J.J' + regularisation, and b = J.residual - regularisation.local."""
    size, length = J.shape
    for i in range(size):
        g = 0.0
        for k in range(length):
            g += J[i, k] * residual[k]
        b[i] = g
        for j in range(i + 1):
            s = 0.0
            for k in range(length):
                s += J[i, k] * J[j, k]
            A[i, j] = s
    for m in range(precision.size):
        A[6 + m, 6 + m] += precision[m]
        b[6 + m] -= precision[m] * local[m]


@njit(nogil=True, fastmath=FAST)
def _solve(A: F64, b: F64) -> bool:
    """Solve A x = b in place by Cholesky on the lower half; False when A is not positive definite."""
    size = b.size
    for i in range(size):
        for j in range(i + 1):
            s = A[i, j]
            for k in range(j):
                s -= A[i, k] * A[j, k]
            if i == j:
                if not s > 0.0:
                    return False
                A[i, i] = math.sqrt(s)
            else:
                A[i, j] = s / A[j, j]
    for i in range(size):
        s = b[i]
        for k in range(i):
            s -= A[i, k] * b[k]
        b[i] = s / A[i, i]
    for i in range(size - 1, -1, -1):
        b[i] /= A[i, i]
        for k in range(i):
            b[k] -= A[i, k] * b[i]
    return True


@njit(nogil=True)
def fit(
    mean: F64,
    modes: F64,
    precision: F64,
    xy: F64,
    seen: NDArray[np.bool_],
    global_: F64,
    local: F64,
    maximum_steps: int,
) -> tuple[int, float]:
    """Fit in place from the given start.

    Args:
        mean: (3, n) mm.
        modes: (m, 3, n) mm.
        precision: (m,) of the local parameters.
        xy: (2, n) px.
        seen: (n,) which points count.
        global_: (6,) scale, angles, tx, ty; changed.
        local: (m,); changed.
        maximum_steps: of the iteration.

    Returns:
        The steps taken (`maximum_steps`: it did not settle) and the RMS residual in px (NaN: the equations could not be solved).
    """
    n, m = mean.shape[1], modes.shape[0]
    points = np.empty((2, n))
    weight = np.empty(n)
    visible = 0
    for i in range(n):
        weight[i] = 1.0 if seen[i] else 0.0
        visible += 1 if seen[i] else 0
        points[0, i] = xy[0, i] if seen[i] else 0.0
        points[1, i] = xy[1, i] if seen[i] else 0.0
    shape = np.empty((3, n))
    residual = np.empty(2 * n)
    J = np.empty((6 + m, 2 * n))
    A = np.empty((6 + m, 6 + m))
    b = np.empty(6 + m)
    R = matrix_from_euler(global_[1], global_[2], global_[3])
    scale, tx, ty = global_[0], global_[4], global_[5]
    _shape(mean, modes, local, shape)
    error = math.sqrt(_residual(shape, R, scale, tx, ty, points, weight, residual))
    idle = 0
    step = 0
    while step < maximum_steps:
        step += 1
        jacobian(shape, modes, R, scale, weight, J)
        _normal_equations(J, residual, precision, local, A, b)
        if not _solve(A, b):
            return step, np.nan
        scale += STEP * b[0]
        R = _turn(R, STEP * b[1], STEP * b[2], STEP * b[3])
        tx += STEP * b[4]
        ty += STEP * b[5]
        for k in range(m):
            local[k] += STEP * b[6 + k]
        _shape(mean, modes, local, shape)
        now = math.sqrt(_residual(shape, R, scale, tx, ty, points, weight, residual))
        if not now < GAIN * error:
            idle += 1
            if idle == PATIENCE:
                error = now
                break
        error = now
    rx, ry, rz = euler_from_matrix(R)
    global_[0], global_[1], global_[2], global_[3], global_[4], global_[5] = scale, rx, ry, rz, tx, ty
    return step, error / math.sqrt(visible)
