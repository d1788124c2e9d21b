"""Aligned faces: a picture's face brought onto a canonical one by a similarity, resampled in one fused pass.

Bilinear, pixel centres at integers, black outside the picture. The kernels walk the output row by row and step through
the source in fixed point, so that no pixel costs a bounds test or a float multiplication of its coordinates.
"""

import numpy as np

from realtime.face import wflw
from realtime.face.face_model import FACE_2D
from realtime.face.geometry import fit_similarity, invert
from realtime.jit import njit
from realtime.types import F32, F64, U8

# outer eye corners lie this far apart, and their middle this far down, in sides of the aligned picture
_EYE_DISTANCE = 0.46
_EYE_HEIGHT = 0.36
# source coordinates step in 1/2^32 pixel; a bilinear weight is a product of two 8-bit fractions
_UNIT = float(1 << 32)
_WEIGHT = np.float32(1 / 65536)
RIGID = (33, 38, 42, 46, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 64, 68, 72)
"""Points that hardly move with expression: brow ends, nose, eye corners."""


def canonical(size: int) -> F32:
    """(98, 2) where the mean face's points lie in an aligned picture of size x size pixels."""
    middle = np.array((0.5, _EYE_HEIGHT)) * size - 0.5
    return np.asarray(FACE_2D * (_EYE_DISTANCE * size) + middle, np.float32)


