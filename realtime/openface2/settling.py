"""When is the person's neutral known well enough? When it has stopped moving what it takes from the predictions."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

FRAMES = 60
TOLERANCE = 0.25


class Settling:
    """Settled once no dynamic Action Unit's neutral share moved by more than 0.25 within the last 60 measured frames.

    A quarter of the step between two neighbouring grades of the 0..5 scale. Stays settled until `reset`.
    """

    def __init__(self) -> None:
        self._last: deque[F64] = deque(maxlen=FRAMES)
        self.settled = False

    def update(self, neutral: F64) -> bool:
        """Take the neutral shares of one measured frame; returns whether it has settled."""
        if self.settled:
            return True
        self._last.append(neutral)
        if len(self._last) == FRAMES:
            recent = np.array(self._last)
            self.settled = bool(np.ptp(recent, axis=0).max(initial=0.0) <= TOLERANCE)
        return self.settled

    def reset(self) -> None:
        self._last.clear()
        self.settled = False
