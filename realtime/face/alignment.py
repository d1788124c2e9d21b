"""Aligned faces: a picture's face brought onto a canonical one by a similarity, resampled in one fused pass.

Bilinear, pixel centres at integers, black outside the picture. The kernels walk the output row by row and step through
the source in fixed point, so that no pixel costs a bounds test or a float multiplication of its coordinates.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from realtime.face import wflw
from realtime.face.geometry import fit_similarity, invert
from realtime.face.template import FACE_2D

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

# outer eye corners lie this far apart, and their middle this far down, in sides of the aligned picture
_EYE_DISTANCE = 0.46
_EYE_HEIGHT = 0.36
RIGID = (33, 38, 42, 46, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 64, 68, 72)
"""Points that hardly move with expression: brow ends, nose, eye corners."""


def canonical(size: int) -> F32:
    """(98, 2) where the mean face's points lie in an aligned picture of size x size pixels."""
    middle = np.array((0.5, _EYE_HEIGHT)) * size - 0.5
    return np.asarray(FACE_2D * (_EYE_DISTANCE * size) + middle, np.float32)


class Aligner:
    """Brings faces onto the canonical one. One caller at a time where the buffers of `uint8` and `floats` are used."""

    def __init__(self, size: int) -> None:
        """size: side of the aligned picture, pixels (112 and 256 are usual)."""
        self.size = size
        self.target = canonical(size)
        self._weights = np.zeros(wflw.POINTS, np.float32)
        self._weights[list(RIGID)] = 1.0

    def matrix(self, points: F32) -> F64:
        """(2, 3) frame to aligned pixels, for (98, 2) points."""
        return fit_similarity(points, self.target, self._weights)

    def picture(self, image: U8, points: F32, out: U8 | None = None) -> U8:
        """(size, size, 3) uint8 BGR; `out` is filled where given."""
        out = np.empty((self.size, self.size, 3), np.uint8) if out is None else out
        warp_bytes(image, self.matrix(points), out)
        return out

    def tensor(self, image: U8, points: F32, mean: F32, scale: F32, *, rgb: bool, out: F32 | None = None) -> F32:
        """(3, size, size) float32, (value - mean) * scale per channel in the order asked for."""
        out = np.empty((3, self.size, self.size), np.float32) if out is None else out
        warp_float(image, self.matrix(points), mean, scale, rgb, out)
        return out


@njit(cache=True, nogil=True, inline="always")
def _span(start: float, step: float, limit: int, first: int, last: int) -> tuple[int, int]:
    """The part [first, last) of a row on which 0 <= start + i * step <= limit - 1 - tiny, one coordinate at a time."""
    low, high = 0.0, limit - 1.0 - 1.0 / 4096
    if abs(step) < 1e-12:
        return (first, last) if low <= start <= high else (first, first)
    a, b = (low - start) / step, (high - start) / step
    if a > b:
        a, b = b, a
    begin = max(first, int(np.ceil(a)))
    end = min(last, int(np.floor(b)) + 1)
    return begin, max(begin, end)


@njit(cache=True, nogil=True)
def _edge(image: U8, x: float, y: float, c: int) -> float:
    """One bilinear sample with black outside the picture."""
    height, width = image.shape[0], image.shape[1]
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    value = 0.0
    for dy in range(2):
        for dx in range(2):
            if 0 <= x0 + dx < width and 0 <= y0 + dy < height:
                weight = (fx if dx else 1.0 - fx) * (fy if dy else 1.0 - fy)
                value += weight * image[y0 + dy, x0 + dx, c]
    return value


