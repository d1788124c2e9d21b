"""The panel of OpenFace 3.0's multi-task network: its own bars from 0 to 1, its threshold, emotion, gaze and their age."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.action_units.names import name_of
from realtime.render.palette import DIM, NEUTRAL
from realtime.types import PRESENT, Expression

FULL = 1.0


class ExpressionPanel:
    """Draws in the lower left of the picture. Scale 0..1 with a line at the threshold: these are no FACS intensities."""

    def draw(self, image: NDArray[np.uint8], found: Expression, age: float) -> None:
        """Draw in place; a picture that is smaller than the panel stays as it is.

        Args:
            image: (H, W, 3) uint8 BGR.
            found: the values to show.
            age: seconds between the measured and the shown frame.
        """
        scale = image.shape[0] / 720
        row, width, left = round(20 * scale), round(330 * scale), round(12 * scale)
        lines = [
            f"OpenFace 3.0, 0..1   {age * 1e3:.0f} ms",
            f"{found.emotion} {found.emotions[found.emotion]:.2f}",
            "gaze {:+.0f} {:+.0f} deg".format(*(math.degrees(angle) for angle in found.gaze)),
        ]
        height = row * (len(lines) + len(found.units)) + round(10 * scale)
        top = image.shape[0] - height - round(12 * scale)
        strip = image[max(top, 0) : top + height, left : left + width]
        if strip.shape[:2] != (height, width):
            return  # the picture is smaller than the panel
        np.right_shift(strip, 2, out=strip)
        font, weight = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(scale))
        for index, text in enumerate(lines):
            at = (round(6 * scale), row * (index + 1) - round(5 * scale))
            cv2.putText(strip, text, at, font, 0.44 * scale, NEUTRAL, weight, cv2.LINE_AA)
        start, reach = round(150 * scale), width - round(162 * scale)
        first = row * len(lines)
        for index, (unit, value) in enumerate(found.units.items()):
            y = first + row * index
            at = (round(6 * scale), y + row - round(5 * scale))
            cv2.putText(strip, f"{unit} {name_of(unit)}", at, font, 0.4 * scale, NEUTRAL, weight, cv2.LINE_AA)
            end = start + round(reach * min(max(value, 0.0), FULL) / FULL)
            cv2.rectangle(strip, (start, y + row // 4), (end, y + row - row // 4), NEUTRAL, -1)
        threshold = start + round(reach * PRESENT / FULL)
        cv2.line(strip, (threshold, first), (threshold, first + row * len(found.units)), DIM, 1)
