"""Loopback devices that nobody can write to are freed; others are left alone."""

import struct
from pathlib import Path

import pytest

from realtime.media.loopback import free_stuck_devices

QUERYCAP, STREAMON = 0x80685600, 0x40045612  # from linux/videodev2.h
LOOPBACK, WEBCAM = b"v4l2 loopback", b"uvcvideo"
CAPTURE, OUTPUT, OTHERS = 0x1, 0x2, 0x05200000


class Kernel:
    """Answers as Video4Linux does, for the device whose node holds its name."""

    def __init__(self, driver: bytes, capabilities: int, fails: bool = False) -> None:
        self.driver, self.capabilities, self.fails = driver, capabilities, fails
        self.started: list[int] = []

    def ioctl(self, _descriptor: int, request: int, arg: bytes) -> bytes:
        if self.fails:
            raise OSError(25, "not a device of this kind")
        if request == STREAMON:
            self.started.append(struct.unpack("i", arg)[0])
            return arg
        assert request == QUERYCAP
        assert len(arg) == 104
        text = self.driver.ljust(16, b"\0") + b"FaceMirror".ljust(32, b"\0") + b"platform:x".ljust(32, b"\0")
        return text + struct.pack("III", 0x60000, self.capabilities | 0x80000000, self.capabilities) + bytes(12)


@pytest.mark.parametrize(
    ("kernel", "freed"),
    [
        (Kernel(LOOPBACK, OTHERS), True),
        (Kernel(LOOPBACK, OTHERS | CAPTURE), False),
        (Kernel(LOOPBACK, OTHERS | OUTPUT), False),
        (Kernel(WEBCAM, OTHERS), False),
        (Kernel(LOOPBACK, OTHERS, fails=True), False),
    ],
    ids=["stuck", "in use", "free", "webcam", "no device"],
)
def test_only_a_stuck_loopback_is_freed(tmp_path: Path, kernel: Kernel, freed: bool) -> None:
    device = tmp_path / "video0"
    device.touch()
    (tmp_path / "video1").mkdir()
    assert free_stuck_devices(tmp_path, kernel.ioctl) == ([device] if freed else [])
    assert kernel.started == ([2] if freed else [])
