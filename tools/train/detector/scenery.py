"""Pictures without a face, made on the fly: gradients, textures, clutter, writing, hands; and what spoils a picture.

Every function takes its own random generator and returns uint8 BGR of shape (size, size, 3).
"""

import string

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Colour = tuple[float, float, float]

FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)


def colour(rng: Generator) -> Colour:
    """Any BGR colour."""
    b, g, r = rng.uniform(0, 255, 3)
    return float(b), float(g), float(r)


def skin(rng: Generator) -> Colour:
    """A colour of human skin, light to dark (BGR)."""
    light = rng.uniform(0.25, 1.0)
    return (
        float(light * rng.uniform(125, 190)),
        float(light * rng.uniform(150, 205)),
        float(light * rng.uniform(205, 255)),
    )


def gradient(rng: Generator, size: int) -> U8:
    """Two to four corner colours, interpolated."""
    corners = rng.uniform(0, 255, (2, 2, 3)).astype(np.float32)
    result: U8 = cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    return result


def texture(rng: Generator, size: int) -> U8:
    """Noise summed over octaves, as of walls, foliage, cloth."""
    picture = np.zeros((size, size, 3), np.float32) + np.array(colour(rng), np.float32)
    amplitude = rng.uniform(20, 90)
    cells = int(rng.integers(2, 6))
    while cells < size:
        channels = 3 if rng.random() < 0.3 else 1
        layer = rng.normal(0, amplitude, (cells, cells, channels)).astype(np.float32)
        grown = cv2.resize(layer, (size, size), interpolation=cv2.INTER_CUBIC).reshape(size, size, channels)
        picture += grown
        amplitude *= rng.uniform(0.4, 0.9)
        cells *= 2
    return np.clip(picture, 0, 255).astype(np.uint8)


