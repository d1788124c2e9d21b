"""`python -m tests.fuzz --minutes N [FILE ...]`: every fuzzer of this folder, with new random input until the time is over.

Stops at the first input that does harm; Hypothesis prints the smallest one, and keeps it for the next run.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: nothing was found; else pytest's."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to look for harm (default 10)")
    parser.add_argument("--examples", type=int, default=200, help="inputs of each kind in one round (default 200)")
    parser.add_argument("files", nargs="*", help="some of the fuzzers, as pytest takes them (default: all)")
    options = parser.parse_args(arguments)
    end, rounds = time.monotonic() + 60 * options.minutes, 0
    targets = options.files or [str(HERE)]
    while True:
        rounds += 1
        environment = {**os.environ, "FACEMIRROR_FUZZ": str(options.examples)}
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-o", "timeout=0", *targets]
        ended = subprocess.run(command, env=environment, cwd=HERE.parents[1], check=False)
        if ended.returncode:
            return ended.returncode
        if time.monotonic() >= end:
            print(f"{rounds} rounds of {options.examples} inputs of each kind did no harm.")
            return 0


if __name__ == "__main__":
    sys.exit(main())
