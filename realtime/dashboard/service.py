"""The dashboard's port, thread and end.

It has a thread and an event loop of its own. On the graph's loop a page's request, a large JSON text or a fault in a handler
would delay the graph's timers and supervision; here it delays the next page only.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from realtime.dashboard.access import Access
from realtime.dashboard.commands import Commands
from realtime.dashboard.hosting import GRACE_SECONDS, Admission, hosted
from realtime.dashboard.hub import Hub
from realtime.dashboard.listen import bind, own_names, reachable_name
from realtime.dashboard.security import Guard, is_loopback
from realtime.dashboard.server import Server
from realtime.dashboard.status_feed import RunStatus, publish_status
from realtime.files import reason


class Dashboard:
    """The web server of a run. It has its port from the beginning, and answers from `start` on.

    Args:
        listen: the address.
        port: its port; 0 takes any free one.
        token: see `make_token`.
        clock: the frames' clock.
        send_timeout: see `Server`.
        more: see `Server`; left out where other machines can reach the server.

    Raises:
        DeviceError: the port cannot be had.
        UserInputError: the address is none of this machine's.
    """

    def __init__(
        self,
        listen: str,
        port: int,
        token: str,
        clock: Callable[[], float],
        send_timeout: float = 10.0,
        more: Callable[[web.Application, Access], None] | None = None,
    ) -> None:
        self._socket = bind(listen, port)
        address, self.port = self._socket.getsockname()[:2]
        self._listen = listen
        self._clock = clock
        self._send_timeout = send_timeout
        self._address = address
        self.guard = Guard.make(token, self.port, own_names(address))
        self.local = is_loopback(address)
        self._more = more if self.local else None
        self._loop = asyncio.new_event_loop()
        self.hub = Hub(self._loop)
        self._actions = ThreadPoolExecutor(1, thread_name_prefix="dashboard-commands")
        self._stop = asyncio.Event()
        self._thread: threading.Thread | None = None
        self.problem: str | None = None
        """Why it ended by itself, as a sentence; the run goes on without it."""

    @property
    def url(self) -> str:
        """Where it is, without the token."""
        return f"http://{reachable_name(self._listen, self._address)}:{self.port}/"

    @property
    def overlay_url(self) -> str:
        """The overlay page's address, with the token."""
        return f"{self.url}overlay?token={self.guard.token}"

    @property
    def has_more(self) -> bool:
        """Whether it serves the further addresses, too."""
        return self._more is not None

    @property
    def sentences(self) -> list[str]:
        """What the user should read when it has started: the links, and a warning where others can reach it."""
        found = [
            f"Dashboard: {self.url}?token={self.guard.token}",
            f"OBS overlay: {self.overlay_url}",
            f"Examination page: {self.url}examine?token={self.guard.token}",
        ]
        if not self.local:
            found.append(
                f"Warning: other machines on the network can reach port {self.port} ({self._listen}); whoever has the link "
                "sees the face, and the connection is not encrypted. Leave out --listen to keep it on this machine."
            )
        return found

    def start(self, commands: Commands, run: RunStatus) -> None:
        """Answer from now on, on a thread of its own; once. A page that was opened before waits until then.

        Args:
            commands: what the page can ask for.
            run: gives the figures.
        """
        self.hub.publish("hello", run.hello())
        self._thread = threading.Thread(target=self._run, args=(commands, run), name="dashboard", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the server's thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Close every page's connection and the port. Returns within about two seconds; safe to call twice."""
        if self._thread is None:
            self._socket.close()
            self._actions.shutdown(wait=False)
            if not self._loop.is_closed():
                self._loop.close()
        elif self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(GRACE_SECONDS + 1.0)

    def _run(self, commands: Commands, run: RunStatus) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(commands, run))
        except Exception as error:  # noqa: BLE001  whatever it is, it is told in the run's words and ends the page alone
            self.problem = (
                f"The dashboard stopped ({type(error).__name__}: {reason(error)}); the run goes on without it."
            )
            self._socket.close()
        finally:
            self._actions.shutdown(wait=False, cancel_futures=True)
            self._loop.close()

    async def _serve(self, commands: Commands, run: RunStatus) -> None:
        async def carry_out(action: Callable[[], None]) -> None:
            await self._loop.run_in_executor(self._actions, action)

        def application(admission: Admission) -> web.Application:
            server = Server(self.guard, self.hub, commands, self._clock, carry_out, admission, self._send_timeout)
            if self._more is not None:
                server.more = self._more
            return server.application()

        stopped = asyncio.create_task(self._stop.wait())
        async with hosted(application, self._socket) as accepting:
            publishing = asyncio.create_task(publish_status(self.hub, commands, run))
            try:
                ended, _ = await asyncio.wait([stopped, accepting, publishing], return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()  # a page that gets no more news, or takes nobody in, has failed as a whole
            finally:
                for task in (stopped, publishing):
                    task.cancel()
