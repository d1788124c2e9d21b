"""The WebSocket: news on connecting, newest only, limits; and the port."""

import asyncio
import contextlib
import errno
import json
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from realtime.dashboard.listen import bind, own_names
from realtime.dashboard.messages import PICTURE_HEADER
from realtime.dashboard.service import Dashboard
from realtime.errors import DeviceError, UserInputError
from tests.dashboard.conftest import TOKEN, Recorded, commands_of, serve

Browse = Callable[[Callable[[ClientSession], Awaitable[Any]]], Any]
LIVE = f"/live?token={TOKEN}"


async def heard(ws: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    async for message in ws:
        if message.type is WSMsgType.TEXT and (words := json.loads(message.data))["type"] == kind:
            return words
    raise AssertionError(f"closed before {kind}")


def test_a_page_is_told_everything_known_when_it_connects(browse: Browse, dashboard: Dashboard) -> None:
    dashboard.hub.publish("state", json.dumps({"type": "state", "sequence": 5}))

    async def scene(session: ClientSession) -> None:
        async with session.ws_connect(LIVE) as ws:
            assert (await heard(ws, "hello"))["units"] == [6, 12]
            assert (await heard(ws, "state"))["sequence"] == 5
            controls = (await heard(ws, "controls"))["controls"]
            assert set(controls) == {"calibrate", "record", "marker", "view", "side", "camera", "model"}

    browse(scene)


def test_clocks_can_be_compared(browse: Browse) -> None:
    async def scene(session: ClientSession) -> dict[str, Any]:
        async with session.ws_connect(LIVE) as ws:
            await ws.send_json({"type": "ping", "t": 1.5})
            return await heard(ws, "pong")

    assert browse(scene) == {"type": "pong", "t": 1.5, "now": 100.0}


def test_pictures_come_only_to_those_who_want_them(browse: Browse, dashboard: Dashboard) -> None:
    picture = PICTURE_HEADER.pack(1.0, 2) + b"jpeg"

    async def scene(session: ClientSession) -> None:
        async with session.ws_connect(LIVE + "&picture=1") as watching, session.ws_connect(LIVE) as other:
            for ws in (watching, other):
                await _trip(ws)
            assert (dashboard.hub.watchers, dashboard.hub.picture_watchers) == (2, 1)
            dashboard.hub.publish("picture", picture)
            assert await watching.receive_bytes() == picture
            await watching.send_json({"type": "picture", "on": False})
            await watching.send_json({"type": "ping", "t": 0})
            await heard(watching, "pong")
            assert dashboard.hub.picture_watchers == 0

    browse(scene)


@pytest.mark.parametrize("send_timeout", [30.0, 0.1])
def test_a_client_that_never_reads_holds_nobody_up_and_is_let_go(send_timeout: float) -> None:
    """It opens a WebSocket and reads nothing; a second client misses no message, and the first is cut off in time."""
    dashboard = serve(commands_of(Recorded()), send_timeout=send_timeout)

    async def scene() -> None:
        dead = await _silent_client(dashboard)
        async with ClientSession(dashboard.url) as session, session.ws_connect(LIVE + "&picture=1") as lively:
            await _trip(lively)
            big = "x" * 400_000
            for number in range(40):
                dashboard.hub.publish("state", json.dumps({"type": "state", "sequence": number, "big": big}))
                assert (await heard(lively, "state"))["sequence"] == number
            if send_timeout > 1:
                stuck = [client for client in dashboard.hub._clients if client.waiting]
                assert len(stuck) == 1, "one message of a kind waits for the dead client, none for the other"
                assert stuck[0].replaced["state"] > 20
                assert set(stuck[0].waiting) <= {"controls", "state"}
            while send_timeout < 1 and dashboard.hub.watchers > 1:
                number += 1
                dashboard.hub.publish("state", json.dumps({"type": "state", "sequence": number}))
                assert (await heard(lively, "state"))["sequence"] == number
        dead.close()

    try:
        asyncio.run(scene())
    finally:
        dashboard.stop()


async def _trip(ws: ClientWebSocketResponse) -> None:
    """One round trip: what was sent before has arrived."""
    await ws.send_json({"type": "ping", "t": 0})
    await heard(ws, "pong")


async def _silent_client(dashboard: Dashboard) -> socket.socket:
    """A WebSocket handshake on a bare socket with a small buffer; nothing is read after it."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", dashboard.port))
    key = "AAAAAAAAAAAAAAAAAAAAAA=="
    words = [
        f"GET {LIVE}&picture=1 HTTP/1.1",
        f"Host: 127.0.0.1:{dashboard.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    raw.sendall(("\r\n".join(words) + "\r\n\r\n").encode())
    assert b"101" in await asyncio.to_thread(raw.recv, 64)
    return raw


@pytest.mark.parametrize("words", ["x" * 5000, "no json", "[]"])
def test_a_client_that_talks_nonsense_is_let_go(browse: Browse, words: str) -> None:
    async def scene(session: ClientSession) -> int | None:
        async with session.ws_connect(LIVE) as ws:
            await ws.send_str(words)
            async for _ in ws:
                pass
            return ws.close_code

    assert browse(scene) in (1003, 1009)


def test_a_client_that_talks_too_much_is_let_go(browse: Browse) -> None:
    async def scene(session: ClientSession) -> int | None:
        async with session.ws_connect(LIVE) as ws:
            with contextlib.suppress(ConnectionError):
                for _ in range(1000):
                    await ws.send_str('{"type": "seen"}')
            async for _ in ws:
                pass
            return ws.close_code

    assert browse(scene) == 1008


def test_too_many_pages(browse: Browse) -> None:
    async def scene(session: ClientSession) -> int:
        async with contextlib.AsyncExitStack() as pages:
            for _ in range(16):
                ws = await pages.enter_async_context(session.ws_connect(LIVE))
                await ws.send_json({"type": "ping", "t": 0})
                await heard(ws, "pong")
            async with session.get(LIVE, headers={"Connection": "Upgrade", "Upgrade": "websocket"}) as answer:
                return answer.status

    assert browse(scene) == 503


def test_stopping_tells_the_pages(dashboard: Dashboard) -> None:
    async def scene() -> int | None:
        async with ClientSession(dashboard.url) as session, session.ws_connect(LIVE) as ws:
            await heard(ws, "controls")
            stopping = asyncio.get_running_loop().run_in_executor(None, dashboard.stop)
            async for _ in ws:
                pass
            await stopping
            return ws.close_code

    assert asyncio.run(scene()) == 1001


def test_a_taken_port_is_one_sentence_that_says_by_whom(dashboard: Dashboard) -> None:
    with pytest.raises(DeviceError, match=rf"Port {dashboard.port} is taken.*--port 0") as error:
        bind("127.0.0.1", dashboard.port)
    assert f"process {os.getpid()}" in str(error.value)
    assert error.value.exit_code == 3


def test_the_same_port_can_be_had_again_at_once() -> None:
    first = Dashboard("127.0.0.1", 0, TOKEN, lambda: 0.0)
    first.stop()
    second = Dashboard("127.0.0.1", first.port, TOKEN, lambda: 0.0)
    second.stop()
    assert second.port == first.port


@pytest.mark.parametrize("address", ["203.0.113.7", "no such name.invalid", ""])
def test_an_address_that_is_not_ours(address: str) -> None:
    with pytest.raises(UserInputError, match="--listen"):
        bind(address, 0)


def test_anything_but_loopback_warns() -> None:
    local = Dashboard("127.0.0.1", 0, TOKEN, lambda: 0.0)
    local.stop()
    assert not any("Warning" in sentence for sentence in local.sentences)
    everywhere = Dashboard("0.0.0.0", 0, TOKEN, lambda: 0.0)
    everywhere.stop()
    assert any("Warning" in sentence and "network" in sentence for sentence in everywhere.sentences)
    assert not everywhere.guard.right_host(f"evil.example:{everywhere.port}")


def test_all_addresses_means_this_machine_s_own() -> None:
    names = own_names("0.0.0.0")
    assert socket.gethostname() in names
    assert "127.0.0.1" in names
    assert own_names("192.168.1.7") == {"192.168.1.7"}
    assert own_names("fe80::1") == {"[fe80::1]"}


@pytest.mark.parametrize("part", ["publish_status", "load_assets"], ids=["the news", "the pages"])
def test_a_page_that_cannot_go_on_is_told_in_a_sentence_and_its_port_closes(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Its thread used to end with a traceback, or to serve pages without news, and the run said nothing."""

    async def no_news(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    def no_pages(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    if part == "publish_status":
        monkeypatch.setattr("realtime.dashboard.service.publish_status", no_news)
    else:
        monkeypatch.setattr("realtime.dashboard.service.Server", no_pages)
    made = serve(commands_of(recorded))
    assert made._thread is not None
    made._thread.join(10.0)
    assert not made.running
    assert made.problem == "The dashboard stopped (OSError: Too many open files); the run goes on without it."
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", made.port), timeout=5.0)
    made.stop()


def test_what_has_failed_is_on_the_page() -> None:
    dashboard = serve(commands_of(Recorded()), warnings=["The recording stopped."])

    async def scene() -> list[str]:
        async with ClientSession(dashboard.url) as session, session.ws_connect(LIVE) as ws:
            return (await heard(ws, "warnings"))["warnings"]

    try:
        assert asyncio.run(scene()) == ["The recording stopped."]
    finally:
        dashboard.stop()
