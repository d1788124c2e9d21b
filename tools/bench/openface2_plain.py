"""The steps of the OpenFace path in plain NumPy, vectorised as one would write them without Numba: to compare with."""

import numpy as np
from numpy.typing import NDArray

from realtime.openface2.pdm import ShapeModel
from realtime.openface2.svr import LinearModel

F64 = NDArray[np.float64]


def plain_fit(model: ShapeModel, points: F64) -> F64:
    """(40,) parameters: cold Gauss-Newton with the same steps and stopping rule as `shape_fit`."""
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = model.size
    scale = ((high[0] - low[0]) / width + (high[1] - low[1]) / height) / 2
    R, offset, local = np.eye(3), (low + high) / 2, np.zeros(34)
    modes = model.basis.reshape(3, 68, 34)
    error, idle = np.inf, 0
    for _ in range(1000):
        shape = model.shape(local)
        residual = (points - offset - scale * (R[:2] @ shape).T).T.ravel()
        now = float(np.linalg.norm(residual))
        idle += not now < 0.999 * error
        error = now
        if idle == 3:
            break
        x, y, z = shape
        none = np.zeros(68)
        turned = [np.array([none, -z, y]), np.array([z, none, -x]), np.array([-y, x, none])]
        columns = [(R[:2] @ shape).ravel(), *(scale * (R[:2] @ t).ravel() for t in turned)]
        columns += [np.repeat([1.0, 0.0], 68), np.repeat([0.0, 1.0], 68)]
        J = np.column_stack([*columns, scale * np.einsum("rk,knm->rnm", R[:2], modes).reshape(136, 34)])
        precision = np.concatenate([np.zeros(6), 1 / model.eigenvalues])
        right = J.T @ residual - precision * np.concatenate([np.zeros(6), local])
        step = 0.75 * np.linalg.solve(J.T @ J + np.diag(precision), right)
        scale += step[0]
        u, _, vt = np.linalg.svd(R @ (np.eye(3) + np.cross(np.eye(3), step[1:4])))
        R = u @ vt
        offset, local = offset + step[4:6], local + step[6:]
    return np.concatenate([[scale], R.ravel(), offset, local])


def plain_fhog(image: NDArray[np.uint8]) -> F64:
    """(12, 12, 31) of a 112x112 picture, up to ties between colour channels."""
    wide = image.astype(np.float64)
    gx, gy = wide[1:-1, 2:] - wide[1:-1, :-2], wide[2:, 1:-1] - wide[:-2, 1:-1]
    strongest = np.argmax(gx**2 + gy**2, axis=2)[..., None]
    gx, gy = np.take_along_axis(gx, strongest, 2)[..., 0], np.take_along_axis(gy, strongest, 2)[..., 0]
    angles = np.arange(9) * np.pi / 9
    dots = gx[..., None] * np.cos(angles) + gy[..., None] * np.sin(angles)
    best = np.argmax(np.abs(dots), axis=2)
    positive = np.take_along_axis(dots, best[..., None], 2)[..., 0] > 0
    direction, length = np.where(positive, best, best + 9), np.hypot(gx, gy)
    cell = (np.arange(1, 111) + 0.5) / 8 - 0.5
    first = np.floor(cell).astype(int)
    share = cell - first
    cells = np.zeros((16, 16, 18))
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.outer(share if dy else 1 - share, share if dx else 1 - share)
            np.add.at(cells, ((first + 1 + dy)[:, None], (first + 1 + dx)[None], direction), weight * length)
    cells = cells[1:-1, 1:-1]
    unsigned = cells[..., :9] + cells[..., 9:]
    energy = (unsigned**2).sum(axis=2)
    norm = np.sqrt(energy[1:, 1:] + energy[1:, :-1] + energy[:-1, 1:] + energy[:-1, :-1] + 1e-4)
    blocks = np.stack([norm[1:, 1:], norm[:-1, 1:], norm[1:, :-1], norm[:-1, :-1]])[..., None]
    signed = np.minimum(cells[1:-1, 1:-1] / blocks, 0.2)
    both = np.minimum(unsigned[1:-1, 1:-1] / blocks, 0.2)
    texture = 0.2357 * np.moveaxis(signed.sum(axis=3), 0, -1)
    return np.concatenate([0.5 * signed.sum(axis=0), 0.5 * both.sum(axis=0), texture], axis=2)


class PlainMedian:
    """Histogram medians by a cumulative sum over all bins on every update."""

    def __init__(self, dimensions: int) -> None:
        self._histogram = np.zeros((dimensions, 1000), np.int32)
        self._rows = np.arange(dimensions)
        self._count = 0

    def update(self, values: F64) -> F64:
        """(dimensions,) medians after counting one more value each."""
        place = np.clip((values + 0.005) * 1000 / 1.005, 0, 999).astype(np.int64)
        self._histogram[self._rows, place] += 1
        self._count += 1
        reached = np.cumsum(self._histogram, axis=1) >= (self._count + 1) // 2
        result: F64 = -0.005 + (np.argmax(reached, axis=1) + 0.5) * (1.005 / 1000)
        return result


def plain_predict(models: tuple[LinearModel, ...], descriptor: F64, median: F64) -> F64:
    """(models,) predictions, one model after the other."""
    return np.array(
        [
            (descriptor - model.means - (median if model.dynamic else 0.0)) @ model.weights + model.bias
            for model in models
        ]
    )
