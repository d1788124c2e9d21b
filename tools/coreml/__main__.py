"""`python -m tools.coreml NAME --checkpoint FILE --out X.mlpackage`: convert, report, and on a Mac predict and place."""

import argparse
import sys
from pathlib import Path

from tools.command import guarded, require


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tools.coreml", description=__doc__)
    parser.add_argument("name", help="retinaface, star or multitask")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="ends in .mlpackage")
    parser.add_argument("--stacks", type=int, help="star: stop after this stack, 1 to 4")
    parser.add_argument("--size", metavar="HxW", help="retinaface: fixed input size, 480x640 when not given")
    parser.add_argument("--compress", default="none", help="weights: none, int8, palette4, palette6, palette8")
    parser.add_argument("--onnx", type=Path, help="on a Mac: compare with this ONNX file")
    parser.add_argument("--images", type=Path, help="on a Mac: folder of face pictures for --onnx")
    options = parser.parse_args(arguments)
    require("torch", "onnx", "coremltools")

    from tools.analyze import coreml_package, torch_network, words
    from tools.coreml import convert, on_mac
    from tools.export.sizes import parse
    from tools.quantise.int8 import crops_of

    if options.onnx is not None:
        on_mac.require_mac()
    size = parse(options.size)
    package = convert.convert(
        options.name, options.checkpoint, options.out, stacks=options.stacks, size=size, compression=options.compress
    )
    report = coreml_package.report(package)
    print(words.text(report))
    print("\n" + words.comparison(torch_network.of_checkpoint(options.checkpoint), report))
    if sys.platform != "darwin":
        print("\npredictions and the true placement need a Mac; run this command there to see them")
        return
    if options.onnx is not None and options.images is not None:
        agreement = on_mac.compare(options.name, package, options.onnx, crops_of(options.name, options.images))
        verdict = "within the limit" if agreement.within else "BEYOND the limit"
        print(f"\nagainst {options.onnx.name}: {agreement}: {verdict}")
    placed = on_mac.placement(package)
    print(
        f"\ntrue placement: {placed['devices']}, {100 * placed['share']:.1f} % on the Neural Engine, {placed['partitions']} partitions"
    )
    if placed["off_engine"]:
        print(f"off the engine: {placed['off_engine']}")


if __name__ == "__main__":
    guarded(main)
