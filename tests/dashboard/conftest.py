"""A running dashboard on a free port, and ways to talk to it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession

from realtime.dashboard.commands import Progress
from realtime.dashboard.service import Dashboard

TOKEN = "A-token_for-tests_only_0123456789"


class Recorded:
    """Stands where the session's parts will be: remembers what it was asked for."""

    options = ("one", "two")

    def __init__(self) -> None:
        self.marks: list[dict[str, Any]] = []
        self.active = False
        self.value = "one"
        self.started = 0

    def mark(self, text: str, **where: Any) -> None:
        self.marks.append({"text": text, **where})

    def switch(self, on: bool) -> None:
        self.active = on

    def choose(self, value: str) -> None:
        self.value = value

    def start(self) -> None:
        self.started += 1


class Calibrating:
    """A calibration that is half done."""

    def __init__(self) -> None:
        self.started = 0

    @property
    def progress(self) -> Progress:
        return Progress("running" if self.started else "idle", 0.5, "Keep still.")

    def start(self) -> None:
        self.started += 1


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    """A server of its own for each test."""
    made = Dashboard("127.0.0.1", 0, TOKEN, lambda: 100.0)
    try:
        yield made
    finally:
        made.stop()
        assert not made._thread.is_alive()


@pytest.fixture
def recorded(dashboard: Dashboard) -> Recorded:
    """Marker, recording and camera are there."""
    made = Recorded()
    dashboard.commands.marker = dashboard.commands.record = dashboard.commands.camera = made
    dashboard.told.newest = (99.0, 42)
    return made


@pytest.fixture
def browse(dashboard: Dashboard) -> Callable[[Callable[[ClientSession], Awaitable[Any]]], Any]:
    """Run a scene with a client session whose addresses are relative to the server. No cookies are kept."""

    def run(scene: Callable[[ClientSession], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            from aiohttp import DummyCookieJar

            async with ClientSession(dashboard.url, cookie_jar=DummyCookieJar()) as session:
                return await scene(session)

        return asyncio.run(whole())

    return run
