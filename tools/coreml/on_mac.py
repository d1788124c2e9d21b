"""What only a Mac can say: predictions beside ONNX Runtime's, and where each operation really runs.

Written from coremltools' documentation; this project's tests reach the arithmetic and the guards, not the predictions.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from tools.coreml import quiet
from tools.export import onnx_file
from tools.networks import catalogue, star
from tools.pictures import U8, session

PIXEL_LIMIT = 2.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Core ML beside ONNX Runtime. unit: px of the crop for landmarks, else the output's own."""

    largest: float
    mean: float
    unit: str
    within: bool

    def __str__(self) -> str:
        return f"largest {self.largest:.3f}, mean {self.mean:.3f} {self.unit}"


def require_mac() -> None:
    """Raises UserInputError anywhere else: Core ML predicts on macOS only."""
    if sys.platform != "darwin":
        raise UserInputError(
            "predicting with a Core ML package and reading its placement need a Mac (macOS 14 or later)."
        )


def differences(name: str, core_ml: Sequence[dict[str, Any]], onnx: Sequence[dict[str, Any]]) -> Agreement:
    """Largest and mean difference over pictures; landmarks as Euclidean distances in crop pixels, at most 2."""
    gaps: list[NDArray[np.float64]] = []
    for first, second in zip(core_ml, onnx, strict=True):
        for key, value in second.items():
            gap = np.asarray(first[key], np.float64).reshape(np.shape(value)) - np.asarray(value, np.float64)
            gaps.append(np.linalg.norm(gap * star.CROP / 2, axis=-1).ravel() if name == "star" else np.abs(gap).ravel())
    gap = np.concatenate(gaps)
    unit = "px of the 256 crop" if name == "star" else "of the outputs' own units"
    limit = PIXEL_LIMIT if name == "star" else 0.02
    return Agreement(float(gap.max()), float(gap.mean()), unit, bool(gap.max() <= limit))


def compare(name: str, package: Path, onnx: Path, crops: Sequence[U8]) -> Agreement:
    """Predict both on (H, W, 3) BGR crops. Raises UserInputError off a Mac."""
    require_mac()
    from PIL import Image

    ct = quiet.coremltools()
    network = catalogue.named(name)
    model = ct.models.MLModel(str(package), compute_units=ct.ComputeUnit.CPU_AND_NE)
    run = session(onnx)
    outputs = onnx_file.outputs_of(run, network.outputs, onnx.name)
    ours, theirs = [], []
    for crop in crops:
        # Core ML takes an RGB picture and reorders it itself where the package asks for BGR.
        ours.append(model.predict({"image": Image.fromarray(np.ascontiguousarray(crop[..., ::-1]))}))
        values = run.run(outputs, {run.get_inputs()[0].name: network.scale.apply(crop)})
        theirs.append(dict(zip(outputs, values, strict=True)))
    return differences(name, ours, theirs)


def placement(package: Path) -> dict[str, Any]:
    """Operations by the device they run on, by `MLComputePlan`: the truth. Raises UserInputError off a Mac."""
    require_mac()
    ct = quiet.coremltools()
    from coremltools.models.compute_plan import MLComputePlan

    compiled = ct.models.utils.compile_model(str(package))
    plan = MLComputePlan.load_from_path(path=compiled, compute_units=ct.ComputeUnit.CPU_AND_NE)
    program = plan.model_structure.program
    if program is None:
        raise UserInputError(f"{package.name} holds no ML Program.")
    devices, kinds, cut, last = Counter[str](), Counter[str](), 0, ""
    for operation in program.functions["main"].block.operations:
        usage = plan.get_compute_device_usage_for_mlprogram_operation(operation)
        if usage is None:
            continue  # constants run nowhere
        device = type(usage.preferred_compute_device).__name__.removeprefix("ML").removesuffix("ComputeDevice")
        devices[device] += 1
        cut += device == "NeuralEngine" and device != last
        if device != "NeuralEngine":
            kinds[operation.operator_name] += 1
        last = device
    total = sum(devices.values())
    share = devices["NeuralEngine"] / total if total else 0.0
    return {"devices": dict(devices), "share": share, "partitions": cut, "off_engine": dict(kinds.most_common())}
