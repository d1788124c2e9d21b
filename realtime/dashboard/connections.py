"""Takes connections in, and bounds what they may cost before they have shown the token.

A socket costs a descriptor of the whole program, the recording's and the camera's as well. So connections on
which the token was not shown are few at any time and stay for a few seconds only, and all connections together are bounded.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

MOST_UNAUTHENTICATED = 32
"""Connections without the token; one more closes the oldest."""
MOST_CONNECTIONS = 128
"""All connections; one more is closed at once."""
UNAUTHENTICATED_SECONDS = 5.0
"""After which a connection that has not shown the token is closed, whatever it sends."""
_SWEEP_SECONDS = 0.5
_RETRY_SECONDS = 0.5


@dataclass(slots=True)
class _Connection:
    transport: asyncio.Transport
    since: float
    known: bool = False


class ConnectionGate:
    """Accepts connections of one listening socket and hands them to a protocol. Used on one event loop only.

    Args:
        listening: the socket; it is closed by whoever opened it.
        protocol: makes the protocol of a new connection.
        unauthenticated: most connections that have not shown the token.
        connections: most connections of all kinds.
        seconds: for which one may stay without it.
    """

    def __init__(
        self,
        listening: socket.socket,
        protocol: Callable[[], asyncio.BaseProtocol],
        *,
        unauthenticated: int = MOST_UNAUTHENTICATED,
        connections: int = MOST_CONNECTIONS,
        seconds: float = UNAUTHENTICATED_SECONDS,
    ) -> None:
        self._listening = listening
        self._protocol = protocol
        self._most_unauthenticated = unauthenticated
        self._most = connections
        self._seconds = seconds
        self._open: list[_Connection] = []
        self.refused = 0

    async def run(self) -> None:
        """Accept until cancelled; then every connection that is left is closed."""
        self._listening.setblocking(False)
        sweeper = asyncio.create_task(self._sweep())
        try:
            await self._accept()
        finally:
            sweeper.cancel()

    def admit(self, transport: asyncio.BaseTransport | None) -> None:
        """The token was shown on this connection: it may stay.

        Args:
            transport: of the connection.
        """
        for connection in self._open:
            if connection.transport is transport:
                connection.known = True

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        complained = False
        while True:
            try:
                accepted, _ = await loop.sock_accept(self._listening)
            except OSError as error:
                # Out of descriptors, most likely: waiting helps, a busy loop of messages does not.
                if not complained:
                    log.warning("The dashboard cannot take connections in for now: %s.", error.strerror or error)
                complained = True
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self._drop_closed()
            if len(self._open) >= self._most:
                self.refused += 1
                accepted.close()
                continue
            unauthenticated = [connection for connection in self._open if not connection.known]
            if len(unauthenticated) >= self._most_unauthenticated:
                self._close(unauthenticated[0])
            try:
                transport, _ = await loop.connect_accepted_socket(self._protocol, accepted)
            except OSError:
                accepted.close()
                continue
            assert isinstance(transport, asyncio.Transport)
            self._open.append(_Connection(transport, loop.time()))

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._drop_closed()
            for connection in list(self._open):
                if not connection.known and loop.time() - connection.since > self._seconds:
                    self._close(connection)

    def _close(self, connection: _Connection) -> None:
        self.refused += 1
        with contextlib.suppress(OSError):
            connection.transport.abort()
        self._open.remove(connection)

    def _drop_closed(self) -> None:
        self._open = [connection for connection in self._open if not connection.transport.is_closing()]
