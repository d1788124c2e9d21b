"""When to try again after a failure, and when to give up."""

import math
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Restart:
    """Try again after a failure: at most `attempts` times within `window` seconds, waiting ever longer (seconds)."""

    attempts: float = math.inf
    window: float = 60.0
    first_delay: float = 0.25
    factor: float = 2.0
    longest_delay: float = 5.0


class Backoff:
    """How long to wait before the next attempt. Pure: time is given."""

    def __init__(self, restart: Restart) -> None:
        self._restart = restart
        self._attempts: deque[float] = deque()

    def next(self, now: float) -> float | None:
        """Seconds to wait, growing with the attempts inside the window; None when they are used up."""
        r = self._restart
        while self._attempts and now - self._attempts[0] > r.window:
            self._attempts.popleft()
        if len(self._attempts) >= r.attempts:
            return None
        delay = min(r.longest_delay, r.first_delay * r.factor ** min(len(self._attempts), 64))
        self._attempts.append(now)
        return delay
