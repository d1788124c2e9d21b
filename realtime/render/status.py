"""The line of figures at the bottom of the picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.render.palette import NEUTRAL, WARNING
from realtime.types import RestState

_FULL_WIDTH = 640
"""Pixels of the longest line at scale 1."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What the status line says.

    Attributes:
        fps: frames shown per second.
        age_ms: capture to drawing; None offline, where it means nothing.
        result_age_ms: how much older than the picture its analysis is; None: there is none.
        dropped: frames lost so far.
        state: how the analysis is drawn: measured, held or none.
        rest: how well the person's rest is known, in a word or two; empty: not asked.
    """

    fps: float
    age_ms: float | None
    result_age_ms: float | None
    dropped: int
    state: str
    rest: str = ""


def rest_words(rest: RestState, share: float) -> str:
    """The state of rest for the user.

    Args:
        rest: of the baseline.
        share: of the newest baseline in the values; below 1 it is being blended in.
    """
    return f"{rest}, changing" if rest and share < 1 else rest


def status_height(height: int, width: int) -> int:
    """Pixels at the bottom of a picture that the line takes.

    Args:
        height: of the picture, pixels.
        width: likewise.
    """
    return round(26 * _scale(height, width))


def _scale(height: int, width: int) -> float:
    """1 at 720p; the line must fit into the width of a tall picture, too."""
    return min(height / 720, width / _FULL_WIDTH)


def draw_status(image: NDArray[np.uint8], figures: LiveFigures) -> None:
    """Draw in place, in yellow when what is shown is not fresh.

    Args:
        image: (H, W, 3) uint8 BGR, changed.
        figures: what is written.
    """
    scale = _scale(image.shape[0], image.shape[1])
    result = "none" if figures.result_age_ms is None else f"{figures.result_age_ms:.0f} ms"
    age = "" if figures.age_ms is None else f"age {figures.age_ms:.0f} ms   "
    text = f"{figures.fps:.0f} fps   {age}result age {result}   dropped {figures.dropped}   {figures.state}"
    if figures.rest:
        text += f"   rest: {figures.rest}"
    tall = status_height(image.shape[0], image.shape[1])
    strip = image[image.shape[0] - tall :]
    np.right_shift(strip, 1, out=strip)
    colour = WARNING if figures.state != "tracked" else NEUTRAL
    at = (round(12 * scale), image.shape[0] - round(8 * scale))
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * scale, colour, max(1, round(scale)), cv2.LINE_AA)
