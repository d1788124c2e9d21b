"""Write the trained iris network as ONNX: `python -m tools.export.iris CHECKPOINT --out weights/iris.onnx`."""

import argparse
import sys
from pathlib import Path

import torch

from realtime.errors import FacemirrorError
from realtime.face.iris import WINDOW
from tools.export.onnx_file import describe, parity, refuse_beyond, trace
from tools.networks.iris import IrisNetwork
from tools.train.common import load_checkpoint

OUTPUT = "iris"


def export(checkpoint: Path, out: Path) -> str:
    """Write the file; gives a sentence about it. Raises ModelFileError where it is not what torch computes."""
    network = IrisNetwork().eval()
    network.load_state_dict(load_checkpoint(checkpoint)["network"])
    generator = torch.Generator().manual_seed(0)
    windows = [2 * torch.rand(2, 3, WINDOW[1], WINDOW[0], generator=generator) - 1 for _ in range(4)]
    trace(network, windows[0], out, [OUTPUT], batch=True)
    with torch.no_grad():
        difference = parity(out, windows, [[network(window)] for window in windows], [OUTPUT])
    refuse_beyond(difference, out)
    describe(out, {"network": "iris", "task": "place and diameter of an iris in an eye window"})
    return f"{out}: {out.stat().st_size} bytes, {difference}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.export.iris", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, default=Path("weights/iris.onnx"))
    arguments = parser.parse_args()
    try:
        print(export(arguments.checkpoint, arguments.out))
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
