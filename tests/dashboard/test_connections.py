"""What connections may cost: those without the token are few and stay shortly, and the person with the token gets in all the same."""

import asyncio
import contextlib
import gzip
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from aiohttp import ClientSession

from realtime.dashboard.commands import SwitchCommand
from realtime.dashboard.connections import ConnectionGate
from realtime.dashboard.service import Dashboard
from tests.dashboard.conftest import TOKEN, Recorded, commands_of, serve

BEARER = {"Authorization": f"Bearer {TOKEN}"}
Browse = Callable[[Callable[[ClientSession], Awaitable[Any]]], Any]


class Silent(asyncio.Protocol):
    """A server that answers nothing."""


async def gate_with(
    use: Callable[[ConnectionGate, Callable[[], Awaitable[socket.socket]]], Awaitable[None]], **limits: Any
) -> None:
    """A gate on loopback while `use(gate, connect)` runs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        gate = ConnectionGate(listening, Silent, **limits)
        running = asyncio.create_task(gate.run())
        opened: list[socket.socket] = []

        async def connect() -> socket.socket:
            made = socket.socket()
            made.setblocking(False)
            opened.append(made)
            await asyncio.get_running_loop().sock_connect(made, listening.getsockname())
            return made

        try:
            await use(gate, connect)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            for one in opened:
                one.close()


async def ended(one: socket.socket) -> bool:
    """Is the connection closed by the other side, within two seconds?"""
    try:
        async with asyncio.timeout(2):
            return await asyncio.get_running_loop().sock_recv(one, 1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  the other side is a thread or a kernel
            await asyncio.sleep(0.01)


def holds(gate: ConnectionGate, count: int) -> bool:
    return len(gate._open) == count


def test_the_oldest_stranger_makes_room() -> None:
    async def use(gate: ConnectionGate, connect: Callable[[], Awaitable[socket.socket]]) -> None:
        first = [await connect() for _ in range(4)]
        await until(lambda: len(gate._open) == 4)
        await connect()
        await until(lambda: gate.refused == 1)
        assert await ended(first[0])
        assert len(gate._open) == 4

    asyncio.run(gate_with(use, unauthenticated=4))


def test_a_stranger_is_closed_after_its_time_and_the_known_one_is_not() -> None:
    async def use(gate: ConnectionGate, connect: Callable[[], Awaitable[socket.socket]]) -> None:
        known = await connect()
        await until(lambda: len(gate._open) == 1)
        gate.admit(gate._open[0].transport)
        stranger = await connect()
        assert await ended(stranger)
        assert len(gate._open) == 1
        known.send(b"still here")

    asyncio.run(gate_with(use, seconds=0.1))


def test_known_connections_are_bounded_too() -> None:
    async def use(gate: ConnectionGate, connect: Callable[[], Awaitable[socket.socket]]) -> None:
        for count in range(1, 4):
            await connect()
            await until(partial(holds, gate, count))
            gate.admit(gate._open[-1].transport)
        assert await ended(await connect())
        assert len(gate._open) == 3

    asyncio.run(gate_with(use, connections=3))


def test_running_out_of_descriptors_is_said_once_and_waited_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(gate: ConnectionGate, connect: Callable[[], Awaitable[socket.socket]]) -> None:
        loop = asyncio.get_running_loop()
        real = loop.sock_accept
        failures: list[int] = []

        async def accept(listening: socket.socket) -> Any:
            if len(failures) < 3:
                failures.append(1)
                raise OSError(24, "Too many open files")
            return await real(listening)

        monkeypatch.setattr(loop, "sock_accept", accept)
        await connect()
        await until(lambda: len(gate._open) == 1)

    monkeypatch.setattr("realtime.dashboard.connections._RETRY_SECONDS", 0.01)
    # The gate is at its first accept already; one connection wakes it, the next three tries fail.
    with caplog.at_level(logging.WARNING):

        async def whole() -> None:
            async def first(gate: ConnectionGate, connect: Callable[[], Awaitable[socket.socket]]) -> None:
                await connect()
                await use(gate, connect)

            await gate_with(first)

        asyncio.run(whole())
    assert sum("Too many open files" in record.message for record in caplog.records) <= 1


def test_two_hundred_idle_sockets_do_not_keep_the_page_out(
    dashboard: Dashboard, browse: Browse, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of them silent, half of them in the middle of their headers."""
    idle = []
    try:
        with caplog.at_level(logging.WARNING):
            for number in range(200):
                one = socket.create_connection(("127.0.0.1", dashboard.port), timeout=5)
                if number % 2:
                    one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                idle.append(one)

            async def page(session: ClientSession) -> int:
                async with session.get(f"/?token={TOKEN}") as answer:
                    return answer.status

            assert browse(page) == 200
        closed = 0
        for one in idle:
            one.settimeout(0.0)
            try:
                closed += one.recv(1) == b""
            except BlockingIOError:
                pass
            except ConnectionError:
                closed += 1
        assert closed >= 200 - 32
        assert caplog.records == []
    finally:
        for one in idle:
            one.close()


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "x", "capture_time": ' + b"9" * 400 + b', "sequence": 1}',
        b'{"text": "x", "capture_time": 1e400, "sequence": 1}',
        b'{"text": "x", "capture_time": NaN, "sequence": 1}',
        b'{"text": "x", "sequence": -Infinity}',
        b"\xff\xfe{}",
        b"[" * 100_00,
    ],
    ids=["400 digits", "1e400", "NaN", "-Infinity", "not UTF-8", "deep"],
)
def test_a_body_that_is_no_json_object_is_a_400(browse: Browse, recorded: Recorded, body: bytes) -> None:
    async def scene(session: ClientSession) -> int:
        headers = {**BEARER, "Content-Type": "application/json"}
        async with session.post("/api/marker", data=body, headers=headers) as answer:
            return answer.status

    assert browse(scene) == 400
    assert recorded.marks == []


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_is_not_compressed_as_it_says_is_a_400(
    browse: Browse, coding: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(session: ClientSession) -> int:
        headers = {**BEARER, "Content-Type": "application/json", "Content-Encoding": coding}
        async with session.post("/api/marker", data=b"this is no archive", headers=headers) as answer:
            return answer.status

    with caplog.at_level(logging.WARNING):
        assert browse(scene) == 400
    assert caplog.records == []


def test_a_compressed_body_is_refused_and_not_unpacked(browse: Browse, recorded: Recorded) -> None:
    async def scene(session: ClientSession) -> tuple[int, str]:
        headers = {**BEARER, "Content-Type": "application/json", "Content-Encoding": "gzip"}
        body = gzip.compress(b'{"text": "' + b"x" * 5_000_000 + b'"}')
        async with session.post("/api/marker", data=body, headers=headers) as answer:
            return answer.status, (await answer.json())["error"]

    status, sentence = browse(scene)
    assert (status, "without compression" in sentence) == (400, True)
    assert recorded.marks == []


def test_a_ping_with_400_digits_ends_only_its_own_connection(browse: Browse, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(session: ClientSession) -> int | None:
        async with session.ws_connect("/live", headers=BEARER) as live:
            await live.send_str('{"type": "ping", "t": ' + "9" * 400 + "}")
            async for _ in live:
                pass
            return live.close_code

    with caplog.at_level(logging.WARNING):
        assert browse(scene) == 1003
    assert caplog.records == []


class Slow:
    """A switch that takes as long as it is told to."""

    def __init__(self) -> None:
        self.active = False
        self.switched: list[bool] = []
        self.entered = threading.Event()
        self.release = threading.Event()

    def switch(self, on: bool) -> None:
        self.entered.set()
        assert self.release.wait(10)
        self.switched.append(on)


def test_a_command_whose_client_has_gone_is_not_carried_out(recorded: Recorded) -> None:
    """It waited behind a slow one until its client gave up."""
    slow = Slow()
    served = serve(commands_of(recorded, record=SwitchCommand(slow)))
    served.hub.frame_shown(99.0, 42)

    async def scene() -> None:
        async with ClientSession(served.url, headers=BEARER) as session:

            async def post(path: str, payload: dict[str, Any]) -> int:
                async with session.post(path, json=payload) as answer:
                    return answer.status

            first = asyncio.create_task(post("/api/record", {"value": True}))
            await until(slow.entered.is_set)
            late = asyncio.create_task(post("/api/marker", {"text": "too late"}))
            # Its request has arrived when another one on a connection of its own has been answered.
            assert (await session.get("/overlay")).status == 200
            await asyncio.sleep(0)
            late.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await late
            assert (await session.get("/overlay")).status == 200
            slow.release.set()
            assert await first == 200
            assert await post("/api/marker", {"text": "in time"}) == 200

    try:
        asyncio.run(scene())
    finally:
        slow.release.set()
        served.stop()
    assert [mark["text"] for mark in recorded.marks] == ["in time"]


@pytest.mark.parametrize("listen", ["127.0.0.1", "localhost", "127.0.0.2", "::1", "[::1]"])
def test_the_printed_link_connects(recorded: Recorded, listen: str) -> None:
    if ":" in listen and not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    from realtime.dashboard.status_feed import RunStatus
    from tests.dashboard.conftest import no_report

    try:
        served = Dashboard(listen, 0, TOKEN, lambda: 0.0)
    except Exception as error:  # noqa: BLE001  only Linux has all of 127.0.0.0/8
        pytest.skip(str(error))
    served.start(commands_of(recorded), RunStatus((), "compose", no_report))

    async def scene() -> int:
        link = served.sentences[0].removeprefix("Dashboard: ")
        async with ClientSession() as session, session.get(link) as answer:
            return answer.status

    try:
        assert asyncio.run(scene()) == 200
    finally:
        served.stop()


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
