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
_CLOCKS = Path(__file__).with_name("clocks.c")


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
        ("wall clock an hour back", _shifts(), _shifts(wall=-3600)),
        ("wall clock a day forward", _shifts(), _shifts(wall=86400)),
        ("wall clock in 1970", _shifts(wall=-1_700_000_000), _shifts(wall=-1_700_000_000)),
        ("wall clock in 2100", _shifts(wall=2_300_000_000), _shifts(wall=2_300_000_000)),
        ("both clocks an hour forward (suspend)", _shifts(), _shifts(wall=3600, monotonic=3600)),
        ("both clocks a minute back", _shifts(), _shifts(wall=-60, monotonic=-60)),
    ):
        yield _stepped(name, before, after) if shutil.which("cc") else Case(name, missing="a C compiler (cc)")


def _shifts(*, wall: int = 0, monotonic: int = 0) -> bytes:
    """What clocks.c reads: seconds that the program's clocks differ from the machine's."""
    return struct.pack("=qq", wall, monotonic)


def _zone(name: str) -> Callable[[Path], dict[str, str]]:
    return lambda _folder: {"TZ": name}


def build_clocks(folder: Path) -> Path:
    """Compile the library that is preloaded to step a program's clocks.

    Args:
        folder: where it is put.
    """
    library = folder / "clocks.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, _CLOCKS, "-ldl"], check=True)
    return library


def _stepped(name: str, before: bytes, after: bytes) -> Case:
    """The program's clocks step two seconds after its start (a preloaded library of our own)."""

    def environment(folder: Path) -> dict[str, str]:
        (folder / "clocks").write_bytes(before)
        return {"LD_PRELOAD": str(build_clocks(folder)), "FAULT_CLOCKS": str(folder / "clocks")}

    def step(program: Program) -> None:
        with (program.session.parent / "clocks").open("r+b") as file:
            file.write(after)
        time.sleep(3)
        program.process.send_signal(signal.SIGINT)

    return Case(name, (), inject=step, environment=environment, codes=(0, 130))
