"""The thread that talks with OBS. Callers never wait: a request for an OBS that is not there is counted and forgotten.

It has an event loop of its own, as the dashboard has, so that a slow OBS delays no frame. A request that comes while OBS is
away is not kept: a scene that changes minutes after the smile would surprise everybody.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

from realtime.errors import DeviceError, FacemirrorError
from realtime.files import one_line
from realtime.graph.histogram import DurationHistogram
from realtime.obs.overlay import show_overlay
from realtime.obs.protocol import (
    ObsAbsentError,
    ObsAnswerError,
    ObsConnection,
    ObsRefusalError,
    connect,
    number_in,
    text_in,
)
from realtime.obs.requests import ObsRequest
from realtime.obs.rules import Fired

T = TypeVar("T")
State = Literal["connecting", "connected", "absent", "refused"]
_MOST_WAITING = 50
_AGAIN_SECONDS = (0.5, 1.0, 2.0, 5.0)
_REFUSED_SECONDS = 10.0
_CALL_SECONDS = 10.0


@dataclass(slots=True)
class ObsCounts:
    """What became of the requests.

    Attributes:
        sent: asked for by rules.
        answered: done by OBS.
        refused: answered with an error.
        unsent: OBS was away, or too slow for so many.
    """

    sent: int = 0
    answered: int = 0
    refused: int = 0
    unsent: int = 0


class ObsClient:
    """Keeps a connection to OBS and sends it requests in order.

    Args:
        url: ws://HOST:PORT.
        password: None: there is none.
        clock: the frames' clock, seconds, for the age of answers.
        say: called, on the client's thread, with what the user should read.
        wait: sleeps between two tries, seconds; for tests.
    """

    def __init__(
        self,
        url: str,
        password: str | None,
        clock: Callable[[], float],
        say: Callable[[str], None] = lambda _sentence: None,
        wait: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self.url = url
        self.state: State = "connecting"
        self.reason = ""
        self.connections = 0
        self.counts = ObsCounts()
        self.ages = DurationHistogram()
        self._password = password
        self._clock = clock
        self._say = say
        self._wait = wait
        self._said: set[str] = set()
        self._connection: ObsConnection | None = None
        self._known: frozenset[str] | None = None
        self._loop = asyncio.new_event_loop()
        self._queue: asyncio.Queue[Fired] = asyncio.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="obs", daemon=True)

    def start(self) -> None:
        """Connect, now and again, until `close`. Once."""
        self._thread.start()

    def send(self, fired: Fired) -> None:
        """Send a rule's request; from any thread, never waits."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run ends
            self._loop.call_soon_threadsafe(self._take, fired)

    def call(self, request: str, data: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Ask for something and wait; for commands, never for frames.

        Args:
            request: its name.
            data: its fields.

        Raises:
            DeviceError: OBS is not there, or does not do it.
        """
        return self._waited(lambda connection: connection.request(request, data))

    def show_overlay(self, url: str) -> str:
        """Put the overlay page into OBS's scene of now, or load it anew there; see `realtime.obs.overlay`.

        Returns:
            What was done, as a sentence.

        Raises:
            DeviceError: OBS is not there, or has no browser source.
        """
        return self._waited(lambda connection: show_overlay(connection, url))

    def close(self) -> None:
        """Close the connection and end the thread. Safe to call twice."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end)
            self._thread.join(3.0)
        elif not self._loop.is_closed() and not self._loop.is_running():
            self._loop.close()

    def figures(self) -> dict[str, Any]:
        """For the summary. age_ms: from the capture of the frame that fired a rule to OBS's answer."""
        return {
            "url": self.url,
            "state": self.state,
            "connections": self.connections,
            "requests": asdict(self.counts),
            "age_ms": asdict(self.ages.percentiles()),
        }

    def _waited(self, ask: Callable[[ObsConnection], Awaitable[T]]) -> T:
        async def asked() -> T:
            if self._connection is None:
                raise DeviceError(self.reason or f"OBS at {self.url} is not connected yet.")
            return await ask(self._connection)

        if not self._thread.is_alive():
            raise DeviceError("The connection to OBS has ended.")
        future = asyncio.run_coroutine_threadsafe(asked(), self._loop)
        try:
            return future.result(_CALL_SECONDS)
        except TimeoutError:
            future.cancel()
            raise DeviceError("OBS did not answer in time.") from None

    def _take(self, fired: Fired) -> None:
        """On the client's thread."""
        self.counts.sent += 1
        if self._connection is None or self._queue.full():
            self.counts.unsent += 1
            return
        self._queue.put_nowait(fired)

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._keep_connected())
        finally:
            self._loop.close()

    async def _keep_connected(self) -> None:
        tries = 0
        while True:
            try:
                connection = await connect(self.url, self._password)
            except ObsRefusalError as error:
                self._note("refused", str(error))
                await self._wait(_REFUSED_SECONDS)
                continue
            except ObsAbsentError as error:
                self._note("absent", str(error))
                await self._wait(_AGAIN_SECONDS[min(tries, len(_AGAIN_SECONDS) - 1)])
                tries += 1
                continue
            tries = 0
            await self._use(connection)
            self._note("absent", f"OBS at {self.url} has gone; the run goes on, and it is looked for again.")
            await self._wait(_AGAIN_SECONDS[0])

    async def _use(self, connection: ObsConnection) -> None:
        """Send what comes until the connection is gone."""
        try:
            try:
                version = await connection.request("GetVersion")
            except FacemirrorError:
                return
            known = version.get("availableRequests")
            self._known = frozenset(map(str, known)) if isinstance(known, list) else None
            self.connections += 1
            self._connection = connection
            self.state, self.reason = "connected", ""
            self._said.clear()
            self._say(f"Connected with OBS {one_line(version.get('obsVersion', ''))} at {self.url}.")
            sending = asyncio.create_task(self._send_all(connection))
            gone = asyncio.create_task(connection.closed())
            try:
                await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                gone.cancel()
        finally:
            self._connection = None
            while not self._queue.empty():
                self._queue.get_nowait()
                self.counts.unsent += 1
            await connection.close()

    async def _send_all(self, connection: ObsConnection) -> None:
        while True:
            fired = await self._queue.get()
            try:
                await self._send_one(connection, fired.request)
            except ObsAnswerError as error:
                self.counts.refused += 1
                self._say_once(f"Rule {fired.rule!r}: {error}")
            except ObsAbsentError as error:
                self.counts.unsent += 1
                self._say_once(str(error))
                return
            else:
                self.counts.answered += 1
                self.ages.record(self._clock() - fired.capture_time)

    async def _send_one(self, connection: ObsConnection, request: ObsRequest) -> None:
        if self._known is not None and request.type not in self._known:
            raise ObsAnswerError(f"this OBS has no request {request.type}.", 204)
        data = dict(request.data)
        if request.item:
            if "sceneName" not in data:
                data["sceneName"] = text_in(
                    await connection.request("GetCurrentProgramScene"), "currentProgramSceneName"
                )
            place = {"sceneName": data["sceneName"], "sourceName": request.item}
            data["sceneItemId"] = number_in(await connection.request("GetSceneItemId", place), "sceneItemId")
        await connection.request(request.type, data)

    def _note(self, state: State, reason: str) -> None:
        self.state, self.reason = state, reason
        self._say_once(reason)

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)
