"""The preloaded clocks of the fault injection: they step while a process waits, and every wait ends as a kernel would end it."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tools.faults.cases import build_clocks

WAITS = """
import os, struct, threading, time

def step(wall, monotonic):
    file = os.open(os.environ["FAULT_CLOCKS"], os.O_RDWR)
    os.write(file, struct.pack("=qq", wall, monotonic))
    os.close(file)

lock, condition = threading.Lock(), threading.Condition()
lock.acquire()
assert not lock.acquire(timeout=0.05)

def wait_for_an_hour():
    with condition:
        condition.wait(3000.0)

# Daemons: a wait that never ends must not keep the process.
waiting = [threading.Thread(target=wait_for_an_hour, daemon=True)]
waiting.append(threading.Thread(target=time.sleep, args=(3000.0,), daemon=True))
waiting.append(threading.Thread(target=lock.acquire, args=(True, 3000.0), daemon=True))
for thread in waiting:
    thread.start()
began, wall = time.monotonic(), time.time()
step(60, 3600)
assert 3600.0 <= time.monotonic() - began < 3610.0
assert 60.0 <= time.time() - wall < 70.0
hours = 1
while any(thread.is_alive() for thread in waiting):
    # A thread that began its wait only after the step waits for the next one.
    hours += 1
    assert hours < 100
    step(60, 3600 * hours)
    for thread in waiting:
        thread.join(0.1)
later = threading.Thread(target=lock.acquire, args=(True, 0.1), daemon=True)
later.start()
step(0, 0)
later.join(10.0)
assert not later.is_alive()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the clocks are preloaded on Linux only")
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_bare_python_s_waits_end_when_both_clocks_step(tmp_path: Path) -> None:
    shifts = tmp_path / "clocks"
    shifts.write_bytes(struct.pack("=qq", 0, 0))
    environment = {**os.environ, "LD_PRELOAD": str(build_clocks(tmp_path)), "FAULT_CLOCKS": str(shifts)}
    ended = subprocess.run([sys.executable, "-c", WAITS], env=environment, capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stderr
