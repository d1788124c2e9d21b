"""Points moved with the picture: sparse optical flow (Lucas-Kanade, pyramidal) on a small grey crop of the face.

Each point is followed forward and back; those that do not return are not believed. The head's own motion is a similarity
fitted robustly to the rest, and every point follows it; what a believed point moved beyond that is added.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from realtime.face.geometry import fit_similarity, invert, transform
from realtime.face.landmarks import square_crop
from realtime.face.settings import FlowSettings

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Moved:
    """points: (N, 2) frame pixels on the new picture. rigid: (2, 3) the head's motion in frame pixels.

    found: (N,) which points were followed themselves. trust: share of points found and agreeing with the head, 0..1; below the
    settings' `enough` the motion should not be used.
    """

    points: F32
    rigid: F64
    found: NDArray[np.bool_]
    trust: float


@njit(cache=True, nogil=True)
def grey_crop(image: U8, back: F64, out: U8) -> None:
    """(S, S) grey of the BGR image: box-averaged by up to 2 x 2 samples so that shrinking does not alias.

    back: (2, 3) crop pixels to frame pixels. Outside the picture its border is repeated.
    """
    height, width = image.shape[0], image.shape[1]
    step = np.hypot(back[0, 0], back[1, 0])
    taps = 2 if step > 1.5 else 1
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            value = 0.0
            for j in range(taps):
                for i in range(taps):
                    a = u + (i + 0.5) / taps - 0.5
                    b = v + (j + 0.5) / taps - 0.5
                    x = min(max(back[0, 0] * a + back[0, 1] * b + back[0, 2], 0.0), width - 1.001)
                    y = min(max(back[1, 0] * a + back[1, 1] * b + back[1, 2], 0.0), height - 1.001)
                    x0, y0 = int(x), int(y)
                    fx, fy = np.float32(x - x0), np.float32(y - y0)
                    for dy in range(2):
                        wy = fy if dy else np.float32(1.0) - fy
                        for dx in range(2):
                            w = (fx if dx else np.float32(1.0) - fx) * wy
                            p, q, r = image[y0 + dy, x0 + dx, 0], image[y0 + dy, x0 + dx, 1], image[y0 + dy, x0 + dx, 2]
                            value += w * (np.float32(0.114) * p + np.float32(0.587) * q + np.float32(0.299) * r)
            out[v, u] = int(value / (taps * taps) + 0.5)


class PointFlow:
    """Follows points from one picture (the anchor) to another. One caller at a time: buffers are used again."""

    def __init__(self, settings: FlowSettings = FlowSettings()) -> None:  # noqa: B008  frozen
        self._settings = settings
        self._window = (settings.window, settings.window)
        self._criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, settings.iterations, 0.02)
        self._now: U8 = np.empty((settings.side, settings.side), np.uint8)
        self._then: U8 = np.empty((settings.side, settings.side), np.uint8)
        self._crop: F64 | None = None
        self._points: F32 = np.empty((0, 2), np.float32)
        self._guess: F32 | None = None

    @property
    def anchored(self) -> bool:
        """Is there a picture to move from?"""
        return self._crop is not None

    def clear(self) -> None:
        """Forget the anchor."""
        self._crop = None

    def anchor(self, image: U8, points: F32) -> None:
        """Take (H, W, 3) BGR `image` with (N, 2) `points` on it as what later pictures are compared with."""
        side = self._settings.side
        low, high = points.min(axis=0), points.max(axis=0)
        reach = 1.35 * max(float(high[0] - low[0]), float(high[1] - low[1]), 8.0)
        self._crop = square_crop(float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2, reach, 0.0, side)
        self._points = np.ascontiguousarray(points, np.float32)
        self._guess = None
        grey_crop(image, invert(self._crop), self._then)

    def move(self, image: U8) -> Moved | None:
        """The anchor's points on `image`, or None where there is no anchor. Repeated calls start from the last motion."""
        if self._crop is None:
            return None
        back = invert(self._crop)
        grey_crop(image, back, self._now)
        start = transform(self._crop, self._points)
        guess = start.copy() if self._guess is None else self._guess.copy()
        options: dict[str, Any] = {
            "winSize": self._window,
            "maxLevel": self._settings.levels,
            "criteria": self._criteria,
            "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        }
        ahead, ok, _ = cv2.calcOpticalFlowPyrLK(self._then, self._now, start, guess, **options)
        returned, ok_back, _ = cv2.calcOpticalFlowPyrLK(self._now, self._then, ahead, start.copy(), **options)
        found = (ok[:, 0] == 1) & (ok_back[:, 0] == 1)
        found &= np.abs(returned - start).max(axis=1) < self._settings.round_trip
        moved, rigid, agreeing = _settle(start, ahead, found, self._settings.local)
        trust = float(agreeing.sum()) / len(found)
        self._guess = moved if trust >= self._settings.enough else None
        in_frame = np.empty((2, 3))
        whole = np.vstack((back, (0, 0, 1))) @ np.vstack((rigid, (0, 0, 1))) @ np.vstack((self._crop, (0, 0, 1)))
        in_frame[:] = whole[:2]
        return Moved(transform(back, moved), in_frame, agreeing, trust)


def _settle(start: F32, ahead: F32, found: NDArray[np.bool_], local: float) -> tuple[F32, F64, NDArray[np.bool_]]:
    """The head's similarity from points that agree, and every point moved: by the head, plus its own share where believed."""
    weights = found.astype(np.float32)
    rigid = np.array(((1.0, 0, 0), (0, 1.0, 0)))
    agreeing = found
    for limit in (4.0 * local, 2.0 * local, local):
        if weights.sum() < 4:
            break
        rigid = fit_similarity(start, ahead, weights)
        agreeing = found & (np.abs(ahead - transform(rigid, start)).max(axis=1) < limit)
        weights = agreeing.astype(np.float32)
    by_head = transform(rigid, start)
    moved = np.where(agreeing[:, None], ahead, by_head)
    return moved.astype(np.float32), rigid, agreeing
