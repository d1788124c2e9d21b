"""Which of the people who are not the patient are looked at on a frame: each in turn, so that all of them keep one rate."""

import math
from collections.abc import Sequence

from realtime.face.followed import Followed

_MOST_DEFICIT = 4
"""Frames whose looks are made up for; what is missed beyond that is not."""


class LooksInTurn:
    """Shares looks out by deficit round robin: those missed with a frame are made up for on the frames that follow, a few at a time."""

    def __init__(self) -> None:
        self._deficit = 0.0
        self._counted: int | None = None
        self._turn = 0

    def restart(self) -> None:
        """Nothing is left to make up for (the source was restarted)."""
        self._deficit, self._counted = 0.0, None

    def due(
        self, others: Sequence[Followed], sequence: int, every: float, *, wait: int | None = None
    ) -> list[Followed]:
        """Whose turn it is; each gets its next turn behind all the others.

        Args:
            others: everybody but the patient.
            sequence: of the frame.
            every: each of them is looked at on every n-th frame, on average; at least 1.
            wait: this frame is busy enough: nobody is due where the frames until the detector's next pass, which comes every so
                many, have room for it; None: it is not.
        """
        a_frame = len(others) / every
        frames = 1 if self._counted is None else max(0, sequence - self._counted)
        self._deficit = min(self._deficit + frames * a_frame, _MOST_DEFICIT * a_frame)
        self._counted = sequence
        most = math.ceil(a_frame)
        if wait is not None and wait * a_frame <= (wait - 1) * most:
            most = 0
        looks = min(int(self._deficit + 1e-9), most)
        self._deficit -= looks
        turns = sorted(others, key=lambda one: one.turn)[:looks]
        for one in turns:
            self._turn += 1
            one.turn = self._turn
        return turns