class Aligner:
    """Brings faces onto the canonical one. One caller at a time where the buffers of `uint8` and `floats` are used.

    Args:
        size: side of the aligned picture, pixels (112 and 256 are usual).
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.target = canonical(size)
        self._weights = np.zeros(wflw.POINTS, np.float32)
        self._weights[list(RIGID)] = 1.0

    def matrix(self, points: F32) -> F64:
        """(2, 3) frame to aligned pixels, for (98, 2) points."""
        return fit_similarity(points, self.target, self._weights)

    def picture(self, image: U8, points: F32, out: U8 | None = None) -> U8:
        """The aligned face as a picture.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (98, 2) pixels of it.
            out: where to put the result.

        Returns:
            (size, size, 3) uint8 BGR.
        """
        out = np.empty((self.size, self.size, 3), np.uint8) if out is None else out
        warp_bytes(image, self.matrix(points), out)
        return out

    def tensor(self, image: U8, points: F32, mean: F32, scale: F32, *, rgb: bool, out: F32 | None = None) -> F32:
        """The aligned face as a network's input.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (98, 2) pixels of it.
            mean: (3,), in output order; a value v enters as (v - mean) * scale.
            scale: likewise.
            rgb: channel order RGB, else BGR.
            out: where to put the result.

        Returns:
            (3, size, size) float32.
        """
        out = np.empty((3, self.size, self.size), np.float32) if out is None else out
        warp_float(image, self.matrix(points), mean, scale, rgb, out)
        return out


@njit(nogil=True)
def _span(start: float, step: float, limit: int, first: int, last: int) -> tuple[int, int]:
    """The part [first, last) of a row whose samples start + i * step have both their neighbours inside 0 .. limit - 1."""
    low, high = 1e-6, limit - 1.0 - 1e-6
    if abs(step) < 1e-12:
        return (first, last) if low <= start <= high else (first, first)
    a, b = (low - start) / step, (high - start) / step
    if a > b:
        a, b = b, a
    if a > last or b < first:
        return first, first
    begin = max(first, int(np.ceil(a)))
    end = min(last, int(np.floor(b)) + 1)
    return begin, max(begin, end)


@njit(nogil=True)
def _edge(image: U8, x: float, y: float, c: int) -> float:
    """One bilinear sample with black outside the picture."""
    height, width = image.shape[0], image.shape[1]
    value = 0.0
    if not (-1.0 < x < width and -1.0 < y < height):
        return value
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    for dy in range(2):
        for dx in range(2):
            if 0 <= x0 + dx < width and 0 <= y0 + dy < height:
                weight = (fx if dx else 1.0 - fx) * (fy if dy else 1.0 - fy)
                value += weight * image[y0 + dy, x0 + dx, c]
    return value


@njit(nogil=True, boundscheck=False)
def _warp_float(image: U8, back: F64, offset: F32, gain: F32, rgb: bool, out: F32) -> None:
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    # unsigned indices spare Numba's test for negative ones, 32-bit products its widening: twice as fast together
    stride, pixel, one = np.uint64(width * 3), np.uint64(3), np.uint64(1)
    step_x, step_y = np.int64(back[0, 0] * _UNIT), np.int64(back[1, 0] * _UNIT)
    p0, p2 = (2, 0) if rgb else (0, 2)
    blue, green, red = out[p0], out[1], out[p2]
    g0, g1, g2 = gain[p0] * _WEIGHT, gain[1] * _WEIGHT, gain[p2] * _WEIGHT
    o0, o1, o2 = offset[p0], offset[1], offset[p2]
    for v in range(out.shape[1]):
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, 0, out.shape[2])
        begin, end = _span(sy, back[1, 0], height, begin, end)
        for part in range(2):
            for u in range(0 if part == 0 else end, begin if part == 0 else out.shape[2]):
                x, y = sx + back[0, 0] * u, sy + back[1, 0] * u
                for c in range(3):  # the channel as a variable: one compiled _edge instead of one for each number
                    p = 2 - c if rgb else c
                    out[p, v, u] = _edge(image, x, y, c) * gain[p] + offset[p]
        fx, fy = np.int64((sx + back[0, 0] * begin) * _UNIT), np.int64((sy + back[1, 0] * begin) * _UNIT)
        for u in range(begin, end):
            i = np.uint64(fy >> 32) * stride + np.uint64(fx >> 32) * pixel
            j = i + stride
            wx, wy = np.int32((fx >> 24) & 255), np.int32((fy >> 24) & 255)
            w11 = wx * wy
            w10 = (wy << np.int32(8)) - w11
            w01 = (wx << np.int32(8)) - w11
            w00 = np.int32(65536) - (wx << np.int32(8)) - w10
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            blue[v, u] = np.float32(value) * g0 + o0
            i, j = i + one, j + one
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            green[v, u] = np.float32(value) * g1 + o1
            i, j = i + one, j + one
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            red[v, u] = np.float32(value) * g2 + o2
            fx += step_x
            fy += step_y


@njit(nogil=True, boundscheck=False)
def _warp_bytes(image: U8, back: F64, out: U8) -> None:
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    stride, pixel, one = np.uint64(width * 3), np.uint64(3), np.uint64(1)
    step_x, step_y = np.int64(back[0, 0] * _UNIT), np.int64(back[1, 0] * _UNIT)
    half, bits = np.int32(32768), np.int32(16)
    target = out.reshape(-1)
    for v in range(out.shape[0]):
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, 0, out.shape[1])
        begin, end = _span(sy, back[1, 0], height, begin, end)
        for part in range(2):
            for u in range(0 if part == 0 else end, begin if part == 0 else out.shape[1]):
                x, y = sx + back[0, 0] * u, sy + back[1, 0] * u
                for c in range(3):
                    out[v, u, c] = int(_edge(image, x, y, c) + 0.5)
        fx, fy = np.int64((sx + back[0, 0] * begin) * _UNIT), np.int64((sy + back[1, 0] * begin) * _UNIT)
        k = np.uint64((v * out.shape[1] + begin) * 3)
        for _ in range(begin, end):
            i = np.uint64(fy >> 32) * stride + np.uint64(fx >> 32) * pixel
            j = i + stride
            wx, wy = np.int32((fx >> 24) & 255), np.int32((fy >> 24) & 255)
            w11 = wx * wy
            w10 = (wy << np.int32(8)) - w11
            w01 = (wx << np.int32(8)) - w11
            w00 = np.int32(65536) - (wx << np.int32(8)) - w10
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            target[k] = np.uint8((value + half) >> bits)
            i, j = i + one, j + one
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            target[k + one] = np.uint8((value + half) >> bits)
            i, j = i + one, j + one
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            target[k + one + one] = np.uint8((value + half) >> bits)
            k += pixel
            fx += step_x
            fy += step_y


@njit(nogil=True)
def _grey(blue: np.int32, green: np.int32, red: np.int32) -> np.uint8:
    """Brightness by ITU-R BT.601, in the fixed point of `cv2.cvtColor`."""
    return np.uint8((blue * 3735 + green * 19235 + red * 9798 + 16384) >> 15)


@njit(nogil=True, boundscheck=False)
def _warp_grey(image: U8, back: F64, side: int, left: int, top: int, out: U8) -> None:
    """A part of what `_warp_bytes` makes of a picture, as OpenCV turns it to grey: to the last bit the same pixels.

    So every row is stepped through from where `_warp_bytes` begins, whichever columns are wanted.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    stride, pixel, one = np.uint64(width * 3), np.uint64(3), np.uint64(1)
    step_x, step_y = np.int64(back[0, 0] * _UNIT), np.int64(back[1, 0] * _UNIT)
    half, bits = np.int32(32768), np.int32(16)
    right = left + out.shape[1]
    for row in range(out.shape[0]):
        v = top + row
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, 0, side)
        begin, end = _span(sy, back[1, 0], height, begin, end)
        first, last = min(max(begin, left), right), min(max(end, left), right)
        for part in range(2):
            for u in range(left if part == 0 else last, first if part == 0 else right):
                x, y = sx + back[0, 0] * u, sy + back[1, 0] * u
                c = 0  # a variable: one compiled _edge serves all channels
                blue = np.int32(_edge(image, x, y, c) + 0.5)
                green, red = np.int32(_edge(image, x, y, c + 1) + 0.5), np.int32(_edge(image, x, y, c + 2) + 0.5)
                out[row, u - left] = _grey(blue, green, red)
        fx = np.int64((sx + back[0, 0] * begin) * _UNIT) + (first - begin) * step_x
        fy = np.int64((sy + back[1, 0] * begin) * _UNIT) + (first - begin) * step_y
        for u in range(first, last):
            i = np.uint64(fy >> 32) * stride + np.uint64(fx >> 32) * pixel
            j = i + stride
            wx, wy = np.int32((fx >> 24) & 255), np.int32((fy >> 24) & 255)
            w11 = wx * wy
            w10 = (wy << np.int32(8)) - w11
            w01 = (wx << np.int32(8)) - w11
            w00 = np.int32(65536) - (wx << np.int32(8)) - w10
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            blue = (value + half) >> bits
            i, j = i + one, j + one
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            green = (value + half) >> bits
            i, j = i + one, j + one
            value = np.int32(flat[i]) * w00 + np.int32(flat[i + pixel]) * w01
            value += np.int32(flat[j]) * w10 + np.int32(flat[j + pixel]) * w11
            red = (value + half) >> bits
            out[row, u - left] = _grey(blue, green, red)
            fx += step_x
            fy += step_y


