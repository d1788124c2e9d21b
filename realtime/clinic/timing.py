"""How long each part of an examination may take, so that a whole one stays within its four minutes.

While there is time to spare, a try that does not count is asked for again. When what is left would only just suffice for one
try of everything to come, waits become shorter and nothing is asked for again; no movement is left out.
"""

from dataclasses import dataclass

from realtime.clinic.attempt import HOLD_SECONDS

COUNT_DOWN = 1.5
REST_SPAN = 1.0
"""Seconds before the signal over which rest is measured."""
LOOK = 0.5
"""Seconds of frames by which a face is judged before the signal."""
CALIBRATION_SECONDS = 12.0
"""How long the first rest waits for a calibration."""
LONGEST_TRY = 14.0
"""A try that is under way when time becomes short takes at most this long."""
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds.

    Attributes:
        instruction: for what is asked, before a movement's first repetition.
        rest: until a face must have come to rest.
        go: until a movement must have begun.
        relax: until it must be over.
        tries: how often one repetition is asked for.
    """

    instruction: float
    rest: float
    go: float
    relax: float
    tries: int

    def longest_repetition(self) -> float:
        """The most that one try takes."""
        return self.rest + self.go + HOLD_SECONDS + self.relax


EASY = Timing(instruction=4.0, rest=6.0, go=4.0, relax=2.5, tries=MOST_TRIES)
SHORT = Timing(instruction=2.5, rest=1.9, go=2.5, relax=1.2, tries=1)


def timing(seconds_left: float, movements_left: int, repetitions_left: int) -> Timing:
    """The timing for what comes next.

    Args:
        seconds_left: of the examination's time.
        movements_left: that have not begun.
        repetitions_left: tries that must still be made, one each.
    """
    needed = movements_left * SHORT.instruction + repetitions_left * SHORT.longest_repetition() + LONGEST_TRY
    return EASY if seconds_left >= needed else SHORT
