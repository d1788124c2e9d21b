"""What Linux's Video4Linux says about a device, by its ioctls (linux/videodev2.h)."""

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

if sys.platform == "linux":
    from fcntl import ioctl as system_ioctl
else:

    def system_ioctl(fd: int, request: int, arg: bytes) -> bytes:  # noqa: ARG001  the signature of Linux
        """There is no Video4Linux."""
        raise OSError(errno.ENOTTY, "no V4L2")


__all__ = [
    "LOOPBACK",
    "Abilities",
    "Ioctl",
    "abilities",
    "can_capture",
    "driver",
    "highest_rate",
    "opened",
    "system_ioctl",
]

Ioctl = Callable[[int, int, bytes], bytes]
LOOPBACK = "v4l2 loopback"
"""How v4l2loopback calls itself."""

_QUERYCAP = 0x80685600
_ENUM_FRAMEINTERVALS = 0xC034564B
_CAPABILITY = struct.Struct("16s32s32sIII12x")
_CAPTURE, _OUTPUT, _PER_NODE = 0x1, 0x2, 0x80000000
_INTERVALS = struct.Struct("IIIIIII16x8x")
_DISCRETE = 1
_MOST_INTERVALS = 100
_CODES = {
    "yuyv422": b"YUYV",
    "uyvy422": b"UYVY",
    "mjpeg": b"MJPG",
    "h264": b"H264",
    "nv12": b"NV12",
    "yuv420p": b"YU12",
    "rgb24": b"RGB3",
    "bgr24": b"BGR3",
    "gray": b"GREY",
}
"""libav's names of the formats whose rates are asked for."""


class Abilities(NamedTuple):
    """What a device node can do.

    Attributes:
        driver: its name.
        captures: pictures can be read from it.
        outputs: pictures can be written to it.
    """

    driver: str
    captures: bool
    outputs: bool


@contextmanager
def opened(device: Path | str) -> Iterator[int]:
    """A descriptor of the device, which disturbs nobody who streams from it.

    Args:
        device: its node.

    Raises:
        OSError: it is gone, busy or not allowed.
    """
    descriptor = os.open(device, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def abilities(descriptor: int, ioctl: Ioctl = system_ioctl) -> Abilities:
    """Ask an opened device what it can do now.

    Args:
        descriptor: of the device.
        ioctl: the system call; see `fcntl.ioctl`.

    Raises:
        OSError: it is no Video4Linux device, or is gone.
    """
    driver, _, _, _, all_nodes, this_node = _CAPABILITY.unpack(ioctl(descriptor, _QUERYCAP, bytes(_CAPABILITY.size)))
    flags = this_node if all_nodes & _PER_NODE else all_nodes
    return Abilities(driver.rstrip(b"\0").decode("utf-8", "replace"), bool(flags & _CAPTURE), bool(flags & _OUTPUT))


def can_capture(device: str, ioctl: Ioctl = system_ioctl) -> bool | None:
    """Whether pictures can be read from a device; None where it cannot be asked (gone, busy, not allowed).

    Args:
        device: its node.
        ioctl: the system call.
    """
    found = _asked(device, ioctl)
    return None if found is None else found.captures


def driver(device: str, ioctl: Ioctl = system_ioctl) -> str | None:
    """The name of a device's driver; None where it cannot be asked.

    Args:
        device: its node.
        ioctl: the system call.
    """
    found = _asked(device, ioctl)
    return None if found is None else found.driver


def _asked(device: str, ioctl: Ioctl) -> Abilities | None:
    """What a device node can do; None where it cannot be asked."""
    with suppress(OSError), opened(device) as descriptor:
        return abilities(descriptor, ioctl)
    return None


def highest_rate(descriptor: int, name: str, width: int, height: int, ioctl: Ioctl = system_ioctl) -> float | None:
    """The most frames a second of one mode, None where the device does not say.

    Args:
        descriptor: of the device.
        name: libav's of the format.
        width: pixels.
        height: likewise.
        ioctl: the system call.
    """
    rates: list[float] = []
    if name not in _CODES:
        return None
    (code,) = struct.unpack("I", _CODES[name])
    with suppress(OSError):  # past the last one
        for index in range(_MOST_INTERVALS):
            answer = ioctl(descriptor, _ENUM_FRAMEINTERVALS, _INTERVALS.pack(index, code, width, height, 0, 0, 0))
            *_, kind, numerator, denominator = _INTERVALS.unpack(answer)
            if numerator and denominator:
                rates.append(denominator / numerator)
            if kind != _DISCRETE:  # a range, whose shortest interval comes first
                break
    return max(rates, default=None)
