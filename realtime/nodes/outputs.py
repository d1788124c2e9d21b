"""Where shown pictures go."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.nodes.values import Shown


class PictureSink(Protocol):
    """Takes a (H, W, 3) uint8 BGR picture and its capture time; False when it has given up."""

    def write(self, image: NDArray[np.uint8], capture_time: float) -> bool: ...

    def close(self) -> None: ...


class Record:
    """The recording of what is shown."""

    def __init__(self, recorder: PictureSink) -> None:
        self._recorder = recorder

    def process(self, shown: Shown) -> None:
        """Encode one picture."""
        self._recorder.write(shown.image, shown.capture_time)

    def close(self) -> None:
        """Finish the file."""
        self._recorder.close()


class Show:
    """Hands the newest picture to whoever shows it (window, virtual camera)."""

    def __init__(self, show: Callable[[NDArray[np.uint8]], None], close: Callable[[], None] = lambda: None) -> None:
        self._show = show
        self._close = close

    def process(self, shown: Shown) -> None:
        """Show one picture."""
        self._show(shown.image)

    def close(self) -> None:
        """Let go of the device."""
        self._close()
