"""v4l2loopback devices that forgot that they can be written to.

With `exclusive_caps=1`, version 0.12.7 (Debian 12, Ubuntu 22.04 and 24.04) marks a device as taken when a program writes
to it, and frees it only where the writer has called VIDIOC_STREAMON. pyvirtualcam writes without: after its first run the
device is neither camera nor output, and every later run is refused until the module is loaded anew. Starting the stream
once and closing the device frees it.
"""

import contextlib
import errno
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

if sys.platform == "linux":
    from fcntl import ioctl as _system_ioctl
else:

    def _system_ioctl(fd: int, request: int, arg: bytes) -> bytes:  # noqa: ARG001  the signature of Linux
        """There is no v4l2loopback."""
        raise OSError(errno.ENOTTY, "no V4L2")


_QUERYCAP = 0x80685600
_STREAMON = 0x40045612
_CAPABILITY = struct.Struct("16s32s32sIII12x")
_OUTPUT_TYPE = 2
_CAPTURE, _OUTPUT = 0x1, 0x2
_DRIVER = b"v4l2 loopback"

Ioctl = Callable[[int, int, bytes], bytes]


def free_stuck_devices(folder: Path = Path("/dev"), ioctl: Ioctl = _system_ioctl) -> list[Path]:
    """Free every loopback device that is neither camera nor output, which means that nobody sends to it.

    Args:
        folder: of the device nodes.
        ioctl: the system call; see `fcntl.ioctl`.

    Returns:
        The devices that were freed. One that cannot be opened is left alone.
    """
    return [device for device in sorted(folder.glob("video*")) if _free(device, ioctl)]


def _free(device: Path, ioctl: Ioctl) -> bool:
    with contextlib.suppress(OSError):
        descriptor = os.open(device, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
        try:
            driver, *_, capabilities = _CAPABILITY.unpack(ioctl(descriptor, _QUERYCAP, bytes(_CAPABILITY.size)))
            if driver.rstrip(b"\0") != _DRIVER or capabilities & (_CAPTURE | _OUTPUT):
                return False
            ioctl(descriptor, _STREAMON, struct.pack("i", _OUTPUT_TYPE))
            return True
        finally:
            os.close(descriptor)
    return False
