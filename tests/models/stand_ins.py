"""Stand-ins for an accelerator that misbehaves, opened by a trial's child process."""

import os
import signal
import threading
from pathlib import Path

from realtime.models import ModelSpec


def fine(spec: ModelSpec, path: Path, provider: str) -> None:
    assert path.is_file()
    assert provider


def blocks(spec: ModelSpec, path: Path, provider: str) -> None:
    threading.Event().wait()


def crashes(spec: ModelSpec, path: Path, provider: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def complains(spec: ModelSpec, path: Path, provider: str) -> None:
    raise RuntimeError("no such compute unit")
