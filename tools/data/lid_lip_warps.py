"""Closing eyes and opening mouths of a photograph: tears along a line that no smooth bending can make.

Both work column by column in the eye's or the mouth's own frame, on backward maps: `maps[v]` (H, W, 2) is the source
position, in picture pixels, of what the crop shows at v. The matching points move exactly with the picture.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

_UPPER = {60: (60, 61, 62, 63, 64), 68: (68, 69, 70, 71, 72)}
_LOWER = {60: (60, 67, 66, 65, 64), 68: (68, 75, 74, 73, 72)}
_BROW = {60: slice(33, 42), 68: slice(42, 51)}
_PUPIL = {60: 96, 68: 97}


def _frame(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Middle of a and b, unit vector from a to b, and the unit vector down from it."""
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
    return (a + b) / 2, along, np.array((-along[1], along[0]), np.float32)


def _local(points: Floats, frame: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    middle, along, down = frame
    return (points - middle) @ along, (points - middle) @ down


def _window(low: Floats, high: Floats, size: int) -> tuple[slice, slice, Floats]:
    """Rows, columns and centres (h, w, 2), in crop units, of the pixels of a box in crop units."""
    x0, y0 = np.clip(np.floor(low * size).astype(int), 0, size)
    x1, y1 = np.clip(np.ceil(high * size).astype(int), 0, size)
    x, y = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
    return slice(y0, y1), slice(x0, x1), ((np.stack([x, y], -1) + 0.5) / size).astype(np.float32)


def _curve(x: Floats, points: Floats, indices: tuple[int, ...], frame: tuple[Floats, Floats, Floats]) -> Floats:
    px, py = _local(points[list(indices)], frame)
    order = np.argsort(px)
    return np.interp(x, px[order], py[order])


def _look_up(maps: Floats, rows: slice, columns: slice, shown: Floats) -> None:
    """Let these pixels of `maps` show what `maps` has at the places `shown` (h, w, 2), in crop units; there may be none."""
    if not shown.size:
        return
    at = (shown * maps.shape[0] - 0.5).astype(np.float32)
    maps[rows, columns] = cv2.remap(maps, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def close_eye(maps: Floats, points: Floats, first: int, amount: float) -> Floats:
    """Lower the upper lid of the eye that starts at point `first` (60 or 68) by `amount` (0..1) of its opening.

    The lid slides over the eyeball: what it leaves open stays as it was, and the skin up to the brow stretches. A negative
    amount opens the eye wider. maps is changed in place; the new points come back. What the lid shows is looked up where `maps` has
    it by now: beside an eye that is also squeezed, the brow's skin has moved.
    """
    frame = _frame(points[first], points[first + 4])
    width = float(np.linalg.norm(points[first + 4] - points[first]))
    if width < 0.03:
        return points
    size = maps.shape[0]
    _, brow = _local(points[_BROW[first]], frame)
    ring = points[[*range(first, first + 8)]]
    reach = np.float32(0.75 * width)
    rows, columns, at = _window(ring.min(0) - reach, ring.max(0) + reach, size)
    x, y = _local(at, frame)
    upper, lower = _curve(x, points, _UPPER[first], frame), _curve(x, points, _LOWER[first], frame)
    upper = np.minimum(upper, lower)
    lid = upper + amount * (lower - upper)
    ceiling = np.minimum(float(brow.max()), upper - 0.15 * width)
    share = np.clip((y - ceiling) / np.maximum(lid - ceiling, 1e-4), 0, 1)
    above = ceiling + share * (upper - ceiling)
    inside = upper + (y - lid) * (lower - upper) / np.maximum(lower - lid, 1e-4)
    between = y if amount > 0 else inside
    source = np.where(y <= ceiling, y, np.where(y < lid, above, np.where(y < lower, between, y)))
    _look_up(maps, rows, columns, at + (source - y)[..., None] * frame[2])
    out = points.copy()
    for i in _UPPER[first][1:4]:
        (px,), (py,) = _local(points[i][None], frame)
        floor = float(_curve(np.array([px]), points, _LOWER[first], frame)[0])
        out[i] += frame[2] * amount * max(floor - py, 0.0)
    (px,), (py,) = _local(points[_PUPIL[first]][None], frame)
    low = float(_curve(np.array([px]), points, _LOWER[first], frame)[0])
    high = float(_curve(np.array([px]), out, _UPPER[first], frame)[0])
    out[_PUPIL[first]] += frame[2] * (np.clip(py, min(high, low), max(high, low)) - py)
    return out


def open_mouth(maps: Floats, points: Floats, depth: float) -> Floats:
    """Lower the lower lip and the chin by `depth` (crop units) at the middle of the mouth, less towards its corners.

    What stood between the lips is stretched; the movement fades out below the chin. maps is changed in place; what each place
    shows is looked up where `maps` has it by now, as in `close_eye`: a jaw or a cheek may have been bent before.
    """
    frame = _frame(points[88], points[92])
    half = 0.5 * float(np.linalg.norm(points[92] - points[88]))
    if half < 0.03:
        return points
    size = maps.shape[0]
    _, chin = _local(points[[15, 16, 17]], frame)
    fade = max(1.5 * float(chin.mean()), 3 * depth)
    corners = frame[0] + np.array(
        [(-1.1 * half, -half), (1.1 * half, -half), (-1.1 * half, fade + depth), (1.1 * half, fade + depth)]
    ) @ (np.stack([frame[1], frame[2]]))
    rows, columns, at = _window(corners.min(0), corners.max(0), size)

    def lowering(x: Floats) -> Floats:
        result: Floats = depth * np.clip(1 - (x / half) ** 2, 0, 1) ** 0.7
        return result

    x, y = _local(at, frame)
    upper = _curve(x, points, (88, 89, 90, 91, 92), frame)
    lower = np.maximum(_curve(x, points, (88, 95, 94, 93, 92), frame), upper)
    g = lowering(x)
    lip = lower + g
    below = y - g * np.clip(1 - (y - lip) / fade, 0, 1)
    inside = upper + (y - upper) * (lower - upper) / np.maximum(lip - upper, 1e-4)
    source = np.where(y <= upper, y, np.where(y < lip, inside, below))
    source = np.where(np.abs(x) < half, source, y)
    _look_up(maps, rows, columns, at + (source - y)[..., None] * frame[2])
    px, py = _local(points, frame)
    own = np.maximum(_curve(px, points, (88, 95, 94, 93, 92), frame), _curve(px, points, (88, 89, 90, 91, 92), frame))
    moves = (np.abs(px) < half) & (py >= own - 1e-6)
    moves[[88, 89, 90, 91, 92, *range(76, 83)]] = False
    g = np.where(moves, lowering(px), 0)
    # Solve y' - g (1 - (y' - own - g) / fade) = y for the points that lie inside the fading zone.
    new = (py + g + g * (own + g) / fade) / (1 + g / fade)
    new = np.where(moves & (new < own + g + fade), new, py)
    return (points + (new - py)[:, None] * frame[2]).astype(np.float32)
