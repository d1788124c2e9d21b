"""What start-up took is given back, and nothing that the process still needs is lost."""

import ctypes
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.app.memory import collecting_only_new_objects, untouched_files
from tests.conftest import ROOT

SMAPS = """\
10000-20000 r--p 00000000 08:01 11 /lib/a.so
Rss:                  64 kB
Anonymous:             0 kB
20000-50000 r-xp 00010000 08:01 11 /lib/a.so
Rss:                  64 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
50000-60000 r--p 00040000 08:01 11 /lib/a.so
Anonymous:             4 kB
60000-70000 rw-p 00050000 08:01 11 /lib/a.so
Anonymous:             0 kB
70000-80000 rw-p 00000000 00:00 0 [heap]
Anonymous:             0 kB
80000-90000 r--p 00000000 00:00 0
Anonymous:             0 kB
90000-a0000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
a0000-b0000 ---p 00000000 08:01 12 /lib/b.so
Anonymous:             0 kB
b0000-c0000 r--s 00000000 08:01 13 /data/a file with blanks
Anonymous:             0 kB
"""

PROGRAM = """
import hashlib, re, ctypes
import cv2, numpy as np, numba, onnxruntime, av
from pathlib import Path
from realtime.app.memory import release_start_up

def resident(kind):
    return int(re.search(kind + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def everything():
    image = np.arange(3 * 64 * 64, dtype=np.uint8).reshape(64, 64, 3)
    words = hashlib.sha256(cv2.resize(image, (31, 31)).tobytes() + (np.eye(9) @ np.ones((9, 9))).tobytes())
    kernel = numba.njit(lambda x: x * 3 + 1)
    return words.hexdigest(), kernel(5), onnxruntime.get_available_providers(), sorted(av.codecs_available)

before = everything()
files = resident("RssFile")
release_start_up()
left = resident("RssFile")
assert everything() == before
assert left < 0.5 * files, (left, files)
print("released")
"""


def test_only_a_files_own_unwritable_pages_are_dropped() -> None:
    found = list(untouched_files(SMAPS.splitlines()))
    assert found == [(0x10000, 0x10000), (0x20000, 0x30000), (0xB0000, 0x10000)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nothing is done")
def test_a_process_lets_go_of_its_libraries_pages_and_goes_on_as_before() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=55)
    assert (done.returncode, done.stdout) == (0, "released\n"), done.stderr


def test_what_was_not_asked_for_is_not_even_imported() -> None:
    program = "import sys, realtime.cli.live, realtime.app.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=55)
    loaded = set(done.stdout.split())
    assert "realtime.app.pipeline" in loaded
    unasked = {"aiohttp", "sounddevice", "http.client", "realtime.openface2", "realtime.openface3.install"}
    assert not loaded & unasked


def test_a_run_collects_its_own_objects_only() -> None:
    class Knot:
        """Holds itself."""

        def __init__(self) -> None:
            self.itself = self

    gc.collect()
    before = gc.get_freeze_count()
    old = [Knot() for _ in range(3)]
    with collecting_only_new_objects():
        assert gc.get_freeze_count() > before
        assert not any(type(found) is Knot for found in gc.get_objects()), "nobody goes through what was there"
        Knot()
        assert sum(type(found) is Knot for found in gc.get_objects()) == 1
        gc.collect()
        assert not any(type(found) is Knot for found in gc.get_objects())
    assert gc.get_freeze_count() == before == 0
    assert sum(type(found) is Knot for found in gc.get_objects()) == len(old)


_POOLS = """
import ctypes, os, sys, threading
from pathlib import Path
from realtime.app.memory import share_arenas
if sys.argv[1] == "shared":
    share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
all_hold = threading.Barrier(7)
def hold():
    libc.malloc(ctypes.c_size_t(50_000))
    all_hold.wait(60)
threads = [threading.Thread(target=hold) for _ in range(6)]
for thread in threads:
    thread.start()
all_hold.wait(60)
file = libc.fopen(os.fsencode(sys.argv[2]), b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
print(Path(sys.argv[2]).read_text().count("<heap nr="))
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "malloc_info"),
    reason="only glibc has such pools",
)
@pytest.mark.parametrize(("way", "chosen", "pools"), [("shared", None, 2), ("own", None, 7), ("shared", "4", 4)])
def test_threads_share_two_pools_of_memory(tmp_path: Path, way: str, chosen: str | None, pools: int) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
    }
    environment |= {"PYTHONPATH": str(ROOT)} | ({} if chosen is None else {"MALLOC_ARENA_MAX": chosen})
    words = [sys.executable, "-c", _POOLS, way, str(tmp_path / "pools.xml")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=55)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == pools


_KEPT = """
import resource, sys
import numpy as np
from realtime.app.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory(2_764_800)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def pictures():
    return [np.ones(2_764_800, np.uint8) for _ in range(6)]
for _ in range(3):
    pictures()
before = faults()
for _ in range(10):
    pictures()
print(faults() - before)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "malloc_info"),
    reason="only glibc has such limits",
)
def test_memory_of_pictures_is_used_again() -> None:
    """Six pictures at a time, let go of: the system clears no page for the next six."""
    chosen = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    environment = {name: value for name, value in os.environ.items() if name not in chosen}
    environment |= {"PYTHONPATH": str(ROOT), "NUMPY_MADVISE_HUGEPAGE": "0"}
    faults = {}
    for way in ("kept", "own"):
        words = [sys.executable, "-c", _KEPT, way]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=55)
        assert done.returncode == 0, done.stderr
        faults[way] = int(done.stdout)
    assert faults["kept"] < 100
    assert faults["own"] > faults["kept"], "which is what happens otherwise"
