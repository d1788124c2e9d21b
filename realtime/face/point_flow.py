"""Points moved with the picture: sparse optical flow (Lucas-Kanade, pyramidal) on a small grey crop of the face.

A point whose surroundings look different where it arrives is not believed. The head's own motion is a similarity fitted
robustly to the rest; every point follows it, and a believed one keeps what it moved beyond that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.face import wflw
from realtime.face.geometry import fit_similarity
from realtime.face.matching import bounds_and_eyes
from realtime.face.resize import resize_into
from realtime.face.settings import FlowSettings
from realtime.jit import njit
from realtime.types import F32, F64, U8

Bools = NDArray[np.bool_]
Window = tuple[int, int, int, int]

# the grey crop is this much larger than the points' bounds, and never smaller than this many pixels
_MARGIN = 1.35
# a crop is used again while the face leaves this margin and fills at least this share of what it filled when it was made
_TIGHT = 1.15
_SHRUNK = 0.8
_LEAST = 24


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the points of the anchor are on another picture.

    Attributes:
        points: (98, 2) frame pixels on the new picture.
        rigid: (2, 3) the head's motion in frame pixels.
        found: (98,) which points were followed themselves.
        trust: share of points found and agreeing with the head, 0..1; below the settings' `enough` the motion should not be used.
    """

    points: F32
    rigid: F64
    found: Bools
    trust: float


