"""A line of words over the picture's top."""

import cv2
import numpy as np

from realtime.render.palette import WARNING
from realtime.types import U8

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_notice(canvas: U8, text: str, *, row: int = 0) -> None:
    """Write a line at the picture's top, in place.

    Args:
        canvas: (H, W, 3) BGR.
        text: one line.
        row: 0 is the first one.
    """
    height, width = canvas.shape[:2]
    scale = min(height / 720, width / 640)
    size, weight = 0.7 * scale, max(1, round(scale))
    (long, _), _ = cv2.getTextSize(text, _FONT, size, weight)
    left, base, margin = round(12 * scale), round((36 + 34 * row) * scale), round(6 * scale)
    band = canvas[max(0, base - round(22 * scale)) : base + round(10 * scale), left - margin : left + long + margin]
    np.right_shift(band, 2, out=band)  # the words are to be read on any picture
    cv2.putText(canvas, text, (left, base), _FONT, size, WARNING, weight, cv2.LINE_AA)