@njit(cache=True, nogil=True, boundscheck=False)
def _warp_float(image: U8, back: F64, offset: F32, gain: F32, rgb: bool, out: F32) -> None:
    height, width = image.shape[0], image.shape[1]
    size_y, size_x = out.shape[1], out.shape[2]
    flat = image.reshape(-1)
    stride = width * 3
    one = 1 << 16
    dx, dy = np.int64(np.round(back[0, 0] * one)), np.int64(np.round(back[1, 0] * one))
    p0, p2 = (2, 0) if rgb else (0, 2)
    o0, o1, o2 = offset[0], offset[1], offset[2]
    g0, g1, g2 = gain[0] / 16384, gain[1] / 16384, gain[2] / 16384
    for v in range(size_y):
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, 0, size_x)
        begin, end = _span(sy, back[1, 0], height, begin, end)
        for u in range(size_x):
            if u == begin and end > begin:
                continue
            if begin < u < end:
                continue
            x, y = sx + back[0, 0] * u, sy + back[1, 0] * u
            if x <= -1 or y <= -1 or x >= width or y >= height:
                out[0, v, u], out[1, v, u], out[2, v, u] = o0, o1, o2
                continue
            out[0, v, u] = _edge(image, x, y, p0) * gain[0] + o0
            out[1, v, u] = _edge(image, x, y, 1) * gain[1] + o1
            out[2, v, u] = _edge(image, x, y, p2) * gain[2] + o2
        fx, fy = np.int64((sx + back[0, 0] * begin) * one), np.int64((sy + back[1, 0] * begin) * one)
        for u in range(begin, end):
            x0, y0 = fx >> 16, fy >> 16
            wx, wy = (fx >> 9) & 127, (fy >> 9) & 127
            i = y0 * stride + x0 * 3
            j = i + stride
            w11 = wx * wy
            w10 = (wy << 7) - w11
            w01 = (wx << 7) - w11
            w00 = 16384 - (wx << 7) - w10
            out[0, v, u] = (
                np.int32(flat[i + p0] * w00 + flat[i + 3 + p0] * w01 + flat[j + p0] * w10 + flat[j + 3 + p0] * w11) * g0
                + o0
            )
            out[1, v, u] = (
                np.int32(flat[i + 1] * w00 + flat[i + 4] * w01 + flat[j + 1] * w10 + flat[j + 4] * w11) * g1 + o1
            )
            out[2, v, u] = (
                np.int32(flat[i + p2] * w00 + flat[i + 3 + p2] * w01 + flat[j + p2] * w10 + flat[j + 3 + p2] * w11) * g2
                + o2
            )
            fx += dx
            fy += dy


@njit(cache=True, nogil=True, boundscheck=False)
def _warp_bytes(image: U8, back: F64, out: U8) -> None:
    height, width = image.shape[0], image.shape[1]
    size_y, size_x = out.shape[0], out.shape[1]
    flat = image.reshape(-1)
    stride = width * 3
    one = 1 << 16
    dx, dy = np.int64(np.round(back[0, 0] * one)), np.int64(np.round(back[1, 0] * one))
    for v in range(size_y):
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, 0, size_x)
        begin, end = _span(sy, back[1, 0], height, begin, end)
        for u in range(size_x):
            if u == begin and end > begin:
                continue
            if begin < u < end:
                continue
            x, y = sx + back[0, 0] * u, sy + back[1, 0] * u
            outside = x <= -1 or y <= -1 or x >= width or y >= height
            for c in range(3):
                out[v, u, c] = 0 if outside else int(_edge(image, x, y, c) + 0.5)
        fx, fy = np.int64((sx + back[0, 0] * begin) * one), np.int64((sy + back[1, 0] * begin) * one)
        for u in range(begin, end):
            x0, y0 = fx >> 16, fy >> 16
            wx, wy = (fx >> 9) & 127, (fy >> 9) & 127
            i = y0 * stride + x0 * 3
            j = i + stride
            w11 = wx * wy
            w10 = (wy << 7) - w11
            w01 = (wx << 7) - w11
            w00 = 16384 - (wx << 7) - w10
            for c in range(3):
                value = flat[i + c] * w00 + flat[i + 3 + c] * w01 + flat[j + c] * w10 + flat[j + 3 + c] * w11
                out[v, u, c] = (value + 8192) >> 14
            fx += dx
            fy += dy


def warp_float(image: U8, matrix: F64, mean: F32, scale: F32, rgb: bool, out: F32) -> None:
    """Resample and normalise in one pass: out (3, H', W') float32 = (value - mean) * scale, RGB or BGR.

    image: (H, W, 3) uint8 BGR, C-contiguous. matrix: (2, 3) frame to output pixels. mean, scale: (3,) float32 in output order.
    """
    _warp_float(np.ascontiguousarray(image), invert(matrix), -mean * scale, scale, rgb, out)


def warp_bytes(image: U8, matrix: F64, out: U8) -> None:
    """Resample: out (H', W', 3) uint8. image and matrix as in `warp_float`."""
    _warp_bytes(np.ascontiguousarray(image), invert(matrix), out)
