"""The newest analysed frames of an examination, and since when there is no face."""

import math
from collections import deque

from realtime.clinic.observation import Observation

_KEPT = 1.5  # seconds
_LONGEST_STEP = 0.5  # seconds between two frames that count as time passed; longer is a hole in the source


class RecentFrames:
    """Takes every frame in order of time.

    Attributes:
        now: capture time of the newest frame, seconds; -inf: none came yet.
    """

    def __init__(self) -> None:
        self.now = -math.inf
        self._frames: deque[Observation] = deque()
        self._face_at = -math.inf

    @property
    def begun(self) -> bool:
        """Whether a frame came."""
        return math.isfinite(self.now)

    @property
    def absent(self) -> float:
        """Seconds since the last frame with a face, or since the first one."""
        return self.now - self._face_at

    def add(self, observation: Observation) -> float:
        """Take the next frame.

        Returns:
            Seconds that have passed since the one before.
        """
        passed = min(observation.time - self.now, _LONGEST_STEP) if self.begun else 0.0
        self.now = observation.time
        self._frames.append(observation)
        while self._frames[0].time < self.now - _KEPT:
            self._frames.popleft()
        if observation.face_id is not None or not math.isfinite(self._face_at):
            self._face_at = self.now
        return max(0.0, passed)

    def last(self, seconds: float) -> list[Observation]:
        """The frames of the last seconds, the newest last."""
        return [one for one in self._frames if one.time > self.now - seconds]
