"""Faces made unrecognisable for a recording: blocks of an eighth of the head, over the whole head.

A picture on which no face is tracked is made coarse as a whole: what is not known to be free of faces is not kept.
"""

import threading
from collections.abc import Sequence

import cv2
import numpy as np

from realtime.render.au_panel import AuPanel
from realtime.render.landmarks import draw_landmarks
from realtime.types import F32, U8, Detections, RenderedFrame

BLOCKS = 8
# From the middle of the landmarks' box to the edge of the blurred square, in its longer sides: brows to crown is half of one.
_HEAD = 1.0
_OTHER_HEAD = 0.9
_GROWTH = 2.0  # per second of the result's age
_KEPT_FRAMES = 90
_COARSE = 24


class FaceBlur:
    """Draws the picture to record: the captured frame with every known face blurred, then landmarks and bars.

    `seen` gets every answer of the detector (another thread); faces other than the tracked one stay blurred where they
    were last seen, for 90 frames.
    """

    def __init__(self, units: Sequence[int], *, selfie: bool = False) -> None:
        self._units = tuple(units)
        self._selfie = selfie
        self._panel: AuPanel | None = None
        self._lock = threading.Lock()
        self._others: list[tuple[int, F32]] = []

    def seen(self, detections: Detections) -> None:
        """Remember where faces are."""
        now = detections.sequence
        with self._lock:
            kept = [] if detections.region is None else self._others
            kept = [(when, box) for when, box in kept if now - when <= _KEPT_FRAMES]
            fresh = [(now, face.box) for face in detections.faces]
            self._others = (kept + fresh)[-32:]

    def draw(self, shown: RenderedFrame) -> U8:
        """A new (H, W, 3) picture."""
        assert shown.frame is not None
        canvas = shown.frame.image.copy()
        points = shown.points
        if points is None or not np.isfinite(points).any():
            canvas = coarse(canvas, _COARSE)
        else:
            self._blur(canvas, shown, points)
        if self._selfie:
            canvas = np.ascontiguousarray(cv2.flip(canvas, 1))
        if points is not None and shown.analysis is not None and shown.analysis.face is not None:
            if self._selfie:
                points = points * np.array([-1, 1], np.float32) + np.array([canvas.shape[1] - 1, 0], np.float32)
            draw_landmarks(canvas, points, max(1, round(canvas.shape[0] / 720)))
            self._bars(canvas, shown)
        return canvas

    def _blur(self, canvas: U8, shown: RenderedFrame, points: F32) -> None:
        found = points[np.isfinite(points).all(axis=1)]
        growth = _HEAD * (1.0 + _GROWTH * (shown.result_age or 0.0))
        with self._lock:
            others = [box for when, box in self._others if shown.sequence - when <= _KEPT_FRAMES]
        squares = [(np.concatenate([found.min(axis=0), found.max(axis=0)]), growth)]
        squares += [(box, _OTHER_HEAD) for box in others]
        for box, reach in squares:
            blur_square(canvas, box, reach)

    def _bars(self, canvas: U8, shown: RenderedFrame) -> None:
        assert shown.analysis is not None
        if not self._units:
            return
        if self._panel is None or self._panel.picture_height != canvas.shape[0]:
            self._panel = AuPanel(self._units, canvas.shape[0], flipped=self._selfie)
        self._panel.draw(canvas, shown.analysis.au_right, shown.analysis.au_left)


def blur_square(canvas: U8, box: F32, reach: float) -> None:
    """Replace the square around a box, `reach` longer sides from its middle, by BLOCKS x BLOCKS flat blocks, in place."""
    height, width = canvas.shape[:2]
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    half = reach * max(float(box[2] - box[0]), float(box[3] - box[1]))
    left, right = max(0, int(x - half)), min(width, int(x + half) + 1)
    top, bottom = max(0, int(y - half)), min(height, int(y + half) + 1)
    if right > left and bottom > top:
        canvas[top:bottom, left:right] = coarse(canvas[top:bottom, left:right], BLOCKS)


def coarse(image: U8, blocks: int) -> U8:
    """The picture in flat blocks, `blocks` of them along its longer side."""
    height, width = image.shape[:2]
    side = max(height, width) / blocks
    small = cv2.resize(image, (max(1, round(width / side)), max(1, round(height / side))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
