"""Demuxing and decoding: packets in, decoded pictures out. Blocking; used by one thread at a time."""

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.container import InputContainer
from av.error import BlockingIOError as WouldBlock
from av.error import DecoderNotFoundError, FFmpegError, InvalidDataError
from av.error import EOFError as EndOfFile
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from realtime.errors import DeviceError, UserInputError
from realtime.media.convert import square_size
from realtime.media.demux_options import OpenPlan
from realtime.media.libav_errors import opening_error, reading_error
from realtime.media.orientation import Orientation
from realtime.media.recording_end import duration_of, early_end
from realtime.media.stream_info import StreamInfo

_RETRY_SECONDS = 0.002
_ARRIVALS_KEPT = 128
_DAMAGED_LIMIT = 300
# A camera that is busy, forbidden or gone is so in every mode.
_HOPELESS = (errno.EBUSY, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENODEV, errno.ENXIO)
# More than any camera gives (8K has 33 million); a damaged header may promise gigabytes.
_MOST_PIXELS = 100_000_000
_ASPECTS = (0.25, 4.0)
# A text file "plays" as ANSI art; nobody means that.
_NOT_VIDEO = ("tty", "ass", "srt", "webvtt", "txd")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture before conversion.

    Attributes:
        picture: libav's.
        time: the source's own seconds, or None.
        arrival: clock seconds when its packet came (for a camera with kernel time stamps: when it was taken).
        lost: pictures known to be lost just before it.
    """

    picture: VideoFrame
    time: float | None
    arrival: float
    lost: int = 0


class Decoder:
    """Opens a source and yields its pictures in presentation order. One thread opens, reads and closes it.

    Args:
        opening: what to hand to libav.
        clock: the graph's clock.
        decode_threads: 1 costs least and adds no delay; more helps large H.264 and HEVC files.
        open_timeout: seconds, for streams.
        stall_timeout: seconds, for streams.

    Attributes:
        damaged: packets and pictures that could not be decoded; they are skipped.
        cut_short: a sentence when a recording ended before its own index says it should.
    """

    def __init__(
        self,
        opening: OpenPlan,
        clock: Callable[[], float],
        *,
        decode_threads: int = 1,
        open_timeout: float = 10.0,
        stall_timeout: float = 5.0,
    ) -> None:
        self.opening = opening
        self.damaged = 0
        self.cut_short: str | None = None
        self._clock = clock
        self._threads = decode_threads
        self._timeouts = (open_timeout, stall_timeout)
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._pictures: Iterator[Decoded] = iter(())
        self._first: Decoded | None = None
        self._first_time = 0.0
        self._last_time = 0.0
        self._period = 0.0
        self._live = False
        self._count = 0
        self._abandoned = False

    def open(self) -> StreamInfo:
        """Open and decode the first picture.

        Raises:
            UserInputError: this is not a video.
            DeviceError: the source cannot be had.
        """
        self.close()
        self.damaged, self.cut_short, self._count, self._last_time = 0, None, 0, 0.0
        try:
            container = self._open_container()
            self._container = container
            self._stream = stream = self._choose(container)
            stream.thread_count = self._threads
            stream.codec_context.options = {"max_pixels": str(_MOST_PIXELS)}
            stream.thread_type = "SLICE" if self._threads == 1 or not self.opening.recorded else "AUTO"
            self._pictures = self._decode(container, stream)
            self._first = next(self._pictures, None)
            if self._first is None:
                raise UserInputError(f"{self.opening.name} holds no picture that can be decoded.")
            info = self._stream_info(container, stream, self._first.picture)
            self._live = info.live
            self._period = 1 / info.fps if info.fps else 0.0
            return info
        except BaseException:
            self.close()
            raise

    def next(self) -> Decoded | None:
        """Decode the next picture.

        Returns:
            The picture, or None at the end.

        Raises:
            DeviceError: a live source stopped giving frames.
        """
        decoded, self._first = self._first, None
        if decoded is None:
            decoded = next(self._pictures, None)
        if decoded is None:
            if self._live and not self.opening.may_end:
                raise DeviceError(f"{self.opening.name} ended: no more frames come.")
            self._judge_end()
        else:
            if decoded.time is not None:
                self._first_time = self._first_time if self._count else decoded.time
                self._last_time = max(self._last_time, decoded.time)
            self._count += 1
        return decoded

    def abandon(self) -> None:
        """Make `next` return None at the next chance. May be called from any thread."""
        self._abandoned = True

    def close(self) -> None:
        """Close the source. Only from the thread that reads."""
        self._pictures = iter(())
        self._first = None
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            container.close()

    def _open_container(self) -> InputContainer:
        error: Exception | None = None
        opening = self.opening
        for attempt in opening.attempts:
            try:
                result: InputContainer = av.open(
                    attempt.file,
                    mode="r",
                    format=attempt.format,
                    options=dict(attempt.options),
                    metadata_errors="replace",  # old cameras write titles in Latin-1
                    timeout=self._timeouts if opening.network else None,
                )
                return result
            except (FFmpegError, ValueError, OSError) as failure:
                error = error or failure
                if getattr(failure, "errno", None) in _HOPELESS:
                    error = failure
                    break
        assert error is not None
        raise opening_error(
            opening.name,
            error,
            device=opening.device,
            url=opening.network,
            seconds=self._timeouts[0],
        ) from None

    def _choose(self, container: InputContainer) -> VideoStream:
        name = self.opening.name
        if container.format.name in _NOT_VIDEO:
            raise UserInputError(f"{name} is not a video this program can read.")
        streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not streams:
            has_sound = bool(container.streams.audio)
            raise UserInputError(f"{name} holds {'only sound, ' if has_sound else ''}no picture.")
        if streams[0].codec_context is None:
            raise UserInputError(f"{name} is coded in a way that this program cannot decode.")
        return streams[0]

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[Decoded]:
        arrivals: dict[int, float] = {}
        lost = 0
        for packet in self._packets(container, stream):
            arrival = self._arrival(packet)
            if packet.pts is not None:
                arrivals[packet.pts] = arrival
                if len(arrivals) > _ARRIVALS_KEPT:
                    arrivals.pop(next(iter(arrivals)))
            try:
                pictures = packet.decode()
            except DecoderNotFoundError:
                raise UserInputError(
                    f"{self.opening.name} is coded in a way that this program cannot decode."
                ) from None
            except (FFmpegError, OSError, ValueError):
                self.damaged += 1
                lost += 1
                continue
            for picture in pictures:
                at, base = picture.pts, picture.time_base  # libav's rational becomes a Fraction at each asking
                seconds = at * base.numerator / base.denominator if at is not None and base else None
                yield Decoded(picture, seconds, arrivals.pop(at, arrival) if at is not None else arrival, lost)
                lost = 0

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator["Packet[Any]"]:
        damaged = 0
        while True:
            try:
                packets = container.demux(stream)
                # By map: a loop's variable, and the traceback of an error, would keep the driver's packet.
                for packet in map(_own, packets) if self.opening.device else packets:
                    if self._abandoned:
                        return
                    damaged = 0
                    yield packet
                return
            except WouldBlock:
                if self._abandoned:
                    return
                time.sleep(_RETRY_SECONDS)
            except EndOfFile:
                return
            except InvalidDataError:
                damaged += 1
                self.damaged += 1
                if damaged > _DAMAGED_LIMIT:
                    return
            except (FFmpegError, OSError) as error:
                if not self.opening.recorded:
                    raise reading_error(
                        self.opening.name, error, device=self.opening.device, seconds=self._timeouts[1]
                    ) from None
                self.cut_short = f"{self.opening.name} could not be read to its end ({error.strerror})."
                return

    def _arrival(self, packet: "Packet[Any]") -> float:
        now = self._clock()
        if self.opening.device and packet.pts is not None and packet.time_base:
            # Video4Linux and AVFoundation stamp pictures by the system's monotonic clock when they are taken.
            age = time.monotonic() - float(packet.pts * packet.time_base)
            if 0.0 <= age < 1.0:
                return now - age
        return now

    def _stream_info(self, container: InputContainer, stream: VideoStream, picture: VideoFrame) -> StreamInfo:
        orientation, pixel_aspect = Orientation.of(picture), _pixel_aspect(stream)
        width, height = square_size(picture.width, picture.height, pixel_aspect)
        if orientation.transposed:
            width, height = height, width
        rate = stream.average_rate or stream.guessed_rate
        duration = duration_of(container, self._first.time if self._first else None)
        return StreamInfo(
            source=self.opening.name,
            input_format=container.format.name,
            codec=stream.codec_context.name,
            pixel_format=picture.format.name,
            width=width,
            height=height,
            fps=round(float(rate), 4) if rate else None,
            rotation=orientation.degrees,
            live=self.opening.always_live or (self.opening.network and duration is None),
            duration=duration,
            mirrored=orientation.mirrored,
            pixel_aspect=pixel_aspect,
        )

    def _judge_end(self) -> None:
        """Say so when a recording ended before its own index says it should."""
        stream, container = self._stream, self._container
        if stream is None or container is None or self.cut_short or self._live:
            return
        # AVI counts ticks, not frames; only the MP4 family's count is one of pictures.
        counted = "mp4" in container.format.name
        self.cut_short = early_end(
            self.opening.name,
            frames=self._count,
            damaged=self.damaged,
            expected_frames=stream.frames if counted else None,
            end=self._last_time - self._first_time + self._period if self._count else None,
            expected_end=duration_of(container, self._first_time),
        )


def _own(packet: "Packet[Any]") -> "Packet[Any]":
    """A packet with memory of its own.

    Video4Linux packets, and the pictures of raw formats made from them, lie in the driver's memory, which is gone when the
    device is closed: a picture that is still being converted then, or is freed later, would crash the process.
    """
    if not packet.size:
        return packet
    own: Packet[Any] = Packet(bytes(packet))
    own.pts, own.dts = packet.pts, packet.dts
    if packet.time_base is not None:
        own.time_base = packet.time_base
    if packet.stream is not None:
        own.stream = packet.stream
    return own


def _pixel_aspect(stream: VideoStream) -> float:
    """Width to height of a pixel. What no camera or disc ever used is a damaged header, and 1 % is a rounded 1."""
    ratio = stream.sample_aspect_ratio
    aspect = float(ratio) if ratio else 1.0
    return aspect if _ASPECTS[0] <= aspect <= _ASPECTS[1] and abs(aspect - 1) > 0.01 else 1.0
