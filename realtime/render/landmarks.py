"""Landmarks, box and midline on a picture."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.face.mirroring import midline
from realtime.render.palette import BOX, DIM, LEFT, NEUTRAL, RIGHT, Colour
from realtime.types import F32, FacePart

# WFLW curves (facts of the data set): (first, last, closed, colour, part). The contour, nose and lips cross the midline.
_CURVES: tuple[tuple[int, int, bool, Colour, FacePart | None], ...] = (
    (0, 16, False, RIGHT, None),
    (16, 32, False, LEFT, None),
    (33, 41, True, RIGHT, "right brow"),
    (42, 50, True, LEFT, "left brow"),
    (51, 54, False, NEUTRAL, None),
    (55, 57, False, RIGHT, None),
    (57, 59, False, LEFT, None),
    (60, 67, True, RIGHT, "right eye"),
    (68, 75, True, LEFT, "left eye"),
)
_LIPS = (
    ((76, 77, 78, 79), RIGHT),
    ((79, 80, 81, 82), LEFT),
    ((82, 83, 84, 85), LEFT),
    ((85, 86, 87, 76), RIGHT),
    ((88, 89, 90), RIGHT),
    ((90, 91, 92), LEFT),
    ((92, 93, 94), LEFT),
    ((94, 95, 88), RIGHT),
)
_PUPILS: tuple[tuple[int, Colour, FacePart], ...] = ((96, RIGHT, "right eye"), (97, LEFT, "left eye"))


@cache
def _by_colour(hidden: tuple[FacePart, ...]) -> list[tuple[Colour, bool, list[slice | NDArray[np.intp]]]]:
    """The curves that OpenCV draws at once: of one colour, closed or not."""
    groups: dict[tuple[Colour, bool], list[slice | NDArray[np.intp]]] = {}
    for first, last, closed, colour, part in _CURVES:
        groups.setdefault((DIM if part in hidden else colour, closed), []).append(slice(first, last + 1))
    for indices, colour in _LIPS:
        groups.setdefault((DIM if "mouth" in hidden else colour, False), []).append(np.array(indices))
    return [(colour, closed, places) for (colour, closed), places in groups.items()]


_SHIFT = 4  # OpenCV draws lines with 4 fractional bits
_UNIT = 1 << _SHIFT


def _fixed(points: F32) -> NDArray[np.int32]:
    return np.round(points * _UNIT).astype(np.int32)


def draw_landmarks(
    image: NDArray[np.uint8], points: F32, thickness: int = 1, hidden: tuple[FacePart, ...] = ()
) -> None:
    """Draw the 98 points' curves in place, the patient's right in blue, left in orange, what is only guessed in grey.

    Args:
        image: (H, W, 3) uint8 BGR, changed.
        points: (98, 2) pixels.
        thickness: of the lines, pixels.
        hidden: parts that are covered or too small: their Action Units are empty, their lines grey.
    """
    fixed = _fixed(points)
    for colour, closed, places in _by_colour(hidden):
        cv2.polylines(image, [fixed[place] for place in places], closed, colour, thickness, cv2.LINE_AA, _SHIFT)
    for pupil, colour, eye in _PUPILS:
        shown = DIM if eye in hidden else colour
        cv2.circle(image, fixed[pupil].tolist(), 2 * _UNIT, shown, -1, cv2.LINE_AA, _SHIFT)


def draw_midline(image: NDArray[np.uint8], points: F32, thickness: int = 1) -> None:
    """The line through glabella and chin about which half-faces are mirrored.

    Args:
        image: (H, W, 3) uint8 BGR, changed.
        points: (98, 2) pixels.
        thickness: of the line, pixels.
    """
    line = midline(points)
    if line is None:
        return
    ends = [
        (round((line.x + t * line.ny) * _UNIT), round((line.y - t * line.nx) * _UNIT))
        for t in (-0.35 * line.length, 1.105 * line.length)
    ]
    cv2.line(image, ends[0], ends[1], NEUTRAL, thickness, cv2.LINE_AA, _SHIFT)


def draw_box(image: NDArray[np.uint8], box: F32, thickness: int = 1, colour: Colour = BOX) -> None:
    """Corners of the face box: less ink than a rectangle, as readable.

    Args:
        image: (H, W, 3) uint8 BGR, changed.
        box: (4,) pixels.
        thickness: of the lines, pixels.
        colour: BGR.
    """
    x1, y1, x2, y2 = (round(edge * _UNIT) for edge in box.tolist())
    reach = int(0.15 * min(x2 - x1, y2 - y1))
    corners = [
        [[x + sx * reach, y], [x, y], [x, y + sy * reach]]
        for x, sx in ((x1, 1), (x2, -1))
        for y, sy in ((y1, 1), (y2, -1))
    ]
    cv2.polylines(image, list(np.array(corners, np.int32)), False, colour, thickness, cv2.LINE_AA, _SHIFT)
