"""What stands behind and in front of a head, and what a camera does to the picture. Pictures are float32 BGR 0..255."""

import cv2
import numpy as np
from numpy.typing import NDArray

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
        return cv2.GaussianBlur(patch.astype(np.float32), (0, 0), float(rng.uniform(1, 8)))
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
    return np.clip(out, 0, 255).astype(np.float32)


def occlude(rng: Generator, picture: F32, points: F32) -> F32:
    """Something before the face: glasses, locks of hair, a hand-like shape, a mask-like or plain shape. Returns (H, W) opacity.

    The picture is changed in place. points (98, 2) are its truth, in its pixels.
    """
    size = picture.shape[0]
    layer = np.zeros((size, size), np.uint8)
    kind = rng.random()
    eyes = float(np.linalg.norm(points[60] - points[72]))
    if kind < 0.45:
        return _glasses(rng, picture, points, eyes)
    if kind < 0.65:
        colour = rng.uniform(5, 160) * np.array([rng.uniform(0.4, 1), rng.uniform(0.6, 1), 1])
        start = points[rng.integers(33, 51)] + rng.normal(0, 0.2 * eyes, 2) - [0, eyes * rng.uniform(0.4, 0.9)]
        for _ in range(int(rng.integers(3, 60))):
            a = start + rng.normal(0, [0.35 * eyes, 0.15 * eyes])
            b = a + np.array([rng.normal(0, 0.4 * eyes), eyes * rng.uniform(0.3, 1.4)])
            middle = (a + b) / 2 + rng.normal(0, 0.15 * eyes, 2)
            s = np.linspace(0, 1, 12)[:, None]
            curve = (1 - s) ** 2 * a + 2 * s * (1 - s) * middle + s**2 * b
            cv2.polylines(
                layer, [np.rint(curve * 8).astype(np.int32)], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 3
            )
    elif kind < 0.82:
        colour = _skin_like(rng, picture, points)
        centre = points[rng.integers(0, 96)] + rng.normal(0, 0.3 * eyes, 2)
        direction = rng.uniform(0, 2 * np.pi)
        for finger in range(int(rng.integers(1, 5))):
            side = np.array([-np.sin(direction), np.cos(direction)]) * eyes * 0.24 * finger
            tip = centre + side + rng.normal(0, 0.05 * eyes, 2)
            root = tip + np.array([np.cos(direction), np.sin(direction)]) * eyes * 2.5
            cv2.line(layer, _fixed(tip), _fixed(root), 255, max(2, int(eyes * rng.uniform(0.18, 0.24))), cv2.LINE_AA, 3)
    else:
        colour = rng.uniform(0, 255, 3)
        if rng.random() < 0.4:
            below = points[[2, 6, 10, 16, 22, 26, 30, 51, 53]].copy()
            cv2.fillConvexPoly(layer, cv2.convexHull(np.rint(below).astype(np.int32)), 255)
        else:
            centre = points[rng.integers(0, 98)] + rng.normal(0, 0.4 * eyes, 2)
            count = int(rng.integers(3, 9))
            turn = np.sort(rng.uniform(0, 2 * np.pi, count))
            radius = eyes * rng.uniform(0.15, 0.7, count)
            shape = centre + np.stack([np.cos(turn), np.sin(turn)], 1) * radius[:, None]
            cv2.fillPoly(layer, [np.rint(shape).astype(np.int32)], 255)
    alpha = cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), float(rng.uniform(0.5, 1.5)))
    shading = cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), eyes * 0.12)[..., None]
    grain = cv2.resize(rng.normal(0, 10, (size // 4, size // 4)).astype(np.float32), (size, size))[..., None]
    _blend(picture, alpha, colour * (0.55 + 0.45 * shading) + grain)
    return alpha


def _glasses(rng: Generator, picture: F32, points: F32, eyes: float) -> F32:
    size = picture.shape[0]
    frame = np.zeros((size, size), np.uint8)
    lens = np.zeros((size, size), np.uint8)
    along = (points[72] - points[60]) / eyes
    angle = float(np.rad2deg(np.arctan2(along[1], along[0])))
    thick = max(1, int(eyes * rng.uniform(0.015, 0.07)))
    height = rng.uniform(0.16, 0.3)
    square = rng.random() < 0.5
    centres = []
    for first in (60, 68):
        eye = points[first : first + 8]
        width = float(np.linalg.norm(eye[0] - eye[4])) / eyes
        centre = eye.mean(0) + np.array([-along[1], along[0]]) * eyes * 0.06
        centres.append(centre)
        axes = np.array([max(width, 0.12) * rng.uniform(0.82, 0.95) + 0.03, height]) * eyes
        if square:
            box = cv2.boxPoints(
                ((float(centre[0]), float(centre[1])), (float(2 * axes[0]), float(1.7 * axes[1])), angle)
            )
            cv2.polylines(frame, [np.rint(box * 8).astype(np.int32)], True, 255, thick, cv2.LINE_AA, 3)
            cv2.fillPoly(lens, [np.rint(box).astype(np.int32)], 255)
        else:
            cv2.ellipse(frame, _fixed(centre), _fixed(axes), angle, 0, 360, 255, thick, cv2.LINE_AA, 3)
            cv2.ellipse(lens, _fixed(centre), _fixed(axes), angle, 0, 360, 255, -1, cv2.LINE_AA, 3)
    cv2.line(
        frame,
        _fixed(points[64] * 0.7 + points[51] * 0.3),
        _fixed(points[68] * 0.7 + points[51] * 0.3),
        255,
        thick,
        cv2.LINE_AA,
        3,
    )
    for centre, ear in ((centres[0], points[1]), (centres[1], points[31])):
        outward = ear - centre
        cv2.line(frame, _fixed(centre + 0.45 * outward), _fixed(ear - [0, 0.1 * eyes]), 255, thick, cv2.LINE_AA, 3)
    tint = rng.uniform(0.75, 0.95) if rng.random() < 0.15 else rng.uniform(0, 0.25)
    shade = lens.astype(np.float32) / 255 * tint
    _blend(picture, shade, rng.uniform(0, 60, 3) if tint > 0.5 else rng.uniform(0, 255, 3))
    if rng.random() < 0.4:
        glare = np.zeros((size, size), np.uint8)
        start = centres[int(rng.integers(2))] + rng.normal(0, 0.1 * eyes, 2)
        cv2.line(
            glare,
            _fixed(start),
            _fixed(start + rng.normal(0, 0.2 * eyes, 2)),
            255,
            max(1, int(0.06 * eyes)),
            cv2.LINE_AA,
            3,
        )
        _blend(picture, cv2.GaussianBlur(glare & lens, (0, 0), 1.5).astype(np.float32) / 255 * 0.7, np.full(3, 240.0))
    alpha = cv2.GaussianBlur(frame, (0, 0), 0.7).astype(np.float32) / 255
    _blend(picture, alpha, rng.uniform(0, 90, 3) if rng.random() < 0.8 else rng.uniform(0, 255, 3))
    return np.maximum(alpha, shade)


def _fixed(point: F32) -> tuple[int, int]:
    """A point in eighths of a pixel, as OpenCV's `shift=3` wants it."""
    return round(float(point[0]) * 8), round(float(point[1]) * 8)


def _blend(picture: F32, alpha: F32, colour: F32) -> None:
    picture += alpha[..., None] * (np.asarray(colour, np.float32) - picture)


def _skin_like(rng: Generator, picture: F32, points: F32) -> F32:
    x, y = np.clip(np.rint(points[rng.choice([4, 28, 53])]), 0, picture.shape[0] - 1).astype(int)
    return np.clip(picture[y, x] * rng.uniform(0.8, 1.15) + rng.normal(0, 10, 3), 15, 250)


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
        done = cv2.imdecode(cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return np.ascontiguousarray(done)


def _motion(rng: Generator) -> F32:
    length = int(rng.integers(3, 13))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    centre = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * centre
    cv2.line(kernel, _fixed(centre - reach), _fixed(centre + reach), 1.0, 1, cv2.LINE_AA, 3)
    return kernel / kernel.sum()
