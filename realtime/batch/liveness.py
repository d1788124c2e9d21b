"""Whether the process that holds a claim still lives: at once on the same machine, by its heartbeat on another one."""

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

_LARGEST_PID = 2**31 - 1
STALE_SECONDS = 60.0
"""Without a heartbeat for so long, a process on another machine is taken to be dead."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that no other one is mistaken for, however often its number is used again.

    Attributes:
        host: the machine's name and the boot it runs in.
        pid: the process's number.
        started: when it was started, as the system says it (seconds).
    """

    host: str
    pid: int
    started: float

    @classmethod
    def this(cls) -> "Process":
        """The one that calls."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> "Process":
        """One of this machine. Raises psutil.NoSuchProcess."""
        return cls(host(), pid, round(psutil.Process(pid).create_time(), 2))

    def as_json(self) -> dict[str, Any]:
        """For the ledger; `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Process":
        """Raises KeyError, TypeError, ValueError: `content` is none."""
        try:
            pid, started = int(content["pid"]), float(content["started"])
        except OverflowError:
            raise ValueError("no process") from None
        if not 0 < pid <= _LARGEST_PID:
            raise ValueError("no process")
        return cls(str(content["host"]), pid, started)

    @property
    def here(self) -> bool:
        """It is (or was) one of this machine."""
        return self.host == host()

    @property
    def name(self) -> str:
        """A file name that no other process has."""
        return f"{self.host.partition('/')[0]}-{self.pid}-{round(100 * self.started):x}"

    def runs(self) -> bool:
        """Whether it still lives; only for a process of this machine."""
        try:
            process = psutil.Process(self.pid)
            same = abs(float(process.create_time()) - self.started) < 1.0
            return same and bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


@cache
def host() -> str:
    """This machine's name, and on Linux the boot: after a restart no process of before can live."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}"


class Heartbeats:
    """Watches the heartbeat files of other machines' processes. Only this process's own clock counts, so clocks may differ.

    Args:
        folder: of the files.
        clock: of this process, seconds.
        stale: seconds without a beat.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic, stale: float = STALE_SECONDS) -> None:
        self._folder = folder
        self._clock = clock
        self._stale = stale
        self._seen: dict[str, tuple[str, float]] = {}

    def alive(self, process: Process) -> bool:
        """Whether the process is taken to live."""
        if process.here:
            return process.runs()
        try:
            beat = str(json.loads((self._folder / f"{process.name}.json").read_text("utf-8"))["beat"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            beat = ""
        now = self._clock()
        before = self._seen.get(process.name)
        if before is None or before[0] != beat:
            self._seen[process.name] = beat, now
            return True
        return now - before[1] < self._stale
