"""Compiled kernels, prepared once for a machine by processes of their own.

Numba compiles a kernel when it is first called, and keeps it on disk. All of them together take some 10 s of one core and
100 MB that a process never gives back. Children pay for that and exit; the program itself only ever loads what is there.
What a measured picture needs is compiled by `kernel_compiler`, on two cores side by side; what only the mirrored views need by
another one that runs beside the first pictures at low priority. It is started afresh, never forked from the program.
"""

import atexit
import contextlib
import hashlib
import json
import logging
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import llvmlite  # type: ignore[import-untyped]
import numba
from llvmlite import binding

from realtime.errors import DeviceError
from realtime.face.geometry import fit_similarity
from realtime.face.warm_up import PARTS, warm_up_mirror
from realtime.files import reason, write_json
from realtime.jit import cache_path, damaged_files, delete_damaged, is_temporary

log = logging.getLogger(__name__)

_SOURCES = Path(__file__).resolve().parent
_COMMAND = (sys.executable, "-P", "-m", "realtime.face.kernel_compiler")
MIRROR = "mirror"
NOTE, MIRROR_NOTE = "facemirror-kernels.json", "facemirror-kernels-mirror.json"
LATER = "FACEMIRROR_COMPILE_LATER"
"""Set for a child that nobody waits for."""
_POLL_SECONDS = 0.5
_SINGLE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMBA_NUM_THREADS")


def _commands() -> tuple[tuple[str, ...], ...]:
    """One child that forks, where the system can; else one for each part, or one for all of them on a single core."""
    if sys.platform == "linux" or (os.cpu_count() or 1) < 2:
        return ((*_COMMAND, *PARTS),)
    return tuple((*_COMMAND, part) for part in PARTS)


class Preparation:
    """Kernels that children may still be compiling. `wait` before one is called.

    Args:
        folder: where Numba keeps them; None: nowhere, so that nothing a child compiles could be loaded.
        commands: the children's.
    """

    def __init__(self, folder: Path | None, commands: Sequence[Sequence[str]]) -> None:
        self._folder = folder
        self._made_for = fingerprint()
        self._started = time.monotonic()
        self._children: list[subprocess.Popen[bytes]] = []
        if folder is None:
            return
        damaged = delete_damaged(folder)
        if not damaged and _is_current(folder / NOTE, self._made_for):
            return
        try:
            for command in commands:
                self._children.append(_start(command))
        except OSError as error:  # no more processes, or no more memory for one
            log.warning("no process for compiling can be started (%s); compiling here instead", reason(error))
            self.end()

    def wait(self, progress: Callable[[str, float], None] | None = None) -> None:
        """Wait until every kernel is compiled. Where a child fails nothing is lost: the kernels are compiled at their first call.

        Args:
            progress: told what is compiled and the seconds gone by, about twice a second.
        """
        if not self._children:
            return
        try:
            codes = [_exit_code(child, progress, self._started) for child in self._children]
        finally:
            self.end()
        failed = next((code for code in codes if code != 0), 0)
        if failed:
            log.warning("a process for compiling ended with exit code %d; compiling here instead", failed)
        elif self._folder is not None:
            write_note(self._folder, NOTE, self._made_for)

    def end(self) -> None:
        """Nobody waits any more: children that are still at work are ended. What they have finished stays."""
        for child in self._children:
            _end(child)
        self._children = []


def begin(*, folder: Path | None = None, commands: Sequence[Sequence[str]] | None = None) -> Preparation:
    """Have the kernels that a measured picture needs compiled, unless they are: for this source, this Numba and this processor.

    Args:
        folder: where Numba keeps them.
        commands: the children.
    """
    folder = cache_path(fit_similarity) if folder is None else folder
    return Preparation(folder, _commands() if commands is None else commands)


def prepare(progress: Callable[[str, float], None] | None = None) -> None:
    """`begin`, and wait for it.

    Args:
        progress: see `Preparation.wait`.
    """
    begin().wait(progress)


