"""Post-training quantisation to QDQ: uint8 activations, int8 weights with a scale per output channel, int32 biases.

On x86 unsigned activations with signed weights is the pair that the integer instructions take; signed with signed is
slower than float32 nearly everywhere. Heat-map decoding stays in float32: it is cheap, and the coordinates come from it.

The multi-task network is another case: its convolutions are depthwise and lose time and accuracy in 8 bits, while its
linear layers hold nine tenths of its 100 MB, which every run reads. Only those become integers, their activations' range
taken anew in every run.

RetinaFace's trunk is depthwise, too: all of it in 8 bits is no faster and five times as far off as its wide 3x3 convolutions
alone (pyramid and context modules, half of the work), so only these become integers.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from realtime.errors import UserInputError
from tools import pictures
from tools.export import onnx_file
from tools.export.star_graph import DeployedStar
from tools.networks import catalogue, star
from tools.quantise import doubling

F32 = NDArray[np.float32]
STAR_CROP = star.CROP
INTEGER_OPERATIONS = ["Conv", "Relu", "Add", "MaxPool", "Resize", "Concat"]
DECODER = "/decoder"
QDQ = "QDQ, uint8 activations, int8 weights per channel"
WIDE = 32
"""Input channels from which on a 3x3 convolution of RetinaFace is worth turning into integers."""
WIDE_ONLY = f"float32; 3x3 convolutions of {WIDE} channels and more int8 per channel with uint8 activations"
LINEAR_ONLY = "float32; linear layers int8 per channel, their activations uint8 with a range of the moment"


@dataclass(frozen=True, slots=True)
class Loss:
    """What 8 bits cost on the calibration pictures. unit: px of the crop (landmarks) or shares of each output's spread."""

    mean: float
    p95: float
    largest: float
    unit: str
    pictures: int

    def __str__(self) -> str:
        return (
            f"mean {self.mean:.3f} {self.unit}, 95 % below {self.p95:.3f}, largest {self.largest:.3f} "
            f"on {self.pictures} pictures"
        )


class _Reader(CalibrationDataReader):
    def __init__(self, inputs: Sequence[F32], name: str) -> None:
        self._rest = iter([{name: value} for value in inputs])

    def get_next(self) -> dict[str, F32] | None:
        return next(self._rest, None)


def crops_of(name: str, folder: Path, detector: Path | None = None, limit: int = 32) -> list[pictures.U8]:
    """The network's (H, W, 3) BGR crops of a folder's faces, found by `detector`, else taken from the central square.

    Raises UserInputError when the folder has no pictures, or none with a face.
    """
    network = catalogue.named(name)
    detect = pictures.detector(detector) if detector is not None else None
    crops = []
    for _, picture in pictures.read_all(folder):
        found = detect(picture) if detect is not None else pictures.central_face(picture)
        if found is not None:
            crops.append(pictures.crop(name, picture, found.box, network.size)[0])
        if len(crops) == limit:
            break
    if not crops:
        raise UserInputError(f"no face was found in the pictures of {folder}.")
    return crops


def quantise(
    name: str,
    checkpoint: Path,
    exact: Path,
    out: Path,
    calibration: Path,
    *,
    stacks: int | None = None,
    detector: Path | None = None,
) -> Loss:
    """Write the 8-bit form of `exact` (the float32 export of `checkpoint`) to `out` and say what it loses.

    Raises UserInputError (no calibration pictures) and ModelFileError (checkpoint).
    """
    network = catalogue.named(name)
    inputs = [network.scale.apply(crop) for crop in crops_of(name, calibration, detector)]
    with tempfile.TemporaryDirectory() as folder:
        source = exact
        if name == "star":
            module, _ = catalogue.load(name, checkpoint)
            if not isinstance(module, star.StackedHourglass):
                raise TypeError("the catalogue builds STAR for star")
            source = Path(folder) / "source.onnx"
            ready = DeployedStar(module, stacks, for_integers=True)
            onnx_file.trace(ready, catalogue.example(network), source, network.outputs)
        if name == "multitask":
            quantise_linear(source, out)
        else:
            quantise_onnx(source, out, inputs, wide_convolutions(source) if name == "retinaface" else None)
    loss = difference(exact, out, inputs, network)
    facts = onnx_file.facts_of(exact) | {
        "precision": {"multitask": LINEAR_ONLY, "retinaface": WIDE_ONLY}.get(name, QDQ),
        "calibration": f"{len(inputs)} pictures",
        "loss": str(loss),
    }
    onnx_file.describe(out, facts)
    return loss


def wide_convolutions(source: Path) -> list[str]:
    """Names of an ONNX file's ordinary 3x3 convolutions with many input channels."""
    graph = onnx.load(str(source)).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    return [n.name for n in convolutions if (shape := shapes[n.input[1]])[2:] == (3, 3) and shape[1] >= WIDE]


def quantise_onnx(source: Path, out: Path, inputs: Sequence[F32], only: list[str] | None = None) -> None:
    """Quantise an ONNX file's convolutions and what lies between them, ranges taken from these inputs.

    only: names of the nodes to be quantised, instead of all but the decoder's.
    """
    model = onnx.load(str(source))
    floating = [node.name for node in model.graph.node if node.name.startswith(DECODER)]
    with _quiet():
        quantize_static(
            str(source),
            str(out),
            _Reader(inputs, model.graph.input[0].name),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=INTEGER_OPERATIONS,
            nodes_to_quantize=only,
            nodes_to_exclude=floating,
        )
    quantised = onnx.load(str(out))
    if doubling.as_copies(quantised):
        onnx.save(quantised, str(out))


def quantise_linear(source: Path, out: Path) -> None:
    """Turn an ONNX file's linear layers into 8-bit ones; everything else stays in float32."""
    with _quiet():
        quantize_dynamic(
            str(source),
            str(out),
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


def difference(exact: Path, quantised: Path, inputs: Sequence[F32], network: catalogue.Network) -> Loss:
    """Landmarks: Euclidean distance in pixels of the 256 crop. Other networks: absolute difference of each output over that
    output's spread (standard deviation over the pictures and its values), so that logits and angles weigh alike."""
    sessions = [pictures.session(path) for path in (exact, quantised)]
    names = [
        onnx_file.outputs_of(s, network.outputs, p.name) for s, p in zip(sessions, (exact, quantised), strict=True)
    ]
    first, second = (
        [np.stack(values) for values in zip(*(s.run(n, {s.get_inputs()[0].name: x}) for x in inputs), strict=True)]
        for s, n in zip(sessions, names, strict=True)
    )
    if network.name == "star":
        gap, unit = np.linalg.norm((first[0] - second[0]) * STAR_CROP / 2, axis=-1).ravel(), "px of the 256 crop"
    else:
        gaps = [np.abs(a - b).ravel() / max(float(a.std()), 1e-9) for a, b in zip(first, second, strict=True)]
        gap, unit = np.concatenate(gaps), "of each output's spread"
    return Loss(float(gap.mean()), float(np.percentile(gap, 95)), float(gap.max()), unit, len(inputs))


@contextmanager
def _quiet() -> Iterator[Any]:
    """The quantiser recommends a preparation, on the root logger, that the export has done already."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
