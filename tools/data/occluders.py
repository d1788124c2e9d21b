"""Things in front of a face: hands, glasses, masks, bars, hair, pieces of other pictures.

Crops are BGR uint8; points are in crop units 0..1. Each costs tenths of a millisecond at 112 pixels.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
U8 = NDArray[np.uint8]
Generator = np.random.Generator

SKIN = np.array(
    [(130, 160, 215), (110, 140, 195), (90, 120, 175), (70, 95, 150), (50, 70, 115), (35, 50, 85)], np.float32
)
"""Skin tones, BGR."""


def spot(at: Floats) -> tuple[int, int]:
    """A position as OpenCV's drawing functions want it."""
    return round(float(at[0])), round(float(at[1]))


def soft_light(rng: Generator, size: int) -> Floats:
    """A soft light field (size, size, 1) around 1."""
    coarse = rng.normal(1, 0.25, (3, 3)).astype(np.float32)
    result: Floats = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)[..., None]
    return result


def hand_mask(rng: Generator, size: int, centre: Floats, scale: float) -> U8:
    """A hand-like mask: a palm and four or five fingers, side by side or spread; `scale` is the palm's width in pixels."""
    mask = np.zeros((size, size), np.uint8)
    angle = rng.uniform(0, 2 * np.pi)
    palm = (int(scale / 2), int(scale * rng.uniform(0.5, 0.75)))
    cv2.ellipse(mask, spot(centre), palm, np.degrees(angle), 0, 360, 255, -1)
    forward = np.array((-np.sin(angle), np.cos(angle))) * -1
    sideways = np.array((np.cos(angle), np.sin(angle)))
    spread = rng.uniform(0, 0.35)
    for k in range(int(rng.integers(3, 6))):
        offset = (k - 1.75) * 0.27
        root = centre + sideways * offset * scale + forward * palm[1] * 0.7
        turn = offset * spread * 3 + rng.normal(0, 0.06)
        direction = forward * np.cos(turn) + sideways * np.sin(turn)
        tip = root + direction * scale * rng.uniform(0.5, 1.2)
        thick = max(2, int(scale * rng.uniform(0.2, 0.28)))
        cv2.line(mask, spot(root), spot(tip), 255, thick, cv2.LINE_AA)
    return mask


def finger_mask(rng: Generator, size: int, lips: Floats) -> U8:
    """Two to four fingers across a mouth, whose lips (N, 2), in crop units, show between them, and the hand beside or below it."""
    mask = np.zeros((size, size), np.uint8)
    low, high = lips.min(0) * size, lips.max(0) * size
    width = max(float(np.linalg.norm(high - low)), 8.0)
    centre = (low + high) / 2 + rng.normal(0, 0.12, 2) * width
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array((np.cos(angle), np.sin(angle)))
    across = np.array((-along[1], along[0]))
    count = int(rng.integers(2, 5))
    thick = width * rng.uniform(0.14, 0.3)
    apart = thick * rng.uniform(1.1, 2.0)
    palm = centre - along * width * rng.uniform(0.9, 1.5)
    for k in range(count):
        middle = centre + across * (k - (count - 1) / 2) * apart
        tip = middle + along * width * rng.uniform(0.1, 0.8)
        root = palm + across * (k - (count - 1) / 2) * apart * rng.uniform(0.7, 1.0)
        cv2.line(mask, spot(root), spot(tip), 255, max(2, round(thick)), cv2.LINE_AA)
    axes = (round(apart * count * 0.55), round(width * rng.uniform(0.4, 0.7)))
    cv2.ellipse(mask, spot(palm - along * axes[1] * 0.5), axes, np.degrees(angle) + 90, 0, 360, 255, -1, cv2.LINE_AA)
    return mask


def put_fingers(crop: U8, points: Floats, rng: Generator) -> tuple[U8, U8]:
    """Fingers on the mouth of a face with these points (98, 2), crop units; the crop and the mask of what is hidden (255)."""
    size = crop.shape[0]
    mask = finger_mask(rng, size, points[76:88])
    tone = SKIN[rng.integers(len(SKIN))]
    if rng.random() < 0.6:  # mostly the face's own skin
        cheeks = np.clip((points[[4, 28, 51, 52]].mean(0) * size).astype(int), 2, size - 3)
        tone = crop[cheeks[1] - 2 : cheeks[1] + 3, cheeks[0] - 2 : cheeks[0] + 3].mean((0, 1)).astype(np.float32)
    fill = tone * rng.uniform(0.75, 1.15) * soft_light(rng, size)
    # A finger is rounder than it is flat: darker towards its edges, and it throws a thin shadow.
    depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    shade = 1 - rng.uniform(0.1, 0.45) * np.exp(-depth / 2.0)[..., None]
    alpha = mask[..., None].astype(np.float32) / 255
    shadow = cv2.GaussianBlur(mask, (7, 7), 0)[..., None].astype(np.float32) / 255 * rng.uniform(0, 0.4)
    out = crop * (1 - shadow)
    out += (fill * shade - out) * alpha
    return np.clip(out, 0, 255).astype(np.uint8), mask


