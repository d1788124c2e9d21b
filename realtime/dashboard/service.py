"""The dashboard's life: its port, its thread, its end.

It has a thread and an event loop of its own. On the graph's loop a page's request, a large JSON text or a fault in a handler
would delay the graph's timers and supervision; here it delays the next page only.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from realtime.dashboard.commands import Commands
from realtime.dashboard.hub import Hub
from realtime.dashboard.listen import bind, own_names
from realtime.dashboard.security import Guard, is_loopback
from realtime.dashboard.server import Server
from realtime.dashboard.status_feed import Told, tell
from realtime.graph import Report

_GRACE = 2.0


class Dashboard:
    """A running web server.

    token: see `make_token`. clock: the frames' clock. send_timeout: see `Server`.

    Raises DeviceError or UserInputError when the port or address cannot be had; then nothing was started.
    """

    def __init__(
        self, listen: str, port: int, token: str, clock: Callable[[], float], send_timeout: float = 10.0
    ) -> None:
        self.commands = Commands()
        self.told = Told()
        self._socket = bind(listen, port)
        address, self.port = self._socket.getsockname()[:2]
        self._listen = listen
        self._clock = clock
        self._send_timeout = send_timeout
        self.guard = Guard.make(token, self.port, () if is_loopback(address) else own_names(listen))
        self.local = is_loopback(address)
        self._loop = asyncio.new_event_loop()
        self.hub = Hub(self._loop)
        self._orders = ThreadPoolExecutor(1, thread_name_prefix="dashboard-orders")
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is, without the token."""
        host = "127.0.0.1" if self.local or self._listen in ("0.0.0.0", "::") else self._listen  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}/"

    @property
    def sentences(self) -> list[str]:
        """What the user should read when it has started: the link, and a warning where one is due."""
        said = [
            f"Dashboard: {self.url}?token={self.guard.token}",
            f"OBS overlay: {self.url}overlay?token={self.guard.token}",
        ]
        if not self.local:
            said.append(
                f"Warning: other machines on the network can reach port {self.port} ({self._listen}); whoever has the link "
                "sees the face, and the connection is not encrypted. Leave out --listen to keep it on this machine."
            )
        return said

    def attach(self, units: Sequence[int], report: Callable[[], Report], output: str, *, selfie: bool = False) -> None:
        """The graph is there. units: the Action Units that are measured. output: the node at the end of the picture path."""
        self.told.units, self.told.selfie = tuple(units), selfie
        self.told.report, self.told.output = report, output
        self.hub.publish("hello", self.told.hello())

    def stop(self) -> None:
        """End it: every page is told that the server goes. Returns within about two seconds."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_GRACE + 1.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._orders.shutdown(wait=False, cancel_futures=True)
            self._loop.close()

    async def _serve(self) -> None:
        async def order(call: Callable[[], None]) -> None:
            await self._loop.run_in_executor(self._orders, call)

        server = Server(
            self.guard, self.hub, self.commands, self._clock, lambda: self.told.newest, order, self._send_timeout
        )
        runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=_GRACE, handle_signals=False)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        teller = asyncio.create_task(tell(self.hub, self.commands, self.told))
        try:
            await self._stop.wait()
        finally:
            teller.cancel()
            await runner.cleanup()
