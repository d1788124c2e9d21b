"""Who is who among several faces: newcomers recognised, exchanged identities put right, people remembered while they are away.

A face that is followed is taken for the same person from frame to frame; these are the exceptions. Who comes back is known by
place while that is fresh, and by looks. After two heads touched, their identities are doubted for a second: two that fit better
the other way round change places, and a face that looks otherwise in clear view is somebody else.
"""

from collections.abc import Sequence

import numpy as np

from realtime.face.assignment import assign
from realtime.face.followed import COMING_INTO_VIEW, Followed, heads_touch
from realtime.face.person import Person
from realtime.face.settings import IdentitySettings
from realtime.types import F32

_BEHIND = 4.0  # seconds for which a person who vanished beside another head is expected to come out from behind it
_MIXED = 1.0  # seconds after two heads touched in which their identities are doubted
_EXCHANGES = 3  # looks in a row that must say so before two identities change places
_MISMATCHES = 4  # clear looks in a row that must say that a face is somebody else
_KNOWN_FROM = 4  # crops of a person from which its looks are compared with others


class KnownPeople:
    """The identities of the people seen so far. Numbers count from 1 and are never given again.

    Args:
        settings: of identities.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._away: list[Person] = []
        self._exchanges: dict[frozenset[int], int] = {}
        self._people_seen = 0

    def forget(self) -> None:
        """Nobody is known any more; numbers go on counting."""
        self._away.clear()
        self._exchanges.clear()

    def new(self, box: F32, time: float) -> Person:
        """Somebody never seen before.

        Args:
            box: (4,) of the face.
            time: capture time, seconds.
        """
        self._people_seen += 1
        return Person.first_seen(self._people_seen, box, time)

    def left(self, person: Person) -> None:
        """This person is not followed any more, and may come back."""
        self._away.append(person)

    def returned(self, person: Person) -> None:
        """A person who was away is followed again."""
        self._away.remove(person)

    def anybody_expected(self, time: float) -> bool:
        """Whether somebody went away so lately that the return is likely."""
        return any(time - person.last <= self._settings.beside_seconds for person in self._away)

    def is_touched(self, one: Followed, followed: Sequence[Followed], time: float) -> bool:
        """Whether another head may hide this one, or come out from behind it.

        Args:
            one: the face.
            followed: all that are followed.
            time: capture time, seconds.
        """
        behind = (person for person in self._away if time - person.last <= _BEHIND)
        if any(heads_touch(person.motion.at(time), one.box) for person in behind):
            return True
        return any(other is not one and heads_touch(other.box, one.box) for other in followed)

    def doubt(self, one: Followed, time: float) -> None:
        """Another head touches this one: its identity is doubted for a while.

        Args:
            one: the face.
            time: capture time, seconds.
        """
        one.mixed_until = time + _MIXED

    def looks_otherwise(self, one: Followed, pattern: F32) -> bool:
        """Whether a crop is not what the person looks like, where that is known.

        Args:
            one: whose face it is taken for.
            pattern: (256,) of the crop.
        """
        looks = one.person.looks
        return looks.seen >= _KNOWN_FROM and looks.likeness(pattern) < self._settings.stranger

    def may_be(self, one: Followed, pattern: F32) -> bool:
        """Whether a crop near the expected place may show this person; always while little was seen.

        Args:
            one: whose face it may be.
            pattern: (256,) of the crop.
        """
        looks = one.person.looks
        return looks.likeness(pattern) >= self._settings.beside or looks.seen < _KNOWN_FROM

    def is_sure(self, one: Followed, time: float) -> bool:
        """Whether nothing speaks against this face being the person's.

        Args:
            one: the face.
            time: capture time, seconds.
        """
        looks = one.person.looks
        quiet = one.mixed_until < time and not one.track.doubt and not one.track.missed
        return quiet and looks.seen >= _KNOWN_FROM and looks.likeness(one.pattern) >= self._settings.beside

    def is_mismatch(self, one: Followed, pattern: F32, time: float) -> bool:
        """Whether a face taken for somebody by its place looks, in clear view, like somebody else.

        Several times in a row, and it is somebody new; the person it was taken for is away.

        Args:
            one: the face.
            pattern: (256,) of the crop.
            time: capture time, seconds.
        """
        doubted = self.looks_otherwise(one, pattern) and one.mixed_until >= time
        one.mismatches = one.mismatches + 1 if doubted else 0
        if one.mismatches >= _MISMATCHES:
            self.left(one.person)
            one.person = self.new(one.box, time)
            one.mismatches = 0
        return one.mismatches > 0

    def recognise(
        self, newcomers: Sequence[tuple[F32, F32]], followed: Sequence[Followed], time: float
    ) -> list[Person | None]:
        """The person that each newcomer is; None: somebody new.

        Args:
            newcomers: (256,) pattern and (4,) box of each.
            followed: all that are followed.
            time: capture time, seconds.
        """
        cost = np.full((len(newcomers), len(self._away)), np.inf)
        for row, (pattern, box) in enumerate(newcomers):
            hidden = any(heads_touch(box, one.box, COMING_INTO_VIEW) for one in followed)
            for column, person in enumerate(self._away):
                score = person.recognition(pattern, box, time, self._settings, partly_hidden=hidden)
                if score > 0:
                    cost[row, column] = 2.0 - score
        persons = {row: self._away[column] for row, column in assign(cost, 2.0)}
        return [persons.get(row) for row in range(len(newcomers))]

    def put_right(self, followed: Sequence[Followed], sequence: int, time: float) -> list[tuple[int, Person]]:
        """Put right what went wrong while heads touched, or when somebody came back and was not recognised.

        Args:
            followed: all that are followed.
            sequence: of the frame.
            time: its capture time, seconds.

        Returns:
            (number given up, whose face it is) of every person who was taken for somebody new.
        """
        mixed = [one for one in followed if one.mixed_until >= time and one.sequence == sequence]
        for place, one in enumerate(mixed):
            for other in mixed[place + 1 :]:
                self._exchange_if_better(one, other)
        known = [one for one in followed if _KNOWN_FROM <= one.person.looks.seen <= self._settings.late_looks]
        renamed = [change for one in known if (change := self._recognise_late(one)) is not None]
        self._away = [person for person in self._away if time - person.last <= self._settings.remembered]
        return renamed

    def _exchange_if_better(self, one: Followed, other: Followed) -> None:
        pair = frozenset((one.person.face_id, other.person.face_id))
        self._exchanges[pair] = self._exchanges.get(pair, 0) + 1 if self._fits_better_exchanged(one, other) else 0
        if self._exchanges[pair] >= _EXCHANGES:
            one.person, other.person = other.person, one.person
            self._exchanges[pair] = 0

    def _fits_better_exchanged(self, one: Followed, other: Followed) -> bool:
        if heads_touch(one.box, other.box):
            return False
        a, b = one.person.looks, other.person.looks
        straight = a.likeness(one.pattern) + b.likeness(other.pattern)
        return b.likeness(one.pattern) + a.likeness(other.pattern) > straight + self._settings.margin

    def _recognise_late(self, one: Followed) -> tuple[int, Person] | None:
        """A person who was taken for somebody new gets the old identity back."""
        likes = [
            (person.looks.likeness_to(one.person.looks), person)
            for person in self._away
            if person.face_id < one.person.face_id and person.last <= one.since
        ]
        best = max(likes, key=lambda pair: pair[0], default=None)
        if best is None or best[0] < self._settings.same:
            return None
        person, given_up = best[1], one.person
        person.looks.absorb(given_up.looks)
        person.life.alive = person.life.alive or given_up.life.alive
        person.motion, person.last = given_up.motion, given_up.last
        person.seconds += given_up.seconds
        self._away.remove(person)
        one.person = person
        return given_up.face_id, person