class PointFlow:
    """Follows points from one picture (the anchor) to another. One caller at a time: buffers are used again.

    Args:
        settings: of the optical flow.
        fixed: points that only move with the head. A contour's picture is half background, which moves on its own.
    """

    def __init__(self, settings: FlowSettings = FlowSettings(), fixed: Sequence[int] = wflw.CONTOUR) -> None:  # noqa: B008
        self._settings = settings
        self._options: dict[str, Any] = {
            "winSize": (settings.window, settings.window),
            "maxLevel": settings.levels,
            "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, settings.iterations, 0.02),
            "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        }
        self._fixed: Bools = np.isin(np.arange(wflw.POINTS), list(fixed))
        self._window: Window | None = None
        self._last: U8 | None = None
        self._small: U8 = np.empty((0, 0, 3), np.uint8)
        self._scale: F32 = np.ones(2, np.float32)
        self._offset: F32 = np.zeros(2, np.float32)
        self._points: F32 = np.empty((0, 2), np.float32)
        self._guess: F32 = self._points
        self._then: U8 = np.empty((0, 0), np.uint8)
        self._now: U8 = self._then

    @property
    def anchored(self) -> bool:
        """Is there a picture to move from?"""
        return self._window is not None

    def clear(self) -> None:
        """Forget the anchor."""
        self._window = self._last = None

    def anchor(self, image: U8, points: F32) -> None:
        """Take a picture as what later ones are compared with.

        Where it is the picture last moved to, and the face still fits the crop, that crop is used again.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (98, 2) pixels of it.
        """
        last, self._last = self._last, None
        x0, y0, x1, y1 = bounds_and_eyes(points, 1.0, 0.0)[0].tolist()
        if not math.isfinite(x0):
            self._window = None
            return
        window = self._window
        if last is not image or window is None or not _fits(window, x0, y0, x1, y1):
            window = self._window = _window(x0, y0, x1, y1, *image.shape[:2])
            if window is None:
                return
            self._place(window)
            self._grey(image, window, self._now)
        self._then, self._now = self._now, self._then
        self._points = points * self._scale + self._offset
        self._guess = self._points

    def move(self, image: U8) -> Moved | None:
        """The anchor's points on `image`; None where there is no anchor, or the picture has another size than its own.

        Repeated calls start from the last motion found, so that an old anchor can be followed over a long way.
        """
        window = self._window
        if window is None or window[2] > image.shape[1] or window[3] > image.shape[0]:
            return None
        self._grey(image, window, self._now)
        self._last = image
        ahead, ok, error = cv2.calcOpticalFlowPyrLK(
            self._then, self._now, self._points, self._guess.copy(), **self._options
        )
        settings = self._settings
        moved, in_frame, rigid, agreeing, trust = _settle(
            *(self._points, ahead, ok, error, self._fixed, self._scale, self._offset),
            *(settings.difference, settings.quiet, settings.sure, settings.local),
        )
        self._guess = moved if trust >= settings.enough else self._points
        return Moved(in_frame, rigid, agreeing, trust)

    def _place(self, window: Window) -> None:
        """Size and geometry of the crop of this window."""
        x0, y0, x1, y1 = window
        shrink = max(1.0, max(x1 - x0, y1 - y0) / self._settings.side)
        width, height = max(_LEAST, round((x1 - x0) / shrink)), max(_LEAST, round((y1 - y0) / shrink))
        self._scale = np.array((width / (x1 - x0), height / (y1 - y0)), np.float32)
        # pixel centres at integers: the outer edges of window and crop coincide, half a pixel outside their first centres
        self._offset = self._scale * (np.float32(0.5) - np.array((x0, y0), np.float32)) - np.float32(0.5)
        if self._now.shape != (height, width):
            self._small = np.empty((height, width, 3), np.uint8)
            self._now, self._then = np.empty((height, width), np.uint8), np.empty((height, width), np.uint8)

    def _grey(self, image: U8, window: Window, out: U8) -> None:
        x0, y0, x1, y1 = window
        cv2.cvtColor(resize_into(image[y0:y1, x0:x1], self._small), cv2.COLOR_BGR2GRAY, dst=out)


def _window(x0: float, y0: float, x1: float, y1: float, height: int, width: int) -> Window | None:
    """The crop around these bounds inside the picture; None where hardly anything of it is left."""
    reach = 0.5 * _MARGIN * max(x1 - x0, y1 - y0, 8.0)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = max(0, math.floor(x - reach)), max(0, math.floor(y - reach))
    right, bottom = min(width, math.ceil(x + reach)), min(height, math.ceil(y + reach))
    return None if right - left < _LEAST or bottom - top < _LEAST else (left, top, right, bottom)


def _fits(window: Window, x0: float, y0: float, x1: float, y1: float) -> bool:
    """Does a face with these bounds still lie well in the window?"""
    reach = 0.5 * _TIGHT * max(x1 - x0, y1 - y0)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    inside = x - reach >= window[0] and x + reach <= window[2] and y - reach >= window[1] and y + reach <= window[3]
    return inside and 2 * reach * _MARGIN >= _SHRUNK * _TIGHT * max(window[2] - window[0], window[3] - window[1])


@njit(nogil=True)
def _settle(
    start: F32,
    ahead: F32,
    ok: U8,
    error: F32,
    fixed: Bools,
    scale: F32,
    offset: F32,
    difference: float,
    quiet: float,
    sure: float,
    most: float,
) -> tuple[F32, F32, F64, Bools, float]:
    """The head's similarity from points that agree, and every point moved: by the head, plus its own share where believed.

    Own motion up to `quiet` is the flow's noise and left out, from `sure` on it is believed whole, above `most` not at all.

    Args:
        start: (N, 2) crop pixels.
        ahead: (N, 2) where the flow has them.
        ok: (N, 1) of the flow: 1 where it found the point.
        error: (N, 1) likewise: how unlike its surroundings are there.
        fixed: (N,) points that only move with the head.
        scale: (2,) crop pixels of a frame pixel.
        offset: (2,) crop pixels of the frame's origin.
        difference: error from which a point is not believed.
        quiet: see above.
        sure: likewise.
        most: likewise.

    Returns:
        The points in crop and in frame pixels, the similarity in frame pixels, which points agree, and the share of those.
    """
    count = start.shape[0]
    weights, agreeing, moved = np.empty(count, np.float32), np.empty(count, np.bool_), np.empty((count, 2), np.float32)
    rigid = np.empty((2, 3))
    rigid[0, 0], rigid[0, 1], rigid[0, 2] = 1.0, 0.0, 0.0
    rigid[1, 0], rigid[1, 1], rigid[1, 2] = 0.0, 1.0, 0.0
    total = 0.0
    for i in range(count):
        moved[i, 0], moved[i, 1] = start[i, 0], start[i, 1]
        agreeing[i] = ok[i, 0] == 1 and error[i, 0] < difference
        weights[i] = 1.0 if agreeing[i] else 0.0
        total += weights[i]
    for turn in range(3):
        if total < 4.0:
            break
        rigid = fit_similarity(start, ahead, weights)
        limit, total = most * (3 - turn), 0.0
        for i in range(count):
            moved[i, 0] = rigid[0, 0] * start[i, 0] + rigid[0, 1] * start[i, 1] + rigid[0, 2]
            moved[i, 1] = rigid[1, 0] * start[i, 0] + rigid[1, 1] * start[i, 1] + rigid[1, 2]
            dx, dy = abs(ahead[i, 0] - moved[i, 0]), abs(ahead[i, 1] - moved[i, 1])
            agreeing[i] = ok[i, 0] == 1 and error[i, 0] < difference and max(dx, dy) < limit
            weights[i] = 1.0 / (1.0 + (dx * dx + dy * dy) / (sure * sure)) if agreeing[i] else 0.0
            total += weights[i]
    for i in range(count):
        if agreeing[i] and not fixed[i]:
            dx, dy = ahead[i, 0] - moved[i, 0], ahead[i, 1] - moved[i, 1]
            t = min(max((np.sqrt(dx * dx + dy * dy) - quiet) / (sure - quiet), 0.0), 1.0)
            share = t * t * (3.0 - 2.0 * t)
            moved[i, 0] += share * dx
            moved[i, 1] += share * dy
    in_frame, together = np.empty((count, 2), np.float32), 0
    for i in range(count):
        together += agreeing[i]
        in_frame[i, 0] = (moved[i, 0] - offset[0]) / scale[0]
        in_frame[i, 1] = (moved[i, 1] - offset[1]) / scale[1]
    x, y = rigid[0, 0] * offset[0] + rigid[0, 1] * offset[1], rigid[1, 0] * offset[0] + rigid[1, 1] * offset[1]
    rigid[0, 2] = (x + rigid[0, 2] - offset[0]) / scale[0]
    rigid[1, 2] = (y + rigid[1, 2] - offset[1]) / scale[1]
    return moved, in_frame, rigid, agreeing, together / count
