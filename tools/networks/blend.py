"""Between two trainings of one network: `python -m tools.networks.blend FIRST.onnx SECOND.onnx --share 0.7 --to OUT.onnx`.

A network trained further on something new forgets a little of what it knew; weights between the two keep most of both, as they lie
in one basin (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, arXiv 2109.01903).
"""

import argparse
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("onnx"))

import numpy as np
import onnx
from onnx import numpy_helper

from realtime.errors import ModelFileError


def blended(first: Path, second: Path, share: float) -> bytes:
    """An ONNX file whose weights lie `share` (0..1) of the way from the first file's to the second's.

    Raises:
        ModelFileError: the files are not of one network.
    """
    model, other = onnx.load(str(second)), onnx.load(str(first))
    known = {i.name: numpy_helper.to_array(i) for i in other.graph.initializer}
    for tensor in model.graph.initializer:
        new, old = numpy_helper.to_array(tensor), known.pop(tensor.name, None)
        if old is None or old.shape != new.shape or old.dtype != new.dtype:
            raise ModelFileError(f"{first} and {second} are not of one network: {tensor.name} differs in shape.")
        if new.dtype == np.float32:
            mixed = ((1 - share) * old + share * new).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(mixed, tensor.name))
    if known:
        raise ModelFileError(f"{first} has weights that {second} has not: {next(iter(known))}.")
    onnx.checker.check_model(model)
    result: bytes = model.SerializeToString()
    return result


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--share", type=float, default=0.7, help="of the second file, 0..1")
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.to.write_bytes(blended(arguments.first, arguments.second, arguments.share))
    print(f"{arguments.to}: {arguments.share:g} of the way from {arguments.first} to {arguments.second}")


if __name__ == "__main__":
    guarded(main)
