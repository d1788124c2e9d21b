"""Whose session it is, where several people are followed: the rule that decides it, and the user who may overrule it.

A face becomes the patient by a rule only after it has shown that it lives (see `Liveness`): a poster never does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from realtime.face.settings import PatientSettings
from realtime.types import F32

PatientRule = Literal["first", "largest", "left-most", "person"]
"""first: who was followed first. largest: whose face is largest. left-most: whose face is furthest left in the picture. person: whose
face is stored; nobody is it by rule, whoever knows the stored face chooses."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One person who is followed now.

    Args:
        face_id: the identity.
        box: (4,) of the face.
        alive: it has moved by itself.
        seconds: for how long it was followed, in all.
    """

    face_id: int
    box: F32
    alive: bool
    seconds: float


class PatientChoice:
    """Remembers the patient's identity. Pure: it is told who is seen.

    Args:
        rule: who is the patient while nobody is.
        settings: of the patient.
    """

    def __init__(self, rule: PatientRule, settings: PatientSettings) -> None:
        self._rule = rule
        self._settings = settings
        self._last = 0.0
        self._first: float | None = None
        self.face_id: int | None = None
        """The patient; None: nobody yet."""

    def choose(self, face_id: int, time: float) -> None:
        """The user chose this person.

        Args:
            face_id: whose.
            time: capture time, seconds.
        """
        self.face_id, self._last = face_id, time

    def choose_next(self, people: Sequence[Seen], time: float) -> None:
        """The next face to the right of the patient's, from the rightmost the leftmost, is the patient from then on.

        Args:
            people: everybody who is followed on this frame.
            time: its capture time, seconds.
        """
        here = next((_middle(one) for one in people if one.face_id == self.face_id), -math.inf)
        others = [one for one in people if one.face_id != self.face_id]
        right = [one for one in others if _middle(one) > here]
        if others:
            self.choose(min(right or others, key=_middle).face_id, time)

    def forget(self) -> None:
        """Nobody is known."""
        self.face_id = self._first = None

    def update(self, people: Sequence[Seen], time: float) -> int | None:
        """The patient among all who are known.

        Args:
            people: everybody who is followed on this frame.
            time: its capture time, seconds.
        """
        if self.face_id is not None:
            if any(one.face_id == self.face_id for one in people):
                self._last = time
            if time - self._last <= self._settings.forgotten_after:
                return self.face_id
            self.face_id = self._first = None
        if people and self._first is None:
            self._first = time
        chosen = self._by_rule(people)
        if chosen is not None and (chosen.alive or self._waited(time)):
            alive = chosen if chosen.alive else self._by_rule([one for one in people if one.alive])
            if alive is not None and alive.seconds >= self._settings.known_after:
                self.choose(alive.face_id, time)
        return self.face_id

    def _waited(self, time: float) -> bool:
        """Whether whom the rule names has had time enough to show that it lives."""
        return self._first is not None and time - self._first >= self._settings.alive_within

    def _by_rule(self, people: Sequence[Seen]) -> Seen | None:
        if self._rule == "person":
            return None
        if self._rule == "first":
            return min(people, key=lambda one: one.face_id, default=None)
        if self._rule == "left-most":
            return min(people, key=_middle, default=None)
        return max(people, key=lambda one: float((one.box[2] - one.box[0]) * (one.box[3] - one.box[1])), default=None)


def _middle(one: Seen) -> float:
    """Twice the distance of a face's middle from the picture's left side, pixels."""
    return float(one.box[0] + one.box[2])
