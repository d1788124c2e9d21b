"""Memory that start-up took and a running program has no use for, given back to the system. Linux; elsewhere nothing is done.

Loading compiled kernels runs LLVM once, for Numba's own runtime, which touches some 55 MB of LLVM's code; initialising
OpenCV, ONNX Runtime, FFmpeg and Qt touches another 40 MB that no frame ever needs.
"""

import contextlib
import ctypes
import gc
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s+(/.*)")
_MADV_DONTNEED = 4
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_ARENAS = 2
_MOST_POOLED = 32 << 20
"""Bytes of a block; glibc allows no more."""
_LEAST_KEPT = 20 << 20


def release_start_up(*, garbage: bool = True) -> None:
    """Let go of the pages of libraries that were read so far, and of freed memory. What is used again is mapped again.

    To be called before frames flow: what they need should come back in a rehearsal, not while somebody waits.

    Args:
        garbage: collect unused objects first.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    try:
        smaps = Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
    except OSError:  # kernels can be built without it
        smaps = ""
    for start, length in untouched_files(smaps.splitlines()):
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _MADV_DONTNEED)
    if garbage:
        gc.collect()
    if hasattr(libc, "malloc_trim"):  # glibc
        libc.malloc_trim(0)


def share_arenas() -> None:
    """Let all threads take their memory from two pools of glibc's, instead of one each.

    A pool keeps what its thread has freed. Pictures are made on one thread and let go of on another, so each of six threads kept
    some: 12 to 16 MB. To be called before they are started. Whoever has set a number of pools in the environment keeps it.
    """
    if not sys.platform.startswith("linux") or {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"} & os.environ.keys():
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc: other libraries give the number another meaning
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def keep_freed_memory(picture: int) -> None:
    """Let the next picture have the memory of one that was let go of, instead of giving it back to the system in between.

    glibc gives back whatever is free at a pool's end beyond two of the largest blocks that were let go of. At 720p these are 5.5 MB, so
    that each frame met 80 to 110 pages that the system had to clear anew, 0.1 ms; with 20 MB it meets 30 to 40. From 2160p on nothing
    changes. Whoever has set a limit in the environment keeps it.

    Args:
        picture: bytes of one.
    """
    chosen = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"} & os.environ.keys()
    if not sys.platform.startswith("linux") or chosen:
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc: other libraries give the numbers another meaning
        # Setting one limit ends glibc's own choice of both.
        libc.mallopt(_M_MMAP_THRESHOLD, _MOST_POOLED)
        libc.mallopt(_M_TRIM_THRESHOLD, max(_LEAST_KEPT, 2 * picture))


@contextlib.contextmanager
def collecting_only_new_objects() -> Iterator[None]:
    """While inside, the collector of unused objects leaves alone what is there already.

    Start-up leaves 110,000 objects that live as long as the program. Going through all of them stopped every thread for 55 ms on a
    busy machine, which a long run may do in the middle of a picture; with them left alone it took 0.02 ms.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def untouched_files(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    """(address, bytes) of the mappings in /proc/self/smaps whose pages are all still the file's own and cannot be written.

    Dropping such pages loses nothing: the next access finds them in the file again. A mapping with pages of its own
    (relocated tables, for one) would lose them, so it is left alone.
    """
    mapping: tuple[int, int] | None = None
    for line in lines:
        if line[:1].isupper():  # a figure of the mapping above, as 23 of 24 lines are
            if mapping is not None and line.startswith("Anonymous:") and line.split()[1] == "0":
                yield mapping
            continue
        mapping = None
        if head := _MAPPING.match(line):
            start, end = int(head[1], 16), int(head[2], 16)
            mapping = (start, end - start) if "w" not in head[3] and head[3].startswith("r") else None
