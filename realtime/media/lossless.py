"""raw.mkv: the captured pictures without any loss, for replaying.

Measured per 1280x720 frame of a talking face, one thread: H.264 in RGB at quantiser 0 ("libx264rgb", ultrafast) 10 ms and
0.40 MB; FFV1 23 ms and 0.26 MB. So x264 is taken where this libav has it, a third of a core at 30 frames a second.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from realtime.errors import DeviceError, UserInputError
from realtime.files import open_private, open_regular, reason
from realtime.types import U8, Frame

NAME = "raw.mkv"
# Matroska keeps a cluster in memory until it is full. With one picture each, a kill loses the last picture only (300 ms
# lost 10 of 40, and the file could not be opened before the first cluster was full); the cost is 20 bytes a picture.
_CLUSTER_MS = 1
_TICKS = 1000
_BACKLOG = 45
_LONGEST_WAIT = 0.4
# A second between pictures that stand alone: a cut file loses no more at its end than its last cluster.
_KEYFRAMES = 30


class RawRecorder:
    """Encodes on a thread of its own; `put` never waits unless asked to.

    What waits is bounded, so that a kill loses less than a second even where encoding cannot keep up: a frame is dropped
    when `backlog` others wait, or when the oldest of them has waited `longest_wait` seconds of capture time. `dropped` counts
    these frames, and frames of another size than the first. On a failed disk `notices` gets one sentence and `failed` is set.

    Args:
        path: the file.
        recorded: called with (sequence, capture_time) per picture kept; the pictures in the file are in the order of these
            calls.
        fps: the nominal rate.
        backlog: frames that may wait.
        longest_wait: seconds.

    Raises:
        DeviceError: the file cannot be created, or nothing here encodes without loss.
    """

    def __init__(
        self,
        path: Path,
        recorded: Callable[[int, float], object],
        *,
        fps: float = 30.0,
        backlog: int = _BACKLOG,
        longest_wait: float = _LONGEST_WAIT,
    ) -> None:
        self.path = path
        self.frames = 0
        self.dropped = 0
        self.failed = False
        self.notices: list[str] = []
        self._recorded = recorded
        self._fps = fps
        self._most = backlog
        self._longest_wait = longest_wait
        self._codec = _codec()
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._stream: VideoStream | None = None
        self._shape: tuple[int, ...] = ()
        self._origin = 0.0
        self._last = -1
        try:
            open_private(path, "xb").close()
            self._container: OutputContainer | None = av.open(
                str(path),
                mode="w",
                format="matroska",
                options={"cluster_time_limit": str(_CLUSTER_MS), "flush_packets": "1"},
            )
        except (FFmpegError, OSError) as error:
            raise DeviceError(f"The raw recording {path} cannot be written ({reason(error)}).") from None
        self._thread = threading.Thread(target=self._run, name="raw-recorder", daemon=True)
        self._thread.start()

    def put(self, frame: Frame, *, wait: bool = False) -> bool:
        """Take a frame, or drop it when too many wait already.

        Args:
            frame: to be written.
            wait: hold the caller up instead (offline).
        """
        with self._changed:
            while wait and len(self._waiting) >= self._most and not self.failed:
                self._changed.wait(0.1)
            if self._closing or self.failed or self._is_full(frame, wait=wait):
                self.dropped += 1
                return False
            self._waiting.append(frame)
            self._changed.notify_all()
            return True

    def _is_full(self, frame: Frame, *, wait: bool) -> bool:
        waiting = self._waiting
        late = len(waiting) > 1 and not wait and frame.capture_time - waiting[0].capture_time > self._longest_wait
        return late or len(waiting) >= self._most

    def close(self) -> None:
        """Encode what waits and finish the file. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if self.dropped and not self.failed:
            self.notices.append(
                f"{self.dropped} captured frames are missing from {self.path.name}: encoding could not keep up. A replay "
                "goes on behind them, but what was measured from there on may differ."
            )
            self.dropped = 0

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    break
                frame = self._waiting.popleft()
                self._changed.notify_all()
            self._write(frame)
        self._finish()

    def _write(self, frame: Frame) -> None:
        if self._container is None:
            return
        if self._shape and frame.image.shape != self._shape:
            self.dropped += 1
            return
        try:
            stream = self._stream or self._start(frame)
            picture = _picture(frame.image, self._codec.pixels)
            pts = max(self._last + 1, round((frame.capture_time - self._origin) * _TICKS))
            picture.pts, picture.time_base, self._last = pts, Fraction(1, _TICKS), pts
            self._container.mux(stream.encode(picture))
            self._recorded(frame.sequence, frame.capture_time)
        except Exception as error:  # noqa: BLE001  libraries raise anything; without this thread a caller would wait for ever
            self._fail(error)
            return
        self.frames += 1

    def _start(self, frame: Frame) -> VideoStream:
        assert self._container is not None
        stream = self._container.add_stream(self._codec.name, rate=Fraction(self._fps).limit_denominator(1001))
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = frame.image.shape[:2]
        stream.pix_fmt, stream.options = self._codec.pixels, dict(self._codec.options)
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.gop_size = _KEYFRAMES
        self._stream, self._shape, self._origin = stream, frame.image.shape, frame.capture_time
        return stream

    def _finish(self) -> None:
        container, self._container = self._container, None
        if container is None:
            return
        try:
            if self._stream is not None:
                container.mux(self._stream.encode(None))
            container.close()
        except Exception as error:  # noqa: BLE001  as in `_write`
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        container, self._container = self._container, None
        self.notices.append(
            f"The raw recording stopped after {self.frames} frames: {self.path} cannot be written ({reason(error)}); "
            "the session goes on without it."
        )
        with self._changed:
            self.failed = True
            self._waiting.clear()
            self._changed.notify_all()
        if container is not None:
            with contextlib.suppress(FFmpegError, OSError):
                container.close()


