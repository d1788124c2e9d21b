"""Runs an aiohttp application on a listening socket, with bounded connections, until it is told to stop."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from realtime.dashboard.assets import Asset
from realtime.dashboard.connections import ConnectionGate
from realtime.dashboard.security import Bucket

GRACE_SECONDS = 2.0
"""In which open answers may end when the server stops."""
_KEEP_ALIVE = 60.0
_LINGERING = 1.0


class Admission:
    """Tells the gate of a server that is not there yet which connections have shown the token."""

    def __init__(self) -> None:
        self.gate: ConnectionGate | None = None

    def __call__(self, transport: asyncio.BaseTransport | None) -> None:
        if self.gate is not None:
            self.gate.admit(transport)


@asynccontextmanager
async def hosted(
    application: Callable[[Admission], web.Application], listening: socket.socket
) -> AsyncIterator[asyncio.Task[None]]:
    """Answer on the socket while the block lasts; then every connection and the socket are closed.

    Args:
        application: made here, given whom to tell of connections that have shown the token.
        listening: the socket.

    Yields:
        The task that accepts connections; it ends only by failing.
    """
    admission = Admission()
    runner = web.AppRunner(
        application(admission),
        access_log=None,
        shutdown_timeout=GRACE_SECONDS,
        handle_signals=False,
        keepalive_timeout=_KEEP_ALIVE,
        lingering_time=_LINGERING,
        auto_decompress=False,
        logger=quiet_logger(),
    )
    await runner.setup()
    assert runner.server is not None
    admission.gate = ConnectionGate(listening, runner.server)
    accepting = asyncio.create_task(admission.gate.run())
    try:
        yield accepting
    finally:
        accepting.cancel()
        listening.close()
        await runner.cleanup()


class _OwnFaults(logging.Filter):
    """Lets the program's own faults through, a few a minute; what a client did wrong is nobody's news here."""

    _CLIENTS = (HttpProcessingError, ConnectionError, ClientPayloadError, TimeoutError)

    def __init__(self) -> None:
        super().__init__()
        self._rate = Bucket(0.1, 5)

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, self._CLIENTS) or isinstance(getattr(error, "__cause__", None), self._CLIENTS):
            return False
        return self._rate.allow(time.monotonic())


def quiet_logger() -> logging.Logger:
    """For aiohttp, which writes a traceback for each request that it cannot parse: strangers could fill a disk with them."""
    logger = logging.getLogger("realtime.dashboard.http")
    if not any(isinstance(one, _OwnFaults) for one in logger.filters):
        logger.addFilter(_OwnFaults())
    return logger


def serve_asset(asset: Asset) -> web.Response:
    """A file of a page."""
    charset = None if asset.media_type.startswith("font/") else "utf-8"
    return web.Response(body=asset.content, content_type=asset.media_type, charset=charset)
