"""Similarities between point sets, and boxes. A similarity is a (2, 3) float64 matrix [[a, -b, tx], [b, a, ty]]."""

import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit
from realtime.types import F32, F64

Indices = NDArray[np.int64]


@njit(nogil=True)
def fit_similarity(source: F32, target: F32, weights: F32) -> F64:
    """The similarity that takes `source` to `target` with the least weighted squared error (Umeyama, in two dimensions).

    Args:
        source: (N, 2).
        target: likewise.
        weights: (N,), at least two points with weight. Without spread in `source` the scale is 1.
    """
    total = 0.0
    sx = sy = dx = dy = 0.0
    for i in range(source.shape[0]):
        w = weights[i]
        total += w
        sx += w * source[i, 0]
        sy += w * source[i, 1]
        dx += w * target[i, 0]
        dy += w * target[i, 1]
    result = np.empty((2, 3))
    if total <= 0.0:
        result[0, 0], result[0, 1], result[0, 2] = 1.0, 0.0, 0.0
        result[1, 0], result[1, 1], result[1, 2] = 0.0, 1.0, 0.0
        return result
    sx, sy, dx, dy = sx / total, sy / total, dx / total, dy / total
    dot = cross = spread = 0.0
    for i in range(source.shape[0]):
        w = weights[i]
        px, py = source[i, 0] - sx, source[i, 1] - sy
        qx, qy = target[i, 0] - dx, target[i, 1] - dy
        dot += w * (px * qx + py * qy)
        cross += w * (px * qy - py * qx)
        spread += w * (px * px + py * py)
    a, b = (dot / spread, cross / spread) if spread > 0.0 else (1.0, 0.0)
    result[0, 0], result[0, 1], result[0, 2] = a, -b, dx - a * sx + b * sy
    result[1, 0], result[1, 1], result[1, 2] = b, a, dy - b * sx - a * sy
    return result


@njit(nogil=True)
def transform(matrix: F64, points: F32) -> F32:
    """(N, 2) points through a (2, 3) matrix, float32.

    Args:
        matrix: (2, 3).
        points: (N, 2).
    """
    out = np.empty((points.shape[0], 2), np.float32)
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        out[i, 0] = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
        out[i, 1] = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    return out


def invert(matrix: F64) -> F64:
    """The inverse of a (2, 3) affine map; all NaN where it has none.

    Args:
        matrix: (2, 3).
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    det = a * d - b * c
    if det == 0.0:
        return np.full((2, 3), np.nan)
    a, b, c, d = d / det, -b / det, -c / det, a / det
    return np.array(((a, b, -(a * x + b * y)), (c, d, -(c * x + d * y))))


@njit(nogil=True)
def middle_of(points: F32, indices: Indices) -> F32:
    """(2,) the mean of some of the points.

    Args:
        points: (N, 2).
        indices: which ones, at least one.
    """
    out = np.empty(2, np.float32)  # `np.zeros` would be compiled too, and an array's division
    out[0] = out[1] = 0.0
    for i in indices:
        out[0] += points[i, 0]
        out[1] += points[i, 1]
    out[0] /= np.float32(len(indices))
    out[1] /= np.float32(len(indices))
    return out


def scale_of(matrix: F64) -> float:
    """How much a similarity enlarges.

    Args:
        matrix: (2, 3).
    """
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def iou(a: F32, b: F32) -> float:
    """Intersection over union of two boxes x1, y1, x2, y2; 0 where one is empty.

    Args:
        a: (4,).
        b: likewise.
    """
    width = min(float(a[2]), float(b[2])) - max(float(a[0]), float(b[0]))
    height = min(float(a[3]), float(b[3])) - max(float(a[1]), float(b[1]))
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    area_a = float(a[2] - a[0]) * float(a[3] - a[1])
    area_b = float(b[2] - b[0]) * float(b[3] - b[1])
    return shared / (area_a + area_b - shared)


def bounds(points: F32) -> F32:
    """(4,) the box x1, y1, x2, y2 around (N, 2) points."""
    return np.concatenate((points.min(axis=0), points.max(axis=0)))
