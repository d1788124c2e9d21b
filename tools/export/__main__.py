"""`python -m tools.export NAME --checkpoint FILE --out FILE`: a checkpoint as ONNX, on request quantised to 8 bits."""

import argparse
from pathlib import Path

from realtime.errors import UserInputError
from tools.command import guarded, require


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Raises FacemirrorError with one sentence for what the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m tools.export", description=__doc__)
    parser.add_argument("name", help="retinaface, star or multitask")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sha256", help="refuse the checkpoint when its SHA-256 is another")
    parser.add_argument(
        "--stacks", type=int, help="star: stop after this stack, 1 to 4 (a cheaper tier of the same weights)"
    )
    parser.add_argument("--batch", action="store_true", help="star, multitask: leave the number of pictures open")
    parser.add_argument("--size", metavar="HxW", help="retinaface: fix the input to this size")
    parser.add_argument("--int8", action="store_true", help="quantise: uint8 activations, int8 weights per channel")
    parser.add_argument(
        "--calibration", type=Path, metavar="FOLDER", help="pictures the activations' ranges are taken from"
    )
    parser.add_argument(
        "--detector", type=Path, help="RetinaFace ONNX that finds the calibration faces (else: central square)"
    )
    options = parser.parse_args(arguments)
    require("torch", "onnx")

    from tools.export import networks, sizes

    if options.int8 != (options.calibration is not None):
        raise UserInputError("--int8 and --calibration FOLDER go together.")
    exact = options.out.with_name(f"{options.out.stem}_float32.onnx") if options.int8 else options.out
    made = networks.export(
        options.name,
        options.checkpoint,
        exact,
        stacks=options.stacks,
        batch=options.batch,
        size=sizes.parse(options.size),
        expect_sha256=options.sha256,
    )
    print(f"{made.path}: {made.path.stat().st_size / 1e6:.1f} MB, against torch: {made.difference}")
    if options.int8:
        from tools.quantise import int8

        report = int8.quantise(
            options.name,
            options.checkpoint,
            exact,
            options.out,
            options.calibration,
            stacks=options.stacks,
            detector=options.detector,
        )
        print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, against float32: {report}")


if __name__ == "__main__":
    guarded(main)
