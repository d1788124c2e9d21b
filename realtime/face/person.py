"""What is remembered of a person while the program runs: looks, motion and life. Nothing of it is ever stored."""

from dataclasses import dataclass, field

import numpy as np

from realtime.face.box_motion import BoxMotion
from realtime.face.liveness import Liveness
from realtime.face.matching import nearness
from realtime.face.settings import IdentitySettings
from realtime.types import F32

_TURNED = 18.0  # degrees of yaw from which a face is remembered apart from the one that looks ahead
_SLOWEST = 0.02  # share of each new crop in a pattern, once many have been seen
_FEWEST = 3  # crops before a pattern counts
_PULL = 0.3  # weight of the place beside the looks, when a face is recognised
_FADES = 2.0  # seconds in which the place's weight falls to 1/e
_UNKNOWN = -1.0


class Looks:
    """A face's brightness patterns (see `Appearance`): one each for turned to the left, ahead, turned to the right."""

    def __init__(self) -> None:
        self._patterns: dict[int, F32] = {}
        self._seen: dict[int, int] = {}

    @property
    def seen(self) -> int:
        """How many crops were taken in."""
        return sum(self._seen.values())

    def learn(self, pattern: F32, yaw: float) -> None:
        """Take a crop in.

        Args:
            pattern: (256,) mean-free, of unit length.
            yaw: of the head, degrees.
        """
        side = int(yaw > _TURNED) - int(yaw < -_TURNED)
        count = self._seen[side] = self._seen.get(side, 0) + 1
        before = self._patterns.get(side, pattern)
        self._patterns[side] = before + np.float32(max(1 / count, _SLOWEST)) * (pattern - before)

    def likeness(self, pattern: F32) -> float:
        """Correlation with the best of the patterns, -1..1; -1 while too little was seen."""
        sure = [side for side, count in self._seen.items() if count >= _FEWEST] or list(self._seen)
        return max((_correlation(self._patterns[side], pattern) for side in sure), default=_UNKNOWN)

    def likeness_to(self, other: "Looks") -> float:
        """Correlation of the two faces' best fitting patterns, -1..1."""
        return max((self.likeness(pattern) for pattern in other._patterns.values()), default=_UNKNOWN)

    def absorb(self, other: "Looks") -> None:
        """The other looks are this person's as well."""
        for side, pattern in other._patterns.items():
            self._patterns.setdefault(side, pattern)
            self._seen.setdefault(side, other._seen[side])


def _correlation(pattern: F32, unit: F32) -> float:
    return float(pattern @ unit) / max(float(np.sqrt(pattern @ pattern)), 1e-6)


@dataclass(slots=True)
class Person:
    """One identity.

    Args:
        face_id: its number; it never changes and is never given again.
        motion: of the face's box.
        last: capture time of the last frame on which it was seen, seconds.
        seconds: for how long it was followed, in all.

    Attributes:
        looks: the appearance so far.
        life: whether the face moves as one does.
    """

    face_id: int
    motion: BoxMotion
    last: float
    seconds: float = 0.0
    looks: Looks = field(default_factory=Looks)
    life: Liveness = field(default_factory=Liveness)

    @classmethod
    def first_seen(cls, face_id: int, box: F32, time: float) -> "Person":
        """Somebody new.

        Args:
            face_id: the number.
            box: (4,) pixels.
            time: capture time, seconds.
        """
        return cls(face_id, BoxMotion(box, time), time)

    def seen(self, box: F32, time: float) -> None:
        """The person's face is here.

        Args:
            box: (4,).
            time: capture time, seconds.
        """
        self.seconds += min(max(time - self.last, 0.0), 0.2)
        self.motion.update(box, time)
        self.last = time

    def recognition(
        self, pattern: F32, box: F32, time: float, settings: IdentitySettings, *, partly_hidden: bool = False
    ) -> float:
        """How surely a face just found is this person, who is away: above 0 it may be.

        Args:
            pattern: (256,) of its crop.
            box: (4,) where it is.
            time: capture time, seconds.
            settings: of identities.
            partly_hidden: another head touches it, so that its looks say little.
        """
        likeness, away = self.looks.likeness(pattern), time - self.last
        near = nearness(box, self.motion.at(time))
        beside = away <= settings.beside_seconds and near >= settings.beside_nearness
        needed = settings.beside if beside else settings.same
        if beside and partly_hidden:
            needed = settings.partly_hidden
        if likeness < needed:
            return 0.0
        return likeness + _PULL * near * float(np.exp(-away / _FADES))
