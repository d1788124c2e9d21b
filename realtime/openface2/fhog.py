"""Felzenszwalb's HOG as dlib computes it: 31 values for each inner 8x8-pixel cell of a colour picture.

Per pixel: the gradient of the colour channel where it is strongest, its direction rounded to one of 18, its length
spread bilinearly over the four nearest cells. Per cell: 18 signed and 9 unsigned directions
and 4 texture energies, each normalised by the four 2x2 blocks around the cell and cut off at 0.2. The outermost ring
of cells only feeds the blocks: 112x112 pixels give 14x14 cells and 12x12x31 values.

Order: rows of the picture outermost, then columns, then the 31 values.
Source: Felzenszwalb et al., PAMI 2010; dlib's `extract_fhog_features`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit
from realtime.types import F32

CELL = 8
VALUES = 31
DIRECTIONS = 18
TRUNCATION = 0.2
TEXTURE = 0.2357
EPSILON = 1e-4
FAST = {"reassoc", "contract"}


def fhog(image: NDArray[np.uint8]) -> F32:
    """(rows, columns, 31) float32 for a (H, W, 3) uint8 BGR picture of at least 24x24; rows = round(H / 8) - 2."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"expected a (H, W, 3) uint8 picture, got {image.shape} {image.dtype}")
    rows, columns = int(image.shape[0] / CELL + 0.5), int(image.shape[1] / CELL + 0.5)
    if rows < 3 or columns < 3:
        raise ValueError(f"a {image.shape[1]}x{image.shape[0]} picture has no inner cell; 24x24 is the least")
    histogram = np.zeros((rows + 2, columns + 2, DIRECTIONS), np.float32)
    _histograms(np.ascontiguousarray(image), histogram, _COSINES, _SINES)
    out = np.empty((rows - 2, columns - 2, VALUES), np.float32)
    _features(histogram, out)
    return out


# dlib's own four-digit table of the nine unit vectors.
_COSINES = np.array([1.0, 0.9397, 0.7660, 0.5, 0.1736, -0.1736, -0.5, -0.7660, -0.9397], np.float32)
_SINES = np.array([0.0, 0.3420, 0.6428, 0.8660, 0.9848, 0.9848, 0.8660, 0.6428, 0.3420], np.float32)


@njit(nogil=True)
def _gradients(
    image: NDArray[np.uint8], y: int, first: int, last: int, order: tuple[int, int, int], dx: F32, dy: F32, power: F32
) -> None:
    """The strongest channel's gradient of the pixels first <= x < last of row y; the earlier in `order` wins ties."""
    up, row, down = image[y - 1], image[y], image[y + 1]
    c0, c1, c2 = order
    for x in range(first, last):
        gx = np.int32(row[x + 1, c0]) - np.int32(row[x - 1, c0])
        gy = np.int32(down[x, c0]) - np.int32(up[x, c0])
        hx = np.int32(row[x + 1, c1]) - np.int32(row[x - 1, c1])
        hy = np.int32(down[x, c1]) - np.int32(up[x, c1])
        kx = np.int32(row[x + 1, c2]) - np.int32(row[x - 1, c2])
        ky = np.int32(down[x, c2]) - np.int32(up[x, c2])
        g, h, k = gx * gx + gy * gy, hx * hx + hy * hy, kx * kx + ky * ky
        second = h > g
        gx, gy, g = (hx if second else gx), (hy if second else gy), (h if second else g)
        third = k > g
        dx[x] = np.float32(kx if third else gx)
        dy[x] = np.float32(ky if third else gy)
        power[x] = np.float32(k if third else g)


@njit(nogil=True)
def _directions(
    dx: F32, dy: F32, power: F32, width: int, cosines: F32, sines: F32, best: NDArray[np.int32], length: F32, dot: F32
) -> None:
    """The nearest of 18 directions and the gradient's length; the first direction wins ties."""
    for x in range(1, width):
        dot[x] = np.float32(0.0)
        best[x] = 0
        length[x] = np.sqrt(power[x])
    for o in range(9):
        c, s = cosines[o], sines[o]
        for x in range(1, width):
            d = dx[x] * c + dy[x] * s
            size = abs(d)
            better = size > dot[x]
            best[x] = (o if d > np.float32(0.0) else o + 9) if better else best[x]
            dot[x] = size if better else dot[x]


