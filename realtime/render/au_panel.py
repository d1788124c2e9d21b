"""The panel of Action Unit bars, one column a side; the columns stand as the picture shows the sides."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from realtime.action_units.names import name_of
from realtime.render.palette import DIM, LEFT, NEUTRAL, RIGHT
from realtime.types import U8, Sides

FULL = 5.0
"""The top of the FACS intensity scale, A to E as 1 to 5."""
_LEAST_SCALE = 0.5  # letters of a smaller panel cannot be read
_DARKER = np.uint8(4)  # NumPy divides bytes faster than it shifts them
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_UnitValues = dict[int, float]


def panel_scale(height: int, width: int) -> float:
    """Size of the panel on a picture of this size; 1 at 720p. Portrait pictures get it by their width.

    Args:
        height: of the picture, pixels.
        width: likewise.
    """
    return max(_LEAST_SCALE, min(height / 720, width / 900))


class AuPanel:
    """Draws bars over a darkened area. Labels are rendered once, not once per picture.

    Each row has the unit's number and FACS name in the middle and a bar on either side.

    Args:
        units: the Action Units that have a row.
        scale: see `panel_scale`.
        flipped: the picture is shown like a mirror, so the columns change places.
    """

    def __init__(self, units: Sequence[int], scale: float, *, flipped: bool = False) -> None:
        self.units = tuple(units)
        self.scale = scale
        self._flipped = flipped
        self.row = round(20 * scale)
        self.width = round(330 * scale)
        self.height = self.row * (len(self.units) + 1) + round(10 * scale)
        self.middle = self.width // 2
        self.gap = round(90 * scale)
        self.reach = self.middle - self.gap - round(8 * scale)
        self._ink: U8 = np.zeros((self.height, self.width, 3), np.uint8)
        self._paint_labels()
        self._mask = np.ascontiguousarray(self._ink.max(axis=2))
        rows = [self._top(index) for index in range(len(self.units))]
        inset = max(2, self.row // 5)
        self._bars = [(unit, row + inset, row + self.row - inset) for unit, row in zip(self.units, rows, strict=True)]

    def _paint_labels(self) -> None:
        weight = max(1, round(self.scale))
        sides = [("R", RIGHT, -1), ("L", LEFT, 1)]
        for word, colour, side in sides:
            x = self.middle + (-side if self._flipped else side) * (self.gap + self.reach // 2)
            self._centred(word, x, round(15 * self.scale), 0.44, colour, weight)
        self._centred("Action Unit, 0 to 5", self.middle, round(15 * self.scale), 0.4, NEUTRAL, weight)
        for index, unit in enumerate(self.units):
            baseline = self._top(index) + round(14 * self.scale)
            self._centred(f"{unit} {name_of(unit)}", self.middle, baseline, 0.4, NEUTRAL, weight)

    def _centred(self, text: str, x: int, y: int, size: float, colour: tuple[int, int, int], weight: int) -> None:
        (width, _), _ = cv2.getTextSize(text, _FONT, size * self.scale, weight)
        # A long name is drawn smaller rather than over the bars.
        size *= min(1.0, 2 * self.gap / max(1, width + 4))
        (width, _), _ = cv2.getTextSize(text, _FONT, size * self.scale, weight)
        cv2.putText(self._ink, text, (x - width // 2, y), _FONT, size * self.scale, colour, weight, cv2.LINE_AA)

    def _top(self, index: int) -> int:
        return self.row * (index + 1)

    def draw(self, image: U8, values: Sides[_UnitValues], corner: tuple[int, int]) -> bool:
        """Draw in place.

        Args:
            image: (H, W, 3) BGR.
            values: intensity 0..5 by Action Unit, of the patient's sides; an absent one or NaN draws a dash.
            corner: x, y of the panel's upper left.

        Returns:
            Whether the panel was drawn: a picture that is too small for it stays as it is.
        """
        x0, y0 = corner
        area = image[max(y0, 0) : y0 + self.height, max(x0, 0) : x0 + self.width]
        if area.shape[:2] != self._mask.shape:
            return False
        np.floor_divide(area, _DARKER, out=area)
        cv2.copyTo(self._ink, self._mask, area)
        leftwards = -1 if not self._flipped else 1
        for of_side, sign, colour in ((values.right, leftwards, RIGHT), (values.left, -leftwards, LEFT)):
            start = self.middle + sign * self.gap
            for unit, top, bottom in self._bars:
                value = of_side.get(unit)
                if value is None or math.isnan(value):
                    y = (top + bottom) // 2
                    cv2.line(area, (start, y), (start + sign * max(4, self.reach // 12), y), DIM, 1)
                    continue
                end = start + sign * round(self.reach * min(max(value, 0.0), FULL) / FULL)
                cv2.rectangle(area, (start, top), (end, bottom), colour, -1)
        return True
