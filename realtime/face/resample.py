"""The kernels that `alignment` resamples pictures with: bilinear, pixel centres at integers.

An output row is made in steps, so that the compiler can take eight or sixteen pixels at a time in all but the first: the four pixels
around each place are fetched as 32-bit words, the words are blended with 16-bit weights, and what is blended becomes floats, bytes or
grey. Places step in fixed point: no pixel costs a bounds test or a float multiplication of its coordinates.
"""

from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from realtime.jit import njit
from realtime.types import F32, F64, U8

I32 = NDArray[np.int32]
FixedPoint = np.signedinteger
U32 = NDArray[np.uint32]

# source coordinates step in 1/2^32 pixel; a bilinear weight is a product of two 8-bit fractions
_UNIT = float(1 << 32)
_WEIGHT = np.float32(1 / 65536)
_BYTE, _8, _16, _24 = np.uint32(255), np.uint32(8), np.uint32(16), np.uint32(24)
_TO_WEIGHT = np.int32(8)
_HALF, _BITS = np.int32(32768), np.int32(16)
_BLUE, _GREEN, _RED = np.int32(3735), np.int32(19235), np.int32(9798)
_GREY_HALF, _GREY_BITS = np.int32(16384), np.int32(15)
_PIXEL, _SECOND = np.uint64(3), np.uint64(2)
# not a plain 0: a function called with a number that the compiler knows is compiled once more for that number
_FIRST = cast("int", np.int64(0))


@intrinsic
def _word(_context: Any, array: Any, index: Any) -> Any:
    """Four bytes of a flat array, the first one lowest, in one load wherever they begin: NumPy's own views must be aligned."""
    if not isinstance(array, types.Array) or array.dtype != types.uint8 or index != types.uint64:
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bytes_ = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(bytes_.data, [arguments[1]]), ir.IntType(32).as_pointer())
        word = builder.load(place)
        word.align = 1
        return word

    return types.uint32(array, index), generate


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
def _edge(image: U8, x: float, y: float, sample: F64) -> None:
    """Fill `sample` (3,) bilinearly, with black outside the picture.

    All channels at once: a call for each would be compiled into each kernel three times.
    """
    height, width = image.shape[0], image.shape[1]
    for c in range(3):
        sample[c] = 0.0
    if not (-1.0 < x < width and -1.0 < y < height):
        return
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    for dy in range(2):
        for dx in range(2):
            if 0 <= x0 + dx < width and 0 <= y0 + dy < height:
                weight = (fx if dx else 1.0 - fx) * (fy if dy else 1.0 - fy)
                for c in range(3):
                    sample[c] += weight * image[y0 + dy, x0 + dx, c]


