"""A Dask scheduler and two workers in processes of their own on the loopback; one worker is killed, one is added.

`python -m tools.chaos.loopback [--clips 200]`: afterwards every byte is compared with a run without Dask. Needs the extra
`cluster`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from realtime.batch.ledger import Ledger
from tools.chaos.daemons import Daemons
from tools.chaos.disturbed import command
from tools.chaos.folders import OUT, differences, make_clips

_LONGEST = 1200.0


def _wait_for(ledger: Ledger, done: int, batch: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _LONGEST
    while batch.poll() is None and time.monotonic() < end:
        if ledger.exists and len(ledger.results.all_done()) >= done:
            return
        time.sleep(0.2)
    raise TimeoutError(f"{done} recordings were not reached (the batch has ended: {batch.poll() is not None})")


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every byte is the same. 3: something differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.chaos.loopback", description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="facemirror-dask-") as scratch:
        folder = Path(scratch)
        clips = make_clips(folder / "clips", options.clips)
        calm = subprocess.run(command(clips, folder / "calm" / OUT), check=False, stderr=subprocess.DEVNULL).returncode
        out = folder / "dask-out" / OUT
        with Daemons(folder / "dask") as daemons:
            # Without a nanny, so that a kill is for good.
            first, _second = daemons.worker(nanny=False), daemons.worker(nanny=False)
            batch = subprocess.Popen(command(clips, out, "--cluster", daemons.address), stderr=subprocess.DEVNULL)
            try:
                ledger = Ledger(out)
                _wait_for(ledger, options.clips // 4, batch)
                first.kill()
                first.wait()
                print(f"one worker killed after {len(ledger.results.all_done())} recordings", flush=True)
                _wait_for(ledger, options.clips // 2, batch)
                daemons.worker(nanny=False)
                print(f"one added after {len(ledger.results.all_done())}", flush=True)
                code = batch.wait(_LONGEST)
            finally:
                batch.kill()
                batch.wait()
        wrong = differences(folder / "calm" / OUT, out) + (
            [f"exit code {code} instead of {calm}"] if code != calm else []
        )
        for word in wrong[:20]:
            print(word)
        print(f"{options.clips} recordings, {len(wrong)} differences")
        return 3 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
