"""A bare X11 connection: does the display answer, and let us in? No window, no library.

Toolkits abort the whole process on a display that does not; and a display server without other clients resets itself
when its last one leaves, in the middle of whatever the next one does. So the connection made here is kept open.
"""

import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from realtime.files import home_folder

_COOKIE = b"MIT-MAGIC-COOKIE-1"
_DISPLAY = re.compile(r"(?P<host>.*):(?P<number>\d+)(\.\d+)?")
_SECONDS = 3.0


def connect(display: str, authority: Path | None = None) -> socket.socket:
    """A connection that an X server has accepted.

    Args:
        display: ":0" or "host:10.0".
        authority: the cookies' file.

    Raises:
        OSError: nobody answers, or entry is refused.
        ValueError: `display` is no display's name.
    """
    match = _DISPLAY.fullmatch(display)
    if match is None:
        raise ValueError(f"{display} is no display's name")
    number = int(match["number"])
    for cookie in [*_cookies(authority or _authority_file(), number), b""]:
        connection = _reach(match["host"], number)
        try:
            if _let_in(connection, cookie):
                return connection
        except OSError:
            connection.close()
            raise
        connection.close()
    raise PermissionError(f"display {display} lets nobody in without its cookie")


def _reach(host: str, number: int) -> socket.socket:
    if host not in ("", "unix"):
        return socket.create_connection((host, 6000 + number), _SECONDS)
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - the place that X11 prescribes
    for address in (path, f"\0{path}"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_SECONDS)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
        else:
            return connection
    raise ConnectionRefusedError(f"nobody serves display :{number}")


def _let_in(connection: socket.socket, cookie: bytes) -> bool:
    name = _COOKIE if cookie else b""
    request = struct.pack("<cxHHHHxx", b"l", 11, 0, len(name), len(cookie)) + _padded(name) + _padded(cookie)
    connection.sendall(request)
    answer = connection.recv(1)
    return answer == b"\x01"


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _authority_file() -> Path:
    named = os.environ.get("XAUTHORITY")
    return Path(named) if named else home_folder() / ".Xauthority"


def _cookies(path: Path, number: int) -> Iterator[bytes]:
    """The cookies for display `number` in an Xauthority file, in its order."""
    try:
        data = path.read_bytes()
    except OSError:
        return
    position = 0
    while position + 2 < len(data):
        position += 2
        fields = []
        for _ in range(4):
            if position + 2 > len(data):
                return
            (length,) = struct.unpack_from(">H", data, position)
            fields.append(data[position + 2 : position + 2 + length])
            position += 2 + length
        _, display, name, cookie = fields
        if name == _COOKIE and display in (b"", str(number).encode()):
            yield cookie
