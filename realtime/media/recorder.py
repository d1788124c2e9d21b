"""What was shown, as a video file whose time stamps are capture times and that survives being killed."""

import contextlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from realtime.errors import DeviceError
from realtime.files import open_private, reason
from realtime.media.encoders import Encoder, available_encoders

# Measured with sound that comes 0.3 s late: a kill loses 0.40 s of picture and 0.64 s of sound (0.63 and 0.89 with 0.5 s).
_FRAGMENT_SECONDS = 0.25
_KEYFRAME_SECONDS = 1.0
_INTERLEAVE_SECONDS = 0.1
# BT.601, limited range: what OpenCV's conversion makes, said in the file so that players show the right colours.
_BT601 = 6
_LIMITED = 1
_SOUND_BITS = 128_000
# AAC's first packet is this much before its first sample. The track begins that much later, so that nothing lies before
# time 0, which would make the muxer shift the picture's time stamps too.
_PRIMING = 1024
_ORIGIN = "first picture at capture time "


class Sound(Protocol):
    """A gapless mono track: sample k of what `read` has given since `start(origin)` was taken at origin + k/rate."""

    rate: int

    def start(self, origin: float) -> None: ...

    def read(self, until: float) -> NDArray[np.float32]: ...


class VideoRecorder:
    """Writes BGR frames to a fragmented MP4; a kill loses at most the last fragment (a quarter of a second).

    The rate is variable. Frames of another size than the first are scaled into it, with black borders, and `notices` says so
    once; odd sizes get one repeated row or column. `write` never raises: when the disk is full or fails, the recording is ended
    where it is, `notices` gets one sentence, `failed` is set, and later frames are ignored. Not thread-safe: give it one thread.

    Args:
        path: the file.
        fps: the nominal rate.
        encoder: None: the best of this machine.
        sound: a track that is recorded in the same file, as AAC.

    Attributes:
        origin: clock seconds of the file's time 0, the first frame's capture time; None before it.
        frames: pictures written.

    Raises:
        DeviceError: the file cannot be created, or no encoder is available.
    """

    def __init__(
        self, path: Path, *, fps: float = 30.0, encoder: Encoder | None = None, sound: Sound | None = None
    ) -> None:
        self.path = path
        self.notices: list[str] = []
        self.failed = False
        self.frames = 0
        self.origin: float | None = None
        self._fps = fps
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._last_pts = -1
        self._key_due = 0.0
        self._sound = sound
        self._sound_stream: AudioStream | None = None
        self._sound_next = 0
        self._newest = 0.0
        encoders = [encoder] if encoder else available_encoders()
        if not encoders:
            raise DeviceError("No video encoder is available, so nothing can be recorded; install PyAV from PyPI.")
        self._encoder = encoders[0]
        try:
            # libav opens its file with the first frame; whether it can be had is known only by trying now.
            open_private(path, "xb").close()
            self._container: OutputContainer | None = av.open(
                str(path),
                mode="w",
                format="mp4",
                options={
                    "movflags": "frag_keyframe+empty_moov+default_base_moof",
                    "frag_duration": str(int(_FRAGMENT_SECONDS * 1e6)),
                    "flush_packets": "1",
                    "video_track_timescale": str(self._encoder.ticks),
                    # Sound may come a second late (or, from a lost microphone, as silence after that second); pictures
                    # that waited for it in memory would be lost by a kill.
                    "max_interleave_delta": str(int(_INTERLEAVE_SECONDS * 1e6)),
                },
            )
        except (FFmpegError, OSError) as error:
            raise DeviceError(f"The recording {path} cannot be written ({reason(error)}).") from None

    def write(self, image: NDArray[np.uint8], capture_time: float) -> bool:
        """Add one frame. A frame that is not later than the one before it is left out: a file's time cannot stand still.

        Args:
            image: (H, W, 3) uint8 BGR.
            capture_time: clock seconds.

        Returns:
            False once recording has failed.
        """
        if self._container is None:
            return False
        try:
            stream = self._stream or self._start(image, capture_time)
            assert self.origin is not None
            seconds = capture_time - self.origin
            pts = round(seconds * self._encoder.ticks)
            if pts <= self._last_pts:
                return True
            frame = _to_i420(self._fitted(image))
            frame.pts, frame.time_base = pts, Fraction(1, self._encoder.ticks)
            if seconds >= self._key_due:
                frame.pict_type = PictureType.I
                self._key_due = seconds + _KEYFRAME_SECONDS
            self._container.mux(stream.encode(frame))
            self._newest = capture_time
            self._add_sound(capture_time)
        except Exception as error:  # noqa: BLE001  libraries raise anything; a picture that is not recorded is told
            self._fail(error)
            return False
        self._last_pts = pts
        self.frames += 1
        return True

    def silence(self, until: float) -> None:
        """Record silence up to `until` (capture time), where pictures are left out. Never raises."""
        if self._container is None or self._sound_stream is None:
            return
        try:
            self._add_sound(until, heard=False)
        except Exception as error:  # noqa: BLE001  as in `write`
            self._fail(error)

    def _add_sound(self, until: float, *, heard: bool = True) -> None:
        stream = self._sound_stream
        if stream is None or self._sound is None or self._container is None:
            return
        samples = self._sound.read(until)
        first, self._sound_next = self._sound_next, self._sound_next + len(samples)
        skipped = max(0, _PRIMING - first)
        samples = samples[skipped:] if heard else np.zeros_like(samples[skipped:])
        if not len(samples):
            return
        frame = AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None, :], format="fltp", layout="mono")
        frame.sample_rate = self._sound.rate
        frame.pts, frame.time_base = first + skipped, Fraction(1, self._sound.rate)
        self._container.mux(stream.encode(frame))

    def close(self) -> None:
        """Finish the file. Safe to call twice; a failure is noted like one of `write`."""
        container = self._container
        if container is None:
            return
        try:
            if self._stream is not None:
                self._add_sound(self._newest)
                container.mux(self._stream.encode(None))
            if self._sound_stream is not None and self._sound_next > _PRIMING:
                container.mux(self._sound_stream.encode(None))
            container.close()
        except Exception as error:  # noqa: BLE001  as in `write`
            self._fail(error)
        self._container = None

    def _start(self, image: NDArray[np.uint8], capture_time: float) -> VideoStream:
        assert self._container is not None
        height, width = image.shape[:2]
        self._size = (width, height)
        self.origin = capture_time
        # In the file's first bytes, so that it survives a kill: who opens it later can tell which row a picture belongs to.
        self._container.metadata["comment"] = f"{_ORIGIN}{capture_time:.6f}"
        encoder = self._encoder
        stream = self._container.add_stream(encoder.name, rate=Fraction(self._fps).limit_denominator(1001))
        assert isinstance(stream, VideoStream)
        stream.options = dict(encoder.options)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, encoder.ticks)
        context.thread_count = 1
        context.gop_size = max(1, round(10 * self._fps))
        context.max_b_frames = 0
        context.colorspace = _BT601
        context.color_range = _LIMITED
        if self._sound is not None:
            heard = self._container.add_stream("aac", rate=self._sound.rate, layout="mono")
            assert isinstance(heard, AudioStream)
            heard.bit_rate = _SOUND_BITS
            heard.codec_context.time_base = Fraction(1, self._sound.rate)
            self._sound_stream = heard
            self._sound.start(capture_time)
        self._stream = stream
        return stream

    def _fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        width, height = self._size
        if image.shape[:2] != (height, width):
            if not any("size" in notice for notice in self.notices):
                self.notices.append(
                    f"The picture's size changed to {image.shape[1]}x{image.shape[0]}; the recording goes on at its "
                    f"first size, {width}x{height}."
                )
            image = fit(image, width, height)
        if width % 2 or height % 2:
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        return image

    def _fail(self, error: Exception) -> None:
        container, self._container = self._container, None
        self.failed = True
        self.notices.append(
            f"Recording stopped after {self.frames} frames: {self.path} cannot be written ({reason(error)}); "
            "the session goes on without it."
        )
        if container is not None:
            with contextlib.suppress(FFmpegError, OSError):
                container.close()


