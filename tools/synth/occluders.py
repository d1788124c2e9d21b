"""What may stand before a face: glasses, hair, hands, masks, plain shapes. Pictures are float32 BGR 0..255."""

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Point = NDArray[np.floating]
U8 = NDArray[np.uint8]
Generator = np.random.Generator


def occlude(rng: Generator, picture: F32, points: F32) -> F32:
    """Something before the face: glasses, locks of hair, a hand-like shape, a mask-like or plain shape. Returns (H, W) opacity.

    The picture is changed in place. points (98, 2) are its truth, in its pixels.
    """
    size = picture.shape[0]
    layer: U8 = np.zeros((size, size), np.uint8)
    colour: Point
    kind = rng.random()
    eyes = float(np.linalg.norm(points[60] - points[72]))
    if kind < 0.45:
        return _glasses(rng, picture, points, eyes)
    if kind < 0.65:
        colour = rng.uniform(5, 160) * np.array([rng.uniform(0.4, 1), rng.uniform(0.6, 1), 1])
        _locks(rng, layer, points, eyes)
    elif kind < 0.82:
        colour = _skin_like(rng, picture, points)
        centre = points[rng.integers(0, 96)] + rng.normal(0, 0.3 * eyes, 2)
        direction = rng.uniform(0, 2 * np.pi)
        for finger in range(int(rng.integers(1, 5))):
            side = np.array([-np.sin(direction), np.cos(direction)]) * eyes * 0.24 * finger
            tip = centre + side + rng.normal(0, 0.05 * eyes, 2)
            root = tip + np.array([np.cos(direction), np.sin(direction)]) * eyes * 2.5
            cv2.line(layer, fixed(tip), fixed(root), 255, max(2, int(eyes * rng.uniform(0.18, 0.24))), cv2.LINE_AA, 3)
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
    result: F32 = alpha
    return result


def _locks(rng: Generator, layer: U8, points: F32, eyes: float) -> None:
    """A few locks of many fine strands that fall from above the brows, each lock in its own direction."""
    for _ in range(int(rng.integers(1, 4))):
        root = points[rng.integers(33, 51)] + rng.normal(0, 0.2 * eyes, 2) - [0, eyes * rng.uniform(0.4, 0.8)]
        fall = np.array([rng.normal(0, 0.45), 1.0]) * eyes * rng.uniform(0.4, 1.5)
        bend = rng.normal(0, 0.2, 2) * eyes
        wide = rng.uniform(0.05, 0.25) * eyes
        for _ in range(int(rng.integers(15, 90))):
            start = root + rng.normal(0, [wide, 0.3 * wide])
            end = start + fall * rng.uniform(0.7, 1.1) + rng.normal(0, 0.4 * wide, 2)
            middle = (start + end) / 2 + bend + rng.normal(0, 0.3 * wide, 2)
            s = np.linspace(0, 1, 12)[:, None]
            curve = (1 - s) ** 2 * start + 2 * s * (1 - s) * middle + s**2 * end
            strand = [np.rint(curve * 8).astype(np.int32)]
            cv2.polylines(layer, strand, False, int(rng.integers(120, 256)), 1, cv2.LINE_AA, 3)


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
            cv2.ellipse(frame, fixed(centre), fixed(axes), angle, 0, 360, 255, thick, cv2.LINE_AA, 3)
            cv2.ellipse(lens, fixed(centre), fixed(axes), angle, 0, 360, 255, -1, cv2.LINE_AA, 3)
    cv2.line(
        frame,
        fixed(points[64] * 0.7 + points[51] * 0.3),
        fixed(points[68] * 0.7 + points[51] * 0.3),
        255,
        thick,
        cv2.LINE_AA,
        3,
    )
    for centre, ear in ((centres[0], points[1]), (centres[1], points[31])):
        outward = ear - centre
        cv2.line(frame, fixed(centre + 0.45 * outward), fixed(ear - [0, 0.1 * eyes]), 255, thick, cv2.LINE_AA, 3)
    tint = rng.uniform(0.75, 0.95) if rng.random() < 0.15 else rng.uniform(0, 0.25)
    shade = lens.astype(np.float32) / 255 * tint
    _blend(picture, shade, rng.uniform(0, 60, 3) if tint > 0.5 else rng.uniform(0, 255, 3))
    if rng.random() < 0.4:
        glare = np.zeros((size, size), np.uint8)
        start = centres[int(rng.integers(2))] + rng.normal(0, 0.1 * eyes, 2)
        cv2.line(
            glare,
            fixed(start),
            fixed(start + rng.normal(0, 0.2 * eyes, 2)),
            255,
            max(1, int(0.06 * eyes)),
            cv2.LINE_AA,
            3,
        )
        _blend(picture, cv2.GaussianBlur(glare & lens, (0, 0), 1.5).astype(np.float32) / 255 * 0.7, np.full(3, 240.0))
    alpha = cv2.GaussianBlur(frame, (0, 0), 0.7).astype(np.float32) / 255
    _blend(picture, alpha, rng.uniform(0, 90, 3) if rng.random() < 0.8 else rng.uniform(0, 255, 3))
    result: F32 = np.maximum(alpha, shade)
    return result


def fixed(point: Point) -> tuple[int, int]:
    """A point in eighths of a pixel, as OpenCV's `shift=3` wants it."""
    return round(float(point[0]) * 8), round(float(point[1]) * 8)


def _blend(picture: F32, alpha: Point, colour: Point) -> None:
    picture += alpha[..., None] * (np.asarray(colour, np.float32) - picture)


def _skin_like(rng: Generator, picture: F32, points: F32) -> Point:
    x, y = np.clip(np.rint(points[rng.choice([4, 28, 53])]), 0, picture.shape[0] - 1).astype(int)
    result: Point = np.clip(picture[y, x] * rng.uniform(0.8, 1.15) + rng.normal(0, 10, 3), 15, 250)
    return result
