"""What is shown: the frame with its overlay, mirrored half-faces, both side by side, or the bare frame."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from realtime.render.au_panel import AuPanel
from realtime.render.face_change import FaceChangeNotice
from realtime.render.landmarks import draw_box, draw_landmarks, draw_midline
from realtime.render.mirrored_halves import HalfFaces
from realtime.render.status import LiveFigures, draw_status
from realtime.types import F32, U8, Analysis

Mode = Literal["overlay", "mirrored", "split", "raw"]


class Scene:
    """Draws one picture at a time. The frame itself is never written to.

    units: the Action Units that have a bar. selfie: flips the picture; the patient's sides stay the patient's, so the
    panel's columns change places with the picture's halves.
    """

    def __init__(self, mode: Mode, units: Sequence[int], *, selfie: bool = False) -> None:
        self.mode = mode
        self.selfie = selfie
        self.units = tuple(units)
        self._halves = HalfFaces()
        self._panel: AuPanel | None = None
        self._change = FaceChangeNotice()

    def draw(self, frame: U8, analysis: Analysis | None, points: F32 | None, figures: LiveFigures) -> U8:
        """A new (H, W, 3) picture of the frame's size. points: (98, 2) where the landmarks are on this frame, or None."""
        if self.mode == "raw":
            return cv2.flip(frame, 1) if self.selfie else frame
        if self.mode in ("mirrored", "split") and points is not None:
            canvas = self._halves.compose(frame, points, split=self.mode == "split", selfie=self.selfie)
        else:
            canvas = self._overlay(frame, analysis, points)
        if analysis is not None and analysis.face is not None and self.units:
            self._bars(canvas, analysis)
        self._change.draw(canvas, analysis)
        draw_status(canvas, figures)
        return canvas

    def _overlay(self, frame: U8, analysis: Analysis | None, points: F32 | None) -> U8:
        canvas: U8 = cv2.flip(frame, 1) if self.selfie else frame.copy()
        if points is None or analysis is None or analysis.face is None:
            return canvas
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        thickness = max(1, round(frame.shape[0] / 720))
        if self.selfie:
            width = frame.shape[1] - 1
            points = points * np.array([-1, 1], np.float32) + np.array([width, 0], np.float32)
            box = np.array([width - box[2], box[1], width - box[0], box[3]], np.float32)
        draw_box(canvas, box, thickness)
        draw_midline(canvas, points, thickness)
        draw_landmarks(canvas, points, thickness)
        return canvas

    def _bars(self, canvas: U8, analysis: Analysis) -> None:
        if self._panel is None or self._panel.picture_height != canvas.shape[0]:
            self._panel = AuPanel(self.units, canvas.shape[0], flipped=self.selfie)
        self._panel.draw(canvas, analysis.au_right, analysis.au_left)
