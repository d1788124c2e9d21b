"""A recording that can be turned on and off while the session runs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from realtime.media.recorder import VideoRecorder


class SwitchedRecorder:
    """Makes its file when it is first turned on. While it is off nothing is written; the file's time goes on, so that the
    recording stays in step with the rows and the last picture before the gap stands until the next.

    `switch` may come from any thread; `write` and `close` belong to one.
    """

    def __init__(self, make: Callable[[], VideoRecorder], *, on: bool) -> None:
        """make: opens the recorder; may raise DeviceError, at once where `on` is True."""
        self._make = make
        self._recorder = make() if on else None
        self._on = on

    @property
    def active(self) -> bool:
        """Whether pictures are written now."""
        return self._on and not (self._recorder is not None and self._recorder.failed)

    @property
    def notices(self) -> list[str]:
        """What the recorder has to say."""
        return self._recorder.notices if self._recorder is not None else []

    def switch(self, on: bool) -> None:
        """Turn it on or off. Raises DeviceError when the file cannot be made."""
        if on and self._recorder is None:
            self._recorder = self._make()
        self._on = on

    def write(self, image: NDArray[np.uint8], capture_time: float) -> bool:
        """Add one picture where it is on."""
        recorder = self._recorder
        if recorder is None:
            return False
        if not self._on:
            recorder.silence(capture_time)
            return False
        return recorder.write(image, capture_time)

    def close(self) -> None:
        """Finish the file, where there is one."""
        if self._recorder is not None:
            self._recorder.close()
