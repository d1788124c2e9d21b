"""How the skin has moved since rest: a coarse field of displacements between two windows of one person's face.

Landmarks follow edges; a brow that is pale or in shadow has none, but the skin around it carries pores, hairs and shades that move with
it, and between two pictures of one person they can be followed to a tenth of a pixel. The method is dense inverse search (Kroeger et
al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) at two scales, averaged in cells: patches are followed by their own
gradients (Baker and Matthews 2004), each counts by how alike it looks where it arrives. OpenCV's own follows as well on these small windows
and takes several times as long (`python -m tools.bench skin`).
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit
from realtime.types import F32, U8

PATCH = 8
"""Side of a patch, pixels."""
PAD = 8
"""Pixels by which a window's edge is repeated outward."""
LEAST_SPREAD = 8.0
"""The least spread of grey values (0..255) by which a flat window is scaled up."""
_STEPS = 4
_STILL = np.float32(4e-4)
_UNLIKE = np.float32(0.02)
"""Mean squared difference (of a settled window) that halves what a patch counts."""
_ONE, _HALF, _QUARTER, _ZERO = np.float32(1), np.float32(0.5), np.float32(0.25), np.float32(0)
_SIDE, _NEXT = np.uint64(PATCH), np.uint64(1)


@njit(nogil=True)
def _sums(window: U8 | F32) -> tuple[int, int]:
    """Sum of the grey values of a window of bytes and of their squares, both exact."""
    total, squares = 0, 0
    for y in range(window.shape[0]):
        for x in range(window.shape[1]):
            value = int(window[y, x])
            total += value
            squares += value * value
    return total, squares


@njit(nogil=True)
def settle(window: U8, mirrored: bool, out: F32) -> None:
    """A grey window without its brightness and contrast.

    Args:
        window: (height, width) grey values.
        mirrored: its mirror image instead.
        out: (height * width,), filled.
    """
    height, width = window.shape
    total, squares = _sums(window)
    mean = total / (height * width)
    gain = 1.0 / max(np.sqrt(max(squares / (height * width) - mean * mean, 0.0)), LEAST_SPREAD)
    for y in range(height):
        for x in range(width):
            value = int(window[y, width - 1 - x]) if mirrored else int(window[y, x])
            out[y * width + x] = np.float32((value - mean) * gain)


@njit(nogil=True)
def _settle_padded(window: U8 | F32, fine: F32, coarse: F32) -> None:
    """What `settled_pyramid` gives of bytes, with OpenCV's arithmetic: one call instead of five, which cost more than the work."""
    height, width = window.shape
    total, squares = _sums(window)
    share = 1.0 / (height * width)
    average = total * share
    spread = np.sqrt(max(squares * share - average * average, 0.0))
    mean, gain = np.float32(average), np.float32(1.0 / max(spread, LEAST_SPREAD))
    # Loops of their own for the edges would be faster by 2 us, and take the compiler 0.3 s.
    for y in range(fine.shape[0]):
        v = 0 if y < PAD else height - 1 if y >= PAD + height else y - PAD
        for x in range(fine.shape[1]):
            u = 0 if x < PAD else width - 1 if x >= PAD + width else x - PAD
            fine[y, x] = (np.float32(window[v, u]) - mean) * gain
    together = coarse.shape[1] // 4 * 4
    for y in range(coarse.shape[0]):
        for x in range(coarse.shape[1]):
            a, b, c, d = fine[2 * y, 2 * x], fine[2 * y, 2 * x + 1], fine[2 * y + 1, 2 * x], fine[2 * y + 1, 2 * x + 1]
            # OpenCV adds the last few, where they are fewer than four, one after the other.
            coarse[y, x] = _QUARTER * ((a + b) + (c + d) if x < together else a + b + c + d)


