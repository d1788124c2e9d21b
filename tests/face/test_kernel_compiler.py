"""The child that compiles forks, so that the compiler is loaded once for all parts."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SCRIPT = """
import json, os, pathlib, signal, sys, time
from types import SimpleNamespace
from realtime.face import kernel_compiler as compiler

folder, fork = pathlib.Path(sys.argv[1]), os.fork
tables = SimpleNamespace(refresh=lambda: None)
compiler.cpu_target = SimpleNamespace(typing_context=tables, target_context=tables)

def part(name):
    def run(settings):
        (folder / f"{name} new").write_text(str(os.getpid()))
        (folder / f"{name} new").rename(folder / name)
        if name == "fails":
            raise RuntimeError
        time.sleep(600 * (name == "stuck"))
    return run

def compiled(*names):
    code = compiler.compile_parts(names)
    return code, [int((folder / name).read_text()) == os.getpid() for name in names]

def refuse():
    raise OSError

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as a program may inherit it from what started it
os.cpu_count = lambda: 2
compiler.PARTS = {name: part(name) for name in ("one", "two", "fails", "stuck")}
print(json.dumps([compiled("one", "two"), compiled("one", "fails")]))
os.fork = refuse
print(json.dumps(compiled("one", "two")))
os.fork = fork
compiler.Path, path = (lambda name: pathlib.Path("/nowhere")), compiler.Path
print(json.dumps(compiled("one", "two")))
compiler.Path = path
os.cpu_count = lambda: 1
print(json.dumps(compiled("two", "one")), flush=True)
os.cpu_count = lambda: 2
compiled("one", "stuck")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each part has a child of its own")
def test_parts_are_compiled_by_forks_where_there_are_cores_and_processes_for_them(tmp_path: Path) -> None:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline()) == [[0, [True, False]], [1, [True, False]]], "two processes"
        assert json.loads(child.stdout.readline()) == [0, [True, True]], "no process can be had"
        assert json.loads(child.stdout.readline()) == [0, [True, True]], "nothing tells how many threads there are"
        assert json.loads(child.stdout.readline()) == [0, [True, True]], "a single core"
        end = time.monotonic() + 20
        while not (tmp_path / "stuck").exists() and time.monotonic() < end:
            time.sleep(0.01)
        stuck = psutil.Process(int((tmp_path / "stuck").read_text()))
    finally:
        child.kill()
        child.communicate()
    assert psutil.wait_procs([stuck], timeout=20)[1] == [] or stuck.status() == psutil.STATUS_ZOMBIE, "it ends, too"
