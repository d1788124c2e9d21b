"""What the user is told while a run lasts."""

import threading
from collections.abc import Callable

from realtime.action_units.calibration import CalibrationProgress


class Notifier:
    """Sentences that the user should read at once, and the warnings that stay in force.

    Args:
        say: called with each sentence, on any thread.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._last = ""
        self._warnings: list[str] = []
        self._lock = threading.Lock()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What has failed in this run, for the preview and the page."""
        return tuple(self._warnings)

    def warn(self, sentence: str) -> None:
        """Say that something failed, once; it stays among the warnings."""
        with self._lock:
            if sentence in self._warnings:
                return
            self._warnings.append(sentence)
        self.say(sentence)

    def compiling(self, model: str, seconds: float) -> None:
        """Say every five seconds that a model or the kernels are being compiled for the first time.

        Args:
            model: what is compiled.
            seconds: since it began.
        """
        self._say_change(f"compiling {model} for this machine, once: {5 * int(seconds // 5)} s")

    def calibration(self, progress: CalibrationProgress) -> None:
        """Say what the person should do, whenever that changes."""
        if progress.phase != "idle":
            self._say_change(progress.sentence)

    def _say_change(self, sentence: str) -> None:
        if sentence != self._last:
            self._last = sentence
            self.say(sentence)
