"""The dashboard under random requests: never a 5xx, never a traceback, never a marker without the token, and it still answers.

A short run is part of the suite; `FACEMIRROR_FUZZ=5000 pytest tests/fuzz/test_http.py` is a long one. Loopback only.
"""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.dashboard.service import Dashboard
from tests.dashboard.conftest import TOKEN, Recorded, commands_of, serve

EXAMPLES = int(os.environ.get("FACEMIRROR_FUZZ", "0")) or 60
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = pytest.mark.timeout(max(120, EXAMPLES))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**30, 10**400) | st.floats() | st.text(max_size=600),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(
    st.sampled_from(["text", "value", "capture_time", "sequence", "type", "t", "on"]), JSON, max_size=5
)
COMMANDS = st.sampled_from(
    ["marker", "record", "camera", "view", "side", "calibrate", "model", "describe", "%00", ".."]
)
METHODS = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE", "get", "X" * 40, ""])
PATHS = st.sampled_from(
    ["/", "/overlay", "/live", "/api/marker", "/assets/dashboard.js", "/%ff", "//", "*", "/?" + "a" * 9000]
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Host", "Origin", "Cookie", "Authorization", "Content-Length", "Content-Type", "Content-Encoding",
                "Transfer-Encoding", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Expect",
            ]
        ),
        st.sampled_from(
            [
                "127.0.0.1", f"Bearer {TOKEN}", "Bearer x", "gzip", "chunked", "identity", "websocket", "Upgrade", "-1", "5",
                "99999999999999999999", "application/json", "application/json; charset=nonsense", "13", "100-continue",
                "dGhlIHNhbXBsZSBub25jZQ==", "a" * 5000, "",
            ]
        )
        | st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30),
    ),
    max_size=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture(scope="module")
def server(recorded: Recorded) -> Iterator[Dashboard]:
    made = serve(commands_of(recorded))
    made.hub.frame_shown(99.0, 42)
    try:
        yield made
    finally:
        made.stop()


async def exchange(port: int, request: bytes, *, patience: float = 0.3, half_close: bool = False) -> bytes:
    """Send bytes as they are; what comes back until the server closes or has been silent for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(request)
        await writer.drain()
        if half_close:
            writer.write_eof()
        async with asyncio.timeout(patience):
            while part := await reader.read(65536):
                answer += part
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


async def answers(server: Dashboard) -> bool:
    async with ClientSession(server.url) as session, session.get(f"/?token={TOKEN}") as answer:
        return answer.status == 200


def check(server: Dashboard, answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    status = answer.split(b" ")[1:2]
    assert not status or not status[0].startswith(b"5") or status[0] == b"501", answer[:300]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@BOUNDED
@given(command=COMMANDS, payload=PAYLOADS | JSON)
def test_commands_with_the_token(
    server: Dashboard, caplog: pytest.LogCaptureFixture, command: str, payload: object
) -> None:
    body = json.dumps(payload).encode()
    head = (
        f"POST /api/{command} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    caplog.clear()
    answer = asyncio.run(exchange(server.port, head.encode() + body, patience=5))
    assert answer.startswith(b"HTTP/1.1 ")
    check(server, answer, caplog)


@BOUNDED
@given(method=METHODS, path=PATHS, headers=HEADERS, body=st.binary(max_size=200), host=st.booleans())
def test_requests_of_any_form(
    server: Dashboard,
    recorded: Recorded,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    body: bytes,
    host: bool,
) -> None:
    before = len(recorded.marks)
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: 127.0.0.1:{server.port}"] if host else [])]
    lines += [f"{name}: {value}" for name, value in headers]
    caplog.clear()
    answer = asyncio.run(exchange(server.port, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body))
    check(server, answer, caplog)
    if not any(TOKEN in value for _, value in headers):
        assert len(recorded.marks) == before
        assert b"<script" not in answer


@BOUNDED
@given(data=st.binary(max_size=400))
def test_bytes_that_are_no_http(server: Dashboard, caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    caplog.clear()
    check(server, asyncio.run(exchange(server.port, data, patience=0.1)), caplog)


@BOUNDED
@given(messages=st.lists(st.binary(max_size=60) | PAYLOADS | JSON, max_size=6))
def test_messages_of_a_page(server: Dashboard, caplog: pytest.LogCaptureFixture, messages: list[object]) -> None:
    async def scene() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with ClientSession(server.url, headers=headers) as session, session.ws_connect("/live") as live:
            for message in messages:
                if live.closed:
                    break
                with contextlib.suppress(ConnectionError):
                    if isinstance(message, bytes):
                        await live.send_bytes(message)
                    else:
                        await live.send_str(json.dumps(message))

    caplog.clear()
    asyncio.run(scene())
    check(server, b"", caplog)


@BOUNDED
@given(frames=st.binary(min_size=1, max_size=60))
def test_frames_that_are_no_websocket_s(server: Dashboard, caplog: pytest.LogCaptureFixture, frames: bytes) -> None:
    head = (
        f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKEN}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    caplog.clear()
    answer = asyncio.run(exchange(server.port, head.encode() + frames, patience=0.1, half_close=True))
    check(server, answer, caplog)


def test_it_still_answers_after_all_that(server: Dashboard) -> None:
    assert asyncio.run(answers(server))
