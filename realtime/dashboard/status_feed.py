"""The slower news: rates, losses and what the buttons can do, a few times a second while somebody watches."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from realtime.dashboard.commands import Commands
from realtime.dashboard.hub import Hub
from realtime.dashboard.messages import figures_message
from realtime.graph import Report

_EVERY = 0.25  # seconds


@dataclass(slots=True)
class Told:
    """What the program has said of itself. newest: (capture time, sequence) of the newest shown frame.

    selfie: the picture is flipped, so the pages' columns change places too.
    """

    units: tuple[int, ...] = ()
    selfie: bool = False
    report: Callable[[], Report] | None = None
    output: str = ""
    newest: tuple[float, int] | None = None

    def hello(self) -> str:
        """What does not change while the program runs."""
        return json.dumps({"type": "hello", "units": self.units, "selfie": self.selfie})


async def tell(hub: Hub, commands: Commands, told: Told) -> None:
    """Publish figures and the buttons' state until cancelled. Costs nothing while no page is open."""
    said = ""
    last: tuple[float, int] | None = None
    turn = 0
    while True:
        await asyncio.sleep(_EVERY)
        if not hub.watchers:
            last, said = None, ""
            continue
        now_said = json.dumps({"type": "controls", "controls": commands.describe()})
        if now_said != said:
            said = now_said
            hub.publish("controls", said)
        turn += 1
        if told.report is None or turn % 2:
            continue
        report = told.report()
        if told.output not in report.paths:
            continue
        delivered = report.paths[told.output].delivered
        seconds, before = last if last is not None else (0.0, 0)
        fps = (delivered - before) / (report.seconds - seconds) if report.seconds > seconds else 0.0
        last = (report.seconds, delivered)
        hub.publish("figures", json.dumps(figures_message(report, told.output, fps)))
