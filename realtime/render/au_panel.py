"""The panel of Action Unit bars, one column a side; the columns stand as the picture shows the sides."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.render.palette import DIM, LEFT, NEUTRAL, RIGHT

FULL = 5.0  # the top of the FACS intensity scale, A..E as 1..5


class AuPanel:
    """Draws bars over a darkened strip. Labels are rendered once per picture size, not once per frame."""

    def __init__(self, units: Sequence[int], height: int, *, flipped: bool = False) -> None:
        self.units = tuple(units)
        self.picture_height = height
        # (name, colour) of the column left of the middle, then of the one right of it
        self._sides = [("R", RIGHT), ("L", LEFT)]
        if flipped:
            self._sides.reverse()
        self._flipped = flipped
        self.scale = height / 720
        s = self.scale
        self.row = round(20 * s)
        self.width = round(232 * s)
        self.height = self.row * (len(self.units) + 1) + round(10 * s)
        self.middle = self.width // 2
        self.gap = round(26 * s)
        self.reach = self.middle - self.gap - round(8 * s)
        self._ink = np.zeros((self.height, self.width, 3), np.uint8)
        self._paint_labels()
        self._mask = np.ascontiguousarray(self._ink.max(axis=2))

    def _paint_labels(self) -> None:
        font, size, weight = cv2.FONT_HERSHEY_SIMPLEX, 0.44 * self.scale, max(1, round(self.scale))
        for word, x, colour in (
            (self._sides[0][0], self.middle - self.gap - self.reach // 2, self._sides[0][1]),
            (self._sides[1][0], self.middle + self.gap + self.reach // 2, self._sides[1][1]),
            ("AU", self.middle - round(10 * self.scale), NEUTRAL),
        ):
            cv2.putText(self._ink, word, (x, round(15 * self.scale)), font, size, colour, weight, cv2.LINE_AA)
        for index, unit in enumerate(self.units):
            text = str(unit)
            (width, tall), _ = cv2.getTextSize(text, font, size, weight)
            baseline = self._top(index) + (self.row + tall) // 2
            at = (self.middle - width // 2, baseline)
            cv2.putText(self._ink, text, at, font, size, NEUTRAL, weight, cv2.LINE_AA)

    def _top(self, index: int) -> int:
        return self.row * (index + 1)

    def draw(
        self,
        image: NDArray[np.uint8],
        right: Mapping[int, float],
        left: Mapping[int, float],
        corner: tuple[int, int] | None = None,
    ) -> None:
        """Draw in place. right, left: intensity 0..5 by AU; absent or NaN draws a dash. corner: x, y of the top left."""
        x0, y0 = (
            corner
            if corner is not None
            else (image.shape[1] - self.width - round(12 * self.scale), round(12 * self.scale))
        )
        strip = image[max(y0, 0) : y0 + self.height, max(x0, 0) : x0 + self.width]
        if strip.shape[:2] != self._mask.shape:
            return  # the picture is smaller than the panel
        np.right_shift(strip, 2, out=strip)
        cv2.copyTo(self._ink, self._mask, strip)
        for index, unit in enumerate(self.units):
            top = self._top(index) + max(2, self.row // 5)
            bottom = self._top(index) + self.row - max(2, self.row // 5)
            rightwards = -1 if not self._flipped else 1
            for value, sign, colour in (
                (right.get(unit), rightwards, RIGHT),
                (left.get(unit), -rightwards, LEFT),
            ):
                start = self.middle + sign * self.gap
                if value is None or math.isnan(value):
                    y = (top + bottom) // 2
                    cv2.line(strip, (start, y), (start + sign * max(4, self.reach // 12), y), DIM, 1)
                    continue
                end = start + sign * round(self.reach * min(max(value, 0.0), FULL) / FULL)
                cv2.rectangle(strip, (start, top), (end, bottom), colour, -1)
