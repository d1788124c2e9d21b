"""Sentences drawn on the preview: what a person should do while a calibration runs, and what has failed."""

from collections.abc import Sequence

import cv2
import numpy as np

from realtime.action_units.calibration import CalibrationProgress
from realtime.render.palette import BOX, DIM, NEUTRAL, WARNING, Colour
from realtime.types import U8

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# how long the outcome stays in the picture, seconds
_OUTCOME_SECONDS = 4.0
_COLOURS: dict[str, Colour] = {"collecting": NEUTRAL, "done": NEUTRAL, "waiting": WARNING, "failed": WARNING}


class Guidance:
    """Draws while a calibration waits or collects, and its outcome for a few seconds. One caller at a time."""

    def __init__(self) -> None:
        self._last: CalibrationProgress | None = None
        self._since = 0.0

    def draw(self, image: U8, progress: CalibrationProgress, now: float) -> U8:
        """`image` itself where there is nothing to say, else a new one with the sentence and how much rest is collected.

        Args:
            image: (H, W, 3) uint8 BGR, not written to.
            progress: of the calibration.
            now: seconds on any one clock.
        """
        if progress != self._last:
            self._last, self._since = progress, now
        over = progress.phase in ("done", "failed") and now - self._since > _OUTCOME_SECONDS
        if progress.phase == "idle" or over:
            return image
        canvas = image.copy()
        _subtitle(canvas, progress)
        return canvas


def draw_warnings(image: U8, sentences: Sequence[str]) -> U8:
    """`image` itself where there is nothing to say, else a new picture with the sentences in a dark band at its top.

    Args:
        image: (H, W, 3) uint8 BGR, not written to.
        sentences: what has failed, such as the recording.
    """
    if not sentences:
        return image
    canvas = image.copy()
    height, width = canvas.shape[:2]
    scale = min(height / 720, width / 900)
    size, weight, row = 0.7 * scale, max(1, round(1.5 * scale)), round(30 * scale)
    lines = [line for sentence in sentences for line in _wrapped(sentence, size, weight, round(0.94 * width))]
    band = canvas[: row * len(lines) + round(12 * scale)]
    np.right_shift(band, 2, out=band)
    for number, line in enumerate(lines, 1):
        at = (round(0.03 * width), row * number - round(4 * scale))
        cv2.putText(canvas, line, at, _FONT, size, WARNING, weight, cv2.LINE_AA)
    return canvas


def _subtitle(canvas: U8, progress: CalibrationProgress) -> None:
    height, width = canvas.shape[:2]
    scale = min(height / 720, width / 900)
    size, weight, row = 0.8 * scale, max(1, round(1.5 * scale)), round(34 * scale)
    lines = _wrapped(progress.sentence, size, weight, round(0.86 * width))
    tall = row * len(lines) + round(40 * scale)
    # above the line of figures
    top = height - round(40 * scale) - tall
    band = canvas[max(0, top) : top + tall]
    np.right_shift(band, 2, out=band)
    for number, line in enumerate(lines):
        (long, _), _ = cv2.getTextSize(line, _FONT, size, weight)
        at = ((width - long) // 2, top + row * (number + 1) - round(4 * scale))
        cv2.putText(canvas, line, at, _FONT, size, _COLOURS[progress.phase], weight, cv2.LINE_AA)
    reach = round(0.3 * width)
    left, upper, thick = (width - reach) // 2, top + tall - round(26 * scale), round(12 * scale)
    cv2.rectangle(canvas, (left, upper), (left + reach, upper + thick), DIM, cv2.FILLED)
    cv2.rectangle(canvas, (left, upper), (left + round(reach * progress.share), upper + thick), BOX, cv2.FILLED)


def _wrapped(sentence: str, size: float, weight: int, most: int) -> list[str]:
    """Lines of at most `most` pixels, broken between words."""
    lines: list[str] = []
    for word in sentence.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and cv2.getTextSize(longer, _FONT, size, weight)[0][0] <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
