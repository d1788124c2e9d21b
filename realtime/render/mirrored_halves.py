"""Panes of mirrored half-faces: the patient's right side doubled, and the patient's left side doubled."""

import cv2
import numpy as np

from realtime.face.mirroring import Midline, Mirror, midline
from realtime.render.palette import LEFT, NEUTRAL, RIGHT, Colour
from realtime.types import F32, U8

_FILL = 0.5  # glabella to chin as a share of the pane's height


class HalfFaces:
    """Draws two panes (right doubled, left doubled), or three with the face as it is in front."""

    def __init__(self) -> None:
        self._mirror: Mirror | None = None
        self._size = (0, 0)

    def compose(self, frame: U8, points: F32, *, split: bool, selfie: bool) -> U8:
        """A new picture of the frame's size.

        Args:
            frame: (H, W, 3) uint8 BGR.
            points: (98, 2) pixels of the frame.
            split: the picture beside the halves, else the halves alone.
            selfie: flip everything like a mirror.
        """
        height, width = frame.shape[:2]
        canvas = np.zeros_like(frame)
        line = midline(points)
        if line is None:
            canvas[:] = frame
            return canvas
        panes = 3 if split else 2
        pane = width // panes
        if self._mirror is None or self._size != (pane, height):
            self._mirror, self._size = Mirror(pane, height, fill=_FILL), (pane, height)
        halves = self._mirror.update(frame, line)
        pictures: list[tuple[U8, str, Colour]] = [
            (halves.right, "right side doubled", RIGHT),
            (halves.left, "left side doubled", LEFT),
        ]
        if selfie:
            pictures.reverse()
        if split:
            pictures.insert(0, (self._as_it_is(frame, line, pane, selfie=selfie), "as it is", NEUTRAL))
        scale = height / 720
        for index, (picture, words, colour) in enumerate(pictures):
            left = index * pane
            canvas[:, left : left + pane] = picture
            at = (left + round(14 * scale), round(26 * scale))
            cv2.putText(
                canvas, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * scale, colour, max(1, round(scale)), cv2.LINE_AA
            )
        return canvas

    @staticmethod
    def _as_it_is(frame: U8, line: Midline, pane: int, *, selfie: bool) -> U8:
        """The face at the mirrored panes' size, neither turned nor mirrored (but flipped with the whole picture)."""
        height = frame.shape[0]
        scale = _FILL * height / line.length
        sign = -1.0 if selfie else 1.0
        matrix = np.array(
            [[sign * scale, 0.0, (pane - 1) / 2 - sign * scale * line.x], [0.0, scale, 0.44 * height - scale * line.y]]
        )
        result: U8 = cv2.warpAffine(frame, matrix, (pane, height), flags=cv2.INTER_LINEAR)
        return result
