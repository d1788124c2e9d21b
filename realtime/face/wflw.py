"""The 98 WFLW points: groups, left/right pairs, curves, the 68-point subset, and what is read off them directly.

Left and right are the patient's own; in an upright, unmirrored picture the patient's right is on the image's left.
Source: WFLW (Wu et al., CVPR 2018), numbering as in its annotation files.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.types import Sides

POINTS = 98

CONTOUR = tuple(range(33))
RIGHT_BROW = tuple(range(33, 42))
LEFT_BROW = tuple(range(42, 51))
NOSE_BRIDGE = tuple(range(51, 55))
NOSE_BASE = tuple(range(55, 60))
RIGHT_EYE = tuple(range(60, 68))
LEFT_EYE = tuple(range(68, 76))
OUTER_LIP = tuple(range(76, 88))
INNER_LIP = tuple(range(88, 96))
RIGHT_PUPIL = 96
LEFT_PUPIL = 97
CHIN = 16
RIGHT_EYE_OUTER = 60
LEFT_EYE_OUTER = 72

GROUPS: dict[str, tuple[int, ...]] = {
    "contour": CONTOUR,
    "right brow": RIGHT_BROW,
    "left brow": LEFT_BROW,
    "nose bridge": NOSE_BRIDGE,
    "nose base": NOSE_BASE,
    "right eye": RIGHT_EYE,
    "left eye": LEFT_EYE,
    "outer lip": OUTER_LIP,
    "inner lip": INNER_LIP,
    "right pupil": (RIGHT_PUPIL,),
    "left pupil": (LEFT_PUPIL,),
}


@dataclass(frozen=True, slots=True)
class Curve:
    """Neighbouring points in drawing order; a closed curve returns to its first point.

    Attributes:
        points: numbers of the 98.
        closed: it returns to the first.
    """

    points: tuple[int, ...]
    closed: bool


CURVES: tuple[Curve, ...] = (
    Curve(CONTOUR, closed=False),
    Curve(RIGHT_BROW, closed=True),
    Curve(LEFT_BROW, closed=True),
    Curve(NOSE_BRIDGE, closed=False),
    Curve(NOSE_BASE, closed=False),
    Curve(RIGHT_EYE, closed=True),
    Curve(LEFT_EYE, closed=True),
    Curve(OUTER_LIP, closed=True),
    Curve(INNER_LIP, closed=True),
)

# (patient's right, patient's left)
FLIP_PAIRS: tuple[tuple[int, int], ...] = (
    *((i, 32 - i) for i in range(16)),
    *((33, 46), (34, 45), (35, 44), (36, 43), (37, 42), (38, 50), (39, 49), (40, 48), (41, 47)),
    *((55, 59), (56, 58)),
    *((60, 72), (61, 71), (62, 70), (63, 69), (64, 68), (65, 75), (66, 74), (67, 73)),
    *((76, 82), (77, 81), (78, 80), (87, 83), (86, 84)),
    *((88, 92), (89, 91), (95, 93)),
    (96, 97),
)
MIDLINE = (16, 51, 52, 53, 54, 57, 79, 85, 90, 94)


def _flip_order() -> NDArray[np.intp]:
    order = np.arange(POINTS)
    for right, left in FLIP_PAIRS:
        order[right], order[left] = left, right
    order.flags.writeable = False
    return order


FLIP_ORDER = _flip_order()
"""(98,) index: `points[FLIP_ORDER]` of a mirrored picture carries the right names again."""

TO_68: tuple[int, ...] = (
    *range(0, 33, 2),
    *range(33, 38),
    *range(42, 47),
    *range(51, 55),
    *range(55, 60),
    *(60, 61, 63, 64, 65, 67),
    *(68, 69, 71, 72, 73, 75),
    *range(76, 88),
    *range(88, 96),
)
"""`points[list(TO_68)]` are the 68 iBUG points, in their order."""


def interocular(points: NDArray[np.floating]) -> float:
    """Distance of the outer eye corners 60 and 72 of (98, 2) points, in their unit."""
    dx, dy = points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER]
    return float(np.hypot(dx, dy))


def eye_opening(points: NDArray[np.floating]) -> Sides[float]:
    """How far the eyes of (98, 2) points are open: mean lid distance over the eye's width, no unit.

    NaN where the eye has no width.
    """
    return Sides(_opening(points, 72, 71, 70, 69, 68, 75, 74, 73), _opening(points, *RIGHT_EYE))


def _opening(points: NDArray[np.floating], *eye: int) -> float:
    outer, up1, up2, up3, inner, low3, low2, low1 = (points[i] for i in eye)
    width = np.hypot(*(outer - inner))
    lids = np.hypot(*(up1 - low1)) + np.hypot(*(up2 - low2)) + np.hypot(*(up3 - low3))
    return float(lids / (3 * width)) if width > 0 else float("nan")


def glabella(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(2,) the point between the brows: the middle of the inner lower brow ends 38 and 50.

    Args:
        points: (98, 2).
    """
    middle: NDArray[np.float64] = (points[38].astype(np.float64) + points[50]) / 2
    return middle
