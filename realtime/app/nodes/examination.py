"""The guided examination behind the analysis path: every analysed frame, in order."""

from typing import Protocol

from realtime.action_units.estimator import light_on
from realtime.clinic.observation import Observation, observe
from realtime.types import TrackedFrame

_LIGHT_STEP = 5.0
"""Light is told in steps of this, so that its log stays short."""


class Examiner(Protocol):
    """Takes what was seen of each frame. guides: there is an examination."""

    @property
    def guides(self) -> bool: ...

    def seen(self, observation: Observation, height: int, width: int) -> None:
        """Take the next frame.

        Args:
            observation: of the frame.
            height: of the picture, pixels.
            width: likewise.
        """
        ...

    def close(self) -> None:
        """The run ends."""
        ...


class Examine:
    """Sink: reads each analysis for the examination."""

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner

    def process(self, analysed: TrackedFrame) -> None:
        """One frame; without an examination it costs nothing."""
        if not self._examiner.guides:
            return
        image, face = analysed.frame.image, analysed.analysis.face
        height, width = image.shape[:2]
        light = None if face is None else light_on(image, face.box)
        if light is not None:
            light = _LIGHT_STEP * round(light / _LIGHT_STEP)
        self._examiner.seen(observe(analysed.analysis, height, width, light), height, width)

    def close(self) -> None:
        """Nothing more will come."""
        self._examiner.close()