class _Lossless:
    """A codec that gives back every bit of a BGR picture."""

    def __init__(self, name: str, pixels: str, options: dict[str, str]) -> None:
        self.name, self.pixels, self.options = name, pixels, options


_CODECS = (
    _Lossless("libx264rgb", "bgr24", {"preset": "ultrafast", "qp": "0", "tune": "zerolatency"}),
    _Lossless("ffv1", "bgr0", {"level": "3", "coder": "0", "context": "0"}),
)


def _codec() -> _Lossless:
    for codec in _CODECS:
        with contextlib.suppress(UnknownCodecError, ValueError):
            Codec(codec.name, "w")
            return codec
    raise DeviceError(
        "This PyAV has neither libx264rgb nor FFV1, so nothing can be recorded raw; install PyAV from PyPI."
    )


def _picture(image: U8, pixels: str) -> VideoFrame:
    if pixels == "bgr24":
        return VideoFrame.from_ndarray(image, format="bgr24")
    frame = VideoFrame(image.shape[1], image.shape[0], pixels)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(image.shape[0], plane.line_size // 4, 4)
    cv2.cvtColor(image, cv2.COLOR_BGR2BGRA, dst=rows[:, : image.shape[1]])
    return frame


def read_raw(path: Path) -> Iterator[U8]:
    """The pictures in order, bit for bit as they were captured; ends quietly where a killed recording ends.

    Args:
        path: of the recording.

    Returns:
        (H, W, 3) uint8 BGR, contiguous, one after the other.

    Raises:
        UserInputError: there is no such video.
    """
    try:
        open_regular(path).close()  # libav would wait for a named pipe
        container = av.open(str(path), metadata_errors="replace")
    except FileNotFoundError:
        raise UserInputError(
            f"{path.parent} holds no {path.name}: only a session recorded with --record raw can be replayed."
        ) from None
    except (FFmpegError, OSError) as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    with container:
        if not container.streams.video:
            raise UserInputError(f"{path} holds no picture.")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise UserInputError(f"{path} is damaged: what its pictures are coded with cannot be told.")
        stream.thread_count = 1
        try:
            for picture in _pictures(container, stream):
                # Where rows are padded, libav's picture is a view with gaps, which nothing behind takes.
                image: U8 = np.ascontiguousarray(picture.to_ndarray(format="bgr24", threads=1), np.uint8)
                image.flags.writeable = False
                yield image
        except (FFmpegError, OSError, ValueError):
            return


def _pictures(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Every picture up to where the file breaks off, those included that the decoder still holds there."""
    with contextlib.suppress(FFmpegError, OSError):
        for packet in container.demux(stream):
            if packet.size:
                yield from packet.decode()
    yield from stream.decode(None)
