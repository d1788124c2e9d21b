"""What a child of `kernel_cache` does: compile, keep the code on disk, exit.

Run as `python -m realtime.face.kernel_compiler [PART …]`. Loading the compiler and filling its tables takes a fifth of the time, so
where the system can, one process does that and then forks: it has one thread, no window and no network open.
"""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from numba.core.registry import cpu_target

from realtime.face.geometry import fit_similarity
from realtime.face.kernel_cache import LATER, MIRROR, MIRROR_NOTE, fingerprint, write_note
from realtime.face.settings import FaceSettings
from realtime.face.warm_up import PARTS, warm_up_mirror
from realtime.jit import cache_path

_LOW_PRIORITY = 15
_PR_SET_PDEATHSIG = 1


def compile_parts(parts: Sequence[str]) -> int:
    """Compile them, side by side where there are cores for it.

    Args:
        parts: of `PARTS`, or "mirror".

    Returns:
        The exit code: 0 where all of them were compiled.
    """
    # The compiler makes millions of small objects; looking for unused ones among them takes 4 to 13 % of its time.
    gc.disable()
    if os.environ.get(LATER) and hasattr(os, "nice"):
        os.nice(_LOW_PRIORITY)
    if sys.platform != "linux" or len(parts) < 2 or (os.cpu_count() or 1) < 2 or _threads() != 1:
        for part in parts:
            _compile(part)
        return 0
    for tables in (cpu_target.typing_context, cpu_target.target_context):
        tables.refresh()
    # Inherited from some programs that start others: the system then forgets how a child ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    forks, own = list[int](), [parts[0]]
    for part in parts[1:]:
        try:
            forks.append(_fork(part))
        except OSError:  # no more processes, or no memory for one
            own.append(part)
    for part in own:
        _compile(part)
    return max(int(os.waitpid(fork, 0)[1] != 0) for fork in forks) if forks else 0


def _compile(part: str) -> None:
    if part != MIRROR:
        PARTS[part](FaceSettings())
        return
    warm_up_mirror()
    folder = cache_path(fit_similarity)
    if folder is not None:
        write_note(folder, MIRROR_NOTE, fingerprint())


def _fork(part: str) -> int:
    """Compile one part in a copy of this process. Returns the copy's number."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        # Whoever ends this process's parent means both.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _compile(part)
        code = 0
    finally:
        os._exit(code)


def _threads() -> int:
    """How many this process has; a copy would have only the one that asks for it. 0: the system does not tell."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:  # there is no /proc, as in some containers
        return 0


if __name__ == "__main__":
    sys.exit(compile_parts(sys.argv[1:] or [*PARTS, MIRROR]))
