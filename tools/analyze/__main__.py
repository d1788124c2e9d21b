"""`python -m tools.analyze NAME|FILE`: the architecture report of a network, checkpoint, ONNX file or Core ML package."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.errors import UserInputError
from tools.command import guarded, require

if TYPE_CHECKING:
    from tools.analyze.report import Report

NAMES = ("retinaface", "star", "multitask")
CHECKPOINTS = {".pth", ".pkl", ".pt", ".tar", ".ckpt"}


def of(subject: str) -> "Report":
    """The report on a network's name or a file. Raises UserInputError or ModelFileError for what is neither."""
    path = Path(subject)
    if subject in NAMES:
        require("torch")
        from tools.analyze import torch_network

        return torch_network.of_name(subject)
    if path.suffix == ".onnx":
        require("onnx")
        from tools.analyze import onnx_model

        return onnx_model.report(path)
    if path.suffix == ".mlpackage":
        require("coremltools")
        from tools.analyze import coreml_package

        return coreml_package.report(path)
    if path.suffix in CHECKPOINTS:
        require("torch")
        from tools.analyze import torch_network

        return torch_network.of_checkpoint(path)
    raise UserInputError(
        f"'{subject}' is neither a network ({', '.join(NAMES)}) nor a file with a known ending (.onnx, .mlpackage, .pth, .pkl)."
    )


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tools.analyze", description=__doc__)
    parser.add_argument("subject", help=f"{', '.join(NAMES)}, or a .pth, .pkl, .onnx or .mlpackage")
    parser.add_argument("--before", help="another name or file: say what changed from it to the subject")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the report (.png, .svg, .pdf)")
    options = parser.parse_args(arguments)
    report = of(options.subject)
    from tools.analyze import words

    print(words.text(report))
    if options.before:
        print("\n" + words.comparison(of(options.before), report))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report.as_values(), indent=2), encoding="utf-8")
    if options.picture:
        require("matplotlib")
        words.picture(report, options.picture)


if __name__ == "__main__":
    guarded(main)
