"""Three, two, one, while a face is seen well and rests; the first rest also waits for a calibration."""

from collections.abc import Sequence
from typing import Literal

from realtime.clinic.activity import at_rest
from realtime.clinic.gate import problem
from realtime.clinic.language import Reason
from realtime.clinic.observation import Observation
from realtime.clinic.timing import CALIBRATION_SECONDS, COUNT_DOWN, LOOK
from realtime.clinic.types import Movement, Snapshot

Step = Literal["wait", "calibrate", "tick", "signal"]


class CountDown:
    """The time before the signal of each repetition.

    Args:
        calibrates: the first rest waits until the Action Units are measured against a calibration.

    Attributes:
        count: 3, 2, 1; 0: it does not run.
        share: 0..1 of it.
        reason: why it does not run; None: it runs, or waits for the calibration.
    """

    def __init__(self, *, calibrates: bool) -> None:
        self.count = 0
        self.share = 0.0
        self.reason: Reason | None = None
        self._from: float | None = None
        self._wants_calibration = calibrates
        self._calibrating: float | None = None

    @property
    def calibrating(self) -> bool:
        """Whether it waits for a calibration."""
        return self._wants_calibration and self._calibrating is not None

    def stop(self, reason: Reason | None = None) -> None:
        """Begin anew with the next frame."""
        self.count, self.share, self._from, self.reason = 0, 0.0, None, reason

    def update(
        self, look: Sequence[Observation], movement: Movement, level: Snapshot | None, entered: float
    ) -> Step:  # fmt: skip
        """Go on by one frame.

        Args:
            look: the frames of the last half second, the newest last.
            movement: that will be asked for.
            level: the examination's own rest; None: not known yet.
            entered: when the wait for rest began, seconds.
        """
        now = look[-1].time
        wrong = problem(look, movement)
        if wrong is None and self._wants_calibration:
            step = self._wait_for_calibration(look[-1], movement)
            if step is not None:
                return step
        if wrong is None and not at_rest(look, level):
            wrong = "not_at_rest"
        if wrong is not None:
            self.stop(wrong)
            return "wait"
        self.reason = None
        self._from = max(now - LOOK, entered) if self._from is None else self._from
        before, self.share = self.count, min(1.0, (now - self._from) / COUNT_DOWN)
        self.count = 3 - min(2, int(3 * self.share))
        if now - self._from >= COUNT_DOWN:
            self.stop()
            return "signal"
        return "tick" if self.count != before else "wait"

    def _wait_for_calibration(self, newest: Observation, movement: Movement) -> Step | None:
        """None: it is there, or is not waited for any longer."""
        begins = self._calibrating is None
        self._calibrating = newest.time if self._calibrating is None else self._calibrating
        late = newest.time - self._calibrating > CALIBRATION_SECONDS
        if movement != "rest" or newest.calibrated or late:
            self._wants_calibration = False
            return None
        self.stop()
        return "calibrate" if begins else "wait"
