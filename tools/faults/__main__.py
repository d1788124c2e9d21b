"""`python -m tools.faults [descriptors|memory|disk|clock ...] [--case WORDS]`: what becomes of a run when the machine fails.

Each case runs the whole program (recording, lossless frames, dashboard) in a process of its own, makes one thing fail, and
looks at what is left: a run may fail, but says so in a sentence, loses nothing that was there, and agrees with its own
figures. Exit 1 where one did not. Linux; the clocks' steps want a C compiler, and say so where it is missing.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.faults.cases import Case, kinds
from tools.faults.program import Outcome, Program

_STARTED = 30


def attempt(case: Case, folder: Path) -> Outcome:
    """Run one case.

    Args:
        case: the fault.
        folder: an empty folder for what the run leaves.
    """
    program = Program(folder, case.words, limit=case.limit, environment=case.environment(folder))
    try:
        if case.inject is not None and program.wait_for_rows(_STARTED):
            case.inject(program)
        found = program.outcome()
    finally:
        program.process.kill()
        program.process.wait()
    if found.code is not None and found.code not in case.codes:
        found.wrong.append(f"exit {found.code}, expected one of {case.codes}")
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Print a line for each case; 1 where one ended as it should not."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"one of {', '.join(kinds())}; default all")
    parser.add_argument("--case", default="", help="only cases whose name holds these words")
    options = parser.parse_args(words)
    if unknown := set(options.kinds) - set(kinds()):
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(kinds())}")
    if sys.platform != "linux":
        print("Faults are injected on Linux only.", file=sys.stderr)
        return 2
    wrong = 0
    for kind in options.kinds or kinds():
        for case in kinds()[kind]():
            if options.case not in case.name:
                continue
            if case.missing:
                print(f"--    {kind}, {case.name}: not tried, needs {case.missing}", flush=True)
                continue
            with tempfile.TemporaryDirectory() as folder:
                found = attempt(case, Path(folder))
            wrong += bool(found.wrong)
            print(f"{'WRONG' if found.wrong else 'ok   '} {kind}, {case.name}: {found.sentence}", flush=True)
            for problem in found.wrong:
                print(f"      {problem}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
