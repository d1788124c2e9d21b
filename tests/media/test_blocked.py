"""A file or generator that blocks inside libav: a sentence after its time-out, and an orderly end of the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# The filter drops every picture after the fourth, so that libav reads on for ever and never returns.
ENDLESS = "lavfi:testsrc2=size=64x48:rate=30,select='lt(n,4)'"

_READ = """
import os, sys, threading, time
from realtime.errors import DeviceError
from realtime.graph import StopToken
from realtime.media.decoder_thread import wait_for_readers
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource

source, stop = VideoSource(parse_source(sys.argv[1]), time.monotonic, speed="max", stall_timeout=0.1), StopToken()
source.open()
frames = [source.read(stop) for _ in range(4)]
try:
    source.read(stop)
except DeviceError as error:
    print(error)
late = threading.Thread(target=lambda: print(source.read(stop)))
late.start()
stop.set()
late.join(5)
source.close()
print(len(frames), late.is_alive(), wait_for_readers(0.1), flush=True)
os._exit(0)
"""


def python(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def test_a_blocked_generator_stalls_and_stopping_does_not_wait_for_it(tmp_path: Path) -> None:
    ended = python("-c", _READ, ENDLESS, folder=tmp_path)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [f"{ENDLESS} stalled: no frame for 0.3 s.", "None", "4 False False"]
    assert ended.returncode == 0


@pytest.mark.timeout(200)  # the first start on a machine compiles
def test_a_run_whose_source_blocks_ends_without_an_abort(tmp_path: Path) -> None:
    """The main thread closed the container under the reader: signal 6 or 11 after the run."""
    command = ["-m", "realtime", "run", "--source", ENDLESS, "--headless", "--duration", "1", "--quiet"]
    ended = python(*command, folder=tmp_path)
    complaints = [line for line in ended.stderr.splitlines() if "compiling fast code" not in line]
    assert (ended.returncode, complaints) == (0, [])
