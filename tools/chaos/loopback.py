"""A Dask scheduler and two workers in processes of their own on the loopback; one worker is killed, one is added.

`python -m tools.chaos.loopback [--clips 60]`: afterwards every byte is compared with a run without Dask. Needs the extra
`cluster`.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from realtime.batch.ledger import Ledger
from tools.chaos.__main__ import command
from tools.chaos.folders import differences, make_clips

_LONGEST = 1200.0


class Daemons:
    """The scheduler and its workers."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.address = f"tcp://127.0.0.1:{_free_port()}"
        self._start("dask_scheduler", "--host", self.address, "--no-dashboard")

    def worker(self) -> "subprocess.Popen[bytes]":
        """One more worker, without a nanny: a kill is for good."""
        where = ("--local-directory", str(self._folder), "--no-dashboard", "--no-nanny", "--nthreads", "1")
        return self._start("dask_worker", self.address, *where)

    def _start(self, program: str, *words: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        self._stack.callback(_end, process)
        return process


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _wait_for(ledger: Ledger, done: int, batch: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _LONGEST
    while batch.poll() is None and time.monotonic() < end:
        if ledger.exists and list(ledger.states().values()).count("done") >= done:
            return
        time.sleep(0.2)
    raise TimeoutError(f"{done} recordings were not reached (the batch has ended: {batch.poll() is not None})")


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every byte is the same. 3: something differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.chaos.loopback", description=__doc__)
    parser.add_argument("--clips", type=int, default=60)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="facemirror-dask-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        clips = make_clips(folder / "clips", options.clips)
        calm = subprocess.run(command(clips, folder / "calm"), check=False, stderr=subprocess.DEVNULL).returncode
        daemons = Daemons(stack, folder / "dask")
        first, _second = daemons.worker(), daemons.worker()
        out = folder / "dask-out"
        batch = subprocess.Popen(command(clips, out, "--cluster", daemons.address), stderr=subprocess.DEVNULL)
        stack.callback(_end, batch)
        ledger = Ledger(out)
        _wait_for(ledger, options.clips // 4, batch)
        first.kill()
        first.wait()
        print(f"one worker killed after {list(ledger.states().values()).count('done')} recordings", flush=True)
        _wait_for(ledger, options.clips // 2, batch)
        daemons.worker()
        print(f"one added after {list(ledger.states().values()).count('done')}", flush=True)
        code = batch.wait(_LONGEST)
        wrong = differences(folder / "calm", out) + ([f"exit code {code} instead of {calm}"] if code != calm else [])
        for word in wrong[:20]:
            print(word)
        print(f"{options.clips} recordings, {len(wrong)} differences")
        return 3 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
