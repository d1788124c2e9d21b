"""`python -m tools.chaos`: kill -9 of random processes of a batch at random moments; then every byte is compared.

The processes are the command's own and its workers'; with `--dask local` also Dask's workers, which the command starts; with
`--dask processes` a scheduler, two nannies and their workers, each started again when it has ended (extra `cluster`).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tools.chaos.daemons import Daemons
from tools.chaos.disturbed import Disturbed, command
from tools.chaos.folders import OUT, differences, make_clips


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every byte is the same. 3: something differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dask", choices=("local", "processes"), help="on a Dask cluster, whose processes are hit too")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="facemirror-chaos-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        clips = make_clips(folder / "clips", options.clips)
        started = time.monotonic()
        calm = subprocess.run(command(clips, folder / "calm" / OUT), check=False, stderr=subprocess.DEVNULL).returncode
        print(f"undisturbed: {time.monotonic() - started:.0f} s for {options.clips} recordings", flush=True)
        daemons = None
        if options.dask == "processes":
            daemons = stack.enter_context(Daemons(folder / "dask"))
            for _ in range(2):
                daemons.worker(nanny=True)
        more = ("--cluster", "local" if daemons is None else daemons.address) if options.dask else ()
        disturbed = Disturbed(clips, folder / "disturbed" / OUT, options.kills, options.seed, more, daemons)
        started = time.monotonic()
        code = disturbed.run()
        outlived = {kind: f"{seconds:.2f} s" for kind, seconds in disturbed.outlived.items()}
        print(
            f"disturbed: {time.monotonic() - started:.0f} s, {disturbed.starts} starts, killed {dict(disturbed.killed)}, "
            f"outlived by what they had started by at most {outlived}, exit code {code}",
            flush=True,
        )
        if aside := _put_aside(folder / "disturbed" / OUT):
            # Three random kills of one recording's workers look like a recording that kills: --retry is what a user says.
            print(f"put aside by chance: {', '.join(aside)}; --retry")
            code = subprocess.run(command(clips, folder / "disturbed" / OUT, "--retry"), check=False).returncode
        wrong = differences(folder / "calm" / OUT, folder / "disturbed" / OUT)
        wrong += [f"exit code {code} instead of {calm}"] if code != calm else []
        for word in wrong[:20]:
            print(word)
        short = disturbed.killed.total() < options.kills
        if short:
            print(f"the batch ended after {disturbed.killed.total()} kills: take more clips")
        print(f"{options.clips} recordings, {disturbed.killed.total()} kills, {len(wrong)} differences")
        return 3 if wrong or short else 0


def _put_aside(out: Path) -> list[str]:
    deaths = Counter(path.stem.rpartition(".")[0] for path in (out / "ledger" / "deaths").iterdir())
    return sorted(name for name, count in deaths.items() if count >= 3)


if __name__ == "__main__":
    sys.exit(main())
