"""Which pictures a recording holds: when each was taken, where its bytes are, and which of them stand alone."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from realtime.errors import UserInputError
from realtime.files import open_regular, reason
from realtime.media.recorder import origin_of
from realtime.types import F64

_H264_FOR_BROWSERS = ("yuv420p", "yuvj420p")


@dataclass(frozen=True, slots=True)
class FilmIndex:
    """N pictures in the order in which they are shown.

    Attributes:
        path: the recording.
        stamps: (N,) time stamps, in units of `time_base`.
        time_base: seconds.
        keys: (N,) whether the picture stands alone.
        offsets: (N,) where its bytes begin in the file; empty where that is not known.
        sizes: (N,) how many they are.
        codec: libav's name.
        pixels: libav's name of the pixel format.
        extradata: the decoder's configuration, as the file has it.
        width: pixels.
        height: likewise.
        reordered: pictures are stored in another order than they are shown.
        size: of the file, bytes, when it was read.
        origin: capture time of the file's time 0, where the file says it, seconds.
        in_mp4: the file is an MP4 or a QuickTime file.
    """

    path: Path
    stamps: NDArray[np.int64]
    time_base: Fraction
    keys: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    codec: str
    pixels: str
    extradata: bytes
    width: int
    height: int
    reordered: bool
    size: int
    origin: float | None = None
    in_mp4: bool = False

    @property
    def times(self) -> F64:
        """(N,) seconds on the file's clock."""
        seconds: F64 = self.stamps.astype(np.float64) * float(self.time_base)
        return seconds

    @property
    def plays_in_browsers(self) -> bool:
        """Whether browsers decode it themselves: from what `virtual_mp4` makes of it, or, where pictures are reordered, as it is."""
        known = self.codec == "h264" and self.pixels in _H264_FOR_BROWSERS and self.extradata[:1] == b"\x01"
        return known and (self.in_mp4 if self.reordered else len(self.offsets) == len(self.stamps) > 0)


def read_index(path: Path, stamps: NDArray[np.int64] | None = None) -> FilmIndex:
    """Read a recording's index without reading its pictures; one that was cut short has those that came before.

    Args:
        path: of the recording.
        stamps: of its pictures, where they are known from elsewhere: Matroska has no list, and going through it takes minutes.

    Raises:
        UserInputError: it cannot be read, or holds no picture.
    """
    try:
        open_regular(path).close()  # libav would wait for a named pipe
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise UserInputError(f"{path.name} holds no picture.")
            if container.streams.video[0].codec_context is None:
                raise UserInputError(f"{path.name} is coded in a way that this program cannot decode.")
            return _index(path, container, container.streams.video[0], stamps)
    except (FFmpegError, OSError) as error:
        raise UserInputError(f"{path.name} cannot be read ({reason(error)}).") from None


def _index(path: Path, container: InputContainer, stream: VideoStream, known: NDArray[np.int64] | None) -> FilmIndex:
    size = path.stat().st_size
    context = stream.codec_context
    reordered = bool(context.has_b_frames)
    places, stamps, keys = _from_header(container, stream, size)
    if known is not None:
        places, stamps, keys = np.empty((0, 2), np.int64), known, np.zeros(len(known), np.bool_)
    elif reordered or not len(stamps):
        places, stamps, keys = _from_packets(container, stream)
    order = np.argsort(stamps, kind="stable")
    if not len(stamps):
        raise UserInputError(f"{path.name} holds no picture.")
    assert stream.time_base is not None
    return FilmIndex(
        path,
        stamps[order],
        stream.time_base,
        keys[order],
        places[order, 0] if len(places) else np.empty(0, np.int64),
        places[order, 1] if len(places) else np.empty(0, np.int64),
        context.name,
        context.pix_fmt or "",
        bytes(context.extradata or b""),
        stream.width,
        stream.height,
        reordered,
        size,
        origin_of(container.metadata.get("comment", "")),
        "mp4" in container.format.name,
    )


_Places = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]


def _from_header(container: InputContainer, stream: VideoStream, size: int) -> _Places:
    """(position and size, time stamp, stands alone) of every picture, where the format lists them all."""
    if "mp4" not in container.format.name:
        return np.empty((0, 2), np.int64), np.empty(0, np.int64), np.empty(0, np.bool_)
    entries = stream.index_entries
    found = [(entry.pos, entry.size, entry.timestamp, entry.is_keyframe) for entry in entries]
    table = np.array([one for one in found if one[0] + one[1] <= size], np.int64).reshape(-1, 4)
    return table[:, :2], table[:, 2], table[:, 3] > 0


def _from_packets(container: InputContainer, stream: VideoStream) -> _Places:
    """The same without positions, by going through the whole file."""
    stamps, keys = [], []
    try:
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                stamps.append(packet.pts)
                keys.append(packet.is_keyframe)
    except FFmpegError:
        pass  # it breaks off here
    return np.empty((0, 2), np.int64), np.array(stamps, np.int64), np.array(keys, np.bool_)
