"""The 68 points that the shape model knows, from either of two sources, and their left/right names.

From 98 WFLW points they are a subset. From the PFLD-68 network they come directly: the crop is a square around the
face box with side 1.1 * max(width, height), resized to 112x112, RGB / 255; the answer is 136 values, x and y in turn,
as fractions of that square.
Numbering (iBUG 300-W): 0-16 contour, 17-21 and 22-26 brows, 27-35 nose, 36-41 and 42-47 eyes, 48-67 mouth; lower
numbers lie on the image's left, which is the patient's right.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.face.wflw import FLIP_ORDER, TO_68
from realtime.types import F32, F64

PFLD68_SIZE = 112
PFLD68_MARGIN = 1.1
CHIN = 8
BROW_ENDS = (21, 22)

_PLACE = {wflw: i for i, wflw in enumerate(TO_68)}
FLIP_68: NDArray[np.intp] = np.array([_PLACE[int(FLIP_ORDER[wflw])] for wflw in TO_68])
"""(68,) index: `points[FLIP_68]` of a mirrored picture carries the right names again."""
_TO_68 = np.array(TO_68)


def from_98(points: NDArray[np.floating]) -> F64:
    """(68, 2) of the (98, 2) WFLW points."""
    if points.shape != (98, 2):
        raise ValueError(f"expected (98, 2) points, got {points.shape}")
    result: F64 = points[_TO_68].astype(np.float64)
    return result


class Pfld68:
    """The PFLD-68 network as a source of points. `run` maps (1, 3, 112, 112) float32 to 136 values."""

    def __init__(self, run: Callable[[F32], NDArray[np.floating]]) -> None:
        self._run = run

    def points(self, image: NDArray[np.uint8], box: NDArray[np.floating]) -> F64:
        """The points of a face.

        Args:
            image: (H, W, 3) uint8 BGR.
            box: (4,) x1, y1, x2, y2.

        Returns:
            (68, 2) px of the frame.
        """
        to_crop = pfld68_crop(box)
        crop = cv2.warpAffine(image, to_crop, (PFLD68_SIZE, PFLD68_SIZE), flags=cv2.INTER_LINEAR)
        blob = np.ascontiguousarray(crop[:, :, ::-1].transpose(2, 0, 1), np.float32)[None] / np.float32(255)
        return pfld68_decode(self._run(blob), to_crop)


def pfld68_crop(box: NDArray[np.floating]) -> F64:
    """(2, 3) map from frame pixels to crop pixels: the square of 1.1 * max(w, h) around the box becomes 112x112."""
    x1, y1, x2, y2 = (float(v) for v in box)
    side = PFLD68_MARGIN * max(x2 - x1, y2 - y1)
    if not side > 0:
        raise ValueError(f"the face box {box} has no area")
    scale = PFLD68_SIZE / side
    left, top = (x1 + x2) / 2 - side / 2, (y1 + y2) / 2 - side / 2
    return np.array([[scale, 0.0, -left * scale], [0.0, scale, -top * scale]])


def pfld68_decode(values: NDArray[np.floating], to_crop: F64) -> F64:
    """The network's answer in pixels of the frame.

    Args:
        values: (136,) fractions of the crop.
        to_crop: (2, 3) frame to crop.

    Returns:
        (68, 2).
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    if flat.size != 136:
        raise ValueError(f"a 68-point network answers 136 values, this one {flat.size}")
    result: F64 = (flat.reshape(68, 2) * PFLD68_SIZE - to_crop[:, 2]) / to_crop[0, 0]
    return result
