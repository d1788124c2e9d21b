"""What stands behind a head, and what a camera does to the picture. Pictures are float32 BGR 0..255."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.synth.occluders import fixed
from tools.synth.photographs import unpack_jpeg

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Generator = np.random.Generator


def background(rng: Generator, size: int, photo: U8 | None = None) -> F32:
    """A square background: a gradient, blurred noise, stripes, or a photograph's corner, enlarged and blurred."""
    kind = rng.random()
    if photo is not None and kind < 0.5:
        side = int(photo.shape[0] * rng.uniform(0.12, 0.25))
        y = int(rng.integers(0, max(1, photo.shape[0] // 3 - side)))
        x = int(rng.integers(0, max(1, photo.shape[1] // 4 - side))) if rng.random() < 0.5 else photo.shape[1] - side
        patch = cv2.resize(photo[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_CUBIC)
        result: F32 = cv2.GaussianBlur(patch.astype(np.float32), (0, 0), float(rng.uniform(1, 8)))
        return result
    first, second = rng.uniform(0, 255, (2, 3))
    if rng.random() < 0.6:
        second = np.clip(first + rng.normal(0, 40, 3), 0, 255)
    angle = rng.uniform(0, 2 * np.pi)
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    ramp = np.cos(angle) * xx + np.sin(angle) * yy + 0.5
    if kind > 0.8:
        ramp = 0.5 + 0.5 * np.sin(ramp * rng.uniform(10, 80))
    out = first + (second - first) * np.clip(ramp, 0, 1)[..., None]
    if rng.random() < 0.6:
        cells = int(rng.integers(3, 30))
        noise = rng.normal(0, rng.uniform(10, 60), (cells, cells, 3)).astype(np.float32)
        out = out + cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    shown: F32 = np.clip(out, 0, 255).astype(np.float32)
    return shown


def degrade(rng: Generator, picture: F32) -> U8:
    """A cheap camera: colour cast, exposure, gamma, blur, noise, low resolution, compression."""
    out = picture
    if rng.random() < 0.7:
        out = out * rng.normal(1, 0.07, 3).astype(np.float32)
    if rng.random() < 0.6:
        gain = float(np.exp(rng.normal(0, 0.35)))
        out = np.clip(out * gain, 0, 255)
        out = 255 * np.power(out / 255, np.float32(np.exp(rng.normal(0, 0.25))))
    if rng.random() < 0.12:
        grey = out @ np.array([0.114, 0.587, 0.299], np.float32)
        out = out + float(rng.uniform(0.5, 1)) * (grey[..., None] - out)
    size = out.shape[0]
    if rng.random() < 0.25:
        small = int(size * rng.uniform(0.2, 0.7))
        out = cv2.resize(cv2.resize(out, (small, small), interpolation=cv2.INTER_AREA), (size, size))
    blur = rng.random()
    if blur < 0.3:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.8)))
    elif blur < 0.42:
        out = cv2.filter2D(out, -1, _motion(rng))
    if rng.random() < 0.6:
        sigma = float(rng.gamma(1.5, 3.0))
        noise = rng.standard_normal(out.shape, np.float32) * sigma
        if rng.random() < 0.4:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 1.8
        out = out + noise
    done = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = int(rng.integers(18, 92))
        done = unpack_jpeg(cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
    return np.ascontiguousarray(done)


def _motion(rng: Generator) -> F32:
    length = int(rng.integers(3, 13))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    centre = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * centre
    cv2.line(kernel, fixed(centre - reach), fixed(centre + reach), 1.0, 1, cv2.LINE_AA, 3)
    result: F32 = kernel / kernel.sum()
    return result
