"""Reports on Core ML packages (ML Programs): operations, their types, constants. Works on every system; nothing is run."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from realtime.errors import ModelFileError
from tools.analyze.neural_engine import Operation
from tools.analyze.report import Parameters, Report, shape_words
from tools.coreml import quiet

KINDS = {
    "conv": "Conv",
    "conv_transpose": "ConvTranspose",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "prelu": "PReLU",
    "silu": "SiLU",
    "gelu": "GELU",
    "linear": "Linear",
    "matmul": "MatMul",
    "batch_norm": "BatchNorm",
    "instance_norm": "InstanceNorm",
    "layer_norm": "LayerNorm",
    "upsample_nearest_neighbor": "Resize-nearest",
    "resize_nearest_neighbor": "Resize-nearest",
    "upsample_bilinear": "Resize-linear",
    "resize_bilinear": "Resize-linear",
    "resize": "Resize-linear",
    "reduce_mean": "ReduceMean",
    "reduce_sum": "ReduceSum",
    "greater": "Greater",
    "greater_equal": "Greater",
    "cast": "Cast",
    "select": "Where",
    "topk": "TopK",
    "gather": "Gather",
    "gather_along_axis": "Gather",
    "sqrt": "Sqrt",
    "rsqrt": "Rsqrt",
    "softmax": "Softmax",
    "shape": "Shape",
    "max_pool": "MaxPool",
    "sigmoid": "Sigmoid",
    "add": "Add",
    "mul": "Mul",
    "concat": "Concat",
}
COMPRESSED = (
    "constexpr_lut_to_dense",
    "constexpr_affine_dequantize",
    "constexpr_blockwise_shift_scale",
    "constexpr_sparse_to_dense",
)


def report(path: Path) -> Report:
    """Raises ModelFileError when the package is missing, broken, or holds no ML Program."""
    ct = quiet.coremltools()
    from coremltools.proto import MIL_pb2

    if not (path / "Manifest.json").is_file():
        raise ModelFileError(f"{path} is not a Core ML package (a folder with a Manifest.json).")
    try:
        spec = ct.models.MLModel(str(path), skip_model_load=True).get_spec()
    except Exception as error:  # noqa: BLE001  coremltools raises plain Exceptions and protobuf's
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelFileError(f"{path.name} is not a Core ML package that can be read: {reason}") from None
    if not spec.HasField("mlProgram"):
        raise ModelFileError(f"{path.name} holds no ML Program; convert to one (iOS 15 or later).")
    main = next(iter(spec.mlProgram.functions.values()))
    block = next(iter(main.block_specializations.values()))
    values = _Values(MIL_pb2.DataType)
    operations, constants, kinds = [], 0, Counter[str]()
    for operation in block.operations:
        values.learn(operation)
        if operation.type == "const" or operation.type in COMPRESSED:
            constants += operation.type == "const"
            kinds.update(values.stored(operation))
            continue
        operations.append(
            Operation(KINDS.get(operation.type, operation.type), operation.outputs[0].name, values.work(operation))
        )
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    facts = dict(spec.description.metadata.userDefined)
    weights = sum(count for kind, count in kinds.items() if kind != "small")
    return Report(
        subject=path.name,
        kind="coreml",
        parameters=Parameters(weights),
        operations=tuple(operations),
        macs=sum(operation.macs for operation in operations),
        bytes_on_disk=size,
        types=dict(kinds.most_common()) | {f"activations {k}": v for k, v in values.activations.most_common()},
        inputs={feature.name: _feature(feature) for feature in spec.description.input},
        outputs={feature.name: _feature(feature) for feature in spec.description.output},
        notes=(
            f"{constants} const operations hold settings and weights and are no steps",
            *(f"{k}: {v}" for k, v in facts.items()),
        ),
    )


class _Values:
    """Shapes of every value met so far, so that a convolution's work can be counted."""

    def __init__(self, names: Any) -> None:
        self._names = names
        self._shapes: dict[str, list[int]] = {}
        self.activations: Counter[str] = Counter()

    def learn(self, operation: Any) -> None:
        for output in operation.outputs:
            tensor = output.type.tensorType
            self._shapes[output.name] = [d.constant.size if d.HasField("constant") else 1 for d in tensor.dimensions]
            if operation.type != "const":
                self.activations[self._names.Name(tensor.dataType).lower()] += 1

    def stored(self, operation: Any) -> dict[str, int]:
        """How many numbers a constant holds; settings of a few numbers count as small."""
        output = operation.outputs[0]
        count = int(np.prod(self._shapes[output.name])) if self._shapes[output.name] else 1
        if operation.type in COMPRESSED:
            return {operation.type.removeprefix("constexpr_"): count}
        if count < 16:
            return {"small": count}
        return {self._names.Name(output.type.tensorType.dataType).lower(): count}

    def work(self, operation: Any) -> int:
        if operation.type not in {"conv", "linear", "matmul"}:
            return 0
        out = self._shapes[operation.outputs[0].name]
        key = "y" if operation.type == "matmul" else "weight"
        argument = operation.inputs[key].arguments[0]
        weight = self._shapes.get(argument.name, [])
        if operation.type == "matmul":
            weight = [1, self._shapes.get(operation.inputs["x"].arguments[0].name, [1])[-1]]
        return int(np.prod(out)) * int(np.prod(weight[1:]))


def _feature(feature: Any) -> str:
    kind = feature.type.WhichOneof("Type")
    if kind == "imageType":
        image = feature.type.imageType
        return f"image {image.height}x{image.width}"
    return shape_words(list(feature.type.multiArrayType.shape)) or "any"
