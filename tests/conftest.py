"""Fixtures every test room shares, and compiled kernels for all processes of a run."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Not FACEMIRROR_…: the program takes such a variable for a setting, and refuses one that it does not know.
_COMPILING = "COMPILING_FOR_TESTS"
_COMPILE = (
    "from realtime.face.kernel_cache import begin, prepare_mirror; "
    "all_but_the_mirror = begin(); prepare_mirror(now=True); all_but_the_mirror.wait()"
)


def pytest_configure(config: pytest.Config) -> None:
    """Have the kernels compiled once, by a child, while the workers collect: each of them would do the same 15 s of work.

    Those of the mirrored views, too: until they are there, each run in a test would have another child compile them.
    The child holds a lock for as long as it runs; workers wait for it in `pytest_collection_finish`.
    """
    if sys.platform == "win32" or hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        return
    import fcntl

    number, name = tempfile.mkstemp(prefix="facemirror-compiling-")
    fcntl.flock(number, fcntl.LOCK_EX)
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", _COMPILE],
        pass_fds=(number,),
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(number)  # the child's copy holds the lock
    os.environ[_COMPILING] = name

    def end() -> None:
        child.wait()
        Path(name).unlink(missing_ok=True)

    config.add_cleanup(end)


def pytest_collection_finish(session: pytest.Session) -> None:
    """A worker begins when the kernels are there."""
    name = os.environ.get(_COMPILING)
    if name is None or sys.platform == "win32" or not hasattr(session.config, "workerinput"):
        return
    import fcntl

    with contextlib.suppress(OSError), Path(name).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


@pytest.fixture(scope="session", autouse=True)
def start_up_is_kept() -> Iterator[None]:
    """A run in a test does not give back what start-up took.

    That goes through every object and page of the process, and a worker has several times those of a program: two thirds of what a
    short run costs. `tests/app/test_memory.py` tries it in processes of its own.
    """
    module = sys.modules.get("realtime.app.face_pipeline")
    with contextlib.nullcontext() if module is None else patch.object(module, "release_start_up", lambda **_: None):
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development material's folder; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("FACEMIRROR_SHARED", ROOT.parent / "shared"))
    if not (folder / "models").is_dir():
        pytest.skip("development material is not here (set FACEMIRROR_SHARED to its folder)")
    return folder
