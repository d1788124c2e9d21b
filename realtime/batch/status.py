"""How far a batch is, read from its ledger alone: while it runs, from another terminal or machine, and after."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from realtime.batch.ledger import Ledger
from realtime.batch.liveness import Process

_SILENT = 30.0


@dataclass(slots=True)
class Status:
    """How far a batch is.

    Attributes:
        total: recordings of the batch.
        counts: how many are done, failed, aside, claimed, waiting.
        seconds: of video that is measured.
        workers: what each worker said last.
        sentences: about what failed, was put aside, or has a remark; by name.
    """

    total: int
    counts: dict[str, int]
    seconds: float
    workers: list[dict[str, Any]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "recordings": self.total,
            **self.counts,
            "seconds": round(self.seconds, 2),
            "workers": self.workers,
            "remarks": self.sentences,
        }

    @property
    def finished(self) -> bool:
        """Nothing is left to do."""
        return self.counts["waiting"] + self.counts["claimed"] == 0


def read_status(ledger: Ledger, now: Callable[[], float] = time.time) -> Status:
    """Read it.

    Args:
        ledger: of the batch.
        now: seconds since 1970, as file times count.

    Raises:
        UserInputError: there is no batch.
        DeviceError: a newer program wrote it.
    """
    from realtime.batch.plan import Plan, problems_of

    ledger.head()
    states, inputs = ledger.states(), ledger.inputs()
    counts = {word: list(states.values()).count(word) for word in ("done", "failed", "aside", "claimed", "waiting")}
    done = (ledger.results.figures(name) for name, state in states.items() if state == "done")
    seconds = sum(float(figures.get("seconds", 0.0)) for figures in done)
    return Status(len(states), counts, seconds, _workers(ledger, now()), problems_of(ledger, Plan(inputs)))


def _workers(ledger: Ledger, now: float) -> list[dict[str, Any]]:
    """What the heartbeats say. One that has been silent for long, or whose process is gone, is left out."""
    found = []
    for path in sorted((ledger.folder / "workers").glob("*.json")):
        try:
            content = json.loads(path.read_text("utf-8"))
            process = Process.from_json(content["worker"])
            silent = now - path.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if process.runs() if process.here else silent < _SILENT:
            words = {key: content.get(key) for key in ("recording", "frames", "seconds", "memory_mb")}
            found.append({"host": process.host.partition("/")[0], "pid": process.pid, **words})
    return found
