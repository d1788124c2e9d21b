"""Which repetition of which movement is under way, what is over, and what is still to come."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from realtime.clinic.language import stored_sentence
from realtime.clinic.protocol import Protocol
from realtime.clinic.types import Movement, Repetition


class Place(NamedTuple):
    """One repetition: its movement by its place in the protocol, and 1, 2, 3.

    Attributes:
        which: place of the movement in the protocol.
        number: of the repetition.
    """

    which: int
    number: int


class Agenda:
    """Leads through a protocol.

    Begin with the first repetition that is not over.

    Args:
        protocol: what is asked for.
        earlier: tries of a run before this one.

    Attributes:
        repetitions: every try so far, in order of time.
        place: the repetition that is under way; None: everything is over.
    """

    def __init__(self, protocol: Protocol, earlier: Sequence[Repetition] = ()) -> None:
        self.protocol = protocol
        self.repetitions: list[Repetition] = list(earlier)
        self.place: Place | None = None
        self.place = next(iter(self._open(Place(0, 1))), None)

    @property
    def movement(self) -> Movement:
        """That is under way."""
        assert self.place is not None
        return self.protocol.movements[self.place.which]

    @property
    def total(self) -> int:
        """How many repetitions the protocol has."""
        return len(self.protocol.movements) * self.protocol.repetitions

    @property
    def left(self) -> int:
        """How many are not over, the one under way included."""
        return 0 if self.place is None else len(self._open(self.place))

    @property
    def movements_left(self) -> int:
        """How many movements have not begun."""
        if self.place is None:
            return 0
        return len({place.which for place in self._open(self.place)} - {self.place.which})

    def add(self, tried: Repetition) -> None:
        """Enter a try of the repetition under way."""
        self.repetitions.append(tried)

    def advance(self) -> bool:
        """Go on to the next repetition that is not over.

        Returns:
            Whether it is of another movement.
        """
        before = self.place
        assert before is not None
        self.place = next((place for place in self._open(before) if place > before), None)
        return self.place is not None and self.place.which != before.which

    def skip_movement(self, moment: float) -> None:
        """Leave out what remains of the movement under way.

        Args:
            moment: seconds from the begin.
        """
        place = self.place
        assert place is not None
        sentence = stored_sentence("skipped")
        for number in range(place.number, self.protocol.repetitions + 1):
            self.add(Repetition(self.movement, number, "skipped", sentence, moment, ended=moment))

    def go_back(self) -> bool:
        """Go back to the repetition before, which does not count any more.

        Returns:
            Whether there is one.
        """
        place = self.place
        assert place is not None
        before = Place(place.which, place.number - 1)
        if before.number < 1:
            before = Place(place.which - 1, self.protocol.repetitions)
        if before.which < 0:
            return False
        movement, sentence = self.protocol.movements[before.which], stored_sentence("asked_again")
        self.repetitions = [
            replace(one, outcome="rejected", reason=sentence, at_peak=None, rest=None, peak=None)
            if (one.movement, one.number) == (movement, before.number) and one.outcome != "rejected"
            else one
            for one in self.repetitions
        ]
        self.place = before
        return True

    def _open(self, since: Place) -> list[Place]:
        """The repetitions from a place on that are not over."""
        over = {(one.movement, one.number) for one in self.repetitions if one.outcome != "rejected"}
        return [
            Place(index, number)
            for index, movement in enumerate(self.protocol.movements)
            for number in range(1, self.protocol.repetitions + 1)
            if (index, number) >= since and (movement, number) not in over
        ]
