"""Faces hidden in what is recorded or shown: flat squares over the whole head, or nothing of the picture at all.

A square has one colour, the mean of what it hides, in coarse steps. Blocks or a Gaussian would look finer, but a moving
face shows each of its details to many blocks, and a film of such blocks can be solved for the face.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.face.geometry import iou
from realtime.face.matching import face_box
from realtime.face.scene_change import SceneChange
from realtime.render.coverage import Coverage
from realtime.render.landmarks import draw_landmarks
from realtime.render.palette import NEUTRAL
from realtime.render.panel_place import PanelPlace
from realtime.types import F32, U8, Analysis, Frame, OtherFace, PanelMode, RenderedFrame, Sides

Find = Callable[[Frame], tuple[F32, ...] | None]
"""Every face of a picture, or None where that is not known: `FaceSearch.find`."""

_STEP = 16
_SPARSE = 8
_SAME_FACE = 0.3
_FRESH = 0.1
"""Seconds; a face may have been taken over by another one since an older analysis."""
_CUT_DIFFERENCE, _CUT_SHARE = 0.1, 0.3
NOTHING_FOLLOWED = "No face is followed: the picture is hidden."


@dataclass(frozen=True, slots=True)
class _Waiting:
    shown: RenderedFrame
    frame: Frame


class FaceBlur:
    """Draws the pictures to record: each captured frame with every face hidden, then landmarks and bars.

    Every frame is searched whole. A frame is drawn when the ones after it are known as well, so that a face is hidden from
    where it comes into the picture, before a detector can know it. A frame that was not searched, or on which the tracked
    face is not confirmed by the search, is hidden as a whole. One caller at a time.

    Args:
        find: searches a frame; None: the frames come searched (`RenderedFrame.faces`).
        units: the Action Units that have a bar.
        ahead: frames that are known before one is drawn.
        selfie: the picture is flipped like a mirror.
        panel: where the bars stand.
        spare_patient: the patient's face stays open, wherever it is the patient's for certain.
    """

    def __init__(
        self,
        find: Find | None,
        units: Sequence[int],
        *,
        ahead: int = 8,
        selfie: bool = False,
        panel: PanelMode = "auto",
        spare_patient: bool = False,
    ) -> None:
        self._find = find
        self._spare_patient = spare_patient
        self._hidden = HiddenRegions(ahead)
        self._selfie = selfie
        self._panel = PanelPlace(panel, units, flipped=selfie)
        self._waiting: deque[_Waiting] = deque()
        self._size: tuple[int, ...] = ()

    def add(self, shown: RenderedFrame) -> list[tuple[U8, float]]:
        """Take one frame in; returns the pictures that are decided now, each with its capture time.

        Args:
            shown: the frame.
        """
        frame = shown.frame
        assert frame is not None
        done = self.drain() if self._size not in ((), frame.image.shape) else []
        self._size = frame.image.shape
        boxes = shown.faces if self._find is None else self._find(frame)
        spare = self._spare_patient and is_patient_for_certain(shown.analysis, shown.result_age)
        self._hidden.add(frame, boxes, shown.points, shown.result_age or 0.0, spare=spare, others=shown.others)
        # The composed picture is not needed, so it does not wait as well.
        self._waiting.append(_Waiting(replace(shown, image=frame.image), frame))
        if len(self._waiting) > self._hidden.ahead:
            done.append(self._draw(self._waiting.popleft(), len(self._waiting)))
        return done

    def drain(self) -> list[tuple[U8, float]]:
        """The pictures that still wait, decided without any more to come."""
        done = []
        while self._waiting:
            waiting = self._waiting.popleft()
            done.append(self._draw(waiting, len(self._waiting)))
        self._hidden.clear()
        return done

    def _draw(self, waiting: _Waiting, behind: int) -> tuple[U8, float]:
        shown = waiting.shown
        canvas = self._hidden.hide(waiting.frame.image, behind)
        points = shown.points
        if self._selfie:
            canvas = np.ascontiguousarray(cv2.flip(canvas, 1))
        if points is None:
            write_reason(canvas, NOTHING_FOLLOWED)
        elif shown.analysis is not None and shown.analysis.face is not None:
            if self._selfie:
                points = points * np.array([-1, 1], np.float32) + np.array([canvas.shape[1] - 1, 0], np.float32)
            draw_landmarks(canvas, points, max(1, round(canvas.shape[0] / 720)), shown.analysis.face.hidden)
            place = np.concatenate([points.min(axis=0), points.max(axis=0)])
            canvas = self._panel.draw(canvas, Sides(shown.analysis.au_left, shown.analysis.au_right), [place])
        return canvas, shown.capture_time


class LiveBlur:
    """Hides every face of each frame before anything is drawn on it: for what is seen while it happens.

    Nothing is known yet of the frames to come, so a face that comes into the picture may be seen until a detector knows it.

    Args:
        find: gives the boxes of every face of a frame.
        spare_patient: the patient's face stays open, wherever it is the patient's for certain.
    """

    def __init__(self, find: Find, *, spare_patient: bool = False) -> None:
        self._find = find
        self._spare_patient = spare_patient
        self._hidden = HiddenRegions(0)
        self._size: tuple[int, ...] = ()

    def hide(
        self,
        frame: Frame,
        points: F32 | None,
        age: float,
        analysis: Analysis | None = None,
        others: Sequence[OtherFace] = (),
    ) -> tuple[Frame, tuple[F32, ...] | None]:
        """(a frame with a new picture, what was found).

        Args:
            frame: as captured.
            points: (98, 2) of the tracked face on this frame, or None.
            age: seconds between the frame they were found on and this one.
            analysis: that they are of.
            others: with several people, everybody but the patient.
        """
        if self._size not in ((), frame.image.shape):
            self._hidden.clear()
        self._size = frame.image.shape
        boxes = self._find(frame)
        spare = self._spare_patient and is_patient_for_certain(analysis, age)
        self._hidden.add(frame, boxes, points, age, spare=spare, others=others)
        image = self._hidden.hide(frame.image, 0)
        if points is None:
            write_reason(image, NOTHING_FOLLOWED)
        return replace(frame, image=image), boxes

    def clear(self) -> None:
        """Forget what was seen (the stream was interrupted)."""
        self._hidden.clear()


class HiddenRegions:
    """A window of frames (`Coverage`) and the drawing of what must be hidden on them.

    Args:
        ahead: frames that are known before one is decided.
    """

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead
        self._coverage = Coverage(ahead)
        self._scene = SceneChange(_CUT_DIFFERENCE, _CUT_SHARE)

    def clear(self) -> None:
        """Forget the window."""
        self._coverage.clear()

    def add(
        self,
        frame: Frame,
        boxes: Sequence[F32] | None,
        points: F32 | None,
        age: float,
        *,
        spare: bool = False,
        others: Sequence[OtherFace] = (),
    ) -> None:
        """Take one frame in.

        Args:
            frame: as captured.
            boxes: every face found on it; None when it was not searched.
            points: (98, 2) of the tracked face, or None.
            age: seconds between the frame they were found on and this one.
            spare: the tracked face is for certain the one that need not be hidden.
            others: faces that are followed besides; they are hidden also where the search misses them.
        """
        if boxes is not None:
            known = [face_box(other.points) for other in others]
            boxes = [*boxes, *(box for box in known if not any(iou(box, one) > _SAME_FACE for one in boxes))]
        found = None if points is None else points[np.isfinite(points).all(axis=1)]
        tracked = None if found is None or not len(found) else face_box(found)
        cut = self._scene.update(frame.image)
        self._coverage.add(frame.sequence, boxes, tracked, age=age, cut=cut, spare=spare)

    def hide(self, image: U8, behind: int) -> U8:
        """A new picture without faces.

        Args:
            image: (H, W, 3) uint8 BGR.
            behind: frames that came after this one.
        """
        regions = self._coverage.regions(behind)
        if regions is None:
            return fill_all(image)
        canvas = image.copy()
        for box in regions:
            fill(canvas, box)
        return canvas


def is_patient_for_certain(analysis: Analysis | None, age: float | None) -> bool:
    """Whether the tracked face is the patient's beyond doubt.

    Args:
        analysis: the newest one.
        age: seconds between its frame and the one that is shown; None: not known.
    """
    return analysis is not None and analysis.face is not None and analysis.sure and age is not None and age <= _FRESH


def fill(canvas: U8, box: F32) -> None:
    """Give the box (4,) one colour, in place.

    Args:
        canvas: (H, W, 3) uint8, changed.
        box: (4,) pixels.
    """
    height, width = canvas.shape[:2]
    left, top = (max(0, int(np.floor(value))) for value in box[:2])
    right, bottom = (min(most, int(np.ceil(value)) + 1) for value, most in zip(box[2:], (width, height), strict=True))
    if right > left and bottom > top:
        cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), _colour(canvas[top:bottom, left:right]), cv2.FILLED)


def fill_all(image: U8) -> U8:
    """A picture of this size with nothing in it but its mean colour.

    Args:
        image: (H, W, 3) uint8 BGR.
    """
    canvas = np.empty_like(image)
    cv2.rectangle(canvas, (0, 0), (image.shape[1] - 1, image.shape[0] - 1), _colour(image), cv2.FILLED)
    return canvas


def _colour(part: U8) -> tuple[int, int, int]:
    """The mean of every eighth pixel of every eighth row, in coarse steps: all of them would cost milliseconds."""
    blue, green, red = (int(v) // _STEP * _STEP + _STEP // 2 for v in part[::_SPARSE, ::_SPARSE].mean(axis=(0, 1)))
    return blue, green, red


def write_reason(canvas: U8, sentence: str) -> None:
    """One line in the middle of a hidden picture, in place.

    Args:
        canvas: (H, W, 3) uint8, changed.
        sentence: what is written.
    """
    height, width = canvas.shape[:2]
    scale = min(height / 720, width / 900)
    (long, _), _ = cv2.getTextSize(sentence, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, max(1, round(1.5 * scale)))
    at = ((width - long) // 2, height // 2)
    cv2.putText(
        canvas, sentence, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, NEUTRAL, max(1, round(1.5 * scale)), cv2.LINE_AA
    )
