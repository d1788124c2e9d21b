"""What spoils a picture: things in front of the face, paint on it, light, blur, small sensors, compression.

All functions take and give BGR uint8 crops; points are in crop units 0..1. Each costs tenths of a millisecond at 112 pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Generator = np.random.Generator

SKIN = np.array(
    [(130, 160, 215), (110, 140, 195), (90, 120, 175), (70, 95, 150), (50, 70, 115), (35, 50, 85)], np.float32
)
"""Skin tones, BGR."""

_NOISE = np.random.default_rng(0).normal(0, 1, (512, 512, 3)).astype(np.float32)
"""Pieces of this field are the grain of a picture: drawing fresh noise costs more than the rest of the sample."""


def _shade(rng: Generator, size: int) -> F32:
    """A soft light field (size, size, 1) around 1."""
    coarse = rng.normal(1, 0.25, (3, 3)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)[..., None]


def hand_mask(rng: Generator, size: int, centre: F32, scale: float) -> U8:
    """A hand-like mask: a palm and four or five fingers, side by side or spread; `scale` is the palm's width in pixels."""
    mask = np.zeros((size, size), np.uint8)
    angle = rng.uniform(0, 2 * np.pi)
    palm = (int(scale / 2), int(scale * rng.uniform(0.5, 0.75)))
    cv2.ellipse(mask, tuple(int(v) for v in centre), palm, np.degrees(angle), 0, 360, 255, -1)
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
        cv2.line(mask, tuple(root.astype(int).tolist()), tuple(tip.astype(int).tolist()), 255, thick, cv2.LINE_AA)
    return mask


