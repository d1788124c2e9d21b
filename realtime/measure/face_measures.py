"""Everything measured on one person's face, frame by frame."""

from realtime.face.observation import FaceObservation

Intensities = dict[int, float]


class FaceMeasures:
    """Action Unit intensities by side. units: the Action Units this build can measure."""

    def __init__(self, units: tuple[int, ...] = ()) -> None:
        self.units = units

    def update(self, face: FaceObservation, time: float) -> tuple[Intensities, Intensities]:  # noqa: ARG002
        """(patient's right, patient's left), intensity 0..5 by Action Unit. time: capture time, seconds."""
        return {}, {}

    def interrupted(self) -> None:
        """The stream was interrupted."""