@njit(nogil=True, boundscheck=False)
def _row(
    flat: U8,
    stride: int,
    x: FixedPoint,
    y: FixedPoint,
    step_x: FixedPoint,
    step_y: FixedPoint,
    count: int,
    around: U32,
    blended: I32,
) -> None:
    """Samples of one row inside the picture, 65536 times too large, channel by channel.

    Args:
        flat: the picture's bytes.
        stride: bytes of one of its rows.
        x: place of the first sample, 1/2^32 pixels.
        y: likewise.
        step_x: from one sample to the next.
        step_y: likewise.
        count: of the samples.
        around: (4, at least count), for what is fetched: the word that begins at each sample's upper left pixel, the one that ends
            with its upper right pixel, and the same of the lower two. None of them reaches beyond the picture.
        blended: (3, at least count), filled.
    """
    row = np.uint64(stride)
    at_x, at_y = x, y
    for u in range(count):
        # unsigned indices spare Numba's test for negative ones
        i = np.uint64(at_y >> 32) * row + np.uint64(at_x >> 32) * _PIXEL
        j = i + row
        around[0, u], around[1, u] = _word(flat, i), _word(flat, i + _SECOND)
        around[2, u], around[3, u] = _word(flat, j), _word(flat, j + _SECOND)
        at_x += step_x
        at_y += step_y
    low_x, low_y, low_step_x, low_step_y = np.uint32(x), np.uint32(y), np.uint32(step_x), np.uint32(step_y)
    above, above_right, below, below_right = around[0], around[1], around[2], around[3]
    blue, green, red = blended[0], blended[1], blended[2]
    for u in range(count):
        # 32-bit products throughout: Numba's widening to 64 bits would halve what the processor takes at a time
        wx, wy = np.int32(np.uint32(low_x + u * low_step_x) >> _24), np.int32(np.uint32(low_y + u * low_step_y) >> _24)
        w11 = np.int32(wx * wy)
        w10 = np.int32((wy << _TO_WEIGHT) - w11)
        w01 = np.int32((wx << _TO_WEIGHT) - w11)
        w00 = np.int32(65536 - (wx << _TO_WEIGHT) - w10)
        a, b, c, d = above[u], above_right[u], below[u], below_right[u]
        value = np.int32(a & _BYTE) * w00 + np.int32((b >> _8) & _BYTE) * w01
        blue[u] = value + np.int32(c & _BYTE) * w10 + np.int32((d >> _8) & _BYTE) * w11
        value = np.int32((a >> _8) & _BYTE) * w00 + np.int32((b >> _16) & _BYTE) * w01
        green[u] = value + np.int32((c >> _8) & _BYTE) * w10 + np.int32((d >> _16) & _BYTE) * w11
        value = np.int32((a >> _16) & _BYTE) * w00 + np.int32(b >> _24) * w01
        red[u] = value + np.int32((c >> _16) & _BYTE) * w10 + np.int32(d >> _24) * w11


@njit(nogil=True, boundscheck=False)
def to_floats(image: U8, back: F64, offset: F32, gain: F32, rgb: bool, out: F32) -> None:
    """Resample to float32: value * gain + offset. Outside the picture its edge goes on, see `warp_float`.

    Args:
        image: (H, W, 3) BGR, C-contiguous.
        back: (2, 3) output to picture pixels.
        offset: (3,) in output order.
        gain: likewise.
        rgb: channel order of `out`: RGB, else BGR.
        out: (3, H', W'), filled.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    step_x, step_y = np.int64(back[0, 0] * _UNIT), np.int64(back[1, 0] * _UNIT)
    around, blended = np.empty((4, out.shape[2]), np.uint32), np.empty((3, out.shape[2]), np.int32)
    sample = np.empty(3)
    for v in range(out.shape[1]):
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, _FIRST, out.shape[2])
        begin, end = _span(sy, back[1, 0], height, begin, end)
        for part in range(2):
            for u in range(0 if part == 0 else end, begin if part == 0 else out.shape[2]):
                x, y = sx + back[0, 0] * u, sy + back[1, 0] * u
                _edge(image, min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0), sample)
                for c in range(3):
                    p = 2 - c if rgb else c
                    out[p, v, u] = sample[c] * gain[p] + offset[p]
        fx, fy = np.int64((sx + back[0, 0] * begin) * _UNIT), np.int64((sy + back[1, 0] * begin) * _UNIT)
        _row(flat, width * 3, fx, fy, step_x, step_y, end - begin, around, blended)
        for c in range(3):
            p = 2 - c if rgb else c
            values, target, by, start = blended[c], out[p, v, begin:end], np.float32(gain[p] * _WEIGHT), offset[p]
            for u in range(end - begin):
                target[u] = np.float32(values[u]) * by + start


@njit(nogil=True, boundscheck=False)
def to_bytes(image: U8, back: F64, out: U8) -> None:
    """Resample to a picture, with black outside the one that is resampled.

    Args:
        image: (H, W, 3) BGR, C-contiguous.
        back: (2, 3) output to picture pixels.
        out: (H', W', 3), filled.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    step_x, step_y = np.int64(back[0, 0] * _UNIT), np.int64(back[1, 0] * _UNIT)
    around, blended = np.empty((4, out.shape[1]), np.uint32), np.empty((3, out.shape[1]), np.int32)
    sample = np.empty(3)
    for v in range(out.shape[0]):
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, _FIRST, out.shape[1])
        begin, end = _span(sy, back[1, 0], height, begin, end)
        for part in range(2):
            for u in range(0 if part == 0 else end, begin if part == 0 else out.shape[1]):
                _edge(image, sx + back[0, 0] * u, sy + back[1, 0] * u, sample)
                for c in range(3):
                    out[v, u, c] = int(sample[c] + 0.5)
        fx, fy = np.int64((sx + back[0, 0] * begin) * _UNIT), np.int64((sy + back[1, 0] * begin) * _UNIT)
        _row(flat, width * 3, fx, fy, step_x, step_y, end - begin, around, blended)
        target, blue, green, red = out[v], blended[0], blended[1], blended[2]
        for u in range(end - begin):
            target[begin + u, 0] = np.uint8((blue[u] + _HALF) >> _BITS)
            target[begin + u, 1] = np.uint8((green[u] + _HALF) >> _BITS)
            target[begin + u, 2] = np.uint8((red[u] + _HALF) >> _BITS)


