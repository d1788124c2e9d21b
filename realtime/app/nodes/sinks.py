"""Where shown pictures go."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.media.lossless import RawRecorder
from realtime.render.blur import FaceBlur
from realtime.types import U8, Frame, RenderedFrame


class PictureSink(Protocol):
    """Takes a (H, W, 3) uint8 BGR picture and its capture time; False when it has given up."""

    def write(self, image: NDArray[np.uint8], capture_time: float) -> bool: ...

    def close(self) -> None: ...


class Record:
    """The recording of what is shown.

    Args:
        recorder: writes the file.
        blur: draws other pictures for it, with every face hidden, a few frames later.
    """

    def __init__(self, recorder: PictureSink, blur: FaceBlur | None = None) -> None:
        self._recorder = recorder
        self._blur = blur

    def process(self, shown: RenderedFrame) -> None:
        """Encode one picture."""
        if self._blur is None:
            self._recorder.write(shown.image, shown.capture_time)
        else:
            self._write(self._blur.add(shown))

    def reset(self, reason: str) -> None:  # noqa: ARG002  the graph's contract
        """The stream was interrupted: what still waits is decided without the frames to come."""
        if self._blur is not None:
            self._write(self._blur.drain())

    def close(self) -> None:
        """Finish the file."""
        if self._blur is not None:
            self._write(self._blur.drain())
        self._recorder.close()

    def _write(self, pictures: list[tuple[U8, float]]) -> None:
        for image, capture_time in pictures:
            self._recorder.write(image, capture_time)


class RecordRaw:
    """The captured frames, on their way to a recorder with a thread and a backlog of its own.

    Args:
        recorder: writes the file.
        wait: hold the graph up when the backlog is full (offline, where every frame counts).
    """

    def __init__(self, recorder: RawRecorder, *, wait: bool) -> None:
        self._recorder = recorder
        self._wait = wait

    def process(self, frame: Frame) -> None:
        """Hand one frame on; does not wait for its encoding."""
        self._recorder.put(frame, wait=self._wait)

    def close(self) -> None:
        """Finish the file."""
        self._recorder.close()


class Show:
    """Hands the newest picture to whoever shows it (window, virtual camera).

    Args:
        show: takes the picture.
        close: called at the end.
    """

    def __init__(self, show: Callable[[NDArray[np.uint8]], None], close: Callable[[], None] = lambda: None) -> None:
        self._show = show
        self._close = close

    def process(self, shown: RenderedFrame) -> None:
        """Show one picture."""
        self._show(shown.image)

    def close(self) -> None:
        """Let go of the device."""
        self._close()
