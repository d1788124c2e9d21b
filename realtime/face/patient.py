"""The person a session is about: remembered by appearance, place and size, and recognised when another face is followed.

The memory is a 16 x 16 brightness pattern of the face's crop (see `Appearance`); it lives as long as the tracker and is
never stored. Measured on videos and photographs: the same person later in a video has a likeness of 0.75 or more in 95 of 100
frames, other persons of less than 0.68 in 95 of 100 cases. It tells a helper or a photograph in the room from the patient;
it does not identify anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime.face.matching import nearness
from realtime.face.settings import PatientSettings
from realtime.types import F32, Detection

_SLOWEST = 0.02  # share of each new crop in the pattern, once many have been seen


@dataclass(slots=True)
class _Person:
    """A face that is, or may become, the patient. seconds: for how long it was followed."""

    face_id: int
    pattern: F32
    box: F32
    last: float
    seconds: float = 0.0
    seen: int = 1

    def learn(self, pattern: F32, box: F32, time: float) -> None:
        """Take in another frame."""
        self.seen += 1
        self.pattern = self.pattern + np.float32(max(1 / self.seen, _SLOWEST)) * (pattern - self.pattern)
        self.seconds += min(max(time - self.last, 0.0), 0.2)
        self.box, self.last = box, time

    def likeness(self, pattern: F32) -> float:
        """Correlation, -1..1."""
        return float(self.pattern @ pattern) / max(float(np.sqrt(self.pattern @ self.pattern)), 1e-6)


class Patient:
    """Decides whose face should be followed. Pure: it is told which face is followed, and which others are seen.

    The patient is the face that was followed first for a while, or the one that the user chose.

    Args:
        settings: how long, how near, how alike.
    """

    def __init__(self, settings: PatientSettings) -> None:
        self._settings = settings
        self._patient: _Person | None = None
        self._followed: _Person | None = None
        self._sightings = 0

    @property
    def face_id(self) -> int | None:
        """The patient's face; None while nobody was followed long enough."""
        return None if self._patient is None else self._patient.face_id

    @property
    def away(self) -> bool:
        """Whether somebody else is followed now, while the patient is known."""
        patient, followed = self._patient, self._followed
        return patient is not None and followed is not None and followed.face_id != patient.face_id

    def followed(self, face_id: int, pattern: F32, box: F32, time: float) -> None:
        """A face was followed with certainty on a frame.

        Args:
            face_id: its id.
            pattern: (256,) of its crop.
            box: (4,) where it is.
            time: capture time, seconds.
        """
        person = self._followed
        if person is None or person.face_id != face_id:
            known = self._patient is not None and self._patient.face_id == face_id
            person = self._followed = self._patient if known else _Person(face_id, pattern, box, time)
            self._sightings = 0
        assert person is not None
        person.learn(pattern, box, time)
        patient = self._patient
        if patient is None:
            if person.seconds >= self._settings.known_after:
                self._patient = person
        elif patient is not person and person.seen >= self._settings.sightings:
            returned = person.likeness(patient.pattern) >= self._settings.same
            if returned or time - patient.last > self._settings.forgotten_after:
                # The patient is back under a new id, or has been away for so long that the session goes on with this face.
                self._patient = person

    def choose(self, face_id: int, pattern: F32, box: F32, time: float) -> None:
        """The user chose this face: it is the patient from now on.

        Args:
            face_id: of the face.
            pattern: (256,) its appearance.
            box: (4,) where it is.
            time: capture time, seconds.
        """
        self._patient = self._followed = _Person(face_id, pattern, box, time)
        self._sightings = 0

    def likeliest(self, others: Sequence[Detection]) -> Detection | None:
        """Of faces that are seen but not followed, the one nearest to the patient's last place and size.

        Args:
            others: the faces.
        """
        patient = self._patient
        if patient is None:
            return None
        return max(others, key=lambda face: face.score * (0.1 + nearness(face.box, patient.box)), default=None)

    def is_back(self, pattern: F32 | None) -> bool:
        """Whether a face seen beside the followed one is the patient, in enough detection passes in a row.

        Args:
            pattern: (256,) of its crop; None: no other face was seen in this pass.
        """
        patient, followed = self._patient, self._followed
        if patient is None or followed is None or pattern is None:
            self._sightings = 0
            return False
        like = patient.likeness(pattern)
        sure = like >= self._settings.like and like > patient.likeness(followed.pattern) + self._settings.margin
        self._sightings = self._sightings + 1 if sure else 0
        return self._sightings >= self._settings.sightings

    @property
    def sighted(self) -> bool:
        """Whether the last detection pass saw the patient beside the followed face."""
        return self._sightings > 0

    def forget(self) -> None:
        """Nobody is known (the stream was interrupted)."""
        self._patient = self._followed = None
        self._sightings = 0
