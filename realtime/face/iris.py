"""The iris's place and diameter, read by a small network from an upright window around each eye.

A window is a right eye's: a left eye is mirrored, so that no side is favoured. Its corners lie `EYE` pixels apart, in its middle.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.types import F32, F64, U8, Sides

Network = Callable[[F32], Mapping[str, F32]]

WINDOW = (112, 80)
"""Width and height of a window, pixels."""
EYE = 56.0
"""Distance of the eye's corners in a window, pixels."""
TYPICAL = 0.44
"""Diameter of an iris, of the distance of the eye's corners: what the network's answer is relative to."""
RIGHT_CORNERS, LEFT_CORNERS = (60, 64), (72, 68)
"""WFLW points, the outer corner first."""


@dataclass(frozen=True, slots=True)
class Iris:
    """The iris of one eye, as the network sees it.

    Attributes:
        centre: (2,) pixels of the frame.
        diameter: pixels, of its widest extent.
        spread: the network's own guess of the diameter's relative standard error.
    """

    centre: F32
    diameter: float
    spread: float


def window_matrix(outer: NDArray[np.floating], inner: NDArray[np.floating], *, mirrored: bool) -> F64:
    """The similarity (2, 3) from a picture to an eye's window, with a mirror for a left eye.

    Args:
        outer: (2,) the eye's outer corner, pixels.
        inner: (2,) its inner corner, another place than the outer one.
        mirrored: of a left eye.
    """
    along = np.asarray(outer - inner if mirrored else inner - outer, np.float64)
    c, s = along * (EYE / float(along @ along))
    turn = np.array(((c, s), (-s, c)))
    if mirrored:
        turn[0] *= -1
    middle = np.array(((WINDOW[0] - 1) / 2, (WINDOW[1] - 1) / 2))
    corners = np.asarray(outer + inner, np.float64) / 2
    return np.column_stack([turn, middle - turn @ corners])


def eye_window(image: U8, matrix: F64) -> U8:
    """The window (80, 112, 3) that `matrix` cuts from the (H, W, 3) BGR image; what is shrunk is averaged first, as a sensor would.

    Args:
        image: (H, W, 3) uint8 BGR.
        matrix: (2, 3) frame to window pixels.
    """
    shrink = int(1 / math.sqrt(abs(float(np.linalg.det(matrix[:, :2])))))
    if shrink >= 2:
        image, matrix = _smaller(image, matrix, shrink)
    seen = cv2.warpAffine(image, matrix, WINDOW, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.uint8)


def _smaller(image: U8, matrix: F64, shrink: int) -> tuple[U8, F64]:
    """The part of the image that the window shows, averaged over shrink x shrink pixels, and the matrix from there."""
    corners = np.array([(0, 0), (WINDOW[0], 0), WINDOW, (0, WINDOW[1])]) - matrix[:, 2]
    there = corners @ np.linalg.inv(matrix[:, :2]).T
    height, width = image.shape[:2]
    x1, y1 = (int(v) for v in np.clip(np.floor(there.min(axis=0)) - shrink, 0, (width - 1, height - 1)))
    x2, y2 = (int(v) for v in np.clip(np.ceil(there.max(axis=0)) + shrink, (x1 + 1, y1 + 1), (width, height)))
    columns, rows = max(1, (x2 - x1) // shrink), max(1, (y2 - y1) // shrink)
    part = image[y1 : y1 + rows * shrink, x1 : x1 + columns * shrink]
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    # Pixel q of the small picture covers the pixels from x1 + shrink q on.
    offset = matrix[:, :2] @ np.array((x1 + (shrink - 1) / 2, y1 + (shrink - 1) / 2)) + matrix[:, 2]
    return np.asarray(small, np.uint8), np.column_stack([matrix[:, :2] * shrink, offset])


class IrisReader:
    """Reads both irises of a face.

    Args:
        network: takes (N, 3, 80, 112) BGR, (v - 127.5) / 127.5; gives "iris" (N, 4): the centre's x and y from the window's middle
            in units of `EYE`, log of the diameter in units of `TYPICAL * EYE`, log of that log's standard deviation.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def read(self, image: U8, points: F32) -> Sides[Iris | None]:
        """Both irises of one face.

        Args:
            image: (H, W, 3) BGR.
            points: (98, 2) pixels of it.

        Returns:
            Of the patient's left and right; None where the corners of an eye coincide. That an iris can be seen is not checked.
        """
        matrices = [
            _matrix(points, corners, mirrored) for corners, mirrored in ((LEFT_CORNERS, True), (RIGHT_CORNERS, False))
        ]
        windows = [eye_window(image, matrix) for matrix in matrices if matrix is not None]
        if not windows:
            return Sides(None, None)
        blob = (np.stack(windows).transpose(0, 3, 1, 2).astype(np.float32) - np.float32(127.5)) / np.float32(127.5)
        answers = iter(self._network(np.ascontiguousarray(blob))["iris"])
        return Sides(*(None if matrix is None else _iris(next(answers), matrix) for matrix in matrices))


def _matrix(points: F32, corners: tuple[int, int], mirrored: bool) -> F64 | None:
    outer, inner = points[corners[0]], points[corners[1]]
    apart = float(np.hypot(*(outer - inner)))
    return window_matrix(outer, inner, mirrored=mirrored) if apart > 1.0 and math.isfinite(apart) else None


def _iris(answer: F32, matrix: F64) -> Iris | None:
    x, y, size, spread = (float(value) for value in answer)
    if not all(math.isfinite(value) for value in (x, y, size, spread)):
        return None
    inverse = np.linalg.inv(matrix[:, :2])
    middle = np.array(((WINDOW[0] - 1) / 2 + EYE * x, (WINDOW[1] - 1) / 2 + EYE * y))
    scale = math.sqrt(abs(float(np.linalg.det(inverse))))
    diameter = TYPICAL * EYE * math.exp(min(size, 2.0)) * scale
    return Iris((inverse @ (middle - matrix[:, 2])).astype(np.float32), diameter, math.exp(min(spread, 2.0)))
