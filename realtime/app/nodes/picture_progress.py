"""How far the picture path has come: work that nobody waits for begins when the frame's picture is done."""

import threading


class PictureProgress:
    """The newest frame that was drawn. `shown` belongs to the picture path; any thread may wait."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._newest = -1

    def shown(self, sequence: int) -> None:
        """A frame's picture is done.

        Args:
            sequence: of the frame.
        """
        with self._condition:
            self._newest = sequence
            self._condition.notify_all()

    def wait_for(self, sequence: int, seconds: float) -> bool:
        """Return when this frame or a later one was drawn, or after `seconds`.

        Args:
            sequence: of the frame.
            seconds: the longest wait.

        Returns:
            Whether it was drawn.
        """
        with self._condition:
            return self._condition.wait_for(lambda: self._newest >= sequence, seconds)

    def restart(self) -> None:
        """The source counts its frames anew."""
        with self._condition:
            self._newest = -1
