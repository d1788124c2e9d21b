"""Nearest-neighbour doubling of 8-bit maps as plain copies.

ONNX Runtime runs the integer convolutions with channels last, and its Resize has no fast way there: STAR's sixteen doublings took a twelfth
of a run. Written as copies of rows of channels they take a fifth of that, and give the same numbers to the bit: the transposes
here meet those that the runtime puts around its convolutions, and both vanish.
"""

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper, shape_inference


def as_copies(model: ModelProto) -> int:
    """Rewrite every doubling between a DequantizeLinear and a QuantizeLinear of the same scale, in place; how many there were.

    Maps whose size the file leaves open stay as they are.
    """
    graph = model.graph
    inferred = shape_inference.infer_shapes(model).graph
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*inferred.value_info, *inferred.input)
    }
    makers = {output: node for node in graph.node for output in node.output}
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    gone: list[NodeProto] = []
    nodes: list[NodeProto] = []
    count = 0
    for node in graph.node:
        ends = _integer_ends(node, makers, readers)
        shape, wide = shapes.get(node.input[0], []), shapes.get(node.output[0], [])
        if ends is None or len(shape) != 4 or 0 in shape or wide != [*shape[:2], 2 * shape[2], 2 * shape[3]]:
            nodes.append(node)
            continue
        before, after = ends
        gone += [after, *([before] if readers[before.output[0]] == [node] else [])]
        nodes += _copies(graph, f"doubling{count}", before.input[0], after.output[0], shape)
        count += 1
    kept = [node for node in nodes if not any(node is other for other in gone)]
    del graph.node[:]
    graph.node.extend(kept)
    _forget_unused(graph)
    onnx.checker.check_model(model)
    return count


def _integer_ends(
    node: NodeProto, makers: dict[str, NodeProto], readers: dict[str, list[NodeProto]]
) -> tuple[NodeProto, NodeProto] | None:
    """The DequantizeLinear before and the QuantizeLinear after a nearest, flooring Resize, where both have one scale."""
    if node.op_type != "Resize":
        return None
    settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if settings.get("mode") != b"nearest" or settings.get("nearest_mode") != b"floor":
        return None
    before, following = makers.get(node.input[0]), readers.get(node.output[0], [])
    if before is None or before.op_type != "DequantizeLinear" or [n.op_type for n in following] != ["QuantizeLinear"]:
        return None
    return (before, following[0]) if list(before.input[1:]) == list(following[0].input[1:]) else None


def _copies(graph: onnx.GraphProto, name: str, source: str, result: str, shape: list[int]) -> list[NodeProto]:
    """Nodes from `source` (N, C, H, W) to `result` (N, C, 2H, 2W), both uint8: each pixel beside itself, each row below itself."""
    count, channels, height, width = shape
    sizes = {
        "pixels": [count, height, width, 1, channels],
        "rows": [count, height, 1, 2 * width * channels],
        "doubled": [count, 2 * height, 2 * width, channels],
    }
    for word, size in sizes.items():
        graph.initializer.append(numpy_helper.from_array(np.array(size, np.int64), f"{name}/{word}"))
    last = f"{name}/channels_last"
    return [
        helper.make_node("Transpose", [source], [last], name=f"{name}/to_last", perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [last, f"{name}/pixels"], [f"{name}/a"], name=f"{name}/split_pixels"),
        helper.make_node("Concat", [f"{name}/a"] * 2, [f"{name}/b"], name=f"{name}/double_pixels", axis=3),
        helper.make_node("Reshape", [f"{name}/b", f"{name}/rows"], [f"{name}/c"], name=f"{name}/split_rows"),
        helper.make_node("Concat", [f"{name}/c"] * 2, [f"{name}/d"], name=f"{name}/double_rows", axis=2),
        helper.make_node("Reshape", [f"{name}/d", f"{name}/doubled"], [f"{name}/e"], name=f"{name}/join"),
        helper.make_node("Transpose", [f"{name}/e"], [result], name=f"{name}/to_first", perm=[0, 3, 1, 2]),
    ]


def _forget_unused(graph: onnx.GraphProto) -> None:
    """Drop initialisers that no node reads any more."""
    read = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
