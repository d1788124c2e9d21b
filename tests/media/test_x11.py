"""The bare X11 handshake, against a server of one answer on a loopback port."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.media import x11


def entry(number: str, cookie: bytes, name: bytes = b"MIT-MAGIC-COOKIE-1") -> bytes:
    """One Xauthority record of a local host."""
    fields = (b"host", number.encode(), name, cookie)
    return struct.pack(">H", 256) + b"".join(struct.pack(">H", len(field)) + field for field in fields)


class Server:
    """Lets in who brings the cookie."""

    def __init__(self, cookie: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.cookie = cookie
        self.seen: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(4096)
                name_length, data_length = struct.unpack_from("<HH", request, 6)
                start = 12 + name_length + -name_length % 4
                brought = request[start : start + data_length]
                self.seen.append(brought)
                connection.sendall(b"\x01" if brought == self.cookie else b"\x00")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    started = Server(b"0123456789abcdef")
    port = started.listener.getsockname()[1]
    monkeypatch.setattr(x11, "_reach", lambda host, number: socket.create_connection(("127.0.0.1", port), 5))
    yield started
    started.listener.close()


def test_the_cookie_of_this_display_lets_in(tmp_path: Path, server: Server) -> None:
    cookies = tmp_path / "authority"
    cookies.write_bytes(
        entry("3", b"another display") + entry("7", b"x", b"OTHER-KIND") + entry("7", b"0123456789abcdef")
    )
    x11.connect(":7.0", cookies).close()
    assert server.seen == [b"0123456789abcdef"]


@pytest.mark.parametrize("content", [b"", entry("7", b"stale cookie"), b"\x01\x00\x00\x05ab"])
def test_without_the_right_cookie_nobody_gets_in(tmp_path: Path, server: Server, content: bytes) -> None:
    cookies = tmp_path / "authority"
    cookies.write_bytes(content)
    with pytest.raises(PermissionError):
        x11.connect(":7", cookies)
    assert server.seen[-1] == b""


def test_what_is_no_display() -> None:
    with pytest.raises(ValueError, match="no display"):
        x11.connect("nonsense")
