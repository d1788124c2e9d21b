"""`python -m tools.train.detector.export --run RUN --to weights/retinaface.onnx`: the averaged network of a training run as ONNX."""

import argparse
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch", "onnx"))

import onnx
import torch

from realtime.errors import UserInputError
from tools.networks import retinaface, retinaface_onnx

SOURCE = "tools.train.detector, "
RANDOM = "from random weights"


def stricter(network: retinaface.RetinaFace, by: float) -> None:
    """Lower every face logit by `by`, so that what scored 1 / (1 + exp(-by)) scores 0.5: the operating point moves, the order stays."""
    with torch.no_grad():
        for head in network.ClassHead:
            bias = head.get_parameter("conv1x1.bias")
            bias[1::2] -= by  # two values an anchor: no face, face


def origin_of(file: Path) -> str:
    """What an exported file says its training began with."""
    facts = {entry.key: entry.value for entry in onnx.load(str(file)).metadata_props}
    return facts.get("source", "").removeprefix(SOURCE) or f"from {file.name}"


def write(network: retinaface.RetinaFace, to: Path, origin: str) -> None:
    """The network as ONNX, described and compared with torch; says what it wrote. origin: what the training began with."""
    gap = retinaface_onnx.export(network.eval(), to, source=SOURCE + origin, licence="MIT")
    print(f"{to}: differs from torch by at most {gap['max']:.1e}; sha256 {retinaface_onnx.checksum(to)}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a training run")
    parser.add_argument("--strict", type=float, default=0.0, help="lower the face logits by this (default 0)")
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    checkpoint = options.run / "checkpoint.pt"
    if not checkpoint.exists():
        raise UserInputError(f"{checkpoint} is not there; give the --out folder of tools.train.detector.train.")
    network = retinaface.RetinaFace()
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network.load_state_dict(state["average"])
    stricter(network, options.strict)
    write(network, options.to, state.get("origin", RANDOM))


if __name__ == "__main__":
    guarded(main)
