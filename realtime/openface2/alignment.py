"""The aligned face: 112x112 pixels, 0.7 px per mm of the mean face, black outside the face.

Rotation and scale come from 24 points that expressions hardly move, matched to the mean shape by a similarity
(rotation by Kabsch, scale as the ratio of the RMS radii); the translation of the shape fit goes to the middle. The mask
is every pixel inside a triangle of the points, with the brows and the upper ends of the contour raised by 30 px so that
the forehead stays in.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.face.mirroring import Midline
from realtime.jit import njit
from realtime.openface2.mirrored_halves import reflection
from realtime.openface2.pdm import ShapeModel
from realtime.types import F64, U8

SIZE = 112
SCALE = 0.7
RIGID = (1, 2, 3, 4, 12, 13, 14, 15, 27, 28, 29, 31, 32, 33, 34, 35, 36, 39, 40, 41, 42, 45, 46, 47)
RAISED = (0, 16, *range(17, 27))
RAISE = 30.0


@dataclass(frozen=True, slots=True)
class Aligned:
    """An aligned face.

    Attributes:
        image: (112, 112, 3) uint8 BGR, masked.
        to_aligned: (2, 3) map from frame pixels.
        mask: (112, 112), 0 or 1.
        outside: share of the masked face whose pixels lie outside the frame, 0..1.
    """

    image: U8
    to_aligned: F64
    mask: U8
    outside: float


class Aligner:
    """Alignment to one shape model.

    Args:
        model: the shape model.
        triangles: (t, 3) point indices, for the mask.
    """

    def __init__(self, model: ShapeModel, triangles: NDArray[np.int32]) -> None:
        self._target = np.ascontiguousarray((SCALE * model.mean[:2]).T)
        self._rigid = np.array(RIGID)
        self._raised = np.array(RAISED)
        self._triangles = np.ascontiguousarray(triangles)

    def matrix(self, points: F64, translation: F64) -> F64:
        """The map from frame pixels to the aligned face.

        Args:
            points: (68, 2) px.
            translation: (2,) tx, ty of the fit.

        Returns:
            (2, 3).

        Raises:
            ValueError: the rigid points do not span anything.
        """
        linear = similarity(points[self._rigid], self._target[self._rigid])
        if not bool(np.isfinite(linear).all()):
            raise ValueError("the rigid points of the face coincide or are not finite")
        return np.column_stack([linear, SIZE // 2 - linear @ translation])

    def align(self, image: U8, points: F64, translation: F64) -> Aligned:
        """The aligned face of (68, 2) finite points in a (H, W, 3) picture; outside the picture it is black.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (68, 2) px.
            translation: (2,) tx, ty of the fit.
        """
        to_aligned = self.matrix(points, translation)
        return self._finish(_warp(image, to_aligned), image, to_aligned, points, None)

    def align_half(self, image: U8, points: F64, translation: F64, line: Midline, keep_right: bool) -> Aligned:
        """The aligned face of a doubled half, sampled straight from the frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: of the doubled half. Where a pixel falls on the side that is replaced, its reflection is sampled: the same picture
                as aligning a mirrored frame, without making one.
            translation: (2,) tx, ty of the fit.
            line: the midline.
            keep_right: the patient's right side is the one that is doubled.
        """
        to_aligned = self.matrix(points, translation)
        crop = _warp(image, to_aligned)
        folded = to_aligned @ np.vstack([reflection(line), [0.0, 0.0, 1.0]])
        mirrored = _warp(image, folded)
        back = _inverse(to_aligned)
        sign = 1.0 if keep_right else -1.0
        row = sign * (np.array([line.nx, line.ny]) @ back)
        row[2] -= sign * (line.nx * line.x + line.ny * line.y)
        _fold(crop, mirrored, row[0], row[1], row[2])
        return self._finish(crop, image, to_aligned, points, row, folded)

    def _finish(
        self, crop: U8, image: U8, to_aligned: F64, points: F64, row: F64 | None, folded: F64 | None = None
    ) -> Aligned:
        moved = points @ to_aligned[:, :2].T + to_aligned[:, 2]
        moved[self._raised, 1] -= RAISE
        mask = np.zeros((SIZE, SIZE), np.uint8)
        fill_triangles(moved, self._triangles, mask)
        height, width = image.shape[:2]
        back = _inverse(to_aligned)
        back_folded = back if folded is None else _inverse(folded)
        line = np.array([0.0, 0.0, 1.0]) if row is None else row
        _apply_mask(crop, mask)
        return Aligned(crop, to_aligned, mask, _share_outside(mask, back, back_folded, line, width, height))


def _warp(image: U8, matrix: F64) -> U8:
    out: Any = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    result: U8 = out
    return result


def _inverse(matrix: F64) -> F64:
    a, b, c = matrix[0]
    d, e, f = matrix[1]
    det = a * e - b * d
    result: F64 = np.array([[e, -b, b * f - e * c], [-d, a, d * c - a * f]]) / det
    return result


@njit(nogil=True)
def similarity(source: F64, target: F64) -> F64:
    """(2, 2) scaled rotation that takes centred source points onto centred target points, both (n, 2).

    Rotation: the least-squares one (Kabsch; no reflection). Scale: RMS radius of the target over that of the source.
    NaN where the source has no extent.

    Args:
        source: (n, 2), centred.
        target: likewise.
    """
    n = source.shape[0]
    sx = sy = tx = ty = 0.0
    for i in range(n):
        sx += source[i, 0] / n
        sy += source[i, 1] / n
        tx += target[i, 0] / n
        ty += target[i, 1] / n
    along = across = source_power = target_power = 0.0
    for i in range(n):
        a, b = source[i, 0] - sx, source[i, 1] - sy
        c, d = target[i, 0] - tx, target[i, 1] - ty
        along += a * c + b * d
        across += a * d - b * c
        source_power += a * a + b * b
        target_power += c * c + d * d
    length = np.sqrt(along * along + across * across)
    out = np.full((2, 2), np.nan)
    if source_power > 1e-9 and length > 0.0:
        scale = np.sqrt(target_power / source_power) / length
        out[0, 0] = out[1, 1] = scale * along
        out[0, 1], out[1, 0] = -scale * across, scale * across
    return out


@njit(nogil=True)
def fill_triangles(points: F64, triangles: NDArray[np.int32], mask: U8) -> None:
    """Set mask to 1 at every pixel centre inside or on a triangle of (n, 2) points.

    Args:
        points: (n, 2) px.
        triangles: (t, 3) point indices.
        mask: (H, W), changed.
    """
    height, width = mask.shape
    left, right = np.empty(height), np.empty(height)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        low = min(points[a, 1], points[b, 1], points[c, 1])
        high = max(points[a, 1], points[b, 1], points[c, 1])
        first, last = max(0, int(np.ceil(low))), min(height - 1, int(np.floor(high)))
        for y in range(first, last + 1):
            left[y], right[y] = np.inf, -np.inf
        _widen(points, a, b, first, last, left, right)
        _widen(points, b, c, first, last, left, right)
        _widen(points, c, a, first, last, left, right)
        for y in range(first, last + 1):
            for x in range(max(0, int(np.ceil(left[y] - 1e-9))), min(width - 1, int(np.floor(right[y] + 1e-9))) + 1):
                mask[y, x] = 1


@njit(nogil=True)
def _widen(points: F64, p: int, q: int, first: int, last: int, left: F64, right: F64) -> None:
    """Widen the rows' extents by the edge from point p to point q."""
    if points[p, 1] > points[q, 1]:
        p, q = q, p
    x0, y0, x1, y1 = points[p, 0], points[p, 1], points[q, 0], points[q, 1]
    slope = (x1 - x0) / (y1 - y0) if y1 > y0 else 0.0
    for y in range(max(first, int(np.ceil(y0))), min(last, int(np.floor(y1))) + 1):
        x = x0 + (y - y0) * slope
        left[y], right[y] = min(left[y], x), max(right[y], x)
        if y1 == y0:
            left[y], right[y] = min(left[y], x1), max(right[y], x1)


