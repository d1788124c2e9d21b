"""What spoils a picture: paint on the face, light, blur, small sensors, compression.

All functions take and give BGR uint8 crops; points are in crop units 0..1. Each costs tenths of a millisecond at 112 pixels.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.occluders import soft_light, spot

Floats = NDArray[np.floating[Any]]
U8 = NDArray[np.uint8]
Generator = np.random.Generator

_NOISE = np.random.default_rng(0).normal(0, 1, (512, 512, 3)).astype(np.float32)
"""Pieces of this field are the grain of a picture: drawing fresh noise costs more than the rest of the sample."""


def paint(crop: U8, points: Floats, rng: Generator) -> U8:
    """Make-up: coloured lips, shadowed lids, stronger brows, blush, or a painted face."""
    size = crop.shape[0]
    out = crop.astype(np.float32)

    def colour(region: Floats, strength: float, tone: NDArray[np.float64]) -> None:
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
    tone: Floats = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, 1)
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
        light = np.clip(soft_light(rng, crop.shape[0]) ** 2, 0.1, 2.5)
        out = np.clip(out * light, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    elif rng.random() < 0.06:
        out = np.ascontiguousarray(out[..., rng.permutation(3)])
    result: U8 = out
    return result


def few_pixels(crop: U8, rng: Generator) -> U8:
    """The crop as a camera far away sees it: a face of 25 to 50 pixels, enlarged again."""
    size = crop.shape[0]
    small = int(rng.uniform(28, 56))
    tiny = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(tiny, (size, size), interpolation=cv2.INTER_LINEAR))


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
        cv2.line(kernel, spot(half - along), spot(half + along), 1.0, 1)
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
        crop = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return crop
