"""Lines of text with the accents of western European languages, which OpenCV's own letters lack: they are drawn above them."""

import unicodedata
from itertools import pairwise

import cv2

from realtime.render.palette import Colour
from realtime.types import U8

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INSTEAD = str.maketrans({"ß": "ss", "¡": "", "¿": "", "«": '"', "»": '"', "’": "'", "“": '"', "”": '"', "–": "-"})
_MARKS = {"\u0308": "dots", "\u0301": "acute", "\u0300": "grave", "\u0303": "tilde", "\u0302": "circumflex"}


def line_width(text: str, size: float, weight: int) -> int:
    """Pixels that a line takes.

    Args:
        text: of the line.
        size: of the letters, pixels.
        weight: of the strokes.
    """
    return int(cv2.getTextSize(_plain(text)[0], _FONT, size, weight)[0][0])


def draw_line(canvas: U8, text: str, at: tuple[int, int], size: float, colour: Colour, weight: int) -> None:
    """Draw one line.

    Args:
        canvas: (H, W, 3) BGR, written to.
        text: a letter that is not known becomes "?".
        at: left end of the base line, pixels.
        size: as for `cv2.putText`.
        colour: BGR.
        weight: of the strokes, pixels.
    """
    plain, marks = _plain(text)
    cv2.putText(canvas, plain, at, _FONT, size, colour, weight, cv2.LINE_AA)
    for place, mark in marks:
        before = cv2.getTextSize(plain[:place], _FONT, size, weight)[0][0] if place else 0
        letter = cv2.getTextSize(plain[place], _FONT, size, weight)[0][0]
        tall = 22 if plain[place].isupper() else 16
        _draw_mark(canvas, mark, (at[0] + before + letter / 2, at[1] - tall * size - 4 * size), size, colour, weight)


def wrapped(text: str, size: float, weight: int, most: int) -> list[str]:
    """Lines of at most `most` pixels, broken between words.

    Args:
        text: to be broken.
        size: of the letters, pixels.
        weight: of the strokes.
        most: pixels of a line.
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and line_width(longer, size, weight) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _plain(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The letters without accents, and where which accent belongs."""
    letters: list[str] = []
    marks: list[tuple[int, str]] = []
    for sign in unicodedata.normalize("NFD", text.translate(_INSTEAD)):
        if sign in _MARKS and letters:
            marks.append((len(letters) - 1, _MARKS[sign]))
        elif not unicodedata.combining(sign):
            letters.append(sign if " " <= sign <= "~" else "?")
    return "".join(letters), marks


def _draw_mark(canvas: U8, mark: str, at: tuple[float, float], size: float, colour: Colour, weight: int) -> None:
    x, y, step = at[0], at[1], 4 * size

    def stroke(*points: tuple[float, float]) -> None:
        for (x1, y1), (x2, y2) in pairwise(points):
            start, end = (round(x + step * x1), round(y + step * y1)), (round(x + step * x2), round(y + step * y2))
            cv2.line(canvas, start, end, colour, weight, cv2.LINE_AA)

    if mark == "dots":
        stroke((-1.1, 0), (-0.9, 0))
        stroke((0.9, 0), (1.1, 0))
    elif mark == "acute":
        stroke((-0.3, 0.6), (0.8, -0.7))
    elif mark == "grave":
        stroke((0.3, 0.6), (-0.8, -0.7))
    elif mark == "tilde":
        stroke((-1.5, 0.4), (-0.6, -0.3), (0.6, 0.3), (1.5, -0.4))
    else:
        stroke((-1, 0.5), (0, -0.6), (1, 0.5))
