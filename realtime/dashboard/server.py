"""The web server's routes and rules. Needs aiohttp, so it is imported only when a dashboard is asked for."""

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import WSCloseCode, WSMsgType, web

from realtime.dashboard.access import Access, refusal
from realtime.dashboard.assets import PAGES, Asset, load_assets
from realtime.dashboard.commands import (
    Action,
    CommandError,
    Commands,
    CommandUnavailableError,
    Request,
    json_object,
)
from realtime.dashboard.hosting import serve_asset
from realtime.dashboard.hub import Client, Hub
from realtime.dashboard.security import Bucket, Guard
from realtime.errors import FacemirrorError
from realtime.files import shortened

_LARGEST_BODY = 16 * 1024
_LARGEST_MESSAGE = 4 * 1024
_MOST_CLIENTS = 16
_HEARTBEAT = 10.0
_FAREWELL = 1.0
_BODY_SECONDS = 5.0
_ANSWER_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Server:
    """Everything the handlers share.

    Attributes:
        guard: decides who may ask.
        hub: where messages come from.
        commands: by name.
        clock: the frames' clock, seconds.
        run: calls a command's action off the event loop, one at a time.
        admit: called with a connection on which the token was shown.
        send_timeout: seconds after which a client that takes nothing is let go.
        assets: by path.
        more: adds further addresses to the application, which obey the same rules.
    """

    guard: Guard
    hub: Hub
    commands: Commands
    clock: Callable[[], float]
    run: Callable[[Callable[[], None]], Awaitable[None]]
    admit: Callable[[asyncio.BaseTransport | None], None] = lambda _transport: None
    send_timeout: float = 10.0
    assets: dict[str, Asset] = field(default_factory=load_assets)
    more: Callable[[web.Application, Access], None] = lambda _app, _access: None
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)
    _command_rate: Bucket = field(default_factory=lambda: Bucket(10, 30))
    _access: Access = field(init=False)

    def __post_init__(self) -> None:
        self._access = Access(self.guard, self.admit)

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = self._access.application(_LARGEST_BODY)
        app.on_shutdown.append(self._farewell)
        for path in PAGES:
            app.router.add_get(path, self._page, allow_head=False)
        app.router.add_get("/assets/{name}", self._asset, allow_head=False)
        app.router.add_get("/live", self._live, allow_head=False)
        app.router.add_get("/api/v1", self._commands, allow_head=False)
        app.router.add_post("/api/v1/{command}", self._command)
        app.router.add_post("/api/{command}", self._command)  # the page's, and that of programs before version 1
        self.more(app, self._access)
        return app

    async def _farewell(self, _app: web.Application) -> None:
        async def part(socket: web.WebSocketResponse) -> None:
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(_FAREWELL):
                    await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the program ends")

        await asyncio.gather(*(part(socket) for socket in list(self._sockets)))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        response = serve_asset(self.assets[PAGES[request.path]])
        self._access.welcome(request, response)
        return response

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        asset = self.assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return serve_asset(asset)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if self.hub.watchers >= _MOST_CLIENTS:
            return refusal(503, f"{_MOST_CLIENTS} pages are open already; close one.")
        socket = web.WebSocketResponse(max_msg_size=_LARGEST_MESSAGE, heartbeat=_HEARTBEAT, compress=False)
        try:
            await socket.prepare(request)
        except ConnectionError:
            return refusal(400, "The connection was closed before it was answered.")
        client = Client(picture=request.query.get("picture") == "1")
        self.hub.join(client)
        self._sockets.add(socket)
        writer = asyncio.create_task(self._write(request, socket, client))
        try:
            await self._listen(socket, client)
        finally:
            self.hub.leave(client)
            self._sockets.discard(socket)
            writer.cancel()
        return socket

    async def _write(self, request: web.Request, socket: web.WebSocketResponse, client: Client) -> None:
        try:
            while True:
                message = await client.next()
                async with asyncio.timeout(self.send_timeout):
                    if isinstance(message, bytes):
                        await socket.send_bytes(message)
                    else:
                        await socket.send_str(message)
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()

    async def _listen(self, socket: web.WebSocketResponse, client: Client) -> None:
        allowance = Bucket(60, 120)
        async for message in socket:
            if not allowance.allow(time.monotonic()):
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many messages")
                return
            words = json_object(message.data) if message.type is WSMsgType.TEXT else None
            if words is None:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"not understood")
                return
            match words.get("type"):
                case "seen":
                    client.confirm()
                case "ping":
                    sent = words.get("t")
                    sent = sent if isinstance(sent, int | float) and math.isfinite(sent) else None
                    client.offer("pong", json.dumps({"type": "pong", "t": sent, "now": self.clock()}))
                case "picture":
                    client.wants_picture = words.get("on") is True
                    self.hub.count()

    async def _commands(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"version": 1, "commands": self.commands.describe()})

    async def _command(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["command"]
        if not self._command_rate.allow(time.monotonic()):
            return refusal(429, "Too many commands at once; wait a moment.")
        if request.content_type != "application/json":
            return refusal(415, "Commands are read as JSON (Content-Type: application/json).")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            # Unpacking could cost far more than the body's bound.
            return refusal(400, "Commands are read as they are: send the body without compression.")
        body = await _body(request)
        if body is None:
            return refusal(400, "The command cannot be read: its body does not come, or not as its headers say.")
        payload = json_object(body)
        if payload is None:
            return refusal(400, 'The command must be a JSON object, such as {"text": "smile"}.')
        command = self.commands.get(name)
        if command is None:
            return refusal(404, f"There is no command {shortened(name)}; GET /api/v1 lists them.")
        origin = "dashboard" if "Origin" in request.headers else "http"
        try:
            action = command.action(Request(payload, self.hub.newest, origin))
            waited_for = _WaitedFor(request)
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self.run(lambda: waited_for.carry_out(action))
        except CommandError as error:
            return refusal(error.status, str(error))
        except (CommandUnavailableError, FacemirrorError) as error:
            return refusal(409, str(error))
        except TimeoutError:
            return refusal(503, "The program did not answer in time.")
        return web.json_response(command.describe())


class _WaitedFor:
    """A command's action, carried out only while its client still waits for the answer.

    Commands are carried out one at a time. One that waited behind a slow one until its client gave up would surprise the
    person: a marker long after the moment, a recording that starts by itself.
    """

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._until = time.monotonic() + _ANSWER_SECONDS

    def carry_out(self, action: Action) -> None:
        """On the thread of the commands."""
        transport = self._request.transport
        if transport is None or transport.is_closing() or time.monotonic() > self._until:
            raise CommandUnavailableError("The program was busy; the command came too late and was not carried out.")
        action()


async def _body(request: web.Request) -> bytes | None:
    """The request's body; None where it does not come, or is broken."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.read()
    except (TimeoutError, web.RequestPayloadError):
        return None
