"""Search of the whole picture for faces that must not be seen: every picture, at a low threshold, also small and turned faces.

Tracking needs one face, and a detector that is asked now and then is enough for it. Hiding faces needs all of them on
every picture, so it has a detector of its own.
"""

import logging
from collections.abc import Callable

import cv2
import numpy as np

from realtime.face.geometry import iou
from realtime.types import F32, U8, Detections, Frame, Region

log = logging.getLogger(__name__)

Detect = Callable[[Frame, Region], Detections]
"""Faces in a region of a frame: `FaceDetector.detect`."""

SIDE = 320
"""Longer side in pixels of the picture that is searched."""
MARGIN = 48
"""Pixels by which it is continued beyond its edges."""
GRID = 32
LARGER = 640
"""Longer side of the picture in the pass for small faces."""
_MOST = 64
_SAME_FACE = 0.3
_TURNED_SCORE = 0.3
"""Least score in a turned picture: an upright room on its side is full of weak faces."""
_QUARTERS = (
    (cv2.ROTATE_180, 2),
    (cv2.ROTATE_90_CLOCKWISE, 1),
    (cv2.ROTATE_90_COUNTERCLOCKWISE, 3),
)


class FaceSearch:
    """Finds every face of a picture. One caller at a time.

    Each picture is searched whole and upright, continued beyond its edges by its own mirror image: half a face at the edge
    becomes a whole one, which a detector finds. Every `interval`-th picture is searched once more, in turn: larger (for
    small faces), upside down, and lying on either side. `Coverage` holds what those passes find until they come round again.

    Args:
        detector_at: makes a detector that sees a region with this longer side (pixels).
        interval: pictures from one additional pass to the next.
    """

    def __init__(self, detector_at: Callable[[int], Detect], *, interval: int = 2) -> None:
        self._detect = detector_at(SIDE)
        self._detect_continued = detector_at(-(-(SIDE + 2 * MARGIN) // GRID) * GRID)
        self._detect_larger = detector_at(LARGER)
        self._interval = interval
        self._count = 0
        self.failures = 0

    @property
    def period(self) -> int:
        """Pictures after which every kind of pass has been made once."""
        return self._interval * (1 + len(_QUARTERS))

    def find(self, frame: Frame) -> tuple[F32, ...] | None:
        """The (4,) boxes of every face, in pixels of the frame; None when the search failed or found too many to tell."""
        try:
            return self._find(frame)
        except Exception:
            self.failures += 1
            if self.failures == 1:
                log.exception("The search for faces to hide failed; such pictures are hidden as a whole.")
            return None

    def _find(self, frame: Frame) -> tuple[F32, ...] | None:
        height, width = frame.image.shape[:2]
        small = _reduced(frame.image, SIDE)
        scale = np.tile(np.array([width / small.shape[1], height / small.shape[0]], np.float32), 2)
        boxes = [box * scale for box in self._continued(frame, small)]
        turn, self._count = self._count, self._count + 1
        if turn % self._interval == 0:
            kind = turn // self._interval % (1 + len(_QUARTERS))
            if kind == 0:
                more = [face.box for face in self._detect_larger(frame, (0, 0, width, height)).faces]
            else:
                more = [box * scale for box in self._turned(frame, small, *_QUARTERS[kind - 1])]
            boxes += [box for box in more if not any(iou(box, known) > _SAME_FACE for known in boxes)]
        if len(boxes) >= _MOST or not all(np.isfinite(box).all() for box in boxes):
            return None
        return tuple(boxes)

    def _continued(self, frame: Frame, small: U8) -> list[F32]:
        height, width = small.shape[:2]
        across, down = (-(-(side + 2 * MARGIN) // GRID) * GRID - side for side in (width, height))
        left, top = across // 2, down // 2
        picture = cv2.copyMakeBorder(small, top, down - top, left, across - left, cv2.BORDER_REFLECT)
        shift = np.array([left, top, left, top], np.float32)
        boxes = [box - shift for box in _boxes(self._detect_continued, frame, np.asarray(picture, np.uint8))]
        # The rest are mirror images.
        return [b for b in boxes if b[2] > 0 and b[3] > 0 and b[0] < width and b[1] < height]

    def _turned(self, frame: Frame, small: U8, rotation: int, quarters: int) -> list[F32]:
        picture = np.ascontiguousarray(cv2.rotate(small, rotation))
        size = small.shape[0], small.shape[1]
        return [_turned_back(box, quarters, size) for box in _boxes(self._detect, frame, picture, _TURNED_SCORE)]


def _boxes(detect: Detect, frame: Frame, picture: U8, least: float = 0.0) -> list[F32]:
    height, width = picture.shape[:2]
    found = detect(Frame(picture, frame.sequence, frame.capture_time), (0, 0, width, height))
    return [face.box for face in found.faces if face.score >= least]


def _reduced(image: U8, side: int) -> U8:
    """The picture with this longer side, in two steps as the detector's own input: an area average costs ten times more."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale <= 1 / 2:
        image = np.asarray(cv2.resize(image, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _turned_back(box: F32, quarters: int, size: tuple[int, int]) -> F32:
    """A box of a picture that was turned clockwise by quarters, in the picture before. size: its (height, width)."""
    height, width = size
    x1, y1, x2, y2 = (float(v) for v in box)
    if quarters == 1:
        x1, y1, x2, y2 = y1, height - x2, y2, height - x1
    elif quarters == 2:
        x1, y1, x2, y2 = width - x2, height - y2, width - x1, height - y1
    else:
        x1, y1, x2, y2 = width - y2, x1, width - y1, x2
    return np.array([x1, y1, x2, y2], np.float32)
