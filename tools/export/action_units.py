"""Write an Action Unit network's file in the form of now: `python -m tools.export.action_units FILE --out weights/action_units.onnx`.

FILE: what `tools.train.action_units` or this tool wrote, in this version or an earlier one. The numbers stay; the form is the one that
`realtime.action_units.model` asks with several references at once.
"""

import argparse
from pathlib import Path

from tools.command import guarded, require


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Raises ModelFileError with one sentence where the file is of another network."""
    parser = argparse.ArgumentParser(prog="python -m tools.export.action_units", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, default=Path("weights/action_units.onnx"))
    options = parser.parse_args(arguments)
    require("torch", "onnx")

    from tools.networks.action_units import export, exported
    from tools.train.action_units.table import UNITS

    difference = export(exported(options.file, UNITS), options.out)
    print(f"{options.out}: {options.out.stat().st_size} bytes, largest difference from PyTorch {difference:.1e}")


if __name__ == "__main__":
    guarded(main)