def _fill(rng: Generator, size: int, other: U8 | None) -> F32:
    """Something to show inside an occluder: another picture's piece, a plain shaded colour, stripes or noise."""
    kind = rng.random()
    if other is not None and kind < 0.4:
        return other.astype(np.float32)
    base = np.full((size, size, 3), rng.integers(0, 256, 3), np.float32)
    if kind < 0.75:
        return base * _shade(rng, size)
    if kind < 0.88:
        phase = (np.arange(size)[:, None] * rng.normal() + np.arange(size)[None] * rng.normal()) * rng.uniform(0.1, 0.8)
        return base + (np.sin(phase) * 60)[..., None]
    return base + cv2.resize(rng.normal(0, 50, (size // 4, size // 4, 3)).astype(np.float32), (size, size))


def _blob(rng: Generator, size: int) -> U8:
    """A filled polygon, ellipse or bar somewhere in the crop."""
    mask = np.zeros((size, size), np.uint8)
    kind = rng.integers(4)
    centre = rng.uniform(0.05, 0.95, 2) * size
    reach = rng.uniform(0.08, 0.33) * size
    if kind == 0:
        axes = (int(reach), int(reach * rng.uniform(0.3, 1)))
        cv2.ellipse(
            mask, tuple(centre.astype(int).tolist()), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA
        )
    elif kind == 1:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        ring = np.stack([np.cos(angles), np.sin(angles)], 1) * reach * rng.uniform(0.6, 1.3, (len(angles), 1))
        cv2.fillPoly(mask, [(centre + ring).astype(np.int32)], 255, cv2.LINE_AA)
    elif kind == 2:
        ends = rng.uniform(-0.2, 1.2, (2, 2)) * size
        cv2.line(
            mask, *[tuple(e.astype(int).tolist()) for e in ends], 255, int(rng.uniform(2, 0.22 * size)), cv2.LINE_AA
        )
    else:  # strands of hair or straps
        start = rng.uniform(-0.1, 1.1, 2) * size
        for _ in range(int(rng.integers(3, 14))):
            begin = start + rng.normal(0, 0.08, 2) * size
            end = begin + rng.normal(0, 0.6, 2) * size
            cv2.line(
                mask, *[tuple(e.astype(int).tolist()) for e in (begin, end)], 255, int(rng.integers(1, 4)), cv2.LINE_AA
            )
    return mask


def _eyewear(rng: Generator, size: int, points: F32) -> tuple[U8, float]:
    """Sunglasses or glasses over both eyes and the opacity of the lenses."""
    mask = np.zeros((size, size), np.uint8)
    right, left = points[60:68].mean(0) * size, points[68:76].mean(0) * size
    span = max(float(np.linalg.norm(left - right)), 6.0)
    turn = float(np.degrees(np.arctan2(*(left - right)[::-1])))
    axes = (int(span * rng.uniform(0.3, 0.46)), int(span * rng.uniform(0.22, 0.4)))
    filled = rng.random() < 0.6
    thick = -1 if filled else int(rng.integers(1, 4))
    for eye in (right, left):
        cv2.ellipse(mask, tuple(eye.astype(int).tolist()), axes, turn, 0, 360, 255, thick, cv2.LINE_AA)
    cv2.line(
        mask, tuple(right.astype(int).tolist()), tuple(left.astype(int).tolist()), 255, max(1, thick)
    ) if not filled else None
    return mask, float(rng.uniform(0.5, 1)) if filled else 1.0


def occlude(crop: U8, points: F32, rng: Generator, other: U8 | None, count: int) -> tuple[U8, U8]:
    """Put `count` things in front of the face; the crop and the mask of what is hidden (255)."""
    size = crop.shape[0]
    hidden = np.zeros((size, size), np.uint8)
    out = crop.astype(np.float32)
    for _ in range(count):
        kind = rng.random()
        opacity = 1.0
        fill: F32
        if kind < 0.2:
            mask, opacity = _eyewear(rng, size, points)
            fill = np.full_like(out, rng.integers(0, 70, 3)) * _shade(rng, size)
        elif kind < 0.5:
            anchor = points[rng.integers(98)] + rng.normal(0, 0.12, 2)
            mask = hand_mask(rng, size, (anchor * size).astype(np.float32), float(rng.uniform(0.15, 0.42)) * size)
            tone = (
                SKIN[rng.integers(len(SKIN))] if rng.random() < 0.6 else out[size // 2 - 4 : size // 2 + 4].mean((0, 1))
            )
            fill = tone * rng.uniform(0.75, 1.15) * _shade(rng, size)
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


def paint(crop: U8, points: F32, rng: Generator) -> U8:
    """Make-up: coloured lips, shadowed lids, stronger brows, blush, or a painted face."""
    size = crop.shape[0]
    out = crop.astype(np.float32)

    def colour(region: F32, strength: float, tone: NDArray[np.float64]) -> None:
        nonlocal out
        mask = np.zeros((size, size), np.uint8)
        cv2.fillPoly(mask, [(region * size).astype(np.int32)], 255, cv2.LINE_AA)
        soft = cv2.GaussianBlur(mask, (5, 5), 0)[..., None].astype(np.float32) * (strength / 255)
        out += (tone - out) * soft

    tone = rng.uniform(0, 255, 3)
    if rng.random() < 0.6:
        ring = np.concatenate([points[76:88]])
        colour(ring, rng.uniform(0.2, 0.7), np.array((rng.uniform(0, 120), rng.uniform(0, 80), rng.uniform(60, 230))))
    if rng.random() < 0.5:
        for eye in (points[60:68], points[68:76]):
            middle = eye.mean(0)
            colour(middle + (eye - middle) * rng.uniform(1.2, 2.2), rng.uniform(0.2, 0.6), tone)
    if rng.random() < 0.3:
        for brow in (points[33:42], points[42:51]):
            colour(brow, rng.uniform(0.3, 0.9), rng.uniform(0, 90, 3))
    if rng.random() < 0.25:
        colour(points[[*range(33), 46, 42, 38, 33]], rng.uniform(0.15, 0.7), tone)
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 5))):
            spot = points[rng.integers(98)] + rng.normal(0, 0.05, 2)
            colour(spot + rng.normal(0, 0.06, (6, 2)), rng.uniform(0.4, 1), rng.uniform(0, 255, 3))
    return np.clip(out, 0, 255).astype(np.uint8)


def relight(crop: U8, rng: Generator) -> U8:
    """Gamma, gain, contrast, colour cast, side light, greyscale, channel order."""
    # All that acts on each channel by itself is one table of 256 values: a lookup costs a tenth of the arithmetic.
    tone = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, 1)
    if rng.random() < 0.5:
        tone = tone ** np.exp(rng.normal(0, 0.38))
    if rng.random() < 0.4:
        middle = float(crop.mean()) / 255
        tone = (tone - middle) * rng.uniform(0.4, 1.7) + middle
    if rng.random() < 0.5:
        tone = tone * rng.uniform(0.45, 1.5) + rng.normal(0, 0.06)
    if rng.random() < 0.4:
        tone = tone * rng.uniform(0.7, 1.3, 3)
    table = (np.clip(tone, 0, 1) * 255).astype(np.uint8)
    out = cv2.LUT(crop, table[None])
    if rng.random() < 0.3:
        light = np.clip(_shade(rng, crop.shape[0]) ** 2, 0.1, 2.5)
        out = np.clip(out * light, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    elif rng.random() < 0.06:
        out = np.ascontiguousarray(out[..., rng.permutation(3)])
    return out


def degrade(crop: U8, rng: Generator) -> U8:
    """Defocus, motion blur, few pixels, noise, JPEG, sharpening, posterising."""
    size = crop.shape[0]
    if rng.random() < 0.25:
        crop = cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.4, 2.6)))
    if rng.random() < 0.18:
        length = int(rng.integers(3, 14))
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0, np.pi)
        half = (length - 1) / 2
        along = np.array((np.cos(angle), np.sin(angle))) * half
        ends = [tuple(np.round(half + s * along).astype(int).tolist()) for s in (-1, 1)]
        cv2.line(kernel, *ends, 1.0, 1)
        crop = cv2.filter2D(crop, -1, kernel / kernel.sum())
    if rng.random() < 0.3:
        small = int(rng.uniform(22, 80))
        way = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST)[rng.integers(3)]
        crop = cv2.resize(
            cv2.resize(crop, (small, small), interpolation=way), (size, size), interpolation=cv2.INTER_LINEAR
        )
    if rng.random() < 0.3:
        y, x = rng.integers(0, _NOISE.shape[0] - size, 2)
        grain = _NOISE[y : y + size, x : x + size]
        grain = (grain[..., :1] if rng.random() < 0.4 else grain) * np.float32(rng.uniform(2, 22))
        crop = np.clip(crop + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.06:
        crop = cv2.addWeighted(crop, 2.0, cv2.GaussianBlur(crop, (0, 0), 2), -1.0, 0)
    if rng.random() < 0.03:
        step = int(rng.integers(16, 64))
        crop = (crop // step * step).astype(np.uint8)
    if rng.random() < 0.3:
        _, packed = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 80))])
        crop = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return crop
