"""A person's rest found over a whole recording, for measuring it afterwards: what live has to learn as it goes is known here.

Three steps: `RestSearch` takes in every frame and gives the shape at rest; `NearestRest` finds the frame that comes nearest
to it, whose picture the skin's movements are measured from; `measure_against` measures every frame, from the first one on,
against both. The same frames give the same numbers, whatever was measured before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

import numpy as np

from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.calibration import CalibrationSettings
from realtime.action_units.covered import without_hidden
from realtime.action_units.descriptor import Descriptor
from realtime.action_units.estimator import shrunk
from realtime.action_units.model import ActionUnits, Compared, Taken
from realtime.action_units.reference import Intensities, Reference
from realtime.action_units.rest_frame import MOST_TURNED, NEAR, Windows, rms_distance
from realtime.action_units.running_baseline import RunningBaseline
from realtime.action_units.shut_lids import with_shut_lids
from realtime.types import F32, FacePart, Sides

_ALL = 300
_JUDGED = 3
"""Of the frames on which the face is still and frontal, the first ten seconds are judged, so that short recordings have a rest
too; then every third: neighbours show the same."""
AT_ONCE = 8
"""Frames that the network is asked about together: more save no more."""
_FEWEST = 20
"""Frames of a calibration window that must show the face, uncovered and frontal, as in a live calibration."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A person's rest.

    Attributes:
        baseline: the shape at rest; None: no rest was found, the mean face stands in.
        settled: enough rest was seen, over long enough a time.
        calibrated: it was taken from a window that the user named.
        frames: how many it was made of.
    """

    baseline: Baseline | None = None
    settled: bool = False
    calibrated: bool = False
    frames: int = 0


class _Judged(NamedTuple):
    """A frame that the network is to judge."""

    found: Descriptor
    windows: Windows
    time: float
    hidden: Sequence[FacePart]


@dataclass(slots=True)
class RestSearch:
    """Takes in one person's frames in their order. One caller at a time.

    Attributes:
        units: the Action Unit network, which judges whether a frame shows rest.
        landmarks: checksum of the landmark network whose points come in.
        window: (start, end) in seconds of rest that the user named; None: rest is found.
        usable: frames inside the window that could be taken in.
        inside: frames inside the window.
    """

    units: ActionUnits
    landmarks: str = ""
    window: tuple[float, float] | None = None
    usable: int = 0
    inside: int = 0
    _running: RunningBaseline = field(init=False)
    _shapes: list[F32] = field(default_factory=list)
    _embeddings: list[F32] = field(default_factory=list)
    _still: int = 0
    _waiting: list[_Judged] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._running = RunningBaseline(self.units.identity, self.landmarks)

    def add(self, found: Descriptor, windows: Windows, time: float, hidden: Sequence[FacePart]) -> None:
        """Take in one frame.

        Args:
            found: its descriptor.
            windows: as `ActionUnits.cut` gives them.
            time: capture time, seconds.
            hidden: parts of the face that something covers.
        """
        if self.window is not None:
            self._add_named(found, windows, time, hidden)
        elif self._running.watch(found, time) and len(hidden) < len(get_args(FacePart)):
            self._still += 1
            if self._still <= _ALL or self._still % _JUDGED == 0:
                self._wait(_Judged(found, windows, time, hidden))

    def _add_named(self, found: Descriptor, windows: Windows, time: float, hidden: Sequence[FacePart]) -> None:
        assert self.window is not None
        if not self.window[0] <= time <= self.window[1]:
            return
        self.inside += 1
        limits, (yaw, pitch, roll) = CalibrationSettings(), found.facing
        if hidden or abs(yaw) > limits.yaw or abs(pitch) > limits.pitch or abs(roll) > limits.roll:
            return
        self.usable += 1
        self._wait(_Judged(found, windows, time, hidden))

    def _wait(self, frame: _Judged) -> None:
        """Judge the frame, together with those that wait, as soon as they are enough."""
        self._waiting.append(frame)
        if len(self._waiting) >= AT_ONCE:
            self._judge()

    def _judge(self) -> None:
        """Ask the network about the frames that wait."""
        frames, self._waiting = self._waiting, []
        if not frames:
            return
        answers = self.units.measure_frames([Taken(one.found, one.windows, Compared(None)) for one in frames])
        for (found, _, time, hidden), (values, embedding) in zip(frames, answers, strict=True):
            if self.window is None:
                self._running.admit(found, time, without_hidden(values, hidden), embedding)
            else:
                self._shapes.append(found.shape)
                self._embeddings.append(embedding)

    def rest(self) -> Rest:
        """What was found."""
        self._judge()
        if self.window is None:
            running = self._running
            return Rest(running.baseline(), running.settled, False, running.admitted)
        if self.usable < _FEWEST:
            return Rest(None, False, False, self.usable)
        embedding = _median(self._embeddings).reshape(2, EMBEDDING_SIZE)
        baseline = Baseline(_median(self._shapes), embedding, self.units.identity, self.landmarks)
        return Rest(baseline, True, True, self.usable)


class NearestRest:
    """Finds the frame that comes nearest to a shape at rest.

    Args:
        rest: the (98, 2) shape.

    Attributes:
        place: of the nearest frame so far, as it was given; None: no frame comes near.
    """

    def __init__(self, rest: F32) -> None:
        self.place: int | None = None
        self._rest = rest
        self._distance = NEAR

    def offer(self, place: int, found: Descriptor) -> None:
        """One uncovered frame. Of two that are equally near the first one offered stays.

        Args:
            place: of the frame.
            found: the face on it.
        """
        distance = rms_distance(found.shape, self._rest)
        if distance < self._distance and max(map(abs, found.facing[:2])) <= MOST_TURNED:
            self.place, self._distance = place, distance


class Measurable(NamedTuple):
    """A frame that can be measured.

    Attributes:
        found: its descriptor.
        windows: cut from it.
        hidden: parts that something covers.
        reference: the face at rest.
    """

    found: Descriptor
    windows: Windows
    hidden: Sequence[FacePart]
    reference: Reference


def measure_against(units: ActionUnits, frames: Sequence[Measurable]) -> list[Sides[Intensities]]:
    """Intensities of some frames; NaN on covered parts. Without a baseline low ones are lowered, as of anybody unknown.

    Args:
        units: the network.
        frames: at most `AT_ONCE` are worth it.

    Returns:
        Of each frame, in their order.
    """
    if not frames:
        return []
    asked = [Taken(one.found, one.windows, Compared(one.reference.baseline, one.reference.picture)) for one in frames]
    answers = zip(frames, units.measure_frames(asked), strict=True)
    read = [(one, raw if one.reference.baseline is not None else shrunk(raw)) for one, (raw, _) in answers]
    return [without_hidden(with_shut_lids(values, one.found), one.hidden) for one, values in read]


def _median(values: list[F32]) -> F32:
    return np.ascontiguousarray(np.median(np.stack(values), axis=0).astype(np.float32))