def stripes(rng: Generator, size: int) -> U8:
    """A grating, a checker or blinds."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 80)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if rng.random() < 0.5:
        wave = wave * np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / (period * rng.uniform(0.5, 2)))
    if rng.random() < 0.5:
        wave = np.sign(wave)
    share = (wave[..., None] + 1) / 2
    result: U8 = (share * np.array(colour(rng)) + (1 - share) * np.array(colour(rng))).astype(np.uint8)
    return result


def clutter(rng: Generator, picture: U8, count: int) -> None:
    """Draw ellipses, discs with holes, boxes, polygons and lines onto the picture, in place."""
    size = picture.shape[0]
    for _ in range(count):
        centre = tuple(int(v) for v in rng.integers(0, size, 2))
        reach = int(rng.uniform(0.02, 0.35) * size) + 2
        tint = skin(rng) if rng.random() < 0.3 else colour(rng)
        filled = -1 if rng.random() < 0.7 else int(rng.integers(1, 6))
        kind = rng.integers(0, 5)
        if kind == 0:
            axes = (reach, int(reach * rng.uniform(0.3, 1)) + 1)
            cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, tint, filled, cv2.LINE_AA)
        elif kind == 1:
            corner = (centre[0] + reach, centre[1] + int(reach * rng.uniform(0.3, 2)))
            cv2.rectangle(picture, centre, corner, tint, filled)
        elif kind == 2:
            polygon = np.array(centre) + rng.integers(-reach, reach + 1, (int(rng.integers(3, 8)), 2))
            cv2.fillPoly(picture, [polygon.astype(np.int32)], tint, cv2.LINE_AA)
        elif kind == 3:
            end = tuple(int(v) for v in rng.integers(0, size, 2))
            cv2.line(picture, centre, end, tint, int(rng.integers(1, 12)), cv2.LINE_AA)
        else:
            cv2.circle(picture, centre, reach, tint, -1, cv2.LINE_AA)
            hole = (centre[0] + int(rng.integers(-reach, reach)) // 3, centre[1])
            cv2.circle(picture, hole, max(reach // 3, 1), colour(rng), -1, cv2.LINE_AA)


def writing(rng: Generator, picture: U8, lines: int) -> None:
    """Write random words onto the picture, in place."""
    size = picture.shape[0]
    letters = list(string.ascii_letters + string.digits + "      .,:-")
    for _ in range(lines):
        text = "".join(rng.choice(letters, int(rng.integers(3, 30))))
        where = (int(rng.integers(-20, size // 2)), int(rng.integers(5, size)))
        face = FONTS[int(rng.integers(len(FONTS)))]
        cv2.putText(
            picture, text, where, face, float(rng.uniform(0.3, 2.5)), colour(rng), int(rng.integers(1, 4)), cv2.LINE_AA
        )


def hand(rng: Generator, picture: U8) -> None:
    """A palm with fingers in a skin colour, shaded, anywhere on the picture, in place."""
    size = picture.shape[0]
    layer = np.zeros((size, size), np.uint8)
    centre = rng.uniform(0.1, 0.9, 2) * size
    palm = rng.uniform(0.05, 0.22) * size
    turn = rng.uniform(0, 2 * np.pi)
    axes = (int(palm) + 1, int(palm * rng.uniform(0.7, 1)) + 1)
    cv2.ellipse(layer, (int(centre[0]), int(centre[1])), axes, float(np.degrees(turn)), 0, 360, 255, -1, cv2.LINE_AA)
    for finger in range(5):
        angle = turn + (finger - 2) * rng.uniform(0.25, 0.42) + (0.5 if finger == 0 else 0)
        tip = centre + palm * rng.uniform(1.3, 2.3) * np.array([np.cos(angle), np.sin(angle)])
        root = centre + palm * 0.6 * np.array([np.cos(angle), np.sin(angle)])
        thickness = max(int(palm * rng.uniform(0.28, 0.42)), 1)
        cv2.line(layer, tuple(root.astype(int).tolist()), tuple(tip.astype(int).tolist()), 255, thickness, cv2.LINE_AA)
    mask = cv2.GaussianBlur(layer, (0, 0), 0.8).astype(np.float32)[..., None] / 255
    shade = cv2.resize(rng.normal(1, 0.18, (4, 4)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    rim = 0.7 + 0.3 * cv2.GaussianBlur(layer, (0, 0), max(palm * 0.15, 0.5)).astype(np.float32)[..., None] / 255
    flesh = np.array(skin(rng), np.float32) * shade[..., None] * rim
    picture[:] = np.clip(picture * (1 - mask) + flesh * mask, 0, 255).astype(np.uint8)


def scene(rng: Generator, size: int) -> U8:
    """A picture with no face in it."""
    maker = (gradient, texture, texture, stripes)[int(rng.integers(4))]
    picture = np.ascontiguousarray(maker(rng, size))
    if rng.random() < 0.7:
        clutter(rng, picture, int(rng.integers(1, 25)))
    if rng.random() < 0.35:
        writing(rng, picture, int(rng.integers(1, 6)))
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 4))):
            hand(rng, picture)
    return picture


def spoil(rng: Generator, picture: U8) -> U8:
    """Light, colour, blur, noise, lost detail and compression, each with some chance; returns a new picture."""
    out: NDArray[np.floating] = picture.astype(np.float32)
    if rng.random() < 0.7:
        gain = float(np.exp(rng.normal(0, 0.3))) * (rng.uniform(0.12, 0.5) if rng.random() < 0.2 else 1.0)
        out = 255 * (np.clip(out * gain, 0, 255) / 255) ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.4:
        out = (out - 128) * np.float32(rng.uniform(0.4, 1.3)) + 128 + np.float32(rng.uniform(-20, 20))
    if rng.random() < 0.4:
        out *= rng.uniform(0.75, 1.25, 3).astype(np.float32)
    if rng.random() < 0.15:
        out = np.repeat(out.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.15:
        ramp = cv2.resize(rng.uniform(0.3, 1.3, (2, 2)).astype(np.float32), out.shape[1::-1])
        out *= ramp[..., None]
    out = np.clip(out, 0, 255)
    if rng.random() < 0.25:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 2.0)))
    if rng.random() < 0.12:
        out = _motion(rng, out)
    if rng.random() < 0.15:
        share = rng.uniform(0.35, 0.8)
        small = cv2.resize(out, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        out = cv2.resize(small, out.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        out += rng.normal(0, rng.uniform(1, 14), out.shape).astype(np.float32)
    result = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, coded = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 90))])
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert decoded is not None
        result = decoded.astype(np.uint8)
    return result


def _motion(rng: Generator, picture: F32) -> F32:
    """Blur along a straight line."""
    length = int(rng.integers(3, 11))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.full(2, (length - 1) / 2)
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0, 1)
    result: F32 = cv2.filter2D(picture, -1, kernel / kernel.sum())
    return result
