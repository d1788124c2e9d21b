"""A USB camera made of software: the device's side of USB/IP, answering as a webcam with motion JPEG and YUYV.

The kernel's vhci-hcd takes one end of a socket for a plugged-in USB device, and uvcvideo, the driver of nearly every webcam,
serves it as /dev/videoN. Closing the socket unplugs it. Protocol: Documentation/usb/usbip_protocol.rst of the kernel.

    python -m tests.live.vm.usb_camera PORT NAME FOLDER

plugs one in with the pictures of FOLDER and unplugs it when the process ends.
"""

import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.live.vm import usb_descriptors as usb
from tests.live.vm.usb_descriptors import MJPEG, PAYLOAD, YUYV, Size
from tests.live.vm.usb_pictures import StoredPictures

SIZES = (
    Size(MJPEG, 1280, 720, (15, 10, 5)),
    Size(MJPEG, 640, 480, (15, 10, 5)),
    Size(MJPEG, 320, 240, (15, 5)),
    Size(YUYV, 1280, 720, (2, 1)),
    Size(YUYV, 640, 480, (10, 5)),
    Size(YUYV, 320, 240, (15, 10, 5)),
)
NAME = "Pretend Camera"
_ATTACH = Path("/sys/devices/platform/vhci_hcd.0/attach")
_HIGH_SPEED = 3
_SUBMIT, _UNLINK, _SUBMITTED, _UNLINKED = 1, 2, 3, 4
_HEADER = struct.Struct(">IIIII")
_BODY = struct.Struct(">Iiiii8s")
_TOLD = 5
"""Pictures of a stream after which it says so."""
_STALL, _RESET = -32, -104
_GET_DESCRIPTOR, _GET_CONFIGURATION, _GET_STATUS = 6, 8, 0
_SET_CURRENT, _GET_CURRENT, _GET_LENGTH, _GET_INFO = 0x01, 0x81, 0x85, 0x86
_PROBE = struct.Struct("<HBBIHHHHHII")
"""VS_PROBE_CONTROL of UVC 1.0: hint, format, frame, interval, four unused, delay, largest frame, largest transfer."""
_CLASS_REQUEST = 0x20


