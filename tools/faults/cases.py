"""What is done to the program, by kind."""

import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.faults.program import FPS, Program

if sys.platform != "win32":
    import resource

SECONDS = 6
_STARTED = 2 * FPS
_DURATION = ("--duration", str(SECONDS))
_ALL = ("--record", "raw", "--dashboard", "--port", "0")
_WALL_CLOCK = Path(__file__).with_name("wall_clock.c")
_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@dataclass(frozen=True, slots=True)
class Case:
    """One fault.

    Attributes:
        name: for the table.
        words: added to the command line.
        limit: called in the new process before the program.
        inject: called with the program once two seconds of rows are written; None: the fault is there from the start.
        environment: variables for the program, by the folder of the case.
        codes: exit codes that the fault may have.
        missing: what this machine lacks for the case; empty: nothing.
    """

    name: str
    words: tuple[str, ...] = _DURATION
    limit: Callable[[], None] | None = None
    inject: Callable[[Program], None] | None = None
    environment: Callable[[Path], dict[str, str]] = field(default=lambda _folder: {})
    codes: tuple[int, ...] = (0, 3)
    missing: str = ""


def kinds() -> dict[str, Callable[[], Iterator[Case]]]:
    """The cases by kind."""
    return {"descriptors": descriptors, "memory": memory, "disk": disk, "clock": clock}


def _limited(what: int, value: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(what, (value, value))

    return limit


def _limit_later(what: int, used: Callable[[Program], int], more: int = 0) -> Callable[[Program], None]:
    """Lower a limit of the running program to what it uses now and `more`."""

    def inject(program: Program) -> None:
        found = used(program) + more
        resource.prlimit(program.process.pid, what, (found, found))

    return inject


def _descriptors_of(program: Program) -> int:
    return max(int(path.name) for path in Path(f"/proc/{program.process.pid}/fd").iterdir()) + 1


def _memory_of(program: Program) -> int:
    pages = Path(f"/proc/{program.process.pid}/statm").read_text().split()[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> Iterator[Case]:
    """Too few file descriptors, from the start and from some moment on."""
    for count in (6, 8, 10, 12, 14, 16, 20, 24, 32):
        yield Case(f"{count} descriptors", (*_DURATION, *_ALL), _limited(resource.RLIMIT_NOFILE, count))
    for more in (0, 1, 2, 4):
        later = _limit_later(resource.RLIMIT_NOFILE, _descriptors_of, more)
        yield Case(f"{more} more descriptors after 2 s", (*_DURATION, *_ALL), inject=later)


def memory() -> Iterator[Case]:
    """Too little address space, from the start and from some moment on."""
    for megabytes in (300, 500, 700, 900, 1100, 1300, 1600):
        yield Case(f"{megabytes} MB", (*_DURATION, *_ALL), _limited(resource.RLIMIT_AS, megabytes << 20))
    for more in (0, 8, 32, 128):
        later = _limit_later(resource.RLIMIT_AS, _memory_of, more << 20)
        yield Case(f"{more} MB more after 2 s", (*_DURATION, *_ALL), inject=later)


def disk() -> Iterator[Case]:
    """Files that cannot grow, a folder that goes, a folder that cannot be written."""
    for kilobytes in (0, 1, 16, 64, 256):
        yield Case(f"files of {kilobytes} kB at most", _DURATION, _limited(resource.RLIMIT_FSIZE, kilobytes << 10))
    later = _limit_later(resource.RLIMIT_FSIZE, lambda program: (program.session / "video.mp4").stat().st_size)
    yield Case("no file may grow after 2 s", (*_DURATION, *_ALL), inject=later)
    for name, inject in (("deleted", Program.delete_session), ("renamed", Program.move_session)):
        yield Case(f"the session's folder is {name}", (*_DURATION, *_ALL), inject=inject, codes=(3,))


def clock() -> Iterator[Case]:
    """A suspended program, a wall clock that steps, and a monotonic clock that runs on while the machine sleeps."""

    def suspend(program: Program) -> None:
        program.process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        program.process.send_signal(signal.SIGCONT)

    yield Case("stopped for 5 s", ("--duration", "12", *_ALL), inject=suspend)
    for zone, name in (("Europe/Berlin", "a zone"), ("XXX-25", "a zone of 25 hours"), ("nonsense/zone", "no zone")):
        yield Case(f"TZ: {name}", environment=_zone(zone))
    for name, before, after in (
        ("wall clock an hour back", 0, -3600),
        ("wall clock a day forward", 0, 86400),
        ("wall clock in 1970", -1_700_000_000, -1_700_000_000),
        ("wall clock in 2100", 2_300_000_000, 2_300_000_000),
    ):
        yield _wall_clock(name, before, after) if shutil.which("cc") else _not_tried(name, "a C compiler (cc)")
    for name, after in (("both clocks an hour forward (suspend)", 3600), ("both clocks a minute back", -60)):
        yield _both_clocks(name, after) if _FAKETIME.exists() else _not_tried(name, "libfaketime (Debian: faketime)")


def _zone(name: str) -> Callable[[Path], dict[str, str]]:
    return lambda _folder: {"TZ": name}


def _not_tried(name: str, missing: str) -> Case:
    return Case(name, missing=missing)


def _wall_clock(name: str, before: int, after: int) -> Case:
    """The program's wall clock steps two seconds after its start (a preloaded library of our own)."""

    def environment(folder: Path) -> dict[str, str]:
        library, step = folder / "wall_clock.so", folder / "clock"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, _WALL_CLOCK, "-ldl"], check=True)
        step.write_bytes(struct.pack("=q", before))
        return {"LD_PRELOAD": str(library), "FAULT_WALL_CLOCK": str(step)}

    return _stepped(name, struct.pack("=q", after), environment)


def _both_clocks(name: str, after: int) -> Case:
    """Both of the program's clocks step two seconds after its start (libfaketime)."""

    def environment(folder: Path) -> dict[str, str]:
        step = folder / "clock"
        step.write_text("+0")
        return {"LD_PRELOAD": str(_FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(step), "FAKETIME_NO_CACHE": "1"}

    return _stepped(name, f"{after:+d}".encode(), environment)


def _stepped(name: str, after: bytes, environment: Callable[[Path], dict[str, str]]) -> Case:
    def step(program: Program) -> None:
        with (program.session.parent / "clock").open("r+b") as file:
            file.write(after)
            file.truncate()
        time.sleep(3)
        program.process.send_signal(signal.SIGINT)

    return Case(name, (), inject=step, environment=environment, codes=(0, 130))
