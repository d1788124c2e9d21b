"""The camera (or file, or stream) as a source of the graph."""

from collections.abc import Callable, Sequence

from realtime.graph import Item, StopToken
from realtime.media.video_source import VideoSource
from realtime.types import Frame


class Capture:
    """Gives frames with their capture time. open, read and close run on the source's own thread.

    Args:
        source: may be open already (a run opens it first, to learn the picture size and to refuse bad input early).
        listeners: called with every frame before any other part of the graph sees it, so that each one gets its row.
    """

    def __init__(self, source: VideoSource, listeners: Sequence[Callable[[Frame], None]] = ()) -> None:
        self.source = source
        self._listeners = listeners
        self._opened_before = source.stream_info is not None

    def open(self) -> None:
        """Open the device or file; raises what the user should read."""
        if self._opened_before:
            self._opened_before = False
            return
        self.source.open()

    def read(self, stop: StopToken) -> Item[Frame] | None:
        """The next frame, or None at the end."""
        frame = self.source.read(stop)
        if frame is None:
            return None
        # Many nodes share it. It also keeps the compiled kernels to one type, whichever decoder the picture came from.
        frame.image.flags.writeable = False
        for listener in self._listeners:
            listener(frame)
        return Item(frame, frame.sequence, frame.capture_time)

    def close(self) -> None:
        """Let go of the device."""
        self.source.close()
