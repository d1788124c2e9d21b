"""A made-up person in front of an examination, on a virtual clock: does what the machine asks, with the face's own gains."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from realtime.clinic.examination import ExaminationMachine
from realtime.clinic.observation import Observation
from realtime.clinic.status import Event
from realtime.clinic.types import Movement
from realtime.types import Sides

FPS = 15
UNITS = (1, 2, 4, 5, 6, 9, 10, 12, 14, 15, 17, 18, 20, 23, 25, 26, 45)
# What a healthy face does: intensities by Action Unit.
MADE: Mapping[Movement, Mapping[int, float]] = {
    "rest": {},
    "brow_raise": {1: 3.0, 2: 3.0, 5: 1.0},
    "gentle_closure": {45: 4.0},
    "tight_closure": {45: 4.5, 6: 2.5, 4: 1.0},
    "open_smile": {12: 4.0, 25: 3.0, 6: 2.0},
    "closed_smile": {12: 3.0, 6: 1.5},
    "snarl": {9: 3.0, 10: 2.5, 4: 1.0},
    "pucker": {18: 3.5, 23: 1.0},
    "eee": {20: 2.5, 25: 3.0, 12: 1.0},
}
# Millimetres: at rest, and the change of a whole movement.
AT_REST = {"brow_height": 22.0, "fissure_height": 10.0, "commissure": 34.0}
MOVED: Mapping[Movement, Mapping[str, float]] = {
    "brow_raise": {"brow_height": 6.0},
    "gentle_closure": {"fissure_height": -10.0},
    "tight_closure": {"fissure_height": -10.0, "brow_height": -3.0},
    "open_smile": {"commissure": 8.0, "fissure_height": -1.5},
    "closed_smile": {"commissure": 6.0},
    "pucker": {"commissure": -6.0},
    "eee": {"commissure": 4.0},
}


def ease(share: float) -> float:
    """Minimum-jerk step."""
    x = min(max(share, 0.0), 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)


@dataclass
class Patient:
    """One face.

    left, right: what each side makes of a movement, 0..1. synkinesis: by side, what Action Unit comes along with which
    movement, and how strongly. noise: standard deviation of every intensity (lengths: twice that in mm). reaction: seconds from
    signal to movement. millimetres: lengths are measured. blinks: seconds between blinks.
    """

    left: float = 1.0
    right: float = 1.0
    synkinesis: Mapping[tuple[str, Movement, int], float] = field(default_factory=dict)
    noise: float = 0.05
    reaction: float = 0.45
    millimetres: bool = True
    blinks: float = 3.7
    seed: int = 1

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._go: float | None = None
        self._relax: float | None = None
        self._movement: Movement = "rest"

    def hear(self, event: Event, movement: Movement | None, time: float) -> None:
        """A signal of the machine."""
        if event == "go" and movement is not None:
            self._go, self._relax, self._movement = time + self.reaction, None, movement
        elif event == "relax" or (event == "rejected" and self._relax is None):
            self._relax = time + 0.3

    def done(self, time: float) -> float:
        """0..1 of the movement under way."""
        if self._go is None:
            return 0.0
        rise = ease((time - self._go) / 0.4)
        return rise if self._relax is None else rise * ease(1 - (time - self._relax) / 0.4)

    def look(self, sequence: int, time: float) -> Observation:
        """What is measured now."""
        done = self.done(time)
        self._drawn = iter(self._rng.standard_normal(2 * (len(UNITS) + len(AT_REST))).tolist())
        units = {unit: Sides(*(self._unit(unit, side, done, time) for side in ("left", "right"))) for unit in UNITS}
        lengths = {
            name: Sides(*(self._length(name, value, gain, done) for gain in (self.left, self.right)))
            for name, value in AT_REST.items()
        }
        return Observation(
            sequence,
            time,
            1,
            units,
            lengths if self.millimetres else {},
            {},
            0.5,
            2.0,
            -0.5,
            0.95,
            0.12,
            True,
            120.0,
            1,
            True,
            "iris" if self.millimetres else None,
        )

    def _unit(self, unit: int, side: str, done: float, time: float) -> float:
        gain = self.left if side == "left" else self.right
        value = gain * done * MADE[self._movement].get(unit, 0.0)
        value += done * self.synkinesis.get((side, self._movement, unit), 0.0)
        if unit == 45 and time % self.blinks < 0.15:
            value = max(value, 3.5)
        return min(5.0, max(0.0, value + self.noise * next(self._drawn)))

    def _length(self, name: str, rest: float, gain: float, done: float) -> float:
        change = MOVED.get(self._movement, {}).get(name, 0.0)
        return rest + gain * done * change + 2 * self.noise * next(self._drawn)


Change = Callable[[Observation, ExaminationMachine], Observation]


def examine(
    machine: ExaminationMachine,
    patient: Patient,
    *,
    change: Change = lambda seen, _machine: seen,
    limit: float = 600.0,
    start: bool = True,
) -> list[tuple[float, Event]]:
    """Run to the end, or to `limit` seconds. change: gives another observation. Returns every event with its time."""
    events: list[tuple[float, Event]] = []
    for sequence in range(int(limit * FPS)):
        time = 100.0 + sequence / FPS
        seen = change(patient.look(sequence, time), machine)
        if start and sequence == 10:
            machine.command("start")
        movement = machine.status.movement
        for event in machine.step(seen):
            events.append((time, event))
            patient.hear(event, machine.status.movement or movement, time)
        if machine.over:
            break
    return events


def nobody(seen: Observation) -> Observation:
    """The same frame without a face."""
    return Observation(seen.sequence, seen.time, faces=0)


def turned(seen: Observation, yaw: float) -> Observation:
    """The same face, turned."""
    return replace(seen, yaw=yaw)
