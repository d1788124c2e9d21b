"""The server of `facemirror-live open`: one or two sessions, on this machine only, until Ctrl-C."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web

from realtime.dashboard.access import Access
from realtime.dashboard.hosting import Admission, hosted
from realtime.dashboard.listen import bind
from realtime.dashboard.security import Guard
from realtime.errors import UserInputError
from realtime.viewer.routes import PAGE, ViewerRoutes
from realtime.viewer.shelf import Shelf
from realtime.viewer.viewed_session import check_session

_ADDRESS = "127.0.0.1"
_LARGEST_BODY = 16 * 1024


class Viewer:
    """Has its port from the beginning, and answers while `run` lasts.

    Args:
        folders: one or two sessions.
        port: 0 takes any free one.
        token: see `make_token`.
        videos: the recordings that were measured, in the order of the sessions, where they lie elsewhere.

    Raises:
        UserInputError: a folder is no session, or is being recorded right now; or a video is no file.
        DeviceError: the port cannot be had.
    """

    def __init__(self, folders: Sequence[Path], port: int, token: str, videos: Sequence[Path] = ()) -> None:
        for folder in folders:
            check_session(folder)
        if len(videos) > len(folders):
            raise UserInputError("--video is given more often than there are sessions.")
        for video in videos:
            if not video.is_file():
                raise UserInputError(f"--video {video} is no file.")
        self._socket: socket.socket = bind(_ADDRESS, port)
        self._guard = Guard.make(token, self._socket.getsockname()[1])
        self._shelf = Shelf(folders, videos=videos)

    @property
    def url(self) -> str:
        """The page's address, with the token."""
        return f"http://{_ADDRESS}:{self._guard.port}{PAGE}?token={self._guard.token}"

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Answer until cancelled.

        Args:
            ready: called once the server answers.
        """
        routes = ViewerRoutes(self._shelf, tuple(range(len(self._shelf.folders))))

        def application(admission: Admission) -> web.Application:
            access = Access(self._guard, admission)
            app = access.application(_LARGEST_BODY)
            routes.add_to(app, access)
            return app

        # Reading an hour's rows takes a second, and once on a machine two more for compiling: it begins before the browser asks.
        reading = asyncio.gather(*(self._read(number) for number in range(len(self._shelf.folders))))
        try:
            async with hosted(application, self._socket) as accepting:
                ready()
                await accepting
        finally:
            reading.cancel()
            self._shelf.close()

    def close(self) -> None:
        """Let go of a port on which nothing was served."""
        self._socket.close()

    async def _read(self, number: int) -> None:
        await asyncio.to_thread(self._shelf.attempt, number)