def origin_of(comment: str) -> float | None:
    """The capture time (seconds) of a recording's first picture, which is the file's time 0; None where it does not say.

    Args:
        comment: the file's.
    """
    try:
        return float(comment.removeprefix(_ORIGIN)) if comment.startswith(_ORIGIN) else None
    except ValueError:
        return None


def _to_i420(image: NDArray[np.uint8]) -> VideoFrame:
    """BT.601, limited range. OpenCV takes 0.3 ms at 720p, swscale 1.6 ms.

    PyAV reads the height of a buffer of planes as a multiple of 4 only; the rare others go through swscale.
    """
    if image.shape[0] % 4 == 0:
        return VideoFrame.from_numpy_buffer(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), format="yuv420p")
    return VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p", threads=1)


def fit(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """`image` scaled into width x height with its shape kept, centred on black.

    Args:
        image: (H, W, 3) uint8 BGR.
        width: pixels.
        height: likewise.
    """
    scale = min(width / image.shape[1], height / image.shape[0])
    w, h = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    left, top = (width - w) // 2, (height - h) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[top : top + h, left : left + w] = cv2.resize(image, (w, h), interpolation=method)
    return canvas


class PausableRecorder:
    """Makes its file when it is first turned on. While it is off nothing is written; the file's time goes on, so that the
    recording stays in step with the rows and the last picture before the gap stands until the next.

    `switch` may come from any thread; `write` and `close` belong to one.

    Args:
        make: opens the recorder; may raise DeviceError, at once where `on` is True.
        on: whether it is turned on at once.
    """

    def __init__(self, make: Callable[[], VideoRecorder], *, on: bool) -> None:
        self._make = make
        self._recorder = make() if on else None
        self._on = on

    @property
    def active(self) -> bool:
        """Whether pictures are written now."""
        return self._on and not self.failed

    @property
    def failed(self) -> bool:
        """Whether the file could not be written to its end."""
        return self._recorder is not None and self._recorder.failed

    @property
    def notices(self) -> list[str]:
        """What the recorder has to say."""
        return self._recorder.notices if self._recorder is not None else []

    def switch(self, on: bool) -> None:
        """Turn it on or off.

        Raises:
            DeviceError: the file cannot be made.
        """
        if on and self._recorder is None:
            self._recorder = self._make()
        self._on = on

    def write(self, image: NDArray[np.uint8], capture_time: float) -> bool:
        """Add one picture where it is on.

        Args:
            image: (H, W, 3) uint8 BGR.
            capture_time: seconds.
        """
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
