"""What an examination consists of: movements, their repetitions, and what was measured at rest and at the peak of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from realtime.types import ScaleSource, Sides

Affected = Literal["left", "right", "both", "none"]
"""The patient's own side that is affected."""
Movement = Literal[
    "rest",
    "brow_raise",
    "gentle_closure",
    "tight_closure",
    "open_smile",
    "closed_smile",
    "snarl",
    "pucker",
    "eee",
]
MOVEMENTS: tuple[Movement, ...] = get_args(Movement)
Outcome = Literal["counted", "rejected", "skipped"]
AgeGroup = Literal["adult", "child"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was measured of a face at one moment: medians over the frames of a short span. Absent: not measured.

    Attributes:
        frames: how many frames were taken together.
        sequence: the middle frame's number, for its picture.
        lengths: by the field name of `realtime.types.Millimetres`, the patient's left and right; mm, mm2 or degrees.
        midline: the same for the measures that have no side (`philtrum_deviation`, `fai`).
        units: intensity 0..5 by Action Unit number.
        yaw, pitch, roll: degrees, as in `FaceObservation.pose`.
    """

    frames: int
    sequence: int
    lengths: Mapping[str, Sides[float]] = field(default_factory=dict)
    midline: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[int, Sides[float]] = field(default_factory=dict)
    yaw: float = float("nan")
    pitch: float = float("nan")
    roll: float = float("nan")


@dataclass(frozen=True, slots=True)
class Repetition:
    """One try of one movement.

    Attributes:
        movement: which.
        number: 1, 2, 3: the repetition that this try was for.
        outcome: whether it counts.
        reason: one sentence, where it does not count.
        started, onset, peak, returned, ended: seconds of capture time from the examination's begin; None: did not happen.
        rest: at rest just before the movement (for the movement "rest": the rest itself); None: not measured.
        at_peak: at the movement's peak; None for "rest" and where nothing counts.
    """

    movement: Movement
    number: int
    outcome: Outcome
    reason: str = ""
    started: float = 0.0
    onset: float | None = None
    peak: float | None = None
    returned: float | None = None
    ended: float | None = None
    rest: Snapshot | None = None
    at_peak: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """One examination of one person: what scores, sheet and course are computed from.

    Attributes:
        person: as named on the command line.
        affected: the side that the clinician named.
        protocol: the name of the list of movements.
        begun: date and time, ISO 8601 with offset.
        scale: what the millimetres come from; None: there are none.
        age_group: chooses the assumed iris diameter.
        finished: False: it was broken off (stopped, or killed and closed afterwards).
        repetitions: every try, in order of time.
        overruled: a clinician's own value by item, for example "sunnybrook.rest.eye"; stands beside the estimate.
        versions: of the program and of each model.
    """

    person: str
    affected: Affected
    protocol: str
    begun: str
    scale: ScaleSource | None = None
    age_group: AgeGroup = "adult"
    finished: bool = False
    repetitions: tuple[Repetition, ...] = ()
    overruled: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def counted(self, movement: Movement) -> tuple[Repetition, ...]:
        """Give the repetitions of a movement that count, in order of time."""
        return tuple(one for one in self.repetitions if one.movement == movement and one.outcome == "counted")
