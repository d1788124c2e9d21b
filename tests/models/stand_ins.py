"""Stand-ins for an accelerator that misbehaves, opened by a child process: a trial's, or a session's."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.models import ModelSpec


class Doubling:
    """A session that gives twice its picture, and on its `count`-th run does something else."""

    provider = "stand-in"

    def __init__(self, spec: ModelSpec, count: int = 0, act: Callable[[], object] = lambda: None) -> None:
        self.spec, self._count, self._act, self._runs = spec, count, act, 0

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        self._runs += 1
        if self._runs == self._count:
            self._act()
        return {"points": image * 2}


def fine(spec: ModelSpec, path: Path, provider: str, shape: tuple[int, ...] | None) -> Doubling:
    assert path.is_file()
    assert provider
    assert shape == (1, 3, 4, 4)
    return Doubling(spec)


def crashes(spec: ModelSpec, path: Path, provider: str, shape: object) -> Doubling:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def doubles(spec: ModelSpec, path: Path, provider: str, shape: tuple[int, ...] | None) -> Doubling:
    print("a provider that talks on standard output")
    assert provider == "stand-in"
    assert shape == (1, 3, 2, 2)
    return Doubling(spec)


def crashes_on_the_third_run(spec: ModelSpec, path: Path, provider: str, shape: object) -> Doubling:
    def crash() -> None:
        print("bus error in the compute unit", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    return Doubling(spec, 3, crash)


def hangs_on_the_second_run(spec: ModelSpec, path: Path, provider: str, shape: object) -> Doubling:
    return Doubling(spec, 2, threading.Event().wait)


def fails_on_the_second_run(spec: ModelSpec, path: Path, provider: str, shape: object) -> Doubling:
    def fail() -> None:
        raise RuntimeError("the compute unit is busy")

    return Doubling(spec, 2, fail)


def never_opens(spec: ModelSpec, path: Path, provider: str, shape: object) -> Doubling:
    threading.Event().wait()
    raise AssertionError


def does_not_open(spec: ModelSpec, path: Path, provider: str, shape: object) -> Doubling:
    raise RuntimeError("no such compute unit")