def _fill(rng: Generator, size: int, other: U8 | None) -> Floats:
    """Something to show inside an occluder: another picture's piece, a plain shaded colour, stripes or noise."""
    kind = rng.random()
    if other is not None and kind < 0.4:
        return other.astype(np.float32)
    base = np.full((size, size, 3), rng.integers(0, 256, 3), np.float32)
    if kind < 0.75:
        return base * soft_light(rng, size)
    if kind < 0.88:
        phase = (np.arange(size)[:, None] * rng.normal() + np.arange(size)[None] * rng.normal()) * rng.uniform(0.1, 0.8)
        result: Floats = base + (np.sin(phase) * 60)[..., None]
        return result
    noisy: Floats = base + cv2.resize(rng.normal(0, 50, (size // 4, size // 4, 3)).astype(np.float32), (size, size))
    return noisy


def _blob(rng: Generator, size: int) -> U8:
    """A filled polygon, ellipse or bar somewhere in the crop."""
    mask = np.zeros((size, size), np.uint8)
    kind = rng.integers(4)
    centre = rng.uniform(0.05, 0.95, 2) * size
    reach = rng.uniform(0.08, 0.33) * size
    if kind == 0:
        axes = (int(reach), int(reach * rng.uniform(0.3, 1)))
        cv2.ellipse(mask, spot(centre), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    elif kind == 1:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        ring = np.stack([np.cos(angles), np.sin(angles)], 1) * reach * rng.uniform(0.6, 1.3, (len(angles), 1))
        cv2.fillPoly(mask, [(centre + ring).astype(np.int32)], 255, cv2.LINE_AA)
    elif kind == 2:
        ends = rng.uniform(-0.2, 1.2, (2, 2)) * size
        cv2.line(mask, spot(ends[0]), spot(ends[1]), 255, int(rng.uniform(2, 0.22 * size)), cv2.LINE_AA)
    else:  # strands of hair or straps
        start = rng.uniform(-0.1, 1.1, 2) * size
        for _ in range(int(rng.integers(3, 14))):
            begin = start + rng.normal(0, 0.08, 2) * size
            end = begin + rng.normal(0, 0.6, 2) * size
            cv2.line(mask, spot(begin), spot(end), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    return mask


def _eyewear(rng: Generator, size: int, points: Floats) -> tuple[U8, float]:
    """Sunglasses or glasses over both eyes and the opacity of the lenses."""
    mask = np.zeros((size, size), np.uint8)
    right, left = points[60:68].mean(0) * size, points[68:76].mean(0) * size
    span = max(float(np.linalg.norm(left - right)), 6.0)
    turn = float(np.degrees(np.arctan2(*(left - right)[::-1])))
    axes = (int(span * rng.uniform(0.3, 0.46)), int(span * rng.uniform(0.22, 0.4)))
    filled = rng.random() < 0.6
    thick = -1 if filled else int(rng.integers(1, 4))
    for eye in (right, left):
        cv2.ellipse(mask, spot(eye), axes, turn, 0, 360, 255, thick, cv2.LINE_AA)
    cv2.line(mask, spot(right), spot(left), 255, max(1, thick)) if not filled else None
    return mask, float(rng.uniform(0.5, 1)) if filled else 1.0


def occlude(crop: U8, points: Floats, rng: Generator, other: U8 | None, count: int) -> tuple[U8, U8]:
    """Put `count` things in front of the face; the crop and the mask of what is hidden (255)."""
    size = crop.shape[0]
    hidden = np.zeros((size, size), np.uint8)
    out = crop.astype(np.float32)
    for _ in range(count):
        kind = rng.random()
        opacity = 1.0
        fill: Floats
        if kind < 0.2:
            mask, opacity = _eyewear(rng, size, points)
            fill = np.full_like(out, rng.integers(0, 70, 3)) * soft_light(rng, size)
        elif kind < 0.5:
            anchor = points[rng.integers(98)] + rng.normal(0, 0.12, 2)
            mask = hand_mask(rng, size, (anchor * size).astype(np.float32), float(rng.uniform(0.15, 0.42)) * size)
            tone = (
                SKIN[rng.integers(len(SKIN))] if rng.random() < 0.6 else out[size // 2 - 4 : size // 2 + 4].mean((0, 1))
            )
            fill = tone * rng.uniform(0.75, 1.15) * soft_light(rng, size)
            if rng.random() < 0.5:
                edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
                fill = fill * (1 - 0.35 * (edge[..., None] / 255.0))
        elif kind < 0.6:  # a mask or a scarf over mouth and chin
            mask = np.zeros((size, size), np.uint8)
            rim = np.concatenate([points[4:29], points[[53, 52]][:1]]) * size
            cv2.fillPoly(mask, [rim.astype(np.int32)], 255, cv2.LINE_AA)
            fill = _fill(rng, size, other)
        else:
            mask, fill = _blob(rng, size), _fill(rng, size, other)
        alpha = mask[..., None].astype(np.float32) * (opacity / 255)
        out += (fill - out) * alpha
        if opacity > 0.8:
            hidden = np.maximum(hidden, mask)
    return np.clip(out, 0, 255).astype(np.uint8), hidden
