"""Lengths of one person's face, frame by frame: the scale is learnt as the frames come, and kept."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from realtime.clinic.frontal import Frontal, seen_from_front
from realtime.clinic.lengths import lengths_of, refusal, withheld
from realtime.clinic.lip_correction import LipCorrection
from realtime.clinic.ruler import Ruler
from realtime.clinic.scale import MEAN_PUPIL_DISTANCE_MM, HeadSize, Scale, iris_scale, pupil_scale
from realtime.clinic.types import AgeGroup
from realtime.errors import UserInputError
from realtime.face import wflw
from realtime.face.iris import Iris
from realtime.types import F32, U8, FaceObservation, Millimetres, ScaleSource, Sides

LEAST_IRIS = 9.0
"""Pixels of an iris's diameter below which it is not measured."""
MOST_SPREAD = 0.035
"""The network's own standard error of a diameter above which it does not count: with this limit rendered irises of people it was not
taught with are right to 3 %; real portraits are claimed to 0.02."""
LEAST_OPENING = 0.16
"""Of the eye's width: a lid gap below it leaves too little of the iris to see."""
_RULER_FRAMES = 30
_NAN = float("nan")

ReadIrises = Callable[[U8, F32], Sides[Iris | None]]


@dataclass(frozen=True, slots=True)
class ScaleChoice:
    """Where the millimetres come from.

    Attributes:
        source: what gives the scale.
        age_group: chooses the assumed diameter of the iris.
        pupil_distance: of this person, millimetres, where `source` is that.
        ruler: a length in the picture, where `source` is that.
        every: once the scale is settled, it is measured on every n-th frame; before that on every second one.

    Raises:
        UserInputError: the source lacks its number.
    """

    source: ScaleSource = "iris"
    age_group: AgeGroup = "adult"
    pupil_distance: float | None = None
    ruler: Ruler | None = None
    every: int = 10

    def __post_init__(self) -> None:
        if self.source == "pupil distance" and self.pupil_distance is None:
            raise UserInputError("Millimetres from the pupil distance need its value in mm.")
        if self.source == "ruler" and self.ruler is None:
            raise UserInputError("Millimetres from a ruler need its length in mm and its ends in the picture.")


@dataclass(slots=True)
class _Seen:
    """What is known of the face that is measured now."""

    face_id: int | None = None
    frames: int = 0
    problem: str = ""
    ruler_frames: int = field(default=0)


class LengthMeter:
    """Measures a face's lengths. One caller at a time.

    The scale belongs to a face: another one begins with none.

    Nobody has been measured yet.

    Args:
        choice: where the millimetres come from.
        irises: reads both irises of a picture with its 98 points; needed where the iris gives the scale.
        lips: the correction that belongs to the network that gives the points; None: there is none.

    Raises:
        UserInputError: the iris is to give the scale, and nothing reads it.
    """

    def __init__(
        self, choice: ScaleChoice, irises: ReadIrises | None = None, lips: LipCorrection | None = None
    ) -> None:
        if choice.source == "iris" and irises is None:
            raise UserInputError(
                "This folder of models holds no iris network; take the millimetres from something else."
            )
        self._choice, self._irises, self._lips = choice, irises, lips
        self._size = HeadSize(choice.source)
        self._seen = _Seen()

    def update(self, face: FaceObservation, image: U8, time: float) -> Millimetres:
        """Measure one frame.

        Args:
            face: the tracked face.
            image: (H, W, 3) BGR, the frame it was seen on.
            time: capture time, seconds.

        Returns:
            The lengths, or why there are none.
        """
        if face.face_id != self._seen.face_id:
            self._size.forget()
            self._seen = _Seen(face.face_id)
        self._seen.frames += 1
        reason = refusal(face.pose, face.hidden)
        front = None if reason or face.pose is None else seen_from_front(face.points, face.pose)
        if front is None:
            return withheld(Scale(_NAN, self._choice.source, "held"), reason or "the points are no face")
        every = self._choice.every if self._size.settled else 2
        if self._seen.frames % every == 1 % every:
            self._look(face, front, image, time)
        scale = self._size.scale(front, time)
        if not scale.known:
            return withheld(scale, f"no scale yet: {self._seen.problem}")
        front = front if self._lips is None else self._lips(front)
        return lengths_of(front, scale, face.hidden, pitch=0.0 if face.pose is None else face.pose[1])

    def _look(self, face: FaceObservation, front: Frontal, image: U8, time: float) -> None:
        """Take the scale from this frame, where it shows it."""
        measured, self._seen.problem = self._measure(face, front, image)
        if not self._seen.problem:
            self._size.add(measured, front, time)

    def _measure(self, face: FaceObservation, front: Frontal, image: U8) -> tuple[float, str]:
        """Millimetres of a pixel on this frame, and what is in the way."""
        choice = self._choice
        if choice.source == "ruler" and choice.ruler is not None:
            # The ruler is held beside the face at the beginning; later only the head's size is followed.
            self._seen.ruler_frames += 1
            late = self._seen.ruler_frames > _RULER_FRAMES and self._size.settled
            return choice.ruler.mm_per_pixel, "the ruler's time is over" if late else ""
        right, left = wflw.eye_opening(face.points)
        open_eyes = Sides(left >= LEAST_OPENING, right >= LEAST_OPENING)
        if choice.source == "iris":
            return self._by_iris(image, face.points, open_eyes)
        if not all(open_eyes):
            return _NAN, "an eye is shut"
        distance = choice.pupil_distance if choice.source == "pupil distance" else MEAN_PUPIL_DISTANCE_MM
        return pupil_scale(front, distance or _NAN), ""

    def _by_iris(self, image: U8, points: F32, open_eyes: Sides[bool]) -> tuple[float, str]:
        if not any(open_eyes):
            return _NAN, "the eyes are shut"
        assert self._irises is not None
        found = [iris for iris, is_open in zip(self._irises(image, points), open_eyes, strict=True) if iris and is_open]
        clear = [iris for iris in found if iris.spread <= MOST_SPREAD]
        if not clear:
            return _NAN, "no iris is seen clearly"
        diameter = float(np.exp(np.mean([math.log(iris.diameter) for iris in clear])))
        if diameter < LEAST_IRIS:
            return _NAN, f"an iris of {diameter:.0f} pixels is too small; come nearer or take a larger picture"
        return iris_scale(diameter, self._choice.age_group), ""
