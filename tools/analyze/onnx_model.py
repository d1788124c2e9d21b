"""Reports on ONNX files."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

from realtime.errors import ModelFileError
from tools.analyze.neural_engine import Operation
from tools.analyze.report import Parameters, Report, shape_words

KINDS = {
    "BatchNormalization": "BatchNorm",
    "InstanceNormalization": "InstanceNorm",
    "LayerNormalization": "LayerNorm",
    "GroupNormalization": "GroupNorm",
    "Gelu": "GELU",
    "Gemm": "Linear",
    "Relu": "ReLU",
    "LeakyRelu": "LeakyReLU",
    "PRelu": "PReLU",
    "QuantizeLinear": "Quantize",
    "DequantizeLinear": "Dequantize",
    "GreaterOrEqual": "Greater",
    "GatherND": "Gather",
    "GatherElements": "Gather",
}
WORKING = {"Conv", "ConvTranspose", "Gemm", "MatMul", "QLinearConv", "ConvInteger", "QLinearMatMul", "MatMulInteger"}
# A tensor that such a node reads as its weight or bias is a parameter; other stored tables are constants.
WEIGHT_READERS = WORKING | {
    "BatchNormalization",
    "PRelu",
    "InstanceNormalization",
    "LayerNormalization",
    "DequantizeLinear",
}


def read(path: Path) -> onnx.ModelProto:
    """The file's model. Raises ModelFileError when it is missing, truncated or no ONNX."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; name an ONNX model.")
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model, full_check=False)
    except Exception:  # noqa: BLE001  protobuf's, the checker's and the file system's errors share no base class
        raise ModelFileError(f"{path.name} is truncated or not an ONNX model.") from None
    return model


def report(path: Path) -> Report:
    """The file's operations, work, parameters and types. Shapes that are open count as 1 for the work."""
    model = read(path)
    graph = shape_inference.infer_shapes(model).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    shapes = _shapes(graph)
    uses: Counter[str] = Counter(name for node in graph.node for name in node.input)
    weights = _weights(graph, set(stored))
    sizes = {name: int(np.prod(tensor.dims)) if tensor.dims else 1 for name, tensor in stored.items()}
    operations = tuple(
        Operation(_kind(node), node.name or node.output[0], _work(node, shapes))
        for node in graph.node
        if node.op_type != "Constant"
    )
    types = Counter[str]()
    for name, tensor in stored.items():
        types[onnx.TensorProto.DataType.Name(tensor.data_type).lower()] += sizes[name]
    facts = {entry.key: entry.value for entry in model.metadata_props}
    return Report(
        subject=path.name,
        kind="onnx",
        parameters=Parameters(
            total=sum(sizes[name] for name in stored if name in weights),
            unused=sum(sizes[name] for name in weights if not uses[name]),
            constants=sum(sizes[name] for name in stored if name not in weights),
        ),
        operations=operations,
        macs=sum(operation.macs for operation in operations),
        bytes_on_disk=path.stat().st_size,
        types=dict(types.most_common()),
        inputs={value.name: _shape_of(value) for value in graph.input if value.name not in stored},
        outputs={value.name: _shape_of(value) for value in graph.output},
        notes=tuple(f"{key}: {value}" for key, value in facts.items()),
    )


def _weights(graph: onnx.GraphProto, stored: set[str]) -> set[str]:
    """Stored tensors that a working node reads beyond its first input; scales and zero points are constants."""
    found = set()
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            found |= {node.input[0]} & stored
        elif node.op_type in WEIGHT_READERS:
            found |= set(node.input[1:3] if node.op_type != "BatchNormalization" else node.input[1:]) & stored
            if node.op_type == "MatMul":
                found |= {node.input[0]} & stored
    return found


def _kind(node: onnx.NodeProto) -> str:
    if node.op_type == "Resize":
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        mode = attributes.get("mode", b"nearest").decode()
        return {"nearest": "Resize-nearest", "linear": "Resize-linear"}.get(mode, "Resize-other")
    result: str = KINDS.get(node.op_type, node.op_type)
    return result


def _shapes(graph: onnx.GraphProto) -> dict[str, list[int]]:
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = [d.dim_value if d.HasField("dim_value") else 1 for d in value.type.tensor_type.shape.dim]
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    shapes[node.output[0]] = list(numpy_helper.to_array(attribute.t).shape)
    return shapes


def _work(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    """Multiplications with accumulation: outputs times what each of them sums over."""
    if node.op_type not in WORKING:
        return 0
    out = shapes.get(node.output[0])
    weight = shapes.get(node.input[3 if node.op_type == "QLinearConv" else 1])
    if not out or not weight:
        return 0
    if "Conv" in node.op_type:
        return int(np.prod(out)) * int(np.prod(weight[1:]))
    first = shapes.get(node.input[0])
    return int(np.prod(out)) * (first[-1] if first else weight[0])


def _shape_of(value: onnx.ValueInfoProto) -> str:
    dims = value.type.tensor_type.shape.dim
    return shape_words([d.dim_value if d.HasField("dim_value") else "?" for d in dims])
