"""Streams on loopback: MPEG-TS over TCP and UDP, MP4 and motion JPEG over HTTP."""

import io
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from realtime.errors import DeviceError
from realtime.graph import StopToken
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource
from realtime.types import Frame
from tests.media.clips import FakeClock, number_of, numbered, write_clip

FRAMES = 45


class Server:
    """Accepts one TCP connection at a time and lets `serve` talk on it."""

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.finish = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.finish.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._serve(connection)
                except OSError:
                    continue

    def close(self) -> None:
        self.finish.set()
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], object]], Server]]:
    servers: list[Server] = []

    def start(talk: Callable[[socket.socket], object]) -> Server:
        servers.append(Server(talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def transport_stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    images = [numbered(i, 128, 96) for i in range(FRAMES)]
    path = write_clip(
        tmp_path_factory.mktemp("ts") / "a.ts", images, codec="libx264", options={"tune": "zerolatency", "g": "15"}
    )
    return path.read_bytes()


def read_all(source: VideoSource, limit: int = 1000, stop: StopToken | None = None) -> list[Frame]:
    frames: list[Frame] = []
    stop = stop or StopToken()
    while len(frames) < limit and (frame := source.read(stop)) is not None:
        frames.append(frame)
    return frames


def test_a_tcp_stream_is_live_and_its_end_is_an_end(serve: Callable[..., Server], transport_stream: bytes) -> None:
    server = serve(lambda connection: connection.sendall(transport_stream))
    source = VideoSource(parse_source(f"tcp://127.0.0.1:{server.port}"), time.monotonic)
    info = source.open()
    assert info is not None
    assert (info.live, info.codec, info.width) == (True, "h264", 128)
    frames = read_all(source)
    source.close()
    skipped = FRAMES - 1 - frames[-1].sequence
    assert [number_of(frame.image) for frame in frames] == [(frame.sequence + skipped) % 28 for frame in frames]
    assert frames[0].sequence == 0
    assert source.lost == FRAMES - len(frames) - skipped
    assert all(0 <= time.monotonic() - frame.capture_time < 20 for frame in frames)


def test_a_stall_is_a_device_error_within_its_time_out(serve: Callable[..., Server], transport_stream: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(transport_stream)
        server.finish.wait(20)

    server = serve(talk)
    source = VideoSource(parse_source(f"tcp://127.0.0.1:{server.port}"), time.monotonic, stall_timeout=0.3)
    source.open()
    began = time.monotonic()
    with pytest.raises(DeviceError, match=r"stalled: no frame for 0\.3 s"):
        read_all(source)
    assert time.monotonic() - began < 5
    source.close()


def test_a_stop_ends_a_read_of_a_stalled_stream_long_before_its_time_out(
    serve: Callable[..., Server], transport_stream: bytes
) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(transport_stream)
        server.finish.wait(20)

    server = serve(talk)
    source = VideoSource(parse_source(f"tcp://127.0.0.1:{server.port}"), time.monotonic, stall_timeout=15)
    source.open()
    stop = StopToken()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    frames = read_all(source, stop=stop)
    assert stop.is_set()
    assert time.monotonic() - began < 3
    assert len(frames) >= 1
    source.close()


def test_a_stream_that_comes_back_goes_on_with_a_gap(serve: Callable[..., Server], transport_stream: bytes) -> None:
    server = serve(lambda connection: connection.sendall(transport_stream))
    clock = FakeClock(100.0)
    source = VideoSource(parse_source(f"tcp://127.0.0.1:{server.port}"), clock)
    source.open()
    before = read_all(source)[-1].sequence
    lost = source.lost
    source.close()
    clock.now += 2.0
    source.open()
    after = read_all(source, limit=1)[0]
    assert after.sequence - before - 1 == source.lost - lost
    assert after.sequence - before - 1 >= 59
    assert after.capture_time == pytest.approx(102.0)


def test_udp_datagrams(transport_stream: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    enough = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not enough.is_set():
                for start in range(0, len(transport_stream), 1316):
                    sender.sendto(transport_stream[start : start + 1316], ("127.0.0.1", port))
                    enough.wait(0.001)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    source = VideoSource(parse_source(f"udp://127.0.0.1:{port}"), time.monotonic)
    try:
        info = source.open()
        frames = read_all(source, limit=10)
    finally:
        enough.set()
        source.close()
    assert info is not None
    assert info.live
    assert len(frames) == 10
    assert all(b.sequence > a.sequence for a, b in itertools.pairwise(frames))
    thread.join(10)


def test_nobody_sends() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    source = VideoSource(parse_source(f"udp://127.0.0.1:{port}"), time.monotonic, open_timeout=0.3)
    with pytest.raises(DeviceError, match=r"nothing came within 0\.3 s"):
        source.open()


def http(body: bytes, kind: str, *, length: bool = True) -> Callable[[socket.socket], None]:
    """Answers one HTTP request with `body`, honouring a range."""

    def talk(connection: socket.socket) -> None:
        request = connection.recv(65536).decode()
        start = 0
        for line in request.splitlines():
            if line.lower().startswith("range: bytes="):
                start = int(line.split("=")[1].split("-")[0])
        lines = [f"HTTP/1.1 {206 if start else 200} OK", f"Content-Type: {kind}", "Connection: close"]
        if length:
            lines += [f"Content-Length: {len(body) - start}", "Accept-Ranges: bytes"]
            lines += [f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}"] if start else []
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body[start:])

    return talk


def test_a_recording_over_http_is_paced_and_whole(serve: Callable[..., Server], tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(25)], fps=25)
    server = serve(http(clip.read_bytes(), "video/mp4"))
    clock = FakeClock(10.0)
    source = VideoSource(parse_source(f"http://127.0.0.1:{server.port}/a.mp4"), clock, sleep=clock.sleep)
    info = source.open()
    assert info is not None
    assert not info.live
    frames = read_all(source)
    source.close()
    assert [number_of(frame.image) for frame in frames] == list(range(25))
    assert [frame.capture_time for frame in frames] == pytest.approx([10 + i / 25 for i in range(25)])
    assert source.notices == []


def test_motion_jpeg_over_http_is_live_and_its_end_is_a_failure(serve: Callable[..., Server]) -> None:
    body = io.BytesIO()
    for index in range(8):
        jpeg = cv2.imencode(".jpg", numbered(index))[1].tobytes()
        body.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n")
    server = serve(http(body.getvalue(), "multipart/x-mixed-replace; boundary=frame", length=False))
    source = VideoSource(parse_source(f"http://127.0.0.1:{server.port}/stream"), time.monotonic)
    info = source.open()
    assert info is not None
    assert (info.live, info.codec) == (True, "mjpeg")
    first = source.read(StopToken())
    assert first is not None
    assert first.sequence == 0
    assert first.image.shape == (48, 64, 3)
    with pytest.raises(DeviceError, match=r"ended|stopped giving frames"):
        read_all(source)
    source.close()


def test_a_web_page_is_no_video(serve: Callable[..., Server]) -> None:
    server = serve(http(b"<html><body>Hello</body></html>" * 40, "text/html"))
    with pytest.raises(DeviceError, match="not a video stream"):
        VideoSource(parse_source(f"http://127.0.0.1:{server.port}/"), time.monotonic).open()


def test_a_missing_page_is_told(serve: Callable[..., Server]) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    server = serve(lambda connection: (connection.recv(65536), connection.sendall(answer)))
    with pytest.raises(DeviceError, match="could not be opened"):
        VideoSource(parse_source(f"http://127.0.0.1:{server.port}/x.mp4"), time.monotonic).open()
