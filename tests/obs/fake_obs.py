"""A small server that speaks obs-websocket 5, and misbehaves on request."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from realtime.obs.protocol import authentication

SALT, CHALLENGE = "c2FsdA==", "Y2hhbGxlbmdl"
KNOWN = ("GetVersion", "GetCurrentProgramScene", "SetCurrentProgramScene", "GetSceneItemId", "SetSceneItemEnabled")


@dataclass(slots=True)
class FakeObs:
    """The server, and what it was asked.

    Attributes:
        password: it wants this one; None: none.
        refuse: by request, the status and comment it answers with.
        silent: requests that it never answers.
        answers: by request, the fields of its answer.
        known: what it says that it can do.
        hello: what it says at the beginning instead of its greeting.
        greets: it speaks first.
        asked: (request, data), in order.
    """

    password: str | None = None
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    known: tuple[str, ...] = KNOWN
    hello: str | None = None
    greets: bool = True
    port: int = 0
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    connections: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address."""
        return f"ws://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Close every connection, as an OBS that ends."""

        async def close() -> None:
            for socket in list(self._sockets):
                await socket.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)

    async def greet(self, request: web.Request) -> web.WebSocketResponse:
        """One connection from beginning to end."""
        socket = web.WebSocketResponse(protocols=("obswebsocket.json",))
        await socket.prepare(request)
        self.connections += 1
        self._sockets.add(socket)
        hello: dict[str, Any] = {"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}
        if self.password is not None:
            hello["authentication"] = {"salt": SALT, "challenge": CHALLENGE}
        with contextlib.suppress(ConnectionError):  # a client that is told too much may go at once
            if self.greets:
                await socket.send_str(self.hello or json.dumps({"op": 0, "d": hello}))
        identify = await socket.receive()
        if identify.type is not WSMsgType.TEXT:
            return socket
        shown = json.loads(identify.data)["d"].get("authentication")
        if self.password is not None and shown != authentication(self.password, SALT, CHALLENGE):
            await socket.close(code=4009, message=b"Authentication failed.")
            return socket
        await socket.send_str(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))
        await socket.send_str("this is no JSON")
        await socket.send_str(json.dumps({"op": 5, "d": {"eventType": "NobodyAskedForThis"}}))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._answer(socket, json.loads(message.data)["d"])
        self._sockets.discard(socket)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: Mapping[str, Any]) -> None:
        kind = asked["requestType"]
        self.asked.append((kind, asked["requestData"]))
        if kind in self.silent:
            return
        code, comment = self.refuse.get(kind, (100, ""))
        status = {"result": code == 100, "code": code, **({"comment": comment} if comment else {})}
        answers: dict[str, Mapping[str, Any]] = {
            "GetVersion": {"obsVersion": "29.0.2", "availableRequests": list(self.known)},
            "GetCurrentProgramScene": {"currentProgramSceneName": "Talk"},
            "GetSceneItemId": {"sceneItemId": 7},
            **self.answers,
        }
        body = {
            "requestType": kind,
            "requestId": asked["requestId"],
            "requestStatus": status,
            "responseData": answers.get(kind, {}),
        }
        await socket.send_str(json.dumps({"op": 7, "d": body}))


@contextmanager
def fake_obs(server: FakeObs) -> Iterator[FakeObs]:
    """Run the server on a thread of its own."""
    started, stop, loop = threading.Event(), asyncio.Event(), server._loop

    async def serve() -> None:
        application = web.Application()
        application.router.add_get("/", server.greet)
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", server.port)
        await site.start()
        server.port = runner.addresses[0][1]
        started.set()
        try:
            await stop.wait()
        finally:
            await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()