class MirrorKernels:
    """Whether the compiled code of the mirrored views is loaded. A picture path asks before each such picture.

    Args:
        child: still compiles it; None: nobody does.
        loaded: a mirrored view can be drawn at once.
    """

    def __init__(self, child: "subprocess.Popen[bytes] | None" = None, *, loaded: bool = False) -> None:
        self._child = child
        self._loaded = threading.Event()
        self._asked = self._ended = False
        if loaded:
            self._loaded.set()
        if child is not None:
            atexit.register(self._end)
            # Nobody else waits for it: without this it would stay in the system's table of processes until this one ends.
            threading.Thread(target=child.wait, name="kernel-compiler", daemon=True).start()

    def ready(self) -> bool:
        """Never waits. The first question has the code loaded, on a thread of its own, once it is compiled."""
        if not self._asked and not self._loaded.is_set():
            self._asked = True
            threading.Thread(target=self._load, name="kernel-loader", daemon=True).start()
        return self._loaded.is_set()

    def _load(self) -> None:
        try:
            if self._child is not None:
                self._child.wait()
            if not self._ended:  # the child was ended with this process: compiling in its place would only hold it up
                warm_up_mirror()
        finally:
            self._loaded.set()  # where that failed, the view itself says why

    def _end(self) -> None:
        assert self._child is not None
        self._ended = True
        _end(self._child)


def prepare_mirror(progress: Callable[[str, float], None] | None = None, *, now: bool) -> MirrorKernels:
    """Load the kernels that only the mirrored views need.

    Args:
        progress: see `Preparation.wait`.
        now: have them compiled first if need be. Otherwise, at a first start, a child compiles them at low priority beside the
            first pictures, and they are loaded when such a view is first asked for.

    Returns:
        Whether they are loaded; to be asked before each mirrored picture.
    """
    folder = cache_path(fit_similarity)
    kept = folder is not None and not is_temporary(folder)  # else a child would only cost time
    child = None
    if folder is not None and kept and not _is_current(folder / MIRROR_NOTE, fingerprint()):
        if not now:
            return MirrorKernels(_start_or_none((*_COMMAND, MIRROR), low=True))
        if (child := _start_or_none((*_COMMAND, MIRROR))) is not None:
            atexit.register(_end, child)
            _exit_code(child, progress, time.monotonic())
    elif not (kept or now):
        return MirrorKernels()
    warm_up_mirror()
    return MirrorKernels(loaded=True)


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
    folder = cache_path(fit_similarity)
    again = "Set FACEMIRROR_CACHE to a folder that can be written, so that only the first start compiles."
    if folder is None or is_temporary(folder):
        return CacheState("No folder for compiled code can be written, so each start compiles (about 10 s).", again)
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


def fingerprint() -> str:
    """What compiled code depends on."""
    words = [platform.python_version(), numba.__version__, llvmlite.__version__, binding.get_host_cpu_name()]
    digest = hashlib.sha256("\n".join([*words, binding.get_host_cpu_features().flatten()]).encode())
    for source in sorted(_SOURCES.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def write_note(folder: Path, name: str, made_for: str) -> None:
    """Remember what was compiled.

    Args:
        folder: where the compiled code is.
        name: the note's.
        made_for: of `fingerprint`.
    """
    files = sorted(path.name for path in folder.glob("*.nbi"))
    # Without the note the next start asks a child again, which then only loads.
    with contextlib.suppress(DeviceError):
        write_json(folder / name, {"made_for": made_for, "files": files})


def _start(command: Sequence[str], *, low: bool = False) -> "subprocess.Popen[bytes]":
    paths = [str(_SOURCES.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A process that forks must have one thread; compiling needs no linear algebra.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **dict.fromkeys(_SINGLE_THREAD, "1")}
    if low:
        environment[LATER] = "1"
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _start_or_none(command: Sequence[str], *, low: bool = False) -> "subprocess.Popen[bytes] | None":
    try:
        return _start(command, low=low)
    except OSError:  # compiled in this process, then
        return None


def _exit_code(child: "subprocess.Popen[bytes]", progress: Callable[[str, float], None] | None, started: float) -> int:
    while True:
        try:
            return child.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if progress is not None:
                progress("fast code", time.monotonic() - started)


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.kill()
    child.wait()
