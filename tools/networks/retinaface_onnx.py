"""RetinaFace as an ONNX file: BatchNorm folded, class scores softmaxed, parity with torch proved before it is kept.

Contract of the file (the official one's): input `input` (1, 3, H, W) float32 BGR 0..255 minus (104, 117, 123), any H and W;
outputs `loc` (1, P, 4), `conf` (1, P, 2; column 1 is the face), `landmarks` (1, P, 10).
"""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from realtime.errors import ModelFileError
from tools.networks.folding import fold_batch_norm
from tools.networks.retinaface import MEAN, RetinaFace

INPUT = "input"
OUTPUTS = ("loc", "conf", "landmarks")
PARITY = 1e-4
OPSET = 17
PARITY_SIZES = ((96, 128), (180, 320), (360, 640))


class Deployed(nn.Module):
    """The network as the runtime wants it: softmaxed scores, outputs in the contract's order."""

    def __init__(self, network: RetinaFace) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        loc, logits, landmarks = self.network(x)
        return loc, torch.softmax(logits, dim=-1), landmarks


def export(
    network: RetinaFace, out: Path, *, source: str, licence: str, sizes: Sequence[tuple[int, int]] = PARITY_SIZES
) -> dict[str, float]:
    """Write the network to `out` and return the largest and mean difference to torch over `sizes` (H, W).

    Raises ModelFileError, and leaves no file, when a difference exceeds 1e-4.
    """
    reference = Deployed(network).eval()
    folded = RetinaFace()
    folded.load_state_dict(network.state_dict())
    folded.eval()
    fold_batch_norm(folded)
    out.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated but is the one that writes the small graph we want without extra packages.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Deployed(folded).eval(),
            (torch.zeros(1, 3, 192, 320),),
            str(out),
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_axes={INPUT: {2: "height", 3: "width"}, **{name: {1: "priors"} for name in OUTPUTS}},
            opset_version=OPSET,
            dynamo=False,
        )
    _describe(out, {"source": source, "licence": licence, "input": f"BGR float32 minus {MEAN}, NCHW, any size"})
    differences = parity(reference, out, sizes)
    if differences["max"] > PARITY:
        out.unlink()
        raise ModelFileError(
            f"the exported network differs from torch by {differences['max']:.2e}, more than {PARITY:.0e}."
        )
    return differences


def _describe(path: Path, facts: Mapping[str, str]) -> None:
    """Put the facts into the file's metadata and name what the shapes mean."""
    model = onnx.load(str(path))
    del model.metadata_props[:]
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def parity(reference: nn.Module, path: Path, sizes: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Largest and mean absolute difference between torch and ONNX Runtime on noise pictures of these sizes."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(3)
    gaps = []
    for height, width in sizes:
        picture = generator.uniform(0, 255, (1, 3, height, width)) - np.array(MEAN).reshape(1, 3, 1, 1)
        x = picture.astype(np.float32)
        with torch.inference_mode():
            expected = reference(torch.from_numpy(x))
        for ours, theirs in zip(session.run(list(OUTPUTS), {INPUT: x}), expected, strict=True):
            gaps.append(np.abs(ours - theirs.numpy()).ravel())
    gap = np.concatenate(gaps)
    return {"max": float(gap.max()), "mean": float(gap.mean())}


def checksum(path: Path) -> str:
    """The file's SHA-256, as a manifest states it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
