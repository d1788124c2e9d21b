"""What an examination is told, what it tells, and what a screen shows of it."""

from dataclasses import dataclass
from typing import Literal, get_args

from realtime.clinic.language import Phase, Reason
from realtime.clinic.protocol import SECONDS
from realtime.clinic.types import Movement

Command = Literal["start", "pause", "continue", "skip", "redo", "stop"]
COMMANDS: tuple[Command, ...] = get_args(Command)
Event = Literal["started", "instruction", "tick", "go", "relax", "counted", "rejected", "calibrate", "stored", "ended"]
"""What has just happened; "calibrate": a calibration should begin; "stored": `repetitions` has changed."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the person should see and hear now.

    Attributes:
        phase: what goes on.
        movement: which is asked for; None before the start and after the end.
        number, of: the repetition that is under way, 1.., and how many there are of it.
        count: the count-down, 3, 2, 1; 0: none.
        share: 0..1 of the hold, or of the wait.
        reason: why the last try did not count, or what is in the way now.
        done, total: repetitions that are over, of all.
        seconds_left: of the examination's time, pauses left out.
    """

    phase: Phase = "waiting"
    movement: Movement | None = None
    number: int = 0
    of: int = 0
    count: int = 0
    share: float = 0.0
    reason: Reason | None = None
    done: int = 0
    total: int = 0
    seconds_left: float = SECONDS
