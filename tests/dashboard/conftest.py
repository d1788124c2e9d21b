"""A running dashboard on a free port, and ways to talk to it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession

from realtime.dashboard.choices import ChoiceCommand, SceneChoice
from realtime.dashboard.commands import (
    CalibrationProgress,
    Command,
    Commands,
    MarkerCommand,
    SwitchCommand,
    Unavailable,
)
from realtime.dashboard.service import Dashboard
from realtime.dashboard.status_feed import RunStatus
from realtime.session.choices import AffectedSide

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
    def progress(self) -> CalibrationProgress:
        return CalibrationProgress("running" if self.started else "idle", 0.5, "Keep still.")

    def start(self) -> None:
        self.started += 1


def commands_of(recorded: Recorded, **others: Command) -> Commands:
    """The page's commands: marker, recording and camera are `recorded`; a calibration cannot be made."""
    commands: Mapping[str, Command] = {
        "calibrate": Unavailable("Nothing can be calibrated."),
        "record": SwitchCommand(recorded),
        "marker": MarkerCommand(recorded),
        "view": ChoiceCommand("View", SceneChoice(SimpleNamespace(mode="overlay")), key="v"),
        "side": ChoiceCommand("Affected", AffectedSide(), key="s"),
        "camera": ChoiceCommand("Camera", recorded),
        "model": Unavailable("There is one model."),
    }
    return Commands({**commands, **others})


def no_report() -> Any:
    """A graph that has not begun."""
    return SimpleNamespace(paths={})


def serve(
    commands: Commands,
    units: Sequence[int] = (),
    *,
    port: int = 0,
    clock: float = 100.0,
    send_timeout: float = 10.0,
    warnings: Sequence[str] = (),
) -> Dashboard:
    """A server that answers."""
    made = Dashboard("127.0.0.1", port, TOKEN, lambda: clock, send_timeout)
    made.start(commands, RunStatus(tuple(units), "compose", no_report, warnings=lambda: warnings))
    return made


@pytest.fixture
def recorded() -> Recorded:
    """What marker, recording and camera do."""
    return Recorded()


@pytest.fixture
def units() -> tuple[int, ...]:
    """The Action Units that are measured; a test module may name others."""
    return (6, 12)


@pytest.fixture
def commands(recorded: Recorded) -> Commands:
    """What the page can ask for; a test module may name others."""
    return commands_of(recorded)


@pytest.fixture
def dashboard(commands: Commands, units: tuple[int, ...]) -> Iterator[Dashboard]:
    """A server of its own for each test; a frame has been shown."""
    made = serve(commands, units)
    made.hub.frame_shown(99.0, 42)
    try:
        yield made
    finally:
        made.stop()
        assert not made.running


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