def warp_float(image: U8, matrix: F64, mean: F32, scale: F32, rgb: bool, out: F32) -> None:
    """Resample and normalise in one pass: out (3, H', W') float32 = (value - mean) * scale, RGB or BGR.

    Args:
        image: (H, W, 3) uint8 BGR, C-contiguous.
        matrix: (2, 3) frame to output pixels.
        mean: (3,) float32 in output order.
        scale: likewise.
        rgb: channel order of `out`: RGB, else BGR.
        out: (3, H', W') float32, filled.
    """
    _warp_float(np.ascontiguousarray(image), _back(matrix), -mean * scale, scale, rgb, out)


def warp_bytes(image: U8, matrix: F64, out: U8) -> None:
    """Resample a picture; what lies outside it is black.

    Args:
        image: (H, W, 3) uint8 BGR.
        matrix: (2, 3) frame to output pixels.
        out: (H', W', 3) uint8, filled.
    """
    _warp_bytes(np.ascontiguousarray(image), _back(matrix), out)


def warp_grey(image: U8, matrix: F64, side: int, corner: tuple[int, int], out: U8) -> None:
    """A part of the aligned picture, in grey: the same as that part of `warp_bytes` after `cv2.COLOR_BGR2GRAY`.

    Args:
        image: (H, W, 3) uint8 BGR.
        matrix: (2, 3) frame to pixels of the aligned picture.
        side: of the aligned picture, pixels.
        corner: x, y of the part in it.
        out: (H', W') uint8, filled.
    """
    _warp_grey(np.ascontiguousarray(image), _back(matrix), side, corner[0], corner[1], out)


def _back(matrix: F64) -> F64:
    back = invert(matrix)
    if not np.isfinite(back).all():
        raise ValueError(f"this is no map between two pictures: {matrix.tolist()}")
    return back
