"""How a check is run inside the virtual machine, and what most of them need: the program, modules, waiting."""

import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.live.waiting import eventually

WANTED = os.environ.get("LIVE_CHECK", "").split()
"""Only the checks with one of these words in their name; empty: all."""
PATIENCE = 600.0
"""Seconds for one run of the program, perhaps on a busy machine."""
LOGS = Path("/vm")
_forks = multiprocessing.get_context("forkserver")


class Checks:
    """Runs checks and writes each finding at once, so that a hang loses only the rest.

    Args:
        results: the file of findings.
    """

    def __init__(self, results: Path) -> None:
        self._results = results
        self._found: list[dict[str, Any]] = []

    def __call__(self, name: str, look: Callable[[], str]) -> None:
        """Run one check; what it gives, or raises, is its detail."""
        if WANTED and not any(word in name for word in WANTED):
            return
        begun = time.monotonic()
        try:
            ok, detail = True, look()
        except Exception as error:  # noqa: BLE001  the others go on
            ok, detail = False, f"{type(error).__name__}: {error}"
        seconds = round(time.monotonic() - begun, 1)
        self._found.append({"name": name, "ok": ok, "detail": detail, "seconds": seconds})
        print(name, ok, detail, seconds, flush=True)
        part = self._results.with_suffix(".part")
        part.write_text(json.dumps(self._found, indent=1), "utf-8")
        part.rename(self._results)


def prepare() -> None:
    """Import the program once: there is one core, and each run is forked from here."""
    _forks.set_forkserver_preload(["tests.live.vm.preload"])


class Program:
    """`facemirror-live WORDS` in a process of its own.

    Args:
        words: of the command line.
        powerless: without root's powers, as a user has none.
    """

    def __init__(self, *words: str, powerless: bool = False) -> None:
        self._log = LOGS / f"program-{time.monotonic_ns()}.log"
        self._log.touch()
        self.process: ForkServerProcess = _forks.Process(target=_main, args=(words, str(self._log), powerless))
        self.process.start()

    @property
    def said(self) -> str:
        """All its words so far, on one line."""
        return " ".join(self._log.read_text("utf-8", "replace").split())

    def says(self, words: str, seconds: float = PATIENCE) -> None:
        """Wait until it has said this."""

        def look() -> bool:
            if words in self.said:
                return True
            assert self.process.exitcode is None, f"exit {self.process.exitcode}: {self.said[-900:]}"
            return False

        eventually(look, seconds, f"it says {words!r}, but: {self.said[-600:]}")

    def ended(self, seconds: float = PATIENCE) -> tuple[int, str]:
        """Wait for its end: exit code and what it said; never a traceback."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"still running after {seconds:.0f} s: {self.said[-600:]}"
        assert "Traceback" not in self.said, self.said
        return self.process.exitcode, self.said


@contextlib.contextmanager
def running(*words: str) -> Iterator[Program]:
    """The program once frames flow; killed at the end of the block where it still runs."""
    program = Program(*words)
    try:
        program.says("running;")
        yield program
    finally:
        program.process.kill()
        program.process.join()


def program(*words: str, powerless: bool = False) -> tuple[int, str]:
    """Run the program to its end: exit code and what it said."""
    return Program(*words, powerless=powerless).ended()


def figures(path: str) -> dict[str, Any]:
    """A summary."""
    found: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return found


def load(name: str, *options: str) -> None:
    """Load a module of the first root, or all of a group's folder in order."""
    path = Path("/modules") / name
    for module in sorted(path.glob("*.ko")) if path.is_dir() else [path]:
        done = subprocess.run(["insmod", str(module), *options], check=False, capture_output=True, text=True)
        assert done.returncode == 0 or "File exists" in done.stderr, f"{module.name}: {done.stderr}"


def _main(words: tuple[str, ...], log: str, powerless: bool) -> None:
    import faulthandler

    from realtime.cli import main

    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    if powerless:  # Python's own files are root's here, so that the user stays and its powers go.
        _drop_powers()
    stacks = Path(log).with_suffix(".stacks").open("w", encoding="utf-8")
    faulthandler.dump_traceback_later(120, repeat=True, file=stacks)
    code = 1
    try:
        code = main(list(words))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _drop_powers() -> None:
    """Give up every capability (linux/capability.h): root without them may open what its bits allow."""
    import ctypes

    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    none = (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None, use_errno=True).capset(header, none) == 0, os.strerror(ctypes.get_errno())
