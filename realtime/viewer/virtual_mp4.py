"""A fragmented recording as an MP4 file that browsers open at once, without copying it.

The recorder writes a fragment every quarter of a second, each with its own index; a browser has to read through all of them, an
hour's 14,400, before it can seek. What is served instead is an ordinary MP4: a header that lists every picture, and behind it the
recording's own bytes, byte for byte, in which the header points at them. Sound is left out.
ISO/IEC 14496-12 (boxes), 14496-15 (avc1, avcC).
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.viewer.film_index import FilmIndex

_PIECE = 256 * 1024
_UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


class VirtualMp4:
    """The bytes of such a file.

    Args:
        index: of a recording that plays in browsers.

    Attributes:
        size: bytes.
    """

    def __init__(self, index: FilmIndex) -> None:
        self._path: Path = index.path
        self._length = index.size
        head = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
        data = struct.pack(">I4sQ", 1, b"mdat", 16 + index.size)
        # The offsets of pictures depend on the header's length, which does not depend on the offsets' values.
        length = len(head) + len(_moov(index, 0)) + len(data)
        self._head = head + _moov(index, length) + data
        self.size = len(self._head) + index.size

    def read(self, first: int, last: int) -> Iterator[bytes]:
        """The bytes from `first` up to and without `last`, in pieces. Raises OSError.

        Args:
            first: of the served file.
            last: likewise.
        """
        if first < len(self._head):
            yield self._head[first : min(last, len(self._head))]
            first = len(self._head)
        if last > first:
            yield from _pieces(self._path, first - len(self._head), min(last, self.size) - len(self._head))


class PlainFile:
    """The bytes of a recording as it is.

    Args:
        index: of the recording.

    Attributes:
        size: bytes.
    """

    def __init__(self, index: FilmIndex) -> None:
        self._path = index.path
        self.size = index.size

    def read(self, first: int, last: int) -> Iterator[bytes]:
        """The bytes from `first` up to and without `last`, in pieces. Raises OSError.

        Args:
            first: of the file.
            last: likewise.
        """
        return _pieces(self._path, first, min(last, self.size))


def _pieces(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        left = last - first
        while left > 0:
            piece = file.read(min(_PIECE, left))
            if not piece:
                return
            left -= len(piece)
            yield piece


def _moov(index: FilmIndex, shift: int) -> bytes:
    stamps = (index.stamps - index.stamps[0]) * index.time_base.numerator
    scale = index.time_base.denominator
    steps = np.diff(stamps)
    steps = np.append(steps, steps[-1] if len(steps) else scale // 30)
    duration = int(steps.sum())
    size = (index.width, index.height)
    mvhd = _full(
        b"mvhd",
        struct.pack(">QQIQ", 0, 0, scale, duration),
        struct.pack(">IHH8x", 0x10000, 0x100, 0),
        _UNITY,
        b"\0" * 24,
        struct.pack(">I", 2),
        version=1,
    )
    tkhd = _full(
        b"tkhd",
        struct.pack(">QQIIQ8xHHHH", 0, 0, 1, 0, duration, 0, 0, 0, 0),
        _UNITY,
        struct.pack(">II", size[0] << 16, size[1] << 16),
        version=1,
        flags=3,
    )
    mdhd = _full(b"mdhd", struct.pack(">QQIQHH", 0, 0, scale, duration, 0x55C4, 0), version=1)
    hdlr = _full(b"hdlr", struct.pack(">I4s12x", 0, b"vide"), b"Video\0")
    dinf = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1)))
    minf = _box(b"minf", _full(b"vmhd", b"\0" * 8, flags=1), dinf, _samples(index, steps, shift))
    return _box(b"moov", mvhd, _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr, minf)))


def _samples(index: FilmIndex, steps: NDArray[np.int64], shift: int) -> bytes:
    """The sample table: description, durations, stand-alone pictures, sizes and places; each picture is a chunk."""
    count = len(index.stamps)
    avc1 = _box(
        b"avc1",
        struct.pack(">6xH16xHHIIIH32sHh", 1, index.width, index.height, 0x480000, 0x480000, 0, 1, b"", 24, -1),
        _box(b"avcC", index.extradata),
    )
    changes = np.flatnonzero(np.diff(steps)) + 1
    begins = np.concatenate([[0], changes])
    runs = np.diff(np.append(begins, count))
    stts = np.stack([runs, steps[begins]], axis=1).astype(">u4")
    keys = (np.flatnonzero(index.keys) + 1).astype(">u4")
    return _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), avc1),
        _full(b"stts", struct.pack(">I", len(stts)), stts.tobytes()),
        _full(b"stss", struct.pack(">I", len(keys)), keys.tobytes()),
        _full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        _full(b"stsz", struct.pack(">II", 0, count), index.sizes.astype(">u4").tobytes()),
        _full(b"co64", struct.pack(">I", count), (index.offsets + shift).astype(">u8").tobytes()),
    )
