"""`python -m tools.chaos`: kill -9 of random processes of a batch at random moments; then every byte is compared."""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil

from realtime.batch.ledger import Ledger
from tools.chaos.folders import differences, make_clips

_LONGEST = 1800.0
_GONE_SECONDS = 20.0
_MOST_STARTS = 200


def command(clips: Path, out: Path, *more: str) -> list[str]:
    """The batch's command line."""
    batch = [sys.executable, "-m", "realtime", "batch", str(clips), "--out", str(out), "--quiet"]
    return [*batch, "--workers", "2", *more]


class Disturbed:
    """Runs a batch to its end, and kills one of its processes now and then.

    Attributes:
        killed: how often which kind of process was killed.
        starts: how often the command was started.
        orphans: the longest time (s) that a worker outlived a killed command.
    """

    def __init__(self, clips: Path, out: Path, kills: int, seed: int, more: Sequence[str]) -> None:
        self.killed: Counter[str] = Counter()
        self.starts = 0
        self.orphans = 0.0
        self._command = command(clips, out, *more)
        self._kills = kills
        self._out = out
        self._random = random.Random(seed)
        self._pace = 4.0

    def run(self) -> int:
        """Returns the last start's exit code."""
        while True:
            self.starts += 1
            process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            code = self._disturb(process)
            # A batch whose Dask was hit ends with a sentence that says to start again.
            if code is not None and (self._complete() or self.starts > _MOST_STARTS):
                return code

    def _complete(self) -> bool:
        ledger = Ledger(self._out)
        return ledger.exists and not {"waiting", "claimed"} & set(ledger.states().values())

    def _disturb(self, process: "subprocess.Popen[bytes]") -> int | None:
        """The exit code; None: the command itself was killed."""
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            if self.killed.total() >= self._kills:
                return process.wait(_LONGEST)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(self._random.uniform(0.02, self._pace))
            if self._kill_one(process):
                return None
        raise TimeoutError("the batch does not end")

    def _kill_one(self, process: "subprocess.Popen[bytes]") -> bool:
        """Kill one process of the tree; whether it was the command."""
        try:
            tree = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        # Every eighth kill is the command's; before it has started a worker it is spared more often, or nothing would be done.
        if self._random.random() >= (0.125 if tree else 0.03):
            if tree:
                victim = self._random.choice(tree)
                kind = _kind(victim)
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
                    self.killed[kind] += 1
            return False
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self.killed["command"] += 1
        started = time.monotonic()
        _, alive = psutil.wait_procs(tree, timeout=_GONE_SECONDS)
        if alive:
            raise RuntimeError(f"{len(alive)} processes outlived the killed command by {_GONE_SECONDS:g} s")
        self.orphans = max(self.orphans, time.monotonic() - started)
        return True


def _kind(process: psutil.Process) -> str:
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return "gone"
    if "realtime.batch.worker" in words:
        return "worker"
    if "kernel_cache" in words:
        return "compiler"
    return "dask" if "multiprocessing" in words or "distributed" in words else "other"


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every byte is the same. 3: something differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dask", action="store_true", help="with --cluster local: Dask's own processes are hit too")
    options = parser.parse_args(arguments)
    more = ("--cluster", "local") if options.dask else ()
    with tempfile.TemporaryDirectory(prefix="facemirror-chaos-") as scratch:
        folder = Path(scratch)
        clips = make_clips(folder / "clips", options.clips)
        started = time.monotonic()
        calm = subprocess.run(command(clips, folder / "calm"), check=False, stderr=subprocess.DEVNULL).returncode
        print(f"undisturbed: {time.monotonic() - started:.0f} s for {options.clips} recordings", flush=True)
        disturbed = Disturbed(clips, folder / "disturbed", options.kills, options.seed, more)
        started = time.monotonic()
        code = disturbed.run()
        print(
            f"disturbed: {time.monotonic() - started:.0f} s, {disturbed.starts} starts, killed {dict(disturbed.killed)}, "
            f"workers outlived the command by {disturbed.orphans:.2f} s at most, exit code {code}",
            flush=True,
        )
        deaths = Counter(
            path.stem.rpartition(".")[0] for path in (folder / "disturbed" / "ledger" / "deaths").iterdir()
        )
        aside = sorted(name for name, count in deaths.items() if count >= 3)
        if aside:
            # Three random kills of one recording's workers look like a recording that kills: --retry is what a user says.
            print(f"put aside by chance: {', '.join(aside)}; --retry")
            code = subprocess.run(command(clips, folder / "disturbed", "--retry"), check=False).returncode
        wrong = differences(folder / "calm", folder / "disturbed")
        wrong += [f"exit code {code} instead of {calm}"] if code != calm else []
        for word in wrong[:20]:
            print(word)
        short = disturbed.killed.total() < options.kills
        if short:
            print(f"the batch ended after {disturbed.killed.total()} kills: take more clips")
        print(f"{options.clips} recordings, {len(wrong)} differences")
        return 3 if wrong or short else 0


if __name__ == "__main__":
    sys.exit(main())
