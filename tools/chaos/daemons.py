"""A Dask scheduler and workers in processes of their own on the loopback, as `dask scheduler` and `dask worker` start them."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil


class Daemons:
    """The scheduler and its workers; on leaving the context all of their processes are ended.

    Args:
        folder: for what Dask writes.

    Attributes:
        address: the scheduler's.
    """

    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{_free_port()}"
        self._folder = folder
        self._running: dict[tuple[str, ...], list[subprocess.Popen[bytes]]] = {}
        self._start("dask_scheduler", "--host", self.address, "--no-dashboard")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in itertools.chain.from_iterable(self._running.values()):
            with contextlib.suppress(psutil.NoSuchProcess):
                for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                    each.kill()
            process.wait()

    def worker(self, *, nanny: bool) -> "subprocess.Popen[bytes]":
        """One more worker.

        Args:
            nanny: under a nanny, which starts it again when it ends.
        """
        where = ("--local-directory", str(self._folder), "--no-dashboard", "--nthreads", "1", "--memory-limit", "0")
        return self._start("dask_worker", self.address, *where, "--nanny" if nanny else "--no-nanny")

    def start_again(self) -> None:
        """Start whichever has ended, as a service manager does."""
        for words, processes in self._running.items():
            for process in [each for each in processes if each.poll() is not None]:
                processes.remove(process)
                self._start(*words)

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        program, *arguments = words
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        self._running.setdefault(words, []).append(process)
        return process


def kind_of(process: psutil.Process) -> str:
    """What a process of a batch or of its Dask does.

    Args:
        process: may have ended.
    """
    try:
        words = process.cmdline()
    except psutil.Error:
        return "gone"
    return next((kind for word, kind in _KINDS if any(word in each for each in words)), "other")


_KINDS: Sequence[tuple[str, str]] = (
    ("realtime.batch.worker", "worker"),
    ("kernel_compiler", "compiler"),
    ("dask_scheduler", "scheduler"),
    ("dask_worker", "nanny"),
    ("multiprocessing.spawn", "Dask worker"),
)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
