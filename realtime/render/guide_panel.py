"""The instructions of an examination beside the picture, or below an upright one: nothing is ever drawn over the face."""

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.clinic.types import Movement
from realtime.render.face_diagram import amount_at, draw_diagram
from realtime.render.lettering import draw_line, line_width, wrapped
from realtime.render.palette import BOX, DIM, NEUTRAL, WARNING, Colour
from realtime.types import U8

_GROUND = 28
LEAST = 720
"""Pixels of the picture's shorter side from which the panel's words are sharp."""
_SHARE = 0.62
"""The panel's width as a share of the picture's height, or its height as a share of the picture's width."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What to show.

    Attributes:
        title: the movement in a few words.
        sentence: what to do now.
        remark: what is wrong; empty: nothing.
        progress: how far it is, in words.
        keys: what the keys do.
        movement: the drawing; None: none.
        moves: the drawing goes to and fro; else it stands at `amount`.
        amount: 0..1 of the movement.
        count: a large digit; 0: none.
        share: 0..1 of a bar; 0: none.
    """

    title: str = ""
    sentence: str = ""
    remark: str = ""
    progress: str = ""
    keys: str = ""
    movement: Movement | None = None
    moves: bool = False
    amount: float = 0.0
    count: int = 0
    share: float = 0.0


def with_guide(picture: U8, guide: Guide, seconds: float) -> U8:
    """A new picture, larger by the panel; a small one is enlarged, so that what stands beside it can be read.

    Args:
        picture: (H, W, 3) BGR, not written to.
        guide: what to show.
        seconds: since the drawing came up.
    """
    picture = _large_enough(picture)
    height, width = picture.shape[:2]
    if width >= height:
        panel = np.full((height, max(2, round(_SHARE * height)) // 2 * 2, 3), _GROUND, np.uint8)
        _fill(panel, guide, seconds)
        return _as_wide_as_screens(np.concatenate([picture, panel], axis=1))
    panel = np.full((max(2, round(_SHARE * width)) // 2 * 2, width, 3), _GROUND, np.uint8)
    _fill_wide(panel, guide, seconds)
    return np.concatenate([picture, panel], axis=0)


def _as_wide_as_screens(whole: U8) -> U8:
    """Dark bands above and below, where a screen of 16 to 9 would show its own bright ones."""
    height, width = whole.shape[:2]
    band = max(0, (9 * width // 16 - height) // 2)
    bands = np.full((band, width, 3), _GROUND, np.uint8)
    return np.concatenate([bands, whole, bands], axis=0) if band else whole


def _large_enough(picture: U8) -> U8:
    factor = LEAST / min(picture.shape[:2])
    if factor <= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.uint8)


def _fill(panel: U8, guide: Guide, seconds: float) -> None:
    """An upright panel: words above, the drawing in the middle, how far it is below."""
    height, width = panel.shape[:2]
    unit = width / 446
    y = _text(panel, guide.title, round(44 * unit), (0, width), 1.05 * unit, NEUTRAL, 2.4 * unit)
    y = _text(panel, guide.sentence, y + round(8 * unit), (0, width), 0.72 * unit, NEUTRAL, 1.5 * unit)
    bottom = round(height - 92 * unit)
    if guide.remark:
        bottom = _remark(panel, guide.remark, bottom, (0, width), unit)
    size = min(bottom - y - round(20 * unit), round(0.86 * width / 0.77))
    if guide.movement is not None and size > 60:
        _drawing(panel, guide, seconds, (width // 2, (y + bottom) // 2), size)
    if guide.count:
        _count(panel, guide.count, (width - round(52 * unit), y + round(62 * unit)), unit)
    _foot(panel, guide, (0, width), unit)


def _fill_wide(panel: U8, guide: Guide, seconds: float) -> None:
    """A lying panel: the drawing on the left, words on the right."""
    height, width = panel.shape[:2]
    unit, start = height / 446, round(0.40 * width)
    y = _text(panel, guide.title, round(44 * unit), (start, width), 0.95 * unit, NEUTRAL, 2.2 * unit)
    y = _text(panel, guide.sentence, y + round(6 * unit), (start, width), 0.70 * unit, NEUTRAL, 1.4 * unit)
    if guide.remark:
        _remark(panel, guide.remark, round(height - 92 * unit), (start, width), unit)
    if guide.movement is not None:
        _drawing(panel, guide, seconds, (start // 2, height // 2), min(round(0.9 * height), round(1.1 * start)))
    if guide.count:
        _count(panel, guide.count, (round(start - 20 * unit), round(70 * unit)), unit)
    _foot(panel, guide, (start, width), unit)


def _drawing(panel: U8, guide: Guide, seconds: float, centre: tuple[int, int], size: int) -> None:
    assert guide.movement is not None
    draw_diagram(panel, guide.movement, amount_at(seconds) if guide.moves else guide.amount, centre, size)


def _text(
    panel: U8, text: str, top: int, span: tuple[int, int], size: float, colour: Colour, weight: float
) -> int:  # fmt: skip
    """Lines in the middle of a span. Gives the y below them."""
    pen, row = max(1, round(weight)), round(36 * size)
    left, right = span
    for number, line in enumerate(wrapped(text, size, pen, round(0.92 * (right - left)))):
        x = left + (right - left - line_width(line, size, pen)) // 2
        draw_line(panel, line, (x, top + row * number), size, colour, pen)
        top_of_last = top + row * number
    return top_of_last + row // 2 if text else top


def _remark(panel: U8, text: str, bottom: int, span: tuple[int, int], unit: float) -> int:
    """Above `bottom`. Gives the y above it."""
    size, pen = 0.62 * unit, max(1, round(1.4 * unit))
    row = round(36 * size)
    top = bottom - row * len(wrapped(text, size, pen, round(0.92 * (span[1] - span[0])))) + row // 2
    _text(panel, text, top, span, size, WARNING, 1.4 * unit)
    return top - row


def _count(panel: U8, count: int, centre: tuple[int, int], unit: float) -> None:
    size, pen = 1.6 * unit, max(2, round(3 * unit))
    cv2.circle(panel, centre, round(36 * unit), BOX, cv2.FILLED, cv2.LINE_AA)
    wide = line_width(str(count), size, pen)
    draw_line(panel, str(count), (centre[0] - wide // 2, centre[1] + round(17 * unit)), size, NEUTRAL, pen)


def _foot(panel: U8, guide: Guide, span: tuple[int, int], unit: float) -> None:
    height, (left, right) = panel.shape[0], span
    margin = round(0.06 * (right - left))
    if guide.share:
        top, thick = round(height - 78 * unit), round(14 * unit)
        reach = right - left - 2 * margin
        cv2.rectangle(panel, (left + margin, top), (right - margin, top + thick), DIM, cv2.FILLED)
        end = left + margin + round(reach * guide.share)
        cv2.rectangle(panel, (left + margin, top), (end, top + thick), BOX, cv2.FILLED)
    _text(panel, guide.progress, round(height - 40 * unit), span, 0.55 * unit, NEUTRAL, 1.2 * unit)
    _text(panel, guide.keys, round(height - 14 * unit), span, 0.46 * unit, DIM, 1.0 * unit)
