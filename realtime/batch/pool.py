"""The workers of one machine: started, given recordings, seen dying, and started again."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.batch.ledger import Ledger
from realtime.batch.worker import ONE_THREAD

_ROOT = Path(__file__).resolve().parents[2]
_STILLBORN, _KILLED = 3, 30
"""Starts of a worker in a row, for each worker, that end before a recording is claimed: by themselves, or by a signal."""
STUCK_SECONDS = 1800.0
"""A worker that reports nothing for so long over one recording is killed; that counts as a death."""


@dataclass(slots=True)
class Message:
    """Something a worker said.

    Attributes:
        worker: who.
        content: what; None: it has ended.
    """

    worker: "WorkerProcess"
    content: Mapping[str, Any] | None


class WorkerProcess:
    """One worker, started afresh (never forked), with a thread that hands on what it says.

    Args:
        out: folder of the batch.
        inbox: where its messages go.
        clock: the pool's, seconds.

    Attributes:
        out: the batch's folder.
        name: of the recording it works on; None: it waits.
        heard: when it last said something, on the pool's clock.
    """

    def __init__(self, out: Path, inbox: "queue.SimpleQueue[Message]", clock: Callable[[], float]) -> None:
        self.out = out
        self.name: str | None = None
        self._clock = clock
        self.heard = clock()
        paths = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "realtime.batch.worker", str(out)],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is for the command alone, which ends its workers in order.
            start_new_session=True,
        )
        self._inbox = inbox
        self._reader = threading.Thread(target=self._read, name="worker answers", daemon=True)
        self._reader.start()

    def give(self, name: str) -> None:
        """Hand a recording over. A worker that is gone is noticed by its silence."""
        self.name, self.heard = name, self._clock()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(f"{name}\n".encode())
            self.process.stdin.flush()

    def close(self) -> None:
        """Let it end; a recording that it works on is left as it was found."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Wait for its end; after so many seconds it is killed."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                content = json.loads(line)
            except ValueError:
                continue
            self._inbox.put(Message(self, content))
        self.process.wait()
        self._inbox.put(Message(self, None))


@dataclass(slots=True)
class Events:
    """What the pool tells whoever watches it.

    Attributes:
        progress: a recording's name, its frames and seconds so far.
        finished: a recording's name, what became of it, and what was said of it.
        died: a recording's name and a sentence.
    """

    progress: Callable[[str, int, float], None] = lambda _name, _frames, _seconds: None
    finished: Callable[[str, Mapping[str, Any]], None] = lambda _name, _content: None
    died: Callable[[str, str], None] = lambda _name, _sentence: None


@dataclass(slots=True)
class Pool:
    """Runs workers until nothing is left to do.

    Attributes:
        ledger: the truth.
        count: how many workers.
        next_name: gives the next recording to work on, or None while there is none just now.
        finished: whether nothing is left at all.
        events: told what happens.
        clock: seconds.
        stuck: seconds of silence after which a worker is ended.
        poll: seconds between two looks.
        stopped: a sentence, once nothing more can be done (a full disk, a worker of another version).
    """

    ledger: Ledger
    count: int
    next_name: Callable[[], str | None]
    finished: Callable[[], bool]
    events: Events = field(default_factory=Events)
    clock: Callable[[], float] = time.monotonic
    stuck: float = STUCK_SECONDS
    poll: float = 0.5
    stopped: str = ""
    _inbox: "queue.SimpleQueue[Message]" = field(default_factory=queue.SimpleQueue)
    _workers: list[WorkerProcess] = field(default_factory=list)
    _stillborn: int = 0

    def run(self) -> None:
        """Work until `finished`, or until it must stop. The workers are gone when it returns."""
        try:
            while not self.stopped and not self.finished():
                self._hand_out()
                self._hear(self.poll)
                self._kill_stuck()
            while self.stopped and any(worker.name for worker in self._workers):
                self._hear(self.poll)  # what is under way may yet succeed
                self._kill_stuck()
        finally:
            self.close()

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers:
            worker.close()
        for worker in self._workers:
            worker.wait(10.0)
        self._workers.clear()

    def _hand_out(self) -> None:
        for worker in [w for w in self._workers if w.name is None]:
            if (name := self.next_name()) is None:
                return
            worker.give(name)
        while len(self._workers) < self.count and (name := self.next_name()) is not None:
            worker = WorkerProcess(self.ledger.out, self._inbox, self.clock)
            self._workers.append(worker)
            worker.give(name)

    def _hear(self, seconds: float) -> None:
        try:
            message = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return
        while True:
            self._take(message)
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                return

    def _take(self, message: Message) -> None:
        worker, content = message.worker, message.content
        if content is None:
            self._ended(worker)
            return
        worker.heard = self.clock()
        if "outcome" not in content:
            self.events.progress(str(content["name"]), int(content["frames"]), float(content["seconds"]))
            return
        worker.name = None
        self._stillborn = 0
        if content["outcome"] in ("full", "version", "unusable"):
            self.stopped = self.stopped or str(content["sentence"])
        self.events.finished(str(content["name"]), content)

    def _ended(self, worker: WorkerProcess) -> None:
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        name, code = worker.name, worker.process.returncode
        worker.close()
        worker.wait(10.0)
        if name is None:
            return
        held = self.ledger.claims.holder(name)
        if held is not None and held.worker.here and held.worker.pid == worker.process.pid:
            why = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
            self.ledger.claims.revoke(held, witnessed=True, why=why)
            self.events.died(name, why)
            return
        # It ended before it could claim anything: a broken installation would do that for ever.
        self._stillborn += 1
        if self._stillborn >= self.count * (_STILLBORN if code >= 0 else _KILLED):
            self.stopped = f"Workers end before they begin (exit code {code}); see what they wrote above."
        self.events.finished(name, {"name": name, "outcome": "busy"})

    def _kill_stuck(self) -> None:
        for worker in self._workers:
            if worker.name is not None and self.clock() - worker.heard > self.stuck:
                worker.process.kill()
