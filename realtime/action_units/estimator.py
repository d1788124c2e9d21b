"""Everything measured on one person's face, frame by frame."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.baseline import Baseline, RunningBaseline
from realtime.action_units.calibration import Calibration
from realtime.action_units.covered import without_hidden
from realtime.action_units.descriptor import Descriptor, describe
from realtime.action_units.model import ActionUnits
from realtime.action_units.rest_frame import BestRestFrame, Windows
from realtime.types import U8, FaceObservation, FacePart, Sides

Intensities = dict[int, float]
NeutralState = Literal["none", "running", "calibrated"]


class ActionUnitEstimator:
    """Action Units of the tracked face against its own neutral. units: those that are measured (none without a network).

    own_neutral: a calibration stored earlier. named: the session is about one person, whom the user named. Their
    calibration, stored or made now, stays in force when a face is found again under a new id; another's does not.
    """

    def __init__(
        self,
        action_units: ActionUnits | None = None,
        own_neutral: Baseline | None = None,
        *,
        named: bool = False,
    ) -> None:
        self.units: tuple[int, ...] = action_units.units if action_units is not None else ()
        network = action_units.identity if action_units is not None else ""
        self.neutral = RunningBaseline(network=network)
        self.at_rest = BestRestFrame()
        self.calibration = Calibration(network=network)
        self.descriptor: Descriptor | None = None
        self.own_neutral = own_neutral
        self._named = named or own_neutral is not None
        self._action_units = action_units
        self._face_id: int | None = None
        self._asked = False
        if own_neutral is not None:
            self.neutral.calibrate(own_neutral.known_to(network))

    @property
    def neutral_state(self) -> NeutralState:
        """What the intensities are measured against now."""
        if self.neutral.rest is None:
            return "none"
        return "calibrated" if self.neutral.calibrated else "running"

    def ask_for_calibration(self) -> None:
        """A calibration begins with the next frame. From any thread; asking while one runs begins anew."""
        self._asked = True

    def begin_if_asked(self) -> bool:
        """Whether a calibration begins now. On the measuring thread, before a frame is measured."""
        asked, self._asked = self._asked, False
        if asked:
            self.calibration.start()
        return asked

    def update(
        self, face: FaceObservation, image: U8, *, time: float | None = None, light: float | None = None
    ) -> Sides[Intensities]:
        """Intensity 0..5 by Action Unit, of the patient's left and right; empty where nothing can be measured.

        image: (H, W, 3) BGR, the frame the face was seen on.
        time: the frame's capture time (s), light: mean grey of the face (0..255); both only matter to a calibration.
        """
        if self._action_units is None:
            return Sides({}, {})
        if face.face_id != self._face_id:
            self._face_id = face.face_id
            self.neutral.forget()
            self.at_rest.forget()
            if self.own_neutral is not None:
                self.neutral.calibrate(self.own_neutral.known_to(self.neutral.network))
        found = self.descriptor = describe(face.points)
        if found is None:
            if time is not None and self.calibration.running:
                self._calibrate(time, face.face_id, None, light)
            return Sides({}, {})
        before, windows = self.neutral.rest, self._action_units.cut(image, face.points)
        if face.hidden:
            return self._measure_covered(face, found, windows, time, light)
        self.at_rest.offer(found, windows, None if before is None else before.shape)
        values = self._action_units.measure(found, before, windows, self.at_rest.picture)
        look = self._action_units.look
        if time is not None and self.calibration.running:
            self._calibrate(time, face.face_id, found, light, look)
        self.neutral.update(found.shape, found.pose, look)
        if self.neutral.rest is before:
            return values
        # The look comes from the network, so what this frame changed about the neutral is known only now.
        self.at_rest.offer(found, windows, None if self.neutral.rest is None else self.neutral.rest.shape)
        return self._action_units.measure(found, self.neutral.rest, windows, self.at_rest.picture)

    def _measure_covered(
        self, face: FaceObservation, found: Descriptor, windows: Windows, time: float | None, light: float | None
    ) -> Sides[Intensities]:
        """Measure what can be seen. The frame is no picture of rest, and a calibration does not count it."""
        assert self._action_units is not None
        values = self._action_units.measure(found, self.neutral.rest, windows, self.at_rest.picture)
        if time is not None and self.calibration.running:
            self._calibrate(time, face.face_id, None, light)
        if len(face.hidden) < len(get_args(FacePart)):
            # The median bears a covered mouth for a while, and a mask that stays on must not keep a person without one.
            self.neutral.update(found.shape, found.pose, self._action_units.look)
        return without_hidden(values, face.hidden)

    def nobody(self, time: float) -> None:
        """No face is seen on the frame taken at `time`."""
        if self.calibration.running:
            self._calibrate(time, None, None, None)

    def _calibrate(
        self,
        time: float,
        face_id: int | None,
        found: Descriptor | None,
        light: float | None,
        look: NDArray[np.float32] | None = None,
    ) -> None:
        self.calibration.update(time, face_id, found, light, look)
        if self.calibration.progress.phase == "done" and self.calibration.neutral is not None:
            self.neutral.calibrate(self.calibration.neutral)
            if self._named:
                self.own_neutral = self.calibration.neutral


def light_on(image: U8, box: NDArray[np.float32]) -> float | None:
    """Mean grey (0..255) of the middle half of a face box; None where it lies outside the picture.

    image: (H, W, 3) BGR. box: x1, y1, x2, y2 in pixels. Every fourth pixel is looked at; the green channel stands for grey.
    """
    x1, y1, x2, y2 = (float(edge) for edge in box)
    height, width = image.shape[:2]
    left, right = max(0, round(x1 + 0.25 * (x2 - x1))), min(width, round(x1 + 0.75 * (x2 - x1)))
    top, bottom = max(0, round(y1 + 0.25 * (y2 - y1))), min(height, round(y1 + 0.75 * (y2 - y1)))
    part = image[top:bottom:4, left:right:4, 1]
    return float(part.mean()) if part.size else None
