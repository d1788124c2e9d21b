"""Whose recording it is, where several people are followed: decided once, over all of it."""

from dataclasses import dataclass, field

from realtime.face.patient_choice import PatientRule
from realtime.face.people import Observed

NOBODY = -1
"""In the place of a face id: several people are followed, and none of them is the patient."""
_SEEN_ENOUGH = 0.1
"""Share of the frames of whoever is seen most, below which nobody is chosen by the rule."""


@dataclass(slots=True)
class _Person:
    frames: int = 0
    patient: int = 0
    area: float = 0.0
    middle: float = 0.0


@dataclass(slots=True)
class PatientTally:
    """Takes in every frame, then says who the patient is.

    A live run chooses among those who have shown so far that they live, as faces come and go. Here the one who was the patient on
    most frames is it on all of them, from the first one on; only where nobody ever was, the rule alone decides.

    Attributes:
        rule: of the settings.
    """

    rule: PatientRule
    _people: dict[int, _Person] = field(default_factory=dict)

    def add(self, seen: Observed) -> None:
        """Take in one frame.

        Args:
            seen: who is on it.
        """
        for face in (seen.patient, *seen.others):
            if face is not None:
                person = self._people.setdefault(face.face_id, _Person())
                x0, y0, x1, y1 = (float(edge) for edge in face.box)
                person.frames += 1
                person.patient += face is seen.patient
                person.area += (x1 - x0) * (y1 - y0)
                person.middle += x0 + x1

    def patient(self) -> int | None:
        """The face id; None where no face was seen."""
        people = self._people
        if not people:
            return None
        chosen = max(people, key=lambda number: (people[number].patient, -number))
        if people[chosen].patient:
            return chosen
        least = _SEEN_ENOUGH * max(person.frames for person in people.values())
        known = {number: person for number, person in people.items() if person.frames >= least}
        if self.rule == "first":
            return min(known)
        if self.rule == "left-most":
            return min(known, key=lambda number: (known[number].middle / known[number].frames, number))
        return max(known, key=lambda number: (known[number].area / known[number].frames, -number))