@njit(nogil=True)
def _histograms(image: NDArray[np.uint8], histogram: F32, cosines: F32, sines: F32) -> None:
    """Fill histogram (cell rows + 2, cell columns + 2, 18); one empty ring of cells catches what falls outside."""
    rows, columns = histogram.shape[0] - 2, histogram.shape[1] - 2
    height = min(rows * CELL, image.shape[0]) - 1
    width = min(columns * CELL, image.shape[1]) - 1
    dx, dy = np.empty(width + 1, np.float32), np.empty(width + 1, np.float32)
    power, length, dot = (
        np.empty(width + 1, np.float32),
        np.empty(width + 1, np.float32),
        np.empty(width + 1, np.float32),
    )
    best = np.empty(width + 1, np.int32)
    # dlib handles eight pixels at a time and the rest of the row singly; the two differ in which channel wins a tie.
    split = 1 + 8 * max(0, (width - 1) // 8)
    line = np.zeros((columns + 2, DIRECTIONS), np.float32)
    flat = line.reshape(-1)
    for y in range(1, height):
        _gradients(image, y, 1, split, (0, 1, 2), dx, dy, power)
        _gradients(image, y, split, width, (2, 1, 0), dx, dy, power)
        _directions(dx, dy, power, width, cosines, sines, best, length, dot)
        flat[:] = np.float32(0.0)
        for x in range(1, width):
            left = (x + CELL // 2) // CELL  # the ring shifts every cell by one
            share = np.float32(((x + CELL // 2) % CELL + 0.5) / CELL)
            value = length[x]
            right = share * value
            line[left, best[x]] += value - right
            line[left + 1, best[x]] += right
        top = (y + CELL // 2) // CELL
        below = np.float32(((y + CELL // 2) % CELL + 0.5) / CELL)
        above = np.float32(1.0) - below
        first, second = histogram[top].reshape(-1), histogram[top + 1].reshape(-1)
        for k in range(flat.size):
            first[k] += above * flat[k]
            second[k] += below * flat[k]


@njit(nogil=True, fastmath=FAST)
def _features(histogram: F32, out: F32) -> None:
    rows, columns = histogram.shape[0] - 2, histogram.shape[1] - 2
    energy = np.empty((rows, columns), np.float32)
    for r in range(rows):
        for c in range(columns):
            total = np.float32(0.0)
            for o in range(9):
                v = histogram[r + 1, c + 1, o] + histogram[r + 1, c + 1, o + 9]
                total += v * v
            energy[r, c] = total
    limit = np.empty((rows - 1, columns - 1), np.float32)  # 0.2 times the norm of each 2x2 block
    for r in range(rows - 1):
        for c in range(columns - 1):
            block = energy[r, c] + energy[r, c + 1] + energy[r + 1, c] + energy[r + 1, c + 1]
            limit[r, c] = np.float32(TRUNCATION * math.sqrt(block + EPSILON))
    half = np.float32(0.5 * TRUNCATION)
    cap = np.empty(4, np.float32)
    gain = np.empty(4, np.float32)
    for r in range(rows - 2):
        for c in range(columns - 2):
            cap[0], cap[1], cap[2], cap[3] = limit[r + 1, c + 1], limit[r, c + 1], limit[r + 1, c], limit[r, c]
            for k in range(4):
                gain[k] = half / cap[k]
            t0 = t1 = t2 = t3 = np.float32(0.0)
            for o in range(DIRECTIONS):
                h = histogram[r + 2, c + 2, o]
                h0, h1 = min(h, cap[0]) * gain[0], min(h, cap[1]) * gain[1]
                h2, h3 = min(h, cap[2]) * gain[2], min(h, cap[3]) * gain[3]
                out[r, c, o] = h0 + h1 + h2 + h3
                t0, t1, t2, t3 = t0 + h0, t1 + h1, t2 + h2, t3 + h3
            for o in range(9):
                h = histogram[r + 2, c + 2, o] + histogram[r + 2, c + 2, o + 9]
                out[r, c, 18 + o] = (
                    min(h, cap[0]) * gain[0]
                    + min(h, cap[1]) * gain[1]
                    + min(h, cap[2]) * gain[2]
                    + min(h, cap[3]) * gain[3]
                )
            scale = np.float32(2 * TEXTURE)
            out[r, c, 27], out[r, c, 28], out[r, c, 29], out[r, c, 30] = scale * t0, scale * t1, scale * t2, scale * t3
