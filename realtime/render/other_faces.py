"""The faces of those who are not the patient: where they are on a picture, and how they are drawn."""

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.render.landmarks import draw_box, draw_landmarks
from realtime.render.palette import DIM, INK, NEUTRAL
from realtime.types import F32, U8, Analysis, OtherFace

_KEPT = 0.25
"""Seconds for which a face stays that was not looked at again."""
_FADES = 0.1
"""Seconds over which a face is believed to go on as it moved."""


@dataclass(slots=True)
class _Known:
    points: F32
    time: float
    speed: F32


class OtherFaces:
    """Remembers everybody who is not the patient between two looks: each is looked at on some of the frames only."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def clear(self) -> None:
        """Forget them (the stream was interrupted)."""
        self._known.clear()

    def at(self, analysis: Analysis | None, time: float) -> tuple[OtherFace, ...]:
        """Everybody on the picture taken at `time` (seconds), moved on as they moved.

        Args:
            analysis: the newest one; None: there is none.
            time: capture time of the picture.
        """
        if analysis is not None:
            patient = None if analysis.face is None else analysis.face.face_id
            self._known.pop(-1 if patient is None else patient, None)
            for other in analysis.others:
                self._learn(other)
        self._known = {number: one for number, one in self._known.items() if 0 <= time - one.time <= _KEPT}
        return tuple(
            OtherFace(number, one.points + one.speed * np.float32(min(time - one.time, _FADES)))
            for number, one in sorted(self._known.items())
        )

    def _learn(self, other: Analysis) -> None:
        face, time = other.face, other.capture_time
        assert face is not None
        before = self._known.get(face.face_id)
        if before is not None and before.time >= time:
            return
        speed = np.zeros(2, np.float32)
        if before is not None and time > before.time:
            speed = np.asarray((face.points - before.points).mean(axis=0) / np.float32(time - before.time), np.float32)
        self._known[face.face_id] = _Known(face.points, time, speed)


def draw_other(canvas: U8, points: F32, label: str, thickness: int) -> None:
    """Draw one of them in place: points, the corners of a box, and a number below.

    Args:
        canvas: (H, W, 3) uint8 BGR, changed.
        points: (98, 2) pixels of the canvas.
        label: the number.
        thickness: of the lines, pixels.
    """
    draw_landmarks(canvas, points, thickness)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)
    draw_box(canvas, box, thickness, DIM)
    draw_label(canvas, box, label, thickness)


def draw_label(canvas: U8, box: F32, label: str, thickness: int) -> None:
    """Write a word below a box (4,), in place.

    Args:
        canvas: (H, W, 3) uint8 BGR, changed.
        box: (4,) pixels.
        label: what is written.
        thickness: of the letters, pixels.
    """
    scale = canvas.shape[0] / 720
    at = round(float(box[0])), round(float(box[3]) + 22 * scale)
    for colour, shift in ((INK, thickness), (NEUTRAL, 0)):
        place = at[0] + shift, at[1] + shift
        cv2.putText(canvas, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55 * scale, colour, thickness, cv2.LINE_AA)
