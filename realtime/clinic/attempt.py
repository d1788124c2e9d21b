"""One try of one movement after the signal: onset, peak and return, found from the measures while they come in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime.clinic.activity import CLOSURES, RestLevel
from realtime.clinic.observation import Observation
from realtime.clinic.types import Movement

HOLD_SECONDS = 1.2
"""From the onset; then the person is asked to relax."""
PEAK_SECONDS = 0.3
"""Span of the peak's snapshot."""
_PERSISTS = 0.12
_CLOSED = 0.3
"""A blink is shorter."""
_RETURNED_SHARE = 0.3
_RETURN_PERSISTS = 0.12
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Peak:
    """Where the movement was strongest.

    Attributes:
        time: of the middle frame, seconds.
        window: the frames of its span.
    """

    time: float
    window: tuple[Observation, ...]


class Attempt:
    """Follows the frames after the signal.

    Begin.

    Args:
        movement: that was asked for.
        at_rest: the frames just before the signal.
        go: when the signal was given, seconds.

    Attributes:
        movement: that was asked for.
        onset: when the movement began, seconds of capture time; None: not yet.
        returned: when it was over; None: not yet.
        go: when the signal was given, seconds.
        face_id: of the face at rest.
        frames: since the signal.
    """

    def __init__(self, movement: Movement, at_rest: Sequence[Observation], go: float) -> None:
        self.movement = movement
        self.onset: float | None = None
        self.returned: float | None = None
        self.go = go
        self.face_id = at_rest[-1].face_id if at_rest else None
        self.frames: list[Observation] = []
        self._level = RestLevel(movement, at_rest)
        self._persists = _CLOSED if movement in CLOSURES else _PERSISTS
        self._activity: list[float] = []
        self._above: float | None = None
        self._below: float | None = None
        self._most = 0.0

    def update(self, observation: Observation) -> None:
        """Take the next frame, with a face or without."""
        activity = self._level.activity(observation)
        self.frames.append(observation)
        self._activity.append(activity)
        if not np.isfinite(activity):
            return
        if self.onset is None:
            self._look_for_onset(activity, observation.time)
        elif self.returned is None:
            self._look_for_return(activity, observation.time)

    def _look_for_onset(self, activity: float, time: float) -> None:
        if activity < 1:
            self._above = None
            return
        self._above = time if self._above is None else self._above
        if time - self._above >= self._persists:
            self.onset = self._above
            self._most = activity

    def _look_for_return(self, activity: float, time: float) -> None:
        self._most = max(self._most, activity)
        if activity > max(1.0, _RETURNED_SHARE * self._most):
            self._below = None
            return
        self._below = time if self._below is None else self._below
        if time - self._below >= _RETURN_PERSISTS:
            self.returned = self._below

    def peak(self) -> Peak | None:
        """The span in which the movement was strongest; without an onset, of whatever there was. None: no frame."""
        since = self.onset if self.onset is not None else self.go
        until = self.returned if self.returned is not None else np.inf
        chosen = [
            (one, activity)
            for one, activity in zip(self.frames, self._activity, strict=True)
            if since <= one.time <= until and one.face_id is not None and np.isfinite(activity)
        ]
        if not chosen:
            return None
        times = np.array([one.time for one, _ in chosen])
        values = np.array([activity for _, activity in chosen])
        sums = np.concatenate([[0.0], np.cumsum(values)])
        first = np.searchsorted(times, times - PEAK_SECONDS / 2 - 1e-9)
        last = np.searchsorted(times, times + PEAK_SECONDS / 2 + 1e-9)
        count = last - first
        means = (sums[last] - sums[first]) / count
        # A span at an edge holds fewer frames and so more noise; whole ones go first.
        enough = count >= min(int(count.max()), max(_FEWEST, int(0.8 * count.max())))
        best = int(np.argmax(np.where(enough, means, -np.inf)))
        return Peak(float(times[best]), tuple(one for one, _ in chosen[first[best] : last[best]]))
