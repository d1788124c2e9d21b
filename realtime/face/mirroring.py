"""Mirrored halves: a face made of its right side and that side's reflection, and the same of its left.

The midline runs through the glabella and the chin, both sub-pixel. d = unit(chin - glabella), n = (-d_y, d_x), and for a pixel
s = (p - glabella) . n; s >= 0 is the patient's right. The reflection of p is p - 2 s n. Across the midline the two sources are
mixed with a profile whose weights at s and -s sum to one: the result is symmetric and has no seam.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.face import wflw
from realtime.face.alignment import warp_bytes
from realtime.jit import njit
from realtime.types import F32, F64, U8


@dataclass(frozen=True, slots=True)
class Midline:
    """The line through the middle of a face, in frame pixels.

    Attributes:
        x: of the glabella.
        y: of the glabella.
        nx: unit normal, toward the patient's right.
        ny: likewise.
        length: from the glabella to the chin.
    """

    x: float
    y: float
    nx: float
    ny: float
    length: float

    def side(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """(N,) signed distance of (N, 2) points, pixels; positive on the patient's right."""
        return (points[:, 0] - self.x) * self.nx + (points[:, 1] - self.y) * self.ny

    def reflect(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """(N, 2) points on the other side."""
        result: NDArray[np.floating] = points - 2 * self.side(points)[:, None] * np.array((self.nx, self.ny))
        return result


def midline(points: F32) -> Midline | None:
    """The midline of (98, 2) points; None where glabella and chin coincide."""
    x, y = wflw.glabella(points).tolist()
    chin_x, chin_y = points[wflw.CHIN].tolist()
    dx, dy = chin_x - x, chin_y - y
    length = math.hypot(dx, dy)
    if not length > 1e-6:
        return None
    return Midline(x, y, -dy / length, dx / length, length)


@dataclass(frozen=True, slots=True)
class Halves:
    """Two mirrored faces, (H, W, 3) uint8 BGR, upright, the midline in the middle.

    Attributes:
        right: made of the patient's right side.
        left: made of the patient's left side.
    """

    right: U8
    left: U8


class Mirror:
    """Makes upright mirrored faces of a fixed size. One caller at a time: its buffers are used again.

    Args:
        width: of each half-face picture, pixels.
        height: likewise.
        blend: half width of the mixing zone, in glabella-chin lengths.
        fill: glabella to chin as a share of the height.
    """

    def __init__(self, width: int, height: int, *, blend: float = 0.03, fill: float = 0.62) -> None:
        self._upright: U8 = np.empty((height, width, 3), np.uint8)
        self._right: U8 = np.empty_like(self._upright)
        self._left: U8 = np.empty_like(self._upright)
        self._length = fill * height
        self._top = (0.94 - fill) * height
        self._blend = blend

    def update(self, image: U8, line: Midline) -> Halves:
        """Both mirrored faces of the (H, W, 3) BGR picture. The arrays are the mirror's own: copy what should last.

        Args:
            image: (H, W, 3) uint8 BGR.
            line: the face's.
        """
        width = self._upright.shape[1]
        scale = self._length / line.length
        # rows of the map: along -n (image left to right on an upright face), and along d, from glabella to chin
        dx, dy = line.ny, -line.nx
        matrix: F64 = np.array(((-line.nx, -line.ny, 0.0), (dx, dy, 0.0))) * scale
        matrix[:, 2] = np.array(((width - 1) / 2, self._top)) - matrix[:, :2] @ (line.x, line.y)
        warp_bytes(image, matrix, self._upright)
        _halves(self._upright, max(self._blend * self._length, 1.0), self._right, self._left)
        return Halves(self._right, self._left)


@njit(nogil=True)
def _profile(s: float, half: float) -> float:
    """Weight of the kept side: 0 at s <= -half, 1 at s >= half, w(s) + w(-s) = 1, smooth at both ends."""
    t = min(max(0.5 + 0.5 * s / half, 0.0), 1.0)
    return t * t * t * (t * (6.0 * t - 15.0) + 10.0)


@njit(nogil=True)
def _halves(upright: U8, half: float, right: U8, left: U8) -> None:
    """Both mirrored pictures of one whose midline is its middle column; exactly symmetric by construction."""
    height, width = upright.shape[:2]
    middle = (width - 1) / 2
    weights = np.empty(width, np.int64)
    for u in range(width):
        weights[u] = int(_profile(middle - u, half) * 1024 + 0.5)
    for v in range(height):
        for u in range((width + 1) // 2):
            other = width - 1 - u
            w = weights[u]
            for c in range(3):
                a, b = int(upright[v, u, c]), int(upright[v, other, c])
                of_right = (a * w + b * (1024 - w) + 512) >> 10
                of_left = (b * w + a * (1024 - w) + 512) >> 10
                right[v, u, c] = right[v, other, c] = of_right
                left[v, u, c] = left[v, other, c] = of_left


def mirror_in_place(image: U8, line: Midline, *, keep: str, blend: float = 0.03, reach: float = 1.6) -> U8:
    """A copy of the picture whose face is mirrored about its own (tilted) midline.

    Args:
        image: (H, W, 3) uint8 BGR; it stays as it is.
        line: the face's.
        keep: "right" or "left", the patient's side that stays.
        blend: half width of the mixing zone, in glabella-chin lengths.
        reach: radius of the disc worked on, in midline lengths; its rim fades.
    """
    out = image.copy()
    sign = 1.0 if keep == "right" else -1.0
    _reflect(
        image,
        line.x,
        line.y,
        sign * line.nx,
        sign * line.ny,
        blend * line.length,
        reach * line.length,
        line.length,
        out,
    )
    return out


@njit(nogil=True)
def _reflect(
    image: U8, gx: float, gy: float, nx: float, ny: float, half: float, reach: float, length: float, out: U8
) -> None:
    height, width = image.shape[:2]
    # the face's middle lies half way down the midline
    mx, my = gx + 0.5 * length * ny, gy - 0.5 * length * nx
    x0, x1 = max(0, int(mx - reach)), min(width, int(mx + reach) + 1)
    y0, y1 = max(0, int(my - reach)), min(height, int(my + reach) + 1)
    for y in range(y0, y1):
        for x in range(x0, x1):
            s = (x - gx) * nx + (y - gy) * ny
            # the disc's middle lies on the midline, so its rim is the same on both sides
            rim = _profile(0.95 * reach - np.sqrt((x - mx) ** 2 + (y - my) ** 2), 0.05 * reach)
            w = 1.0 - rim * (1.0 - _profile(s, half))
            if w >= 1.0:
                continue
            u, v = x - 2.0 * s * nx, y - 2.0 * s * ny
            u, v = min(max(u, 0.0), width - 1.001), min(max(v, 0.0), height - 1.001)
            a, b = int(u), int(v)
            fx, fy = u - a, v - b
            for c in range(3):
                top = image[b, a, c] * (1 - fx) + image[b, a + 1, c] * fx
                low = image[b + 1, a, c] * (1 - fx) + image[b + 1, a + 1, c] * fx
                value = top * (1 - fy) + low * fy
                out[y, x, c] = int(w * image[y, x, c] + (1 - w) * value + 0.5)
