"""Photographs out of collages: one canvas per face, the neighbours cut away, and the points the fit aims at."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError, UserInputError

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

CANVAS = 512
# Share of the canvas that the face's box takes: the rest holds hair, neck and some background.
FACE_SHARE = 0.45


@dataclass(frozen=True, slots=True)
class Photograph:
    """image: (C, C, 3) BGR, C = 512 in the bank; scale and shift lead from collage pixels to canvas pixels: p * scale + shift.

    known: (x1, y1, x2, y2) the part of the canvas that the photograph covers; the rest is diffused from its border.
    """

    image: U8
    scale: float
    shift: F32
    known: tuple[float, float, float, float]


def read_picture(file: Path) -> U8:
    """A picture file as BGR. Raises UserInputError where there is none."""
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if picture is None:
        raise UserInputError(
            f"{file} is missing or no picture; set FACEMIRROR_SHARED to the development material's folder."
        )
    return np.asarray(picture, np.uint8)


def unpack_jpeg(data: U8) -> U8:
    """A JPEG's bytes as BGR."""
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        raise ModelFileError("A picture stored in a shard or bank is not a JPEG; make the file again.")
    return np.asarray(picture, np.uint8)


def cell_around(collage: U8, box: F32) -> tuple[int, int, int, int]:
    """The photograph's rectangle in the collage: out from the face to the first even, black or white line."""
    height, width = collage.shape[:2]
    x1, y1, x2, y2 = np.clip(np.rint(box), 0, [width, height, width, height]).astype(int)
    columns = _separators(collage[y1:y2].transpose(1, 0, 2))
    rows = _separators(collage[:, x1:x2])
    left, right = _nearest(columns, x1, x2, width)
    top, bottom = _nearest(rows, y1, y2, height)
    return left, top, right, bottom


def _separators(lines: U8) -> NDArray[np.bool_]:
    mean = lines.mean((1, 2))
    result: NDArray[np.bool_] = (lines.std(1).max(1) < 13) & ((mean < 34) | (mean > 240))
    return result


def _nearest(separator: NDArray[np.bool_], low: int, high: int, end: int) -> tuple[int, int]:
    before = np.flatnonzero(separator[:low])
    after = np.flatnonzero(separator[high:])
    # Two pixels of margin: JPEG smears the line into the photograph.
    return (int(before[-1]) + 3 if len(before) else 0), (high + int(after[0]) - 2 if len(after) else end)


def photograph(collage: U8, box: F32, canvas: int = CANVAS) -> Photograph:
    """The face of `box` (collage pixels) on a square canvas of so many pixels."""
    left, top, right, bottom = cell_around(collage, box)
    side = float((box[2:] - box[:2]).max())
    scale = canvas * FACE_SHARE / side
    centre = (box[:2] + box[2:]) / 2
    shift = canvas / 2 - centre * scale
    cell = collage[top:bottom, left:right]
    if scale < 0.7:
        cell = cv2.resize(cell, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix = np.array([[1, 0, left * scale + shift[0]], [0, 1, top * scale + shift[1]]])
    else:
        matrix = np.array([[scale, 0, left * scale + shift[0]], [0, scale, top * scale + shift[1]]])
    image = cv2.warpAffine(cell, matrix, (canvas, canvas), flags=cv2.INTER_CUBIC)
    covered = cv2.warpAffine(np.ones(cell.shape[:2], np.float32), matrix, (canvas, canvas), flags=cv2.INTER_LINEAR)
    covered = cv2.erode((covered > 0.99).astype(np.float32), np.ones((3, 3)))
    # A reflection would put a second face beside the first: beyond its border the photograph dissolves.
    image = np.clip(diffuse(image.astype(np.float32), covered), 0, 255).astype(np.uint8)
    corners = np.array([[left, top], [right, bottom]]) * scale + shift
    known = np.clip(corners.ravel(), 0, canvas)
    return Photograph(image, scale, shift.astype(np.float32), (known[0], known[1], known[2], known[3]))


# MediaPipe's polylines through places that WFLW marks too; image left (patient's right) first.
_EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (60, 61, 62, 63, 64), (0, 0.27, 0.52, 0.77, 1)),
    ((133, 155, 154, 153, 145, 144, 163, 7, 33), (64, 65, 66, 67, 60), (0, 0.25, 0.5, 0.75, 1)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (68, 69, 70, 71, 72), (0, 0.23, 0.48, 0.73, 1)),
    ((263, 249, 390, 373, 374, 380, 381, 382, 362), (72, 73, 74, 75, 68), (0, 0.25, 0.5, 0.75, 1)),
)
_SINGLE = {
    **dict(zip((76, 78, 79, 80, 82), (61, 37, 0, 267, 291), strict=True)),
    **dict(zip((83, 85, 87), (321, 17, 91), strict=True)),
    **dict(zip((88, 89, 90, 91, 92), (78, 81, 13, 311, 308), strict=True)),
    **dict(zip((93, 94, 95), (402, 14, 178), strict=True)),
    54: 1,
    57: 2,
    96: 468,
    97: 473,
}
_BETWEEN = {77: (40, 39), 81: (270, 269), 84: (314, 405), 86: (84, 181)}


def wflw_from_mesh(mesh: F32) -> tuple[F32, NDArray[np.bool_]]:
    """WFLW points (98, 2) where MediaPipe's 478 points (478, 2) mark the same place, and which those are."""
    points = np.zeros((98, 2), np.float32)
    known = np.zeros(98, bool)
    for line, targets, fractions in _EYES:
        path = mesh[list(line)]
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        for target, fraction in zip(targets, fractions, strict=True):
            for axis in range(2):
                points[target, axis] = np.interp(fraction * length[-1], length, path[:, axis])
            known[target] = True
    for target, source in _SINGLE.items():
        points[target], known[target] = mesh[source], True
    for target, (a, b) in _BETWEEN.items():
        points[target], known[target] = (mesh[a] + mesh[b]) / 2, True
    return points, known


def diffuse(colour: F32, weight: F32) -> F32:
    """Push-pull: where weight (H, W) is low, the colour (H, W, 3) comes from coarser and coarser levels around."""
    if min(weight.shape) <= 4:
        mean = (colour * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight[..., None] > 1e-3, colour, mean).astype(np.float32)
    size = (weight.shape[1] // 2, weight.shape[0] // 2)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(colour * weight[..., None], size, interpolation=cv2.INTER_AREA)
    small = diffuse(small / np.maximum(small_weight, 1e-6)[..., None], np.clip(small_weight * 2, 0, 1))
    coarse = cv2.resize(small, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
    result: F32 = weight[..., None] * colour + (1 - weight[..., None]) * coarse
    return result
