"""A drawn face that shows a movement: a few curves, at rest and at the peak, between which screens blend.

x runs from -1 to 1 between the sides of the head, y from -1.3 (crown) to 1.3 (chin), down positive. It is alike on both sides,
so it is the same in a mirror.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from realtime.clinic.types import Movement
from realtime.render.palette import INK, NEUTRAL, Colour
from realtime.types import F32, U8

SKIN: Colour = (176, 200, 226)
LIPS: Colour = (112, 118, 196)
FOLDS = ("fold", "cheek", "wrinkle", "forehead")
"""Folds of the skin: not drawn while they are short."""
LEAST_FOLD = 0.11
_SECONDS = 2.6
"""One run of the drawing: there, held, back, at rest."""


@dataclass(frozen=True, slots=True)
class Expression:
    """How a drawn face differs from rest; every part 0 at rest.

    Attributes:
        brow: up, in head half widths; negative: down and inwards.
        lids: 0 open, 1 shut.
        squeeze: 0..1, folds beside shut eyes.
        corner: (out, up) of the mouth corners.
        gap: height between the lips.
        forward: 0..1, lips pushed forward: small and thick.
        nose: 0..1, wrinkled, with the upper lip lifted.
    """

    brow: float = 0.0
    lids: float = 0.0
    squeeze: float = 0.0
    corner: tuple[float, float] = (0.0, 0.0)
    gap: float = 0.0
    forward: float = 0.0
    nose: float = 0.0


EXPRESSIONS: Mapping[Movement, Expression] = {
    "rest": Expression(),
    "brow_raise": Expression(brow=0.16),
    "gentle_closure": Expression(lids=1.0),
    "tight_closure": Expression(lids=1.0, squeeze=1.0, brow=-0.08, corner=(0.03, 0.03)),
    "open_smile": Expression(corner=(0.17, 0.13), gap=0.15, squeeze=0.3),
    "closed_smile": Expression(corner=(0.17, 0.13), squeeze=0.3),
    "snarl": Expression(nose=1.0, brow=-0.07, gap=0.05),
    "pucker": Expression(forward=1.0),
    "eee": Expression(corner=(0.15, -0.02), gap=0.17),
}


def _curve(*points: tuple[float, float]) -> F32:
    """(13, 2) of a quadratic curve through its two ends, pulled to the middle point; straight for two points."""
    a, b, c = points if len(points) == 3 else (points[0], ((points[0][0] + points[1][0]) / 2,) * 2, points[1])
    t = np.linspace(0, 1, 13)[:, None]
    result: F32 = ((1 - t) ** 2 * a + 2 * t * (1 - t) * np.array(b) + t**2 * np.array(c)).astype(np.float32)
    return result


def _both(name: str, curve: F32) -> dict[str, F32]:
    return {f"{name}_left": curve, f"{name}_right": curve * np.array([-1, 1], np.float32)}


@cache
def shapes(movement: Movement, *, peak: bool) -> Mapping[str, F32]:
    """The drawing's curves, (N, 2) each, by name; every movement has the same curves with as many points.

    Args:
        movement: which.
        peak: at its peak; else at rest.
    """
    look = EXPRESSIONS[movement] if peak else Expression()
    found: dict[str, F32] = {}
    angle = np.linspace(0, 2 * np.pi, 41)
    found["head"] = np.stack([0.98 * np.sin(angle), -1.28 * np.cos(angle)], 1).astype(np.float32)
    inward = 0.05 if look.brow < 0 else 0.0
    height = -0.47 - look.brow
    found |= _both(
        "brow", _curve((0.16 - inward, height + 0.03), (0.40 - inward, height - 0.17), (0.66, height + 0.06))
    )
    for number in (0, 1):
        high, raised = -0.92 - 0.13 * number, max(0.0, look.brow)
        bow = 0.0 if raised == 0 else 0.05
        length = 0.42 if raised else 0.0
        found[f"forehead_{number}"] = _curve((-length, high), (0.0, high - bow), (length, high))
    found |= _eyes(look)
    return found | _nose(look) | _mouth(look)


def _eyes(look: Expression) -> dict[str, F32]:
    shut = 0.07 * look.lids
    upper, lower = -0.26 + 0.35 * look.lids, 0.09 - 0.07 * look.squeeze * (1 - look.lids)
    above = _curve((0.19, -0.07 + shut), (0.385, upper), (0.58, -0.08 + shut))
    below = _curve((0.19, -0.07 + shut), (0.385, lower), (0.58, -0.08 + shut))
    found = _both("eye", np.concatenate([above, below[::-1]]))
    reach = 0.13 * look.squeeze if look.lids else 0.0
    for number, slope in enumerate((-0.08, 0.02, 0.12)):
        start, end = (0.64, -0.03 + 0.05 * (number - 1)), slope if reach else 0.0
        bend = (start[0] + reach / 2, start[1] + slope / 4)
        found |= _both(f"fold_{number}", _curve(start, bend, (start[0] + reach, start[1] + end)))
    radius = 0.062 * (1 - look.lids)
    angle = np.linspace(0, 2 * np.pi, 13)
    circle = np.stack([0.385 + radius * np.cos(angle), -0.08 + radius * np.sin(angle)], 1)
    return found | _both("pupil", circle.astype(np.float32))


def _nose(look: Expression) -> dict[str, F32]:
    wing = 0.30 - 0.06 * look.nose
    found = _both("wing", _curve((0.05, wing + 0.04), (0.17 + 0.04 * look.nose, wing + 0.07), (0.15, wing - 0.10)))
    for number in (0, 1):
        width, y = 0.09 * look.nose, -0.06 + 0.08 * number
        found[f"wrinkle_{number}"] = _curve((-width, y), (0.0, y - 0.5 * width), (width, y))
    return found | _both(
        "cheek", _curve((0.21, 0.24), (0.27, 0.34), (0.27 + 0.06 * look.nose, 0.24 + 0.20 * look.nose))
    )


def _mouth(look: Expression) -> dict[str, F32]:
    out, up = look.corner
    x, y = 0.33 + out - 0.19 * look.forward, 0.66 - up
    thick, gap = 0.085 + 0.05 * look.forward, look.gap
    top = 0.66 - gap / 2 - 0.13 * look.nose + 0.25 * up
    bottom = 0.66 + gap / 2 + 0.25 * up + 0.03 * look.forward
    upper = _curve((-x, y), (0.0, 2 * (top - thick) - y), (x, y))
    lower = _curve((x, y), (0.0, 2 * (bottom + thick) - y), (-x, y))
    inner_top = _curve((-0.9 * x, y), (0.0, 2 * top - y), (0.9 * x, y))
    inner_bottom = _curve((0.9 * x, y), (0.0, 2 * bottom - y), (-0.9 * x, y))
    return {"lips": np.concatenate([upper, lower]), "between_lips": np.concatenate([inner_top, inner_bottom])}


def amount_at(seconds: float) -> float:
    """How far the drawing makes its movement, 0..1, so many seconds after it came up."""
    phase = seconds % _SECONDS
    rise = min(1.0, max(0.0, (phase - 0.4) / 0.5))
    fall = min(1.0, max(0.0, (2.2 - phase) / 0.4))
    share = min(rise, fall)
    return share * share * (3 - 2 * share)


def draw_diagram(canvas: U8, movement: Movement, amount: float, centre: tuple[int, int], size: int) -> None:
    """Draw into a picture.

    Args:
        canvas: (H, W, 3) BGR, written to.
        movement: which.
        amount: 0..1 of the movement.
        centre: pixels.
        size: the head's height in pixels.
    """
    rest, peak, unit = shapes(movement, peak=False), shapes(movement, peak=True), size / 2.6
    pen = max(1, round(size / 90))
    for name in rest:
        points = (1 - amount) * rest[name] + amount * peak[name]
        if np.ptp(points, axis=0).max() < (LEAST_FOLD if name.startswith(FOLDS) else 0.01):
            continue
        pixels = np.rint(16 * (points * unit + np.array(centre))).astype(np.int32).reshape(-1, 1, 2)
        filled = {"head": SKIN, "lips": LIPS, "between": NEUTRAL, "eye": NEUTRAL, "pupil": INK}.get(name.split("_")[0])
        if filled is not None:
            cv2.fillPoly(canvas, [pixels], filled, cv2.LINE_AA, 4)
        if name not in ("head", "lips"):
            cv2.polylines(canvas, [pixels], filled is not None, INK, 2 * pen if "brow" in name else pen, cv2.LINE_AA, 4)
