"""v4l2loopback devices that forgot that they can be written to.

With `exclusive_caps=1`, version 0.12.7 (Debian 12, Ubuntu 22.04 and 24.04) marks a device as taken when a program writes
to it, and frees it only where the writer has called VIDIOC_STREAMON. pyvirtualcam writes without: after its first run the
device is neither camera nor output, and every later run is refused until the module is loaded anew. Starting the stream
once and closing the device frees it.
"""

import contextlib
import struct
from pathlib import Path

from realtime.media.v4l2 import LOOPBACK, Ioctl, abilities, opened, system_ioctl

_STREAMON = 0x40045612
_OUTPUT_TYPE = 2


def free_stuck_devices(folder: Path = Path("/dev"), ioctl: Ioctl = system_ioctl) -> list[Path]:
    """Free every loopback device that is neither camera nor output, which means that nobody sends to it.

    Args:
        folder: of the device nodes.
        ioctl: the system call; see `fcntl.ioctl`.

    Returns:
        The devices that were freed. One that cannot be opened is left alone.
    """
    return [device for device in sorted(folder.glob("video*")) if _free(device, ioctl)]


def _free(device: Path, ioctl: Ioctl) -> bool:
    with contextlib.suppress(OSError), opened(device) as descriptor:
        found = abilities(descriptor, ioctl)
        if found.driver != LOOPBACK or found.captures or found.outputs:
            return False
        ioctl(descriptor, _STREAMON, struct.pack("i", _OUTPUT_TYPE))
        return True
    return False
