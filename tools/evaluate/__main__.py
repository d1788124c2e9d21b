"""`python -m tools.evaluate [PART ...]`: every figure of the shipped models as a table, and as JSON.

`python -m tools.evaluate blur --frames N` measures the program's hidden faces instead (see `tools.evaluate.blur`),
`python -m tools.evaluate blur-others --scenes N` whether `--blur-face others` hides everybody but the patient,
`python -m tools.evaluate people --scenes N` whether it tells several people apart (see `tools.evaluate.people`),
`python -m tools.evaluate clips CLIPS` Action Units and blinks beside MediaPipe's on clips of real people (see `tools.evaluate.clips`),
`python -m tools.evaluate clinic --bank BANK` lengths and scores of rendered palsies and real people (see `tools.evaluate.clinic`),
`python -m tools.evaluate lengths --bank BANK --eyes EYES` the iris as a ruler, and lengths of turned heads (see `tools.evaluate.lengths`).
"""

import argparse
import importlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from realtime.errors import FacemirrorError, UserInputError
from tools.evaluate.figures import Figure, Options, finish

PARTS = ("detector", "landmarks", "aus", "real")


def main() -> int:
    """Command line; the exit code is 1 where an aim is missed."""
    if sys.argv[1:2] in (["blur"], ["blur-others"], ["people"], ["clips"], ["clinic"], ["lengths"]):
        # They measure the program, not a model, and have options of their own.
        return int(importlib.import_module(f"tools.evaluate.{sys.argv[1].replace('-', '_')}").main(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", default=PARTS, metavar="PART", help=f"any of {', '.join(PARTS)} (default: all)"
    )
    parser.add_argument("--weights", type=Path, default=Path(__file__).resolve().parents[2] / "weights")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that tools.data.collages and tools.synth wrote"
    )
    parser.add_argument("--json", type=Path, help="also write the figures there")
    arguments = parser.parse_args()
    options = Options(arguments.weights, Path(os.environ.get("FACEMIRROR_SHARED", "../shared")), arguments.data)
    figures: list[Figure] = []
    try:
        for part in arguments.parts:
            if part not in PARTS:
                raise UserInputError(f"there is no part {part!r}; choose from {', '.join(PARTS)}")
            if find_spec(f"tools.evaluate.{part}") is None:
                raise UserInputError(f"the part {part!r} is not in this checkout.")
            measure = getattr(importlib.import_module(f"tools.evaluate.{part}"), "measure", None)
            if measure is None:
                print(f"{part}: run python -m tools.evaluate.{part}, which needs settings of its own", file=sys.stderr)
                continue
            figures += measure(options)
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return finish(figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
