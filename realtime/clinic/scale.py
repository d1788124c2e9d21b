"""Millimetres of a pixel: from the iris, an entered pupil distance, a ruler in the picture or, as a guess, the population's mean.

A person's head does not change its size, but its distance to the camera does. So each frame that shows the ruler (the iris, the
pupils) tells how many millimetres of this person are a centimetre of the mean head, the median of many frames is kept for the
session, and every frame's own head size in pixels turns it into millimetres of a pixel. A frame with shut eyes has a scale too.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from realtime.clinic.frontal import Frontal
from realtime.clinic.types import AgeGroup
from realtime.types import ScaleSource, ScaleState

IRIS_MM: dict[AgeGroup, float] = {"adult": 11.77, "child": 11.22}
"""Mean horizontal diameter of the visible iris: adults (Ruefer 2005, 390 eyes), children of 5 to 18 (Driessen 2011, SD 0.52)."""
MEAN_PUPIL_DISTANCE_MM = 63.0
"""Of adults; single people differ from it by up to 15 %."""
POPULATION_WARNING = (
    "Millimetres rest on the population's mean pupil distance of 63 mm, which is a guess for any one person (up to 15 % wrong): "
    "compare left with right, not with other people."
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How long a pixel is.

    Attributes:
        mm_per_pixel: NaN where there is no scale (yet).
        source: what it comes from.
        state: how good it is.
    """

    mm_per_pixel: float
    source: ScaleSource
    state: ScaleState = "measured"

    @property
    def known(self) -> bool:
        """Whether there is one."""
        return math.isfinite(self.mm_per_pixel)


class HeadSize:
    """How many millimetres of one person are a centimetre of the mean head: the median over frames that showed it.

    Half of the frames may be wrong by any amount before the median follows them.

    Nothing has been measured yet.

    Args:
        source: what the millimetres come from.
        settled: frames from which the median is more than provisional.
        kept: newest frames that it is taken over.
        fresh_seconds: time without a frame after which the scale counts as held.
    """

    def __init__(self, source: ScaleSource, *, settled: int = 15, kept: int = 151, fresh_seconds: float = 3.0) -> None:
        self.source: ScaleSource = source
        self._settled, self._fresh = settled, fresh_seconds
        self._samples: deque[float] = deque(maxlen=kept)
        self._median = float("nan")
        self._last = -math.inf

    @property
    def samples(self) -> int:
        """Frames that the median rests on."""
        return len(self._samples)

    @property
    def settled(self) -> bool:
        """Whether they are enough for more than a provisional scale."""
        return len(self._samples) >= self._settled

    def add(self, mm_per_pixel: float, face: Frontal, time: float) -> None:
        """A frame showed the scale.

        Args:
            mm_per_pixel: as measured on it.
            face: its points from the front.
            time: capture time, seconds.
        """
        sample = mm_per_pixel * face.head_scale
        if math.isfinite(sample) and sample > 0:
            self._samples.append(sample)
            self._median = float(np.median(self._samples))
            self._last = time

    def scale(self, face: Frontal, time: float) -> Scale:
        """The scale of a frame, from all frames so far.

        Args:
            face: from the front.
            time: seconds.
        """
        if not self.settled:
            state: ScaleState = "provisional"
        else:
            state = "measured" if time - self._last <= self._fresh else "held"
        return Scale(self._median / face.head_scale, self.source, state)

    def forget(self) -> None:
        """Another person is measured from here on."""
        self._samples.clear()
        self._median, self._last = float("nan"), -math.inf


def iris_scale(diameter: float, age_group: AgeGroup) -> float:
    """Millimetres of a pixel from an iris's diameter in pixels.

    Args:
        diameter: pixels.
        age_group: whose iris it is.
    """
    return IRIS_MM[age_group] / diameter if diameter > 0 else float("nan")


def pupil_scale(face: Frontal, pupil_distance_mm: float) -> float:
    """Millimetres of a pixel from the distance of both pupils, seen from the front.

    Args:
        face: from the front.
        pupil_distance_mm: as it was measured.
    """
    pixels = math.dist(face.points[96], face.points[97])
    return pupil_distance_mm / pixels if pixels > 0 else float("nan")
