"""The viewer's addresses: its page, what sessions hold, their recordings in ranges, and the coder's annotations."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from realtime.dashboard.access import Access, refusal
from realtime.dashboard.assets import Asset, assets_of, load_assets
from realtime.dashboard.hosting import serve_asset
from realtime.errors import DeviceError, UserInputError
from realtime.exchange import annotations_file, annotations_of, as_json, read_annotations, write_annotations
from realtime.viewer.shelf import Shelf
from realtime.viewer.viewed_session import ViewedSession
from realtime.viewer.virtual_mp4 import PlainFile, VirtualMp4

PAGE = "/viewer"
_API = f"{PAGE}/api/{{session:[0-9]{{1,6}}}}"
_LARGEST_BODY = 8 * 2**20
_BODY_SECONDS = 10.0
_MOST_CURVES = 24

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ViewerRoutes:
    """Answers for the sessions of a shelf.

    Args:
        shelf: the sessions.
        begin: their numbers that the page opens by itself, one or two; none: it lists them.
    """

    def __init__(self, shelf: Shelf, begin: tuple[int, ...] = ()) -> None:
        self._shelf = shelf
        self._begin = begin
        self._assets: Mapping[str, Asset] = {**load_assets(), **assets_of("realtime.viewer")}

    def add_to(self, app: web.Application, access: Access) -> None:
        """Add the routes to an application that obeys the access rules.

        Args:
            app: the application.
            access: its rules.
        """

        async def page(request: web.Request) -> web.StreamResponse:
            response = serve_asset(self._assets["viewer.html"])
            access.welcome(request, response)
            return response

        get: dict[str, Handler] = {
            PAGE: page,
            f"{PAGE}/assets/{{name}}": self._asset,
            f"{PAGE}/api/sessions": self._sessions,
            _API: self._describe,
            f"{_API}/index": self._index,
            f"{_API}/curves": self._curves,
            f"{_API}/rows": self._rows,
            f"{_API}/verify": self._verify,
            f"{_API}/film/{{kind}}": self._film,
            f"{_API}/picture/{{kind}}/{{number:[0-9]{{1,12}}}}": self._picture,
            f"{_API}/annotations": self._annotations,
        }
        for path, handler in get.items():
            app.router.add_get(path, _said(handler), allow_head=False)
        app.router.add_put(f"{_API}/annotations", _said(self._write_annotations))

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return serve_asset(asset)

    async def _session(self, request: web.Request) -> ViewedSession:
        return await asyncio.to_thread(self._shelf.session, int(request.match_info["session"]))

    async def _sessions(self, _request: web.Request) -> web.StreamResponse:
        names = await asyncio.to_thread(self._shelf.names)
        return web.json_response({"sessions": names, "begin": self._begin})

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        return web.json_response(await asyncio.to_thread(session.describe))

    async def _index(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        return _binary(await asyncio.to_thread(session.index))

    async def _curves(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        names = request.query.get("names", "").split(",")[:_MOST_CURVES]
        first, last, steps = _number(request, "first"), _number(request, "last"), int(_number(request, "steps"))
        return _binary(await asyncio.to_thread(session.curves, names, first, last, steps))

    async def _rows(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        first, count = int(_number(request, "first")), int(_number(request, "count"))
        return _binary(await asyncio.to_thread(session.stretch, first, count))

    async def _verify(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        return web.json_response({"notices": await asyncio.to_thread(lambda: session.differences)})

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        pictures = session.film(request.match_info["kind"]).pictures
        width = int(_number(request, "width", 0))
        content = await asyncio.to_thread(pictures.jpeg, int(request.match_info["number"]), width)
        return web.Response(body=content, content_type="image/jpeg")

    async def _film(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        film = session.film(request.match_info["kind"])
        mp4 = await asyncio.to_thread(lambda: film.mp4)
        if mp4 is None:
            raise UserInputError(f"Browsers do not play {film.index.path.name}; its pictures are made by the program.")
        return await _send_range(request, mp4)

    async def _annotations(self, request: web.Request) -> web.StreamResponse:
        session = await self._session(request)
        coder = request.query.get("coder", "")
        path = annotations_file(session.folder, coder)
        stored = await asyncio.to_thread(read_annotations, path, coder)
        content = {"annotations": as_json(stored.annotations), "state": stored.state, "file": path.name}
        return web.json_response(content)

    async def _write_annotations(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return refusal(415, "Annotations are read as JSON (Content-Type: application/json).")
        session = await self._session(request)
        body = await _body(request)
        if body is None:
            return refusal(413, f"The annotations do not come, or are larger than {_LARGEST_BODY:,} bytes.")
        try:
            content = json.loads(body)
            state, wanted = content["state"], content["annotations"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return refusal(400, "The request must be a JSON object with state and annotations.")
        if not isinstance(state, str) or not isinstance(wanted, dict):
            return refusal(400, "The request must be a JSON object with state and annotations.")
        annotations = annotations_of(wanted)
        path = annotations_file(session.folder, annotations.coder)
        try:
            new = await asyncio.to_thread(write_annotations, path, annotations, replaces=state)
        except UserInputError as error:
            return refusal(409, str(error))
        return web.json_response({"state": new, "file": path.name})


def _said(handler: Handler) -> Handler:
    """The handler, whose errors become an answer with their sentence."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except UserInputError as error:
            return refusal(400, str(error))
        except DeviceError as error:
            return refusal(503, str(error))

    return answer


def _number(request: web.Request, name: str, default: float | None = None) -> float:
    """Raises UserInputError."""
    word = request.query.get(name)
    if word is None and default is not None:
        return default
    try:
        value = float(word or "")
    except ValueError:
        value = float("inf")
    if not abs(value) < 1e15:
        raise UserInputError(f"{name} should be a number.")
    return value


def _binary(content: bytes) -> web.Response:
    return web.Response(body=content, content_type="application/octet-stream")


async def _body(request: web.Request) -> bytes | None:
    """None: it does not come, or is too large."""
    found = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.content.iter_any():
                found += piece
                if len(found) > _LARGEST_BODY:
                    return None
    except (TimeoutError, web.RequestPayloadError):
        return None
    return bytes(found)


async def _send_range(request: web.Request, mp4: VirtualMp4 | PlainFile) -> web.StreamResponse:
    """The part of a recording that a browser asks for (RFC 9110, 14)."""
    try:
        wanted = request.http_range
    except ValueError:
        return _no_such_range(mp4.size)
    first, last, _ = wanted.indices(mp4.size)
    ranged = "Range" in request.headers
    if ranged and first >= last:
        return _no_such_range(mp4.size)
    response = web.StreamResponse(status=206 if ranged else 200)
    response.content_type = "video/mp4"
    response.content_length = last - first
    response.headers["Accept-Ranges"] = "bytes"
    if ranged:
        response.headers["Content-Range"] = f"bytes {first}-{last - 1}/{mp4.size}"
    await response.prepare(request)
    pieces = mp4.read(first, last)
    with contextlib.suppress(ConnectionError, OSError):  # the browser has enough of it
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            await response.write(piece)
        await response.write_eof()
    return response


def _no_such_range(size: int) -> web.Response:
    answer = refusal(416, "The recording has no such part.")
    answer.headers["Content-Range"] = f"bytes */{size}"
    return answer
