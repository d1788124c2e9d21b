"""Aligned faces: a picture's face brought onto a canonical one by a similarity, resampled in one pass by the kernels of `resample`."""

import numpy as np

from realtime.face import wflw
from realtime.face.face_model import FACE_2D
from realtime.face.geometry import fit_similarity, invert
from realtime.face.resample import to_bytes, to_floats, to_grey
from realtime.types import F32, F64, U8

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


def warp_float(image: U8, matrix: F64, mean: F32, scale: F32, rgb: bool, out: F32) -> None:
    """Resample and normalise in one pass: out (3, H', W') float32 = (value - mean) * scale, RGB or BGR.

    Beyond the picture its outermost pixels are repeated. A landmark network that sees black there takes the edge for the face's:
    of a face that is cut off, the points that are in view come to lie a third nearer to the truth with repeated ones.

    Args:
        image: (H, W, 3) uint8 BGR, C-contiguous.
        matrix: (2, 3) frame to output pixels.
        mean: (3,) float32 in output order.
        scale: likewise.
        rgb: channel order of `out`: RGB, else BGR.
        out: (3, H', W') float32, filled.
    """
    to_floats(np.ascontiguousarray(image), back_to_picture(matrix), -mean * scale, scale, rgb, out)


def warp_bytes(image: U8, matrix: F64, out: U8) -> None:
    """Resample a picture; what lies outside it is black.

    Args:
        image: (H, W, 3) uint8 BGR.
        matrix: (2, 3) frame to output pixels.
        out: (H', W', 3) uint8, filled.
    """
    to_bytes(np.ascontiguousarray(image), back_to_picture(matrix), out)


def warp_grey(image: U8, back: F64, side: int, corner: tuple[int, int], out: U8) -> None:
    """A part of the aligned picture, in grey: the same as that part of `warp_bytes` after `cv2.COLOR_BGR2GRAY`.

    Args:
        image: (H, W, 3) uint8 BGR.
        back: (2, 3) pixels of the aligned picture to the frame's, see `back_to_picture`.
        side: of the aligned picture, pixels.
        corner: x, y of the part in it.
        out: (H', W') uint8, filled.
    """
    to_grey(np.ascontiguousarray(image), back, side, corner[0], corner[1], out)


def back_to_picture(matrix: F64) -> F64:
    """(2, 3) from aligned to frame pixels.

    Args:
        matrix: (2, 3) frame to aligned pixels.

    Raises:
        ValueError: it is no map between two pictures.
    """
    back = invert(matrix)
    if not np.isfinite(back).all():
        raise ValueError(f"this is no map between two pictures: {matrix.tolist()}")
    return back
