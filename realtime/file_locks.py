"""Locks that end with the process that holds them: one process at a time, and a file that is still being written."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from realtime.files import open_private, open_regular, private_folder

_FAR_BEHIND = 2**30


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Let no other process of this machine run its block for the same `path` meanwhile; wait for it.

    The lock goes with the process, however it ends; the empty file stays. Where the file cannot be made, the block runs
    without a lock.

    Args:
        path: a file for the lock alone, in a folder for this user.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            private_folder(path.parent)
            _lock(stack.enter_context(open_private(path, "ab")))
        yield


def _lock(file: IO[Any]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # gives up after 10 s
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def hold(file: IO[Any]) -> None:
    """Let other processes see (`is_held`) that this one still writes the file, until it closes it or ends in any way.

    Where the file system knows no locks nothing happens.

    Args:
        file: open for writing.
    """
    with contextlib.suppress(OSError):
        _try_lock(file, shared=False)


def is_held(path: Path) -> bool:
    """Whether a process writes the file now, and said so by `hold`. False where there is no such file.

    Args:
        path: of the file.
    """
    try:
        file = open_regular(path)
    except OSError:
        return False
    with file:
        try:
            _try_lock(file, shared=True)
        except (BlockingIOError, PermissionError):  # Windows says the latter
            return True
        except OSError:
            return False
    return False


def _try_lock(file: IO[Any], *, shared: bool) -> None:
    """Raises OSError where it cannot be had at once."""
    if sys.platform == "win32":
        import msvcrt

        at = file.tell()
        file.seek(_FAR_BEHIND)  # Windows keeps others from reading locked bytes; these are none
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(at)
    else:
        import fcntl

        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