def settled_pyramid(window: U8 | F32) -> tuple[F32, F32]:
    """The window without its brightness and contrast, its edge repeated outward, and the same at half the size.

    Args:
        window: (height, width) grey values 0..255, both sides even.
    """
    if window.dtype == np.uint8:
        height, width = window.shape[0] + 2 * PAD, window.shape[1] + 2 * PAD
        fine, coarse = np.empty((height, width), np.float32), np.empty((height // 2, width // 2), np.float32)
        _settle_padded(window, fine, coarse)
        return fine, coarse
    mean, spread = (float(value.item()) for value in cv2.meanStdDev(window))
    padded = cv2.copyMakeBorder(window, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE)
    fine = np.subtract(padded, np.float32(mean))
    fine *= np.float32(1 / max(spread, LEAST_SPREAD))
    coarse = cv2.resize(fine, (fine.shape[1] // 2, fine.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return fine, np.asarray(coarse, np.float32)


def prepare(picture: F32, corners: F32, pad: int, hold: np.floating) -> "Scale":
    """What following needs of the patches of a padded picture at rest. Seldom done, so it is not compiled.

    Args:
        picture: (H, W) grey values, padded.
        corners: (P, 2) of the patches.
        pad: pixels around the picture.
        hold: of the inverse against patches without texture.
    """
    down, across = np.zeros_like(picture), np.zeros_like(picture)
    across[:, 1:-1] = _HALF * (picture[:, 2:] - picture[:, :-2])
    down[1:-1] = _HALF * (picture[2:] - picture[:-2])
    rows, columns = (corners.astype(np.intp) + pad).T[:, :, None] + np.arange(PATCH)
    plain = np.stack([picture, across, down])[:, rows[:, :, None], columns[:, None]].reshape(3, len(corners), -1)
    patch, across, down = (part - part.mean(axis=1, keepdims=True) for part in plain)
    xx, xy, yy = (across * across).sum(1) + hold, (across * down).sum(1), (down * down).sum(1) + hold
    inverse = np.stack([yy, -xy, xx], axis=1) / (xx * yy - xy * xy)[:, None]
    offset = np.stack([(patch * across).sum(1), (patch * down).sum(1)], axis=1)
    return Scale(patch, across, down, inverse, offset, (patch * patch).sum(1))


@njit(nogil=True, fastmath=True)
def _place(start: float, limit: int) -> tuple[int, np.float32]:
    """Where a patch begins along one side: the pixel before and what lies beyond it, kept inside the padded picture."""
    inside = min(max(np.float32(start), _ZERO), np.float32(limit - PATCH - 1.01))
    whole = int(inside)
    return whole, np.float32(inside - np.float32(whole))


@njit(nogil=True, fastmath=True)
def _look(picture: F32, y: float, x: float, out: F32) -> None:
    """Fill `out` (64,) with the patch that begins at (y, x), between pixels where need be.

    Indices without a sign need no test for wrapping round, which would keep the compiler from taking eight pixels at a time.
    """
    v, below = _place(y, picture.shape[0])
    u, right = _place(x, picture.shape[1])
    a, b = (_ONE - below) * (_ONE - right), (_ONE - below) * right
    c, d = below * (_ONE - right), below * right
    flat, width = picture.ravel(), np.uint64(picture.shape[1])
    start, k = np.uint64(v) * width + np.uint64(u), np.uint64(0)
    for _ in range(PATCH):
        for j in range(_SIDE):
            i = start + j
            out[k + j] = a * flat[i] + b * flat[i + _NEXT] + c * flat[i + width] + d * flat[i + width + _NEXT]
        start += width
        k += _SIDE


@njit(nogil=True, fastmath=True)
def _unlikeness(seen: F32, patch: F32, energy: float) -> np.float32:
    """Mean squared difference of what is seen (64,) from a patch without its mean, brightness apart."""
    plain, square, product = _ZERO, _ZERO, _ZERO
    for k in range(PATCH * PATCH):
        plain += seen[k]
        square += seen[k] * seen[k]
        product += seen[k] * patch[k]
    area = np.float32(PATCH * PATCH)
    return max(square - plain * plain / area - 2 * product + energy, _ZERO) / area


@njit(nogil=True, fastmath=True)
def follow(
    picture: F32,
    corners: F32,
    pad: int,
    patches: F32,
    across: F32,
    down: F32,
    inverse: F32,
    offset: F32,
    energy: F32,
    moved: F32,
) -> F32:
    """Move each patch to where it looks alike.

    Args:
        picture: (H, W) grey values, padded.
        corners: (P, 2) of the patches at rest.
        pad: pixels around the picture.
        patches: see `Scale`.
        across: likewise.
        down: likewise.
        inverse: likewise.
        offset: likewise.
        energy: likewise.
        moved: (P, 2) x, y where each is taken to be; changed in place.

    Returns:
        (P,) how unlike each patch is there.
    """
    out, seen = np.empty(len(corners), np.float32), np.empty(PATCH * PATCH, np.float32)
    for p in range(len(corners)):
        top, left = corners[p, 0] + np.float32(pad), corners[p, 1] + np.float32(pad)
        patch, gradient_x, gradient_y = patches[p], across[p], down[p]
        x, y = moved[p, 0], moved[p, 1]
        _look(picture, top + y, left + x, seen)
        before = _unlikeness(seen, patch, energy[p])
        for _ in range(_STEPS):
            by_x, by_y = -offset[p, 0], -offset[p, 1]
            for k in range(PATCH * PATCH):
                by_x += seen[k] * gradient_x[k]
                by_y += seen[k] * gradient_y[k]
            step_x = inverse[p, 0] * by_x + inverse[p, 1] * by_y
            step_y = inverse[p, 1] * by_x + inverse[p, 2] * by_y
            x, y = x - step_x, y - step_y
            _look(picture, top + y, left + x, seen)
            if step_x * step_x + step_y * step_y < _STILL:
                break
        after = _unlikeness(seen, patch, energy[p])
        far = (x - moved[p, 0]) ** 2 + (y - moved[p, 1]) ** 2 > np.float32(PATCH * PATCH)
        if after > before or far:
            out[p] = before
        else:
            moved[p, 0], moved[p, 1], out[p] = x, y, after
    return out


@njit(nogil=True, fastmath=True)
def averaged(shares: F32, moved: F32, unlike: F32) -> F32:
    """What patches near a place have moved; the more alike, the more it counts.

    Args:
        shares: (places, P) weights by nearness.
        moved: (P, 2).
        unlike: (P,).

    Returns:
        (places, 2).
    """
    out = np.empty((shares.shape[0], 2), np.float32)
    for k in range(shares.shape[0]):
        total, x, y = np.float32(1e-12), _ZERO, _ZERO
        for p in range(shares.shape[1]):
            if shares[k, p] > 0:
                weight = shares[k, p] / (_UNLIKE + unlike[p])
                total += weight
                x += weight * moved[p, 0]
                y += weight * moved[p, 1]
        out[k, 0], out[k, 1] = x / total, y / total
    return out


# what a patch without texture is held in place by, in squared gradients of a settled window; more where half the size
_HOLD, _HOLD_COARSE = np.float32(0.3), np.float32(1.0)
_REACH = 1.25
"""Cells take in patches up to this many cells away."""


class Scale(NamedTuple):
    """What following needs of P patches of the picture at rest, at one scale.

    Attributes:
        patch: (P, 64) grey values and their gradients, each without its mean.
        across: likewise.
        down: likewise.
        inverse: (P, 3) xx, xy, yy of the inverse of the gradients' products.
        offset: (P, 2) products of patch and gradients.
        energy: (P,) square of the patch.
    """

    patch: F32
    across: F32
    down: F32
    inverse: F32
    offset: F32
    energy: F32


class Template(NamedTuple):
    """A window at rest, made ready to be found again.

    Attributes:
        fine: patches at full and at half resolution.
        coarse: likewise.
    """

    fine: Scale
    coarse: Scale


class SkinFlow:
    """Displacements between windows of one size. Holds no state: any thread may ask.

    Args:
        size: (height, width) of the windows, even.
        cells: (rows, columns) of the answer.
        fine: (rows, columns) of patches at full resolution.
        coarse: likewise at half resolution.
    """

    def __init__(
        self, size: tuple[int, int], cells: tuple[int, int], fine: tuple[int, int], coarse: tuple[int, int]
    ) -> None:
        self.cells = cells
        self._fine, self._coarse = _corners(size, fine), _corners((size[0] // 2, size[1] // 2), coarse)
        middles = [corners + PATCH / 2 for corners in (self._fine, self._coarse)]
        spacing = np.array(size) / cells
        places = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in cells), indexing="ij"), -1).reshape(-1, 2) * spacing
        self._refine = _shares(middles[0], 2 * middles[1], 10.0)
        self._pool = _shares(places, middles[0], _REACH * float(spacing.max()))

    def template(self, window: U8 | F32) -> Template:
        """Make a window of the picture at rest ready to be found again.

        Args:
            window: (height, width) grey values 0..255.
        """
        fine, coarse = settled_pyramid(window)
        return Template(
            prepare(fine, self._fine, PAD, _HOLD),
            prepare(coarse, self._coarse, PAD // 2, _HOLD_COARSE),
        )

    def moved(self, template: Template, window: U8 | F32) -> F32:
        """How the skin has moved since rest.

        Args:
            template: the window at rest.
            window: (height, width) grey values 0..255 now.

        Returns:
            (rows, columns, 2) pixels by which the skin of each cell lies further right and further down.
        """
        fine, coarse = settled_pyramid(window)
        start = np.zeros((len(self._coarse), 2), np.float32)
        unlike = follow(coarse, self._coarse, PAD // 2, *template.coarse, start)
        field = averaged(self._refine, start, unlike)
        field *= 2
        unlike = follow(fine, self._fine, PAD, *template.fine, field)
        return averaged(self._pool, field, unlike).reshape(*self.cells, 2)


def _corners(size: tuple[int, int], count: tuple[int, int]) -> F32:
    """(P, 2) upper left corners (y, x) of patches spread evenly, the same seen in a mirror."""
    along = [np.rint(np.linspace(0, side - PATCH, n)) for side, n in zip(size, count, strict=True)]
    return np.stack(np.meshgrid(*along, indexing="ij"), -1).reshape(-1, 2).astype(np.float32)


def _shares(places: NDArray[np.float64] | F32, of: NDArray[np.float64] | F32, reach: float) -> F32:
    """(len(places), len(of)): what each patch counts at each place, falling to nothing at `reach` pixels."""
    near = 1 - np.abs(places[:, None] - of[None]) / reach
    return np.asarray(np.maximum(near, 0).prod(axis=-1), np.float32)
