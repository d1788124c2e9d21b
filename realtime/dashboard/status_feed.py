"""The slower messages: rates, losses, warnings and the state of the commands, a few times a second while somebody watches."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realtime.dashboard.commands import Commands
from realtime.dashboard.hub import Hub
from realtime.dashboard.messages import figures_message
from realtime.graph import Report

_PERIOD = 0.25  # seconds


def _no_warnings() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class RunStatus:
    """What the pages show of a run besides its frames.

    Attributes:
        units: the Action Units that are measured.
        output: the node at the end of the picture path.
        report: the graph's figures so far.
        selfie: the picture is flipped, so the pages' columns change places too.
        warnings: sentences about what has failed, such as the recording; they only become more.
        person: as named at the start; empty: nobody was named.
        sessions: the server shows earlier sessions, too.
    """

    units: tuple[int, ...]
    output: str
    report: Callable[[], Report]
    selfie: bool = False
    warnings: Callable[[], Sequence[str]] = _no_warnings
    person: str = ""
    sessions: bool = False

    def hello(self) -> str:
        """The first message to a page: what does not change while the program runs."""
        known = {"units": self.units, "selfie": self.selfie, "person": self.person, "sessions": self.sessions}
        return json.dumps({"type": "hello", **known})


async def publish_status(hub: Hub, commands: Commands, run: RunStatus) -> None:
    """Publish figures, warnings and the commands' state until cancelled. Costs nothing while no page is open.

    Args:
        hub: where messages go.
        commands: whose states are published.
        run: gives the figures.
    """
    sent: dict[str, str] = {}
    last: tuple[float, int] | None = None
    turn = 0

    def publish_change(kind: str, message: str) -> None:
        if sent.get(kind) != message:
            sent[kind] = message
            hub.publish(kind, message)

    while True:
        await asyncio.sleep(_PERIOD)
        if not hub.watchers:
            last = None
            sent.clear()
            continue
        publish_change("controls", json.dumps({"type": "controls", "controls": commands.describe()}))
        if warnings := list(run.warnings()):
            publish_change("warnings", json.dumps({"type": "warnings", "warnings": warnings}))
        turn += 1
        if turn % 2:
            continue
        report = run.report()
        if run.output not in report.paths:
            continue
        delivered = report.paths[run.output].delivered
        seconds, before = last if last is not None else (0.0, 0)
        fps = (delivered - before) / (report.seconds - seconds) if report.seconds > seconds else 0.0
        last = (report.seconds, delivered)
        hub.publish("figures", json.dumps(figures_message(report, run.output, fps)))