@njit(nogil=True)
def _grey(blue: np.int32, green: np.int32, red: np.int32) -> np.uint8:
    """Brightness by ITU-R BT.601, in the fixed point of `cv2.cvtColor`."""
    return np.uint8(np.int32(blue * _BLUE + green * _GREEN + red * _RED + _GREY_HALF) >> _GREY_BITS)


@njit(nogil=True, boundscheck=False)
def to_grey(image: U8, back: F64, side: int, left: int, top: int, out: U8) -> None:
    """A part of what `to_bytes` makes of a picture, as OpenCV turns it to grey: to the last bit the same pixels.

    So every row is stepped through from where `to_bytes` begins, whichever columns are wanted.

    Args:
        image: (H, W, 3) BGR, C-contiguous.
        back: (2, 3) from pixels of the whole aligned picture to the picture's.
        side: of the whole aligned picture.
        left: first column of the part.
        top: its first row.
        out: (H', W') the part, filled.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    step_x, step_y = np.int64(back[0, 0] * _UNIT), np.int64(back[1, 0] * _UNIT)
    around, blended = np.empty((4, out.shape[1]), np.uint32), np.empty((3, out.shape[1]), np.int32)
    sample, right = np.empty(3), left + out.shape[1]
    for row in range(out.shape[0]):
        v = top + row
        sx, sy = back[0, 1] * v + back[0, 2], back[1, 1] * v + back[1, 2]
        begin, end = _span(sx, back[0, 0], width, _FIRST, side)
        begin, end = _span(sy, back[1, 0], height, begin, end)
        first, last = min(max(begin, left), right), min(max(end, left), right)
        for part in range(2):
            for u in range(left if part == 0 else last, first if part == 0 else right):
                _edge(image, sx + back[0, 0] * u, sy + back[1, 0] * u, sample)
                b, g, r = np.int32(sample[0] + 0.5), np.int32(sample[1] + 0.5), np.int32(sample[2] + 0.5)
                out[row, u - left] = _grey(b, g, r)
        fx = np.int64((sx + back[0, 0] * begin) * _UNIT) + (first - begin) * step_x
        fy = np.int64((sy + back[1, 0] * begin) * _UNIT) + (first - begin) * step_y
        _row(flat, width * 3, fx, fy, step_x, step_y, last - first, around, blended)
        target, blue, green, red = out[row, first - left : last - left], blended[0], blended[1], blended[2]
        for u in range(last - first):
            b, g, r = (blue[u] + _HALF) >> _BITS, (green[u] + _HALF) >> _BITS, (red[u] + _HALF) >> _BITS
            target[u] = _grey(np.int32(b), np.int32(g), np.int32(r))