@njit(nogil=True)
def _fold(crop: U8, mirrored: U8, a: float, b: float, c: float) -> None:
    """Take the mirrored pixel wherever a*x + b*y + c < 0, that is on the side to be replaced."""
    for y in range(crop.shape[0]):
        for x in range(crop.shape[1]):
            if a * x + b * y + c < 0.0:
                crop[y, x, 0] = mirrored[y, x, 0]
                crop[y, x, 1] = mirrored[y, x, 1]
                crop[y, x, 2] = mirrored[y, x, 2]


@njit(nogil=True)
def _apply_mask(crop: U8, mask: U8) -> None:
    """Blacken what is not face."""
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            keep = mask[y, x]
            crop[y, x, 0] *= keep
            crop[y, x, 1] *= keep
            crop[y, x, 2] *= keep


@njit(nogil=True)
def _outside(u: float, v: float, width: int, height: int) -> bool:
    return u < -0.5 or v < -0.5 or u > width - 0.5 or v > height - 0.5


@njit(nogil=True)
def _share_outside(mask: U8, back: F64, back_folded: F64, line: F64, width: int, height: int) -> float:
    """The share of the face that lies outside the width x height frame; where line < 0 the folded map holds."""
    last_y, last_x = mask.shape[0] - 1, mask.shape[1] - 1
    clear = True
    for y in (0, last_y):
        for x in (0, last_x):
            for m in (back, back_folded):
                u, v = m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2]
                clear = clear and not _outside(u, v, width, height)
    if clear:  # all four corners lie inside, so everything between them does
        return 0.0
    inside = outside = 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x] == 0:
                continue
            m = back if line[0] * x + line[1] * y + line[2] >= 0.0 else back_folded
            u, v = m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2]
            inside += 1
            outside += 1 if _outside(u, v, width, height) else 0
    return outside / inside if inside > 0 else 1.0


__all__ = ["RIGID", "SCALE", "SIZE", "Aligned", "Aligner", "fill_triangles", "similarity"]
