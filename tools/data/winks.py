"""Shutting one eye of a photograph as people do: gently or squeezed, the brow down and the cheek up on that side alone.

Synthetic photographs and posed portraits hardly ever wink, so a network that saw only them shuts both eyes together. The lid
itself is `lid_lip_warps.close_eye`; here is what goes with it: the movement of the skin around, the lashes that show as a dark
line in a shut eye, and the folds that a squeeze draws. Points are crop units 0..1, they move exactly with the picture.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.expressions import displacement_field, moved_points
from tools.data.lid_lip_warps import close_eye
from tools.data.points98 import crop_matrix, invert, square_from_points, transform

Floats = NDArray[np.floating[Any]]
U8 = NDArray[np.uint8]
Generator = np.random.Generator

_OUTER = {60: 60, 68: 72}
_INNER = {60: 64, 68: 68}
_BROW = {60: np.arange(33, 42), 68: np.arange(42, 51)}
_INNER_BROW = {60: 38, 68: 50}
_UNDER = {60: np.array([65, 66, 67]), 68: np.array([73, 74, 75])}
_UPPER = {60: np.array([60, 61, 62, 63, 64]), 68: np.array([68, 69, 70, 71, 72])}
_CORNER = {60: np.array([76, 77, 87, 88]), 68: np.array([82, 81, 83, 92])}
_WING = {60: np.array([55, 56]), 68: np.array([59, 58])}


@dataclass(frozen=True, slots=True)
class Shut:
    """One eye. first: its first point, 60 (patient's right) or 68. amount: 0..1 of its opening that closes, below 0 it widens.

    squeeze: 0 (the lid alone) .. 1 (screwed up with brow, cheek, nose and corner of the mouth).
    """

    first: int
    amount: float
    squeeze: float = 0.0


def random_eyes(rng: Generator) -> list[Shut]:
    """Both eyes: most often one is shut and the other open, else each by itself, or both shut unlike each other."""

    def squeeze() -> float:
        return 0.0 if rng.random() < 0.35 else float(rng.uniform(0.15, 1.0))

    eyes = (60, 68) if rng.random() < 0.5 else (68, 60)
    kind = rng.random()
    if kind < 0.6:
        shut = float(rng.uniform(0.8, 1.0)) if rng.random() < 0.75 else float(rng.uniform(0.3, 0.9))
        # Who shuts one eye hard narrows the other one as well.
        other = 0.0 if rng.random() < 0.3 else float(rng.uniform(-0.2, 0.5))
        return [Shut(eyes[0], shut, squeeze()), Shut(eyes[1], other, 0.0 if rng.random() < 0.6 else 0.4 * squeeze())]
    if kind < 0.8:
        return [Shut(first, float(rng.uniform(-0.2, 1.0)), squeeze()) for first in eyes]
    return [Shut(first, float(rng.uniform(0.85, 1.0)), squeeze()) for first in eyes]


def squeezed(points: Floats, eyes: list[Shut]) -> tuple[Floats, Floats]:
    """Places (98 + M, 2), the points and the cheeks, and how a squeeze moves them, both in the points' units."""
    across = points[72] - points[60]
    span = max(float(np.linalg.norm(across)), 1e-6)
    across = across / span
    down = np.array((-across[1], across[0]))
    move = np.zeros((98, 2))
    places, shifts = [points], [move]
    for eye in eyes:
        first, strength = eye.first, eye.squeeze
        outward = across * (-1 if first == 60 else 1)
        move[_BROW[first]] += strength * span * (0.15 * down - 0.02 * outward)
        move[_INNER_BROW[first]] += strength * span * (0.03 * down - 0.04 * outward)
        move[_UNDER[first]] -= strength * span * 0.03 * down
        move[_CORNER[first]] += strength * span * (0.035 * outward - 0.055 * down)
        move[_WING[first]] -= strength * span * 0.025 * down
        middle = (points[_OUTER[first]] + points[_INNER[first]]) / 2
        cheek = np.stack([middle + span * (0.24 * down + x * outward) for x in (-0.08, 0.04, 0.16)])
        places.append(cheek)
        shifts.append(np.repeat(-strength * span * 0.15 * down[None], 3, axis=0))
    return np.concatenate(places).astype(np.float32), np.concatenate(shifts).astype(np.float32)


def draw_shut(crop: U8, points: Floats, eyes: list[Shut], rng: Generator, *, bands: bool = False) -> U8:
    """The lashes' dark line in eyes that are nearly shut, and the folds of those that are squeezed, on a square crop.

    bands: every other line is a broad dark band, as of thick lashes or of a narrow eye in the brow's shadow.
    """
    size = crop.shape[0]
    shade = np.zeros((size, size), np.float32)

    def line(course: Floats, strength: float, width: float) -> None:
        own = np.zeros((size, size), np.uint8)
        course = np.round((course * size - 0.5) * 16).astype(np.int32)
        cv2.polylines(own, [course], False, 255, max(1, round(width * size / 112)), cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(own, (0, 0), max(0.35, 0.5 * width * size / 112)).astype(np.float32) / 255
        np.maximum(shade, strength * soft, out=shade)

    span = float(np.linalg.norm(points[72] - points[60]))
    for eye in eyes:
        first = eye.first
        outer, inner = points[_OUTER[first]], points[_INNER[first]]
        outward = (outer - inner) / max(float(np.linalg.norm(outer - inner)), 1e-6)
        down = np.array((-outward[1], outward[0])) * (1 if first == 68 else -1)
        if eye.amount > 0.75 and rng.random() < 0.85:
            line(points[_UPPER[first]], float(rng.uniform(0.25, 0.85)), float(rng.uniform(0.7, 1.6)))
            if bands and rng.random() < 0.5:
                line(points[_UPPER[first]], float(rng.uniform(0.2, 0.8)), float(rng.uniform(1.6, 4.0)))
        strength = eye.squeeze * float(rng.uniform(0, 0.4))
        if strength < 0.05:
            continue
        for angle in np.radians(rng.normal((-30, 0, 28), 8)):
            start = outer + span * 0.05 * outward
            reach = span * rng.uniform(0.08, 0.2)
            line(np.stack([start, start + reach * (np.cos(angle) * outward + np.sin(angle) * down)]), strength, 0.8)
        for depth in (0.07, 0.12):
            middle = (outer + inner) / 2 + span * depth * down
            line(
                np.stack([inner + 0.4 * span * depth * down, middle, outer + 0.5 * span * depth * down]), strength, 0.9
            )
    tone = np.array([1.1, 1.0, 0.85], np.float32)
    result: U8 = np.clip(crop * (1 - np.minimum(shade[..., None] * tone, 0.95)), 0, 255).astype(np.uint8)
    return result


def winked(
    picture: U8, points: Floats, eyes: list[Shut], rng: Generator, size: int = 320, *, bands: bool = False
) -> tuple[U8, Floats]:
    """A square picture (size, size, 3) of the face with these eyes shut, and its points (98, 2) in pixels; upright, with some room.

    bands: see `draw_shut`.
    """
    matrix = crop_matrix(*square_from_points(points, 1.9), size)
    back = invert(matrix)
    seen: Floats = (transform(points, matrix) + 0.5) / size
    ticks = (np.arange(size, dtype=np.float32) + 0.5) / size
    at: Floats = np.stack(np.meshgrid(ticks, ticks), -1)
    places, move = squeezed(seen, eyes)
    field = displacement_field(places, move)
    at = at + cv2.resize(field, (size, size), interpolation=cv2.INTER_LINEAR)
    seen = moved_points(seen, field)
    flat = at.reshape(-1, 2) * size - 0.5
    maps = (flat @ back[:, :2].T + back[:, 2]).astype(np.float32).reshape(size, size, 2)
    for eye in eyes:
        seen = close_eye(maps, seen, eye.first, eye.amount)
    crop = cv2.remap(picture, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return draw_shut(np.asarray(crop), seen, eyes, rng, bands=bands), (seen * size - 0.5).astype(np.float32)
