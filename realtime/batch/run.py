"""One start of `facemirror-live batch`: what is left is worked off, then the tables and the page are written."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from realtime.batch.ledger import Ledger
from realtime.batch.plan import Plan
from realtime.batch.pool import Events, Pool

_LOOK_SECONDS = 2.0


@dataclass(slots=True)
class WorkQueue:
    """Which recording is next. What other runs have claimed is looked at every two seconds, and taken over when they die.

    Attributes:
        ledger: the truth.
        wait: wait for what other runs have claimed.
        clock: seconds.
        mine: names that this run's workers have.
    """

    ledger: Ledger
    wait: bool = True
    clock: Callable[[], float] = time.monotonic
    mine: set[str] = field(default_factory=set)
    _pending: deque[str] = field(default_factory=deque)
    _others: set[str] = field(default_factory=set)
    _looked: float | None = None

    def fill(self, names: Iterable[str]) -> None:
        """Take over what waits, of these."""
        states = self.ledger.states()
        for name in names:
            if states.get(name) == "waiting":
                self._pending.append(name)
            elif states.get(name) == "claimed":
                self._others.add(name)
        self._look(at_once=True)

    def next(self) -> str | None:
        """The next one; it is mine until `settle`."""
        if not self._pending:
            self._look()
        if not self._pending:
            return None
        name = self._pending.popleft()
        self.mine.add(name)
        return name

    def settle(self, name: str, *, again: bool = False, busy: bool = False) -> None:
        """A recording is over.

        Args:
            name: of the recording.
            again: it waits once more, after the others.
            busy: somebody else has it.
        """
        self.mine.discard(name)
        if again:
            self._pending.append(name)
        elif busy:
            self._others.add(name)

    @property
    def finished(self) -> bool:
        """Nothing is left for this run."""
        if self._pending or self.mine:
            return False
        self._look(at_once=not self.wait)
        return not self._pending and not (self._others and self.wait)

    @property
    def others(self) -> int:
        """How many other runs have."""
        return len(self._others)

    def _look(self, *, at_once: bool = False) -> None:
        now = self.clock()
        if not self._others or (not at_once and self._looked is not None and now - self._looked < _LOOK_SECONDS):
            return
        self._looked = now
        for name in sorted(self._others):
            state = self.ledger.state(name)
            if state == "waiting" or (state == "claimed" and self.ledger.claims.break_dead(name)):
                self._others.discard(name)
                if self.ledger.state(name) == "waiting":
                    self._pending.append(name)
            elif state != "claimed":
                self._others.discard(name)


@dataclass(slots=True)
class Watch:
    """What a progress display is told.

    Attributes:
        begun: how many recordings there are, and how many of them are finished.
        progress: a recording's name, its frames and seconds so far.
        finished: a recording's name and its outcome: done, failed, aside, or again.
        said: a sentence that should be read at once.
    """

    begun: Callable[[int, int], None] = lambda _all, _finished: None
    progress: Callable[[str, int, float], None] = lambda _name, _frames, _seconds: None
    finished: Callable[[str, str, Mapping[str, Any]], None] = lambda _name, _outcome, _content: None
    said: Callable[[str], None] = lambda _sentence: None


def work(ledger: Ledger, plan: Plan, workers: int, watch: Watch, *, wait: bool = True) -> str:
    """Work off what is left with a pool of processes on this machine.

    Args:
        ledger: the truth.
        plan: as `begin` made it.
        workers: how many processes.
        watch: told what happens.
        wait: also wait for recordings that other runs have claimed.

    Returns:
        A sentence where it had to stop before the end; empty where all is finished.
    """
    todo = WorkQueue(ledger, wait)
    todo.fill(one.name for one in plan.inputs)
    settled = Settled(ledger, todo, watch)
    states = ledger.states()
    watch.begun(len(plan.inputs), sum(state in ("done", "failed", "aside") for state in states.values()))
    pool = Pool(
        ledger,
        workers,
        todo.next,
        lambda: todo.finished,
        Events(watch.progress, settled.finished, settled.died),
    )
    pool.run()
    return pool.stopped


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of the queue when a worker has finished, or has died.

    Attributes:
        ledger: the truth.
        todo: the queue.
        watch: told what happens.
    """

    ledger: Ledger
    todo: WorkQueue
    watch: Watch

    def finished(self, name: str, content: Mapping[str, Any]) -> None:
        """A worker has answered.

        Args:
            name: of the recording.
            content: the answer.
        """
        outcome = str(content["outcome"])
        if outcome == "busy":
            self.todo.settle(name, busy=True)
            return
        self.todo.settle(name)
        self.watch.finished(name, outcome, content)

    def died(self, name: str, why: str) -> None:
        """A worker has died over a recording: once more, or put aside.

        Args:
            name: of the recording.
            why: what is known of it.
        """
        aside = self.ledger.state(name) == "aside"
        self.todo.settle(name, again=not aside)
        self.watch.said(f"{name}: its worker ended ({why}); {'it is put aside' if aside else 'once more, later'}.")
        if aside:
            self.watch.finished(name, "aside", {})
