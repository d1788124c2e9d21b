"""What the user is told while a run lasts: as sentences, and in the preview."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from realtime.action_units import ActionUnitEstimator
from realtime.render.guidance import Guidance


class Notifier:
    """Says a sentence when it changes. say: called with what the user should read at once.

    measures: whose calibration is told of; None until the graph is wired.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.measures: ActionUnitEstimator | None = None
        self._guidance = Guidance()
        self._told = ""

    def compiling(self, model: str, seconds: float) -> None:
        """An accelerator compiles a model for the first time: say so every five seconds."""
        self._say_once(f"compiling {model} for this machine, once: {5 * int(seconds // 5)} s")

    def calibration(self) -> None:
        """Say what the person should do, whenever that changes."""
        if self.measures is None:
            return
        phase, _, sentence = self.measures.calibration.progress
        if phase != "idle":
            self._say_once(sentence)

    def draw(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the preview shows: the (H, W, 3) picture, and while a calibration lasts what the person should do."""
        if self.measures is None:
            return image
        return self._guidance.draw(image, self.measures.calibration.progress, time.monotonic())

    def _say_once(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            self.say(sentence)
