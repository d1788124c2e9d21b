"""Compiled kernels, prepared once for a machine by a process of its own.

Numba compiles a kernel when it is first called, and keeps it on disk. All of them together take some 15 s of one core and
100 MB that a process never gives back. A child pays for that and exits; the program itself only ever loads what is there.
Run as `python -m realtime.face.kernel_cache`; started afresh, never forked.
"""

import contextlib
import hashlib
import json
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import llvmlite  # type: ignore[import-untyped]
import numba
from llvmlite import binding

from realtime.errors import DeviceError
from realtime.face.crops import square_crop
from realtime.face.warm_up import warm_up
from realtime.files import reason, write_json
from realtime.jit import cache_path, damaged_files, delete_damaged, is_temporary

log = logging.getLogger(__name__)

_SOURCES = Path(__file__).resolve().parent
_COMMAND = (sys.executable, "-P", "-m", "realtime.face.kernel_cache")
_POLL_SECONDS = 0.5


def prepare(
    progress: Callable[[str, float], None] | None = None,
    *,
    folder: Path | None = None,
    command: Sequence[str] = _COMMAND,
) -> None:
    """Have every kernel of the face path compiled, unless they are: for this source, this Numba and this processor.

    Args:
        progress: told what is compiled and the seconds gone by, about twice a second.
        folder: where Numba keeps them.
        command: the child. Where it fails nothing is lost: the kernels are then compiled at their first call.
    """
    folder = cache_path(square_crop) if folder is None else folder
    if folder is None:  # nothing that a child compiles could be loaded here
        return
    note = folder / "facemirror-kernels.json"
    made_for = _fingerprint()
    damaged = delete_damaged(folder)
    if not damaged and _is_current(note, made_for):
        return
    try:
        code = _run(command, progress)
    except OSError as error:  # no more processes, or no more memory for one
        log.warning("no process for compiling can be started (%s); compiling here instead", reason(error))
        return
    if code != 0:
        log.warning("a process for compiling ended with exit code %d; compiling here instead", code)
        return
    files = sorted(path.name for path in folder.glob("*.nbi"))
    with contextlib.suppress(
        DeviceError
    ):  # without the note the next start asks the child again, which then only loads
        write_json(note, {"made_for": made_for, "files": files})


class CacheState(NamedTuple):
    """What `doctor` says of the compiled code: sentence, and what to do about it (empty: nothing).

    Attributes:
        sentence: what was found.
        advice: what to do about it; empty: nothing.
    """

    sentence: str
    advice: str = ""


def cache_state() -> CacheState:
    """Where compiled code is kept, and whether it is whole. Damaged files are deleted; the next start makes them anew."""
    folder = cache_path(square_crop)
    again = "Set FACEMIRROR_CACHE to a folder that can be written, so that only the first start compiles."
    if folder is None or is_temporary(folder):
        return CacheState("No folder for compiled code can be written, so each start compiles (about 15 s).", again)
    damaged = delete_damaged(folder)
    left = [path.name for path in damaged_files(folder)]
    if left:
        return CacheState(
            f"{len(left)} damaged files of compiled code in {folder} cannot be deleted.", "Delete them, or the folder."
        )
    if damaged:
        return CacheState(
            f"{len(damaged)} damaged files of compiled code in {folder} were deleted.",
            "The next start compiles them again.",
        )
    return CacheState(f"Compiled code is kept in {folder}.")


def _is_current(note: Path, made_for: str) -> bool:
    try:
        known = json.loads(note.read_text("utf-8"))
        return known["made_for"] == made_for and all((note.parent / name).is_file() for name in known["files"])
    except (OSError, ValueError, KeyError):
        return False


def _fingerprint() -> str:
    """What compiled code depends on."""
    words = [platform.python_version(), numba.__version__, llvmlite.__version__, binding.get_host_cpu_name()]
    digest = hashlib.sha256("\n".join([*words, binding.get_host_cpu_features().flatten()]).encode())
    for source in sorted(_SOURCES.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _run(command: Sequence[str], progress: Callable[[str, float], None] | None) -> int:
    """The child's exit code. It ends with this process's interest in it, Ctrl-C included."""
    started = time.monotonic()
    paths = [str(_SOURCES.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                return child.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if progress is not None:
                    progress("fast code", time.monotonic() - started)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


if __name__ == "__main__":
    warm_up()
