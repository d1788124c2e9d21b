"""A batch whose processes are killed at random moments, until it is finished."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil

from realtime.batch.ledger import Ledger
from tools.chaos.daemons import Daemons, kind_of

_LONGEST = 1800.0
_GONE_SECONDS = 20.0
_POLL_SECONDS = 0.02
_MEAN_DELAY = 0.2
_LATEST = 0.9
"""Share of the recordings after which no further kill is planned, so that each of them meets a batch at work."""
_COMMAND_SHARE = 0.125


def command(clips: Path, out: Path, *more: str) -> list[str]:
    """The batch's command line.

    Args:
        clips: folder of the recordings.
        out: folder of the results.
        more: further options.
    """
    batch = [sys.executable, "-m", "realtime", "batch", str(clips), "--out", str(out), "--quiet"]
    return [*batch, "--workers", "2", *more]


class Disturbed:
    """Runs a batch to its end, and kills one of its processes now and then.

    When a kill is due is drawn beforehand, as a number of finished recordings and a delay after it: kills are spread over the
    whole batch however fast the machine is, and come close upon each other now and then, also while workers still start.

    Args:
        clips: folder of the recordings.
        out: folder of the results.
        kills: how many.
        seed: of the random moments and victims.
        more: options of the batch.
        daemons: of Dask; they are hit, too, and started again when they have ended.

    Attributes:
        killed: how often which kind of process was killed.
        starts: how often the command was started.
        outlived: the longest time (s) that a process outlived the one that had started it and was killed, by the latter's kind.
    """

    def __init__(
        self, clips: Path, out: Path, kills: int, seed: int, more: Sequence[str] = (), daemons: Daemons | None = None
    ) -> None:
        self.killed: Counter[str] = Counter()
        self.starts = 0
        self.outlived: dict[str, float] = {}
        self._command = command(clips, out, *more)
        self._ledger = Ledger(out)
        self._random = random.Random(seed)
        self._daemons = daemons
        latest = _LATEST * sum(1 for _ in clips.iterdir())
        self._due = sorted(self._random.uniform(0, latest) for _ in range(kills))

    def run(self) -> int:
        """Returns the last start's exit code.

        Raises:
            TimeoutError: the batch does not end.
            RuntimeError: processes outlive the one that started them.
        """
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            self.starts += 1
            process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            code = self._disturb(process, end)
            # A batch whose Dask was hit ends with a sentence that says to start again; so does a kill of the command.
            if code >= 0 and self._complete():
                return code
        raise TimeoutError("the batch does not end")

    def _complete(self) -> bool:
        return self._ledger.exists and not {"waiting", "claimed"} & set(self._ledger.states().values())

    def _disturb(self, process: "subprocess.Popen[bytes]", end: float) -> int:
        """The exit code of one start; negative where the command itself was killed."""
        while time.monotonic() < end:
            if self._daemons is not None:
                self._daemons.start_again()
            is_due = self._due and self._finished() >= self._due[0]
            delay = self._random.expovariate(1 / _MEAN_DELAY) if is_due else _POLL_SECONDS
            try:
                return process.wait(delay)
            except subprocess.TimeoutExpired:
                if is_due and self._kill_one(process):
                    self._due.pop(0)
        process.kill()
        raise TimeoutError("the batch does not end")

    def _finished(self) -> int:
        return len(self._ledger.results.all_done()) if self._ledger.exists else 0

    def _kill_one(self, process: "subprocess.Popen[bytes]") -> bool:
        """Kill a process. Every eighth kill is the command's: more of them, and hardly anything would be measured."""
        others = [each for each in psutil.Process().children(recursive=True) if each.pid != process.pid]
        hits_command = self._random.random() < _COMMAND_SHARE
        if not others and not hits_command:
            return False
        victim = psutil.Process(process.pid) if hits_command else self._random.choice(others)
        kind = "command" if hits_command else kind_of(victim)
        try:
            started = victim.children(recursive=True)
            os.kill(victim.pid, 9)
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False
        self.killed[kind] += 1
        since = time.monotonic()
        _, alive = psutil.wait_procs(started, timeout=_GONE_SECONDS)
        if alive:
            raise RuntimeError(f"{len(alive)} processes outlived the killed {kind} by {_GONE_SECONDS:g} s")
        if started:
            self.outlived[kind] = max(self.outlived.get(kind, 0.0), time.monotonic() - since)
        return True
