"""What a USB camera says about itself: the descriptors of USB 2.0 (chapter 9) and of the USB Video Class 1.0.

Video comes through a bulk endpoint, since that is simpler to serve than an isochronous one; Linux's uvcvideo takes both.
"""

import struct
from dataclasses import dataclass

VIDEO_ENDPOINT = 0x81
PACKET = 512
PAYLOAD = 32 * PACKET
"""Bytes of one transfer: uvcvideo's largest."""
CLOCK = 10_000_000
"""Frame intervals are counted in 100 ns."""
MJPEG, YUYV = 1, 2
"""The formats' indices."""

_YUY2_GUID = bytes.fromhex("5955593200001000800000aa00389b71")
_INTERFACE, _CLASS_INTERFACE = 0x04, 0x24


@dataclass(frozen=True)
class Size:
    """A size that the camera offers in one format.

    Attributes:
        format: `MJPEG` or `YUYV`.
        width: pixels.
        height: likewise.
        rates: frames a second, fastest first.
    """

    format: int
    width: int
    height: int
    rates: tuple[int, ...]

    @property
    def largest(self) -> int:
        """Bytes of the largest frame."""
        return self.width * self.height * 2


def device_descriptor() -> bytes:
    """Of the whole device; a test identity of pid.codes."""
    return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xEF, 2, 1, 64, 0x1209, 0x0001, 0x0100, 1, 2, 0, 1)


def qualifier_descriptor() -> bytes:
    """What it would be at full speed."""
    return struct.pack("<BBHBBBBBB", 10, 6, 0x0200, 0xEF, 2, 1, 64, 1, 0)


def string_descriptor(text: str | None) -> bytes:
    """A string; None: the list of languages."""
    coded = b"\x09\x04" if text is None else text.encode("utf-16-le")
    return bytes((len(coded) + 2, 3)) + coded


def configuration_descriptor(sizes: tuple[Size, ...]) -> bytes:
    """The only configuration: a control interface with a lens and an output, and a streaming interface.

    Args:
        sizes: what the camera offers.
    """
    association = struct.pack("<BBBBBBBB", 8, 0x0B, 0, 2, 0x0E, 0x03, 0, 2)
    parts = association + _control() + _streaming(sizes)
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(parts), 2, 1, 0, 0x80, 250) + parts


def _control() -> bytes:
    lens = struct.pack("<BBBBHBBHHHB3s", 18, _CLASS_INTERFACE, 0x02, 1, 0x0201, 0, 0, 0, 0, 0, 3, bytes(3))
    output = struct.pack("<BBBBHBBB", 9, _CLASS_INTERFACE, 0x03, 2, 0x0101, 0, 1, 0)
    total = 13 + len(lens) + len(output)
    header = struct.pack("<BBBHHIBB", 13, _CLASS_INTERFACE, 0x01, 0x0100, total, 48_000_000, 1, 1)
    return struct.pack("<BBBBBBBBB", 9, _INTERFACE, 0, 0, 0, 0x0E, 0x01, 0, 2) + header + lens + output


def _streaming(sizes: tuple[Size, ...]) -> bytes:
    body = b""
    for kind in (MJPEG, YUYV):
        body += _format(kind, [size for size in sizes if size.format == kind])
    header_length = 13 + 2
    header = struct.pack(
        *("<BBBBHBBBBBBBBB", header_length, _CLASS_INTERFACE, 0x01, 2, header_length + len(body), VIDEO_ENDPOINT),
        *(0, 2, 0, 0, 0, 1, 0, 0),
    )
    interface = struct.pack("<BBBBBBBBB", 9, _INTERFACE, 1, 0, 1, 0x0E, 0x02, 0, 0)
    endpoint = struct.pack("<BBBBHB", 7, 5, VIDEO_ENDPOINT, 0x02, PACKET, 0)
    return interface + header + body + endpoint


def _format(kind: int, sizes: list[Size]) -> bytes:
    if kind == MJPEG:
        head = struct.pack("<BBBBBBBBBBB", 11, _CLASS_INTERFACE, 0x06, kind, len(sizes), 1, 1, 0, 0, 0, 0)
    else:
        head = struct.pack(
            "<BBBBB16sBBBBBB", 27, _CLASS_INTERFACE, 0x04, kind, len(sizes), _YUY2_GUID, 16, 1, 0, 0, 0, 0
        )
    frames = b"".join(_frame(kind, number, size) for number, size in enumerate(sizes, 1))
    colours = struct.pack("<BBBBBB", 6, _CLASS_INTERFACE, 0x0D, 1, 1, 4)
    return head + frames + colours


def _frame(kind: int, number: int, size: Size) -> bytes:
    intervals = [CLOCK // rate for rate in size.rates]
    bits = [size.largest * 8 * rate for rate in (min(size.rates), max(size.rates))]
    return struct.pack(
        f"<BBBBBHHIIIIB{len(intervals)}I",
        *(26 + 4 * len(intervals), _CLASS_INTERFACE, 0x07 if kind == MJPEG else 0x05, number, 0),
        *(size.width, size.height, *bits, size.largest, intervals[0], len(intervals), *intervals),
    )
