"""Action Units of parts that cannot be seen are not measured: NaN, on the side that is covered."""

import math
from collections.abc import Mapping, Sequence

from realtime.types import FacePart, Sides

_BROW = frozenset({1, 2, 4})
_EYE = frozenset({5, 6, 7, 43, 45})
# Whatever covers the mouth, a mask most often, covers the nose as well.
_MOUTH = frozenset({9, 10, 12, 14, 15, 17, 18, 20, 23, 25, 26})
_UNITS: Mapping[FacePart, tuple[Sides[bool], frozenset[int]]] = {
    "left brow": (Sides(True, False), _BROW),
    "right brow": (Sides(False, True), _BROW),
    "left eye": (Sides(True, False), _EYE),
    "right eye": (Sides(False, True), _EYE),
    "mouth": (Sides(True, True), _MOUTH),
}


def without_hidden(values: Sides[dict[int, float]], hidden: Sequence[FacePart]) -> Sides[dict[int, float]]:
    """The intensities with NaN for every unit that shows on a hidden part.

    Args:
        values: by Action Unit, left and right.
        hidden: parts of the face on which nothing can be measured.
    """
    if not hidden:
        return values
    covered: Sides[set[int]] = Sides(set(), set())
    for part in hidden:
        sides, units = _UNITS[part]
        for here, found in zip(sides, covered, strict=True):
            if here:
                found |= units
    left, right = (
        {unit: math.nan if unit in gone else value for unit, value in side.items()}
        for side, gone in zip(values, covered, strict=True)
    )
    return Sides(left, right)
