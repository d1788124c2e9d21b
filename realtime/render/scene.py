"""What is shown: the frame with its overlay, mirrored half-faces, both side by side, or the bare frame."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from realtime.render.canvas import Canvases
from realtime.render.face_change import FaceChangeNotice
from realtime.render.landmarks import draw_box, draw_landmarks, draw_midline
from realtime.render.mirrored_halves import HalfFaces
from realtime.render.notice import draw_notice
from realtime.render.other_faces import draw_label, draw_other
from realtime.render.panel_place import PanelPlace
from realtime.render.status import LiveFigures, draw_status
from realtime.types import F32, U8, Analysis, OtherFace, PanelMode, Sides, View


class Scene:
    """Draws one picture at a time. The frame itself is never written to.

    Args:
        mode: the view; it may be changed between two pictures.
        units: the Action Units that have a bar.
        selfie: flips the picture; the patient's sides stay the patient's, so the panel's columns change places with
            the picture's halves.
        panel: where the bars stand; see `PanelPlace`.
        mirror_ready: whether mirrored half-faces can be drawn at once; until then the frame is shown as it is, and says so.
    """

    def __init__(
        self,
        mode: View,
        units: Sequence[int],
        *,
        selfie: bool = False,
        panel: PanelMode = "auto",
        mirror_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.mode = mode
        self.selfie = selfie
        self.units = tuple(units)
        self._canvases = Canvases()
        self._halves = HalfFaces()
        self._panel = PanelPlace(panel, units, flipped=selfie)
        self._change = FaceChangeNotice()
        self._mirror_ready = mirror_ready
        self._size = (0, 0)

    def draw(
        self,
        frame: U8,
        analysis: Analysis | None,
        points: F32 | None,
        figures: LiveFigures,
        others: Sequence[OtherFace] = (),
    ) -> U8:
        """A new (H, W, 3) picture of the frame's size.

        Args:
            frame: (H, W, 3) uint8 BGR.
            analysis: what is known of it, or None.
            points: (98, 2) where the landmarks are on this frame, or None.
            figures: for the status line.
            others: with several people, everybody but the patient.
        """
        self._size = frame.shape[0], frame.shape[1]
        if self.mode == "raw":
            return cv2.flip(frame, 1) if self.selfie else frame
        face = None if points is None else face_place(points, frame.shape[1], selfie=self.selfie)
        mirrored = self.mode in ("mirrored", "split")
        unready = mirrored and not self._mirror_ready()
        panes = mirrored and not unready
        if panes and points is not None:
            canvas = self._halves.compose(frame, points, split=self.mode == "split", selfie=self.selfie)
        else:
            canvas = self._overlay(frame, analysis, points, face, others)
        canvas = self._with_panel(canvas, analysis, face, others, panes=panes)
        self._change.draw(canvas, analysis)
        if unready:
            draw_notice(canvas, "The mirrored view is being compiled, once on this machine", row=1)
        draw_status(canvas, figures)
        return canvas

    def place_in_frame(self, x: float, y: float) -> tuple[float, float] | None:
        """The pixel of the captured picture that is shown at a place of the last picture drawn; None where none is.

        Args:
            x: share of the shown picture's width, 0..1.
            y: share of its height.
        """
        height, width = self._size
        if self.mode not in ("overlay", "raw") or not width:
            return None
        if self.mode == "overlay":
            left, top, right, bottom = self._panel.picture_place(height, width)
            x, y = (x * width - left) / (right - left), (y * height - top) / (bottom - top)
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return None
        return (1 - x if self.selfie else x) * (width - 1), y * (height - 1)

    def _overlay(
        self,
        frame: U8,
        analysis: Analysis | None,
        points: F32 | None,
        box: F32 | None,
        others: Sequence[OtherFace],
    ) -> U8:
        """A copy of the frame with everybody's face drawn on it. box: around the patient's points as they are shown."""
        canvas = self._canvases.copy_of(frame, flipped=self.selfie)
        self._draw_others(canvas, others, box)
        if points is None or box is None or analysis is None or analysis.face is None:
            return canvas
        thickness = max(1, round(frame.shape[0] / 720))
        if self.selfie:
            width = frame.shape[1] - 1
            points = points * np.array([-1, 1], np.float32) + np.array([width, 0], np.float32)
        draw_box(canvas, box, 2 * thickness if others else thickness)
        draw_midline(canvas, points, thickness)
        draw_landmarks(canvas, points, thickness, analysis.face.hidden)
        return canvas

    def _draw_others(self, canvas: U8, others: Sequence[OtherFace], patient: F32 | None) -> None:
        """Everybody but the patient, whose (4,) box says so where there is anybody else. Drawn over the mesh, in place."""
        if not others:
            return
        width, thickness = canvas.shape[1], max(1, round(canvas.shape[0] / 720))
        for other in others:
            points = other.points
            if self.selfie:
                points = points * np.array([-1, 1], np.float32) + np.array([width - 1, 0], np.float32)
            draw_other(canvas, points, f"face {other.face_id}", thickness)
        if patient is not None:
            draw_label(canvas, patient, "patient", thickness)

    def _with_panel(
        self, canvas: U8, analysis: Analysis | None, face: F32 | None, others: Sequence[OtherFace], *, panes: bool
    ) -> U8:
        if analysis is None or analysis.face is None:
            # A strip stays, so that the picture does not jump while the face is away.
            return self._panel.draw(canvas, Sides({}, {}), ()) if self._panel.in_strip else canvas
        faces = [face_place(other.points, canvas.shape[1], selfie=self.selfie) for other in others]
        faces += [] if face is None else [face]
        if panes:
            faces = [np.array([0, 0, canvas.shape[1], canvas.shape[0]], np.float32)]  # panes of faces, side by side
        return self._panel.draw(canvas, Sides(analysis.au_left, analysis.au_right), faces)


def face_place(points: F32, width: int, *, selfie: bool) -> F32:
    """(4,) box around (98, 2) points as they are shown on a picture of this width.

    Args:
        points: (98, 2) pixels of the frame.
        width: of the picture, pixels.
        selfie: the picture is flipped like a mirror.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    if selfie:
        low, high = np.array([width - 1 - high[0], low[1]]), np.array([width - 1 - low[0], high[1]])
    return np.concatenate([low, high]).astype(np.float32)
