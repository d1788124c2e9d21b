"""Everything measured on one person's face, frame by frame."""

from realtime.face.observation import FaceObservation
from realtime.measure.action_units import ActionUnits
from realtime.measure.descriptor import Descriptor, describe
from realtime.measure.neutral import Neutral

Intensities = dict[int, float]


class FaceMeasures:
    """Action Units of the tracked face against its own neutral. units: those that are measured (none without a network)."""

    def __init__(self, action_units: ActionUnits | None = None) -> None:
        self.units: tuple[int, ...] = action_units.units if action_units is not None else ()
        self.neutral = Neutral()
        self.descriptor: Descriptor | None = None
        self._action_units = action_units
        self._face_id: int | None = None

    def update(self, face: FaceObservation) -> tuple[Intensities, Intensities]:
        """(patient's right, patient's left), intensity 0..5 by Action Unit; empty where nothing can be measured."""
        if self._action_units is None:
            return {}, {}
        if face.face_id != self._face_id:
            self._face_id = face.face_id
            self.neutral.forget()
        found = self.descriptor = describe(face.points)
        if found is None:
            return {}, {}
        self.neutral.update(found.shape, found.pose)
        return self._action_units.measure(found, self.neutral.shape)
