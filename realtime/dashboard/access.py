"""Whom the web server answers: the rules of `security`, applied to every request before any handler sees it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from realtime.dashboard.security import Bucket, Guard, security_headers
from realtime.session.markers import LONGEST

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_SHOWN = web.RequestKey("token_shown", bool)


class Access:
    """The middleware of a server, and the headers of its answers.

    Args:
        guard: decides who may ask.
        admit: called with a connection on which the token was shown.
    """

    def __init__(self, guard: Guard, admit: Callable[[asyncio.BaseTransport | None], None]) -> None:
        self._guard = guard
        self._admit = admit
        self._strangers = Bucket(5, 20)

    def application(self, largest_body: int) -> web.Application:
        """An application without routes that obeys the rules.

        Args:
            largest_body: bytes of a request's body.
        """
        app = web.Application(middlewares=[self._check], client_max_size=largest_body)
        app.on_response_prepare.append(self._add_headers)
        return app

    def welcome(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give a page that was asked for with the token the cookie, so that the token need not stay in the address bar.

        Args:
            request: for the page.
            response: the page.
        """
        if request[_SHOWN]:
            guard = self._guard
            response.set_cookie(guard.cookie, guard.token, httponly=True, samesite="Strict", path="/")

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        host = request.headers.get("Host", "")
        own = host if self._guard.right_host(host) else f"127.0.0.1:{self._guard.port}"
        response.headers.update(security_headers(own))
        response.headers.popall("Server", None)

    @web.middleware
    async def _check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers, guard = request.headers, self._guard
        if not guard.right_host(headers.get("Host")):
            return refusal(403, "This server answers to its own address only; open the link that the program printed.")
        shown = request.query.get("token") or headers.get("Authorization", "").removeprefix("Bearer ") or None
        token_shown = guard.right_token(shown)
        if not token_shown and (shown is not None or not guard.right_token(request.cookies.get(guard.cookie))):
            if not self._strangers.allow(time.monotonic()):
                return refusal(429, "Too many requests without the token; wait a moment.")
            return refusal(
                401, "The token is missing or wrong; open the link that the program printed when it started."
            )
        speaks = request.method != "GET" or headers.get("Upgrade", "").lower() == "websocket"
        if speaks and not guard.right_origin(headers.get("Origin"), headers.get("Host"), token_shown=token_shown):
            return refusal(403, "This request comes from a page of another site and is refused.")
        request[_SHOWN] = token_shown
        self._admit(request.transport)
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return refusal(413, f"That is too long: a marker holds at most {LONGEST} characters.")
        except web.HTTPException as error:
            return refusal(error.status, f"{error.reason}.")


def refusal(status: int, sentence: str) -> web.Response:
    """An answer that says why not.

    Args:
        status: of HTTP.
        sentence: for the user.
    """
    return web.json_response({"error": sentence}, status=status)
