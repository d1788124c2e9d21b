"""From the graph's thread to every browser: newest only, so that a slow one costs itself frames and nobody else anything."""

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping

from realtime.dashboard.commands import ShownFrame

Message = str | bytes
PICTURES_AHEAD = 2
"""Pictures that may be under way to a browser that has not said that it showed them."""


class Client:
    """One connection's outbox: at most one message of a kind; a newer one replaces what was not sent yet.

    Used on the server's event loop only. A new outbox has no credit to wait for; pictures are sent while fewer than
    PICTURES_AHEAD are unconfirmed, because the buffers of sockets between here and a slow browser hold seconds of video.

    Args:
        picture: whether it wants pictures.
    """

    def __init__(self, *, picture: bool) -> None:
        self.wants_picture = picture
        self.replaced: Counter[str] = Counter()
        self._slots: dict[str, Message] = {}
        self._unconfirmed = 0
        self._changed = asyncio.Event()

    def offer(self, kind: str, message: Message) -> None:
        """Put a message in; never waits.

        Args:
            kind: of the message.
            message: text or bytes.
        """
        if kind == "picture" and not self.wants_picture:
            return
        if self._slots.pop(kind, None) is not None:
            self.replaced[kind] += 1
        self._slots[kind] = message
        self._changed.set()

    def confirm(self) -> None:
        """The browser has shown a picture."""
        self._unconfirmed = max(0, self._unconfirmed - 1)
        self._changed.set()

    def take(self) -> Message | None:
        """The message that has waited longest and may be sent now."""
        for kind in self._slots:
            if kind != "picture":
                return self._slots.pop(kind)
            if self._unconfirmed < PICTURES_AHEAD:
                self._unconfirmed += 1
                return self._slots.pop(kind)
        return None

    async def next(self) -> Message:
        """Wait for a message that may be sent."""
        while (message := self.take()) is None:
            self._changed.clear()
            await self._changed.wait()
        return message

    @property
    def waiting(self) -> Mapping[str, Message]:
        """What has not been sent yet."""
        return self._slots


class Hub:
    """Every client, and what each of them is told first.

    `publish` and `frame_shown` may be called from any thread and return at once; everything else happens on the server's
    event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._clients: set[Client] = set()
        self._latest: dict[str, Message] = {}
        self._pending: dict[str, Message] = {}
        self._lock = threading.Lock()
        self.watchers = 0
        self.picture_watchers = 0
        self.newest: ShownFrame | None = None

    def frame_shown(self, capture_time: float, sequence: int) -> None:
        """Note the newest frame shown.

        Args:
            capture_time: seconds on the frames' clock.
            sequence: its number.
        """
        self.newest = ShownFrame(capture_time, sequence)

    def join(self, client: Client) -> None:
        """Take a client in and tell it everything known."""
        self._clients.add(client)
        for kind, message in self._latest.items():
            client.offer(kind, message)
        self.count()

    def leave(self, client: Client) -> None:
        """The connection is gone.

        Args:
            client: the connection's outbox.
        """
        self._clients.discard(client)
        self.count()

    def count(self) -> None:
        """Count who watches; call it when a client's wishes changed."""
        self.watchers = len(self._clients)
        self.picture_watchers = sum(client.wants_picture for client in self._clients)

    def publish(self, kind: str, message: Message) -> None:
        """Hand the newest message of a kind to everybody. If the loop is behind, it finds the newest only.

        Args:
            kind: of the message.
            message: text or bytes.
        """
        with self._lock:
            first = not self._pending
            self._pending[kind] = message
        if first:
            self._loop.call_soon_threadsafe(self._distribute)

    def _distribute(self) -> None:
        with self._lock:
            news, self._pending = self._pending, {}
        self._latest.update(news)
        for client in self._clients:
            for kind, message in news.items():
                client.offer(kind, message)
