"""ONNX files: traced from torch, constants folded, described inside, and never kept when they say something else than torch."""

import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from realtime.errors import ModelFileError
from tools.export.pads import fold_pads
from tools.pictures import session as open_session

PARITY = 1e-4
OPSET = 17
INPUT = "image"


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest and mean absolute difference over all outputs and pictures."""

    largest: float
    mean: float

    def __str__(self) -> str:
        return f"largest difference {self.largest:.2e}, mean {self.mean:.2e}"


def trace(module: nn.Module, example: Tensor, out: Path, outputs: Sequence[str], *, batch: bool = False) -> None:
    """Write the module as ONNX with constants folded; batch: the first axis of every shape stays open."""
    out.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "batch"} for name in (INPUT, *outputs)} if batch else None
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated, but writes the small plain graph that is wanted here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            str(out),
            input_names=[INPUT],
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    fold(out)
    fold_pads(out)


def fold(path: Path) -> None:
    """Fold constants, drop identities and merge normalisations, in place, with standard operators only."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    handle, name = tempfile.mkstemp(suffix=".onnx", dir=path.parent)
    os.close(handle)
    folded = Path(name)
    try:
        options.optimized_model_filepath = str(folded)
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        folded.replace(path)
    finally:
        folded.unlink(missing_ok=True)


def describe(path: Path, facts: Mapping[str, str]) -> None:
    """Put facts into the file's metadata, in place of those it had, and check the file."""
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, dict(facts))
    model.producer_name = "facemirror-live"
    used = {node.domain for node in model.graph.node}
    kept = [entry for entry in model.opset_import if entry.domain in used or entry.domain in {"", "ai.onnx"}]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def facts_of(path: Path) -> dict[str, str]:
    """The metadata of an ONNX file."""
    return {entry.key: entry.value for entry in onnx.load(str(path), load_external_data=False).metadata_props}


def outputs_of(session: onnxruntime.InferenceSession, expected: Sequence[str], name: str) -> list[str]:
    """The expected output names. Raises ModelFileError when the file has others."""
    there = [output.name for output in session.get_outputs()]
    if missing := [output for output in expected if output not in there]:
        raise ModelFileError(
            f"{name} gives {', '.join(there)}, not {', '.join(missing)}: it is another network's file."
        )
    return list(expected)


def parity(
    path: Path, pictures: Sequence[Tensor], expected: Sequence[Sequence[Tensor]], outputs: Sequence[str]
) -> Difference:
    """How far ONNX Runtime is from torch. expected: torch's outputs for each picture."""
    session = open_session(path)
    names = outputs_of(session, outputs, path.name)
    gaps = [
        np.abs(ours - theirs.numpy()).ravel()
        for picture, torch_outputs in zip(pictures, expected, strict=True)
        for ours, theirs in zip(session.run(names, {INPUT: picture.numpy()}), torch_outputs, strict=True)
    ]
    gap = np.concatenate(gaps)
    return Difference(float(gap.max()), float(gap.mean()))


def refuse_beyond(difference: Difference, path: Path) -> None:
    """Raises ModelFileError, and removes the file, when it differs from torch by more than 1e-4 (or is not a number)."""
    if not difference.largest <= PARITY:
        path.unlink(missing_ok=True)
        raise ModelFileError(f"the exported network is not the one in torch: {difference}; {PARITY:.0e} is the limit.")