class UsbCamera:
    """Answers the requests of one host.

    Args:
        link: this side of the connection.
        picture: gives the coded picture number N of a size.
        name: what it is called.
        clock: seconds.
    """

    def __init__(
        self,
        link: socket.socket,
        picture: Callable[[Size, int], bytes],
        name: str = NAME,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._name = name
        self._picture = picture
        self._clock = clock
        self._probe = self._negotiated(b"")
        self._size = SIZES[0]
        self._period = 1 / SIZES[0].rates[0]
        self._waiting: list[tuple[int, int]] = []
        self._left: list[bytes] = []
        self._number = 0
        self._sent = 0
        self._due = 0.0

    def serve(self) -> None:
        """Until the other side closes."""
        while True:
            wait = 0.5 if not self._waiting else max(0.0, self._due - self._clock())
            if self._left and self._waiting:
                wait = 0.0
            readable, _, _ = select.select([self._link], [], [], wait)
            if readable and not self._request():
                return
            self._stream()

    def _request(self) -> bool:
        head = self._take(48)
        if head is None:
            return False
        command, sequence, _, inward, endpoint = _HEADER.unpack_from(head)
        if command == _UNLINK:
            (victim,) = struct.unpack_from(">I", head, 20)
            pending = [one for one in self._waiting if one[0] == victim]
            self._waiting = [one for one in self._waiting if one[0] != victim]
            self._link.sendall(
                _HEADER.pack(_UNLINKED, sequence, 0, 0, 0) + struct.pack(">i24x", _RESET if pending else 0)
            )
            return True
        assert command == _SUBMIT, command
        _, length, _, _, _, setup = _BODY.unpack_from(head, 20)
        data = b"" if inward else self._take(length)
        if data is None:
            return False
        if endpoint:
            if not self._waiting and not self._left:
                self._due = max(self._due, self._clock())
            self._waiting.append((sequence, length))
            return True
        answer = self._control(setup, data)
        if answer is None:
            self._reply(sequence, _STALL, b"", 0)
        else:
            self._reply(sequence, 0, answer[:length] if inward else b"", 0 if inward else length)
        return True

    def _reply(self, sequence: int, status: int, data: bytes, written: int) -> None:
        body = struct.pack(">iiiii8x", status, len(data) or written, 0, 0, 0)
        self._link.sendall(_HEADER.pack(_SUBMITTED, sequence, 0, 0, 0) + body + data)

    def _take(self, count: int) -> bytes | None:
        found = b""
        while len(found) < count:
            part = self._link.recv(count - len(found))
            if not part:
                return None
            found += part
        return found

    def _control(self, setup: bytes, data: bytes) -> bytes | None:
        """The answer to a request on endpoint 0; None: refused."""
        kind, request, value, _, _ = struct.unpack("<BBHHH", setup)
        if kind & 0x60 == _CLASS_REQUEST:
            return self._video_control(request, value >> 8, data) if kind & 0x1F == 1 else None
        if request == _GET_DESCRIPTOR:
            return self._descriptor(value >> 8, value & 0xFF)
        return {_GET_CONFIGURATION: b"\x01", _GET_STATUS: b"\x00\x00"}.get(request, b"")

    def _descriptor(self, kind: int, index: int) -> bytes | None:
        if kind == 3:
            texts = (None, "facemirror-live", self._name)
            return usb.string_descriptor(texts[index]) if index < len(texts) else None
        whole = {
            1: usb.device_descriptor,
            2: lambda: usb.configuration_descriptor(SIZES),
            6: usb.qualifier_descriptor,
        }.get(kind)
        return whole() if whole is not None else None

    def _video_control(self, request: int, selector: int, data: bytes) -> bytes | None:
        if selector not in (1, 2):
            return None
        if request == _SET_CURRENT:
            self._probe = self._negotiated(data)
            if selector == 2:
                self._start()
            return b""
        if request == _GET_LENGTH:
            return struct.pack("<H", _PROBE.size)
        return b"\x03" if request == _GET_INFO else self._probe

    def _negotiated(self, wish: bytes) -> bytes:
        """The nearest to what the host wishes."""
        _, kind, frame, interval, *_ = _PROBE.unpack(wish[: _PROBE.size]) if wish else (0, MJPEG, 1, 0, 0)
        offered = [size for size in SIZES if size.format == (kind if kind in (MJPEG, YUYV) else MJPEG)]
        size = offered[min(max(frame, 1), len(offered)) - 1]
        intervals = [usb.CLOCK // rate for rate in size.rates]
        nearest = min(intervals, key=lambda one: abs(one - (interval or intervals[0])))
        number = offered.index(size) + 1
        return _PROBE.pack(1, size.format, number, nearest, 0, 0, 0, 0, 0, size.largest, PAYLOAD)

    def _start(self) -> None:
        _, kind, frame, interval, *_ = _PROBE.unpack(self._probe)
        self._size = [size for size in SIZES if size.format == kind][frame - 1]
        self._period = interval / usb.CLOCK
        self._left, self._due, self._sent = [], self._clock(), 0
        print(f"stream {self._size.width}x{self._size.height} every {1e3 * self._period:.0f} ms", flush=True)

    def _stream(self) -> None:
        """Send what is due, as far as the host asks for it."""
        now = self._clock()
        if not self._left and self._waiting and now >= self._due:
            self._left = self._payloads(self._picture(self._size, self._number))
            self._number += 1
            self._sent += 1
            if self._sent == _TOLD:
                print(f"{_TOLD} pictures", flush=True)
            self._due = max(self._due + self._period, now)
        while self._left and self._waiting:
            sequence, _ = self._waiting.pop(0)
            self._reply(sequence, 0, self._left.pop(0), 0)

    def _payloads(self, picture: bytes) -> list[bytes]:
        """A picture cut into transfers, each with a header of two bytes: its length; frame's parity and whether it ends."""
        step = PAYLOAD - 2
        cuts = range(0, len(picture), step)
        parity = 0x80 | self._number & 1
        return [bytes((2, parity | (2 if at + step >= len(picture) else 0))) + picture[at : at + step] for at in cuts]


def plug_in(port: int = 0) -> socket.socket:
    """Give the kernel one end of a connection as a USB device.

    Args:
        port: of the kernel's virtual hub.

    Returns:
        The device's end; closing it unplugs the device.
    """
    host, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    _ATTACH.write_text(f"{port} {host.fileno()} {1 << 16 | port + 2} {_HIGH_SPEED}", "ascii")
    host.close()
    return device


def main() -> None:
    """Until the process is ended."""
    port, name, folder = sys.argv[1:]
    UsbCamera(plug_in(int(port)), StoredPictures(Path(folder)), name).serve()


if __name__ == "__main__":
    main()
