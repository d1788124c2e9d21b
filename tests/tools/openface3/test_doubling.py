"""Doubling 8-bit maps by copying: the same bits as Resize, and nothing else is touched."""

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime as ort  # noqa: E402
from onnx import ModelProto, TensorProto, helper, numpy_helper  # noqa: E402

from tools.quantise import doubling  # noqa: E402

SHAPE = (1, 6, 5, 7)


def model(
    *, same_scale: bool = True, factor: float = 2.0, mode: str = "nearest", open_size: bool = False
) -> ModelProto:
    """Quantised values through a Resize, as the quantiser writes it."""
    values = {
        "s": np.float32(0.1), "z": np.uint8(3), "t": np.float32(0.1 if same_scale else 0.2),
        "by": np.array([1, 1, factor, factor], np.float32),
    }  # fmt: skip
    other = "s" if same_scale else "t"
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node(
            "Resize",
            ["d", "", "by"],
            ["r"],
            mode=mode,
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
        helper.make_node("QuantizeLinear", ["r", other, "z"], ["p"]),
        helper.make_node("DequantizeLinear", ["p", other, "z"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "resize",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 6, None, None] if open_size else SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def run(m: ModelProto) -> np.ndarray:
    session = ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).uniform(-1, 20, SHAPE).astype(np.float32)
    return np.asarray(session.run(None, {"x": x})[0])


def test_copies_give_the_same_bits() -> None:
    m = model()
    before = run(m)
    assert doubling.as_copies(m) == 1
    assert "Resize" not in {node.op_type for node in m.graph.node}
    np.testing.assert_array_equal(run(m), before)
    assert before.shape == (1, 6, 10, 14)
    assert {t.name for t in m.graph.initializer} == {
        "s",
        "z",
        "doubling0/pixels",
        "doubling0/rows",
        "doubling0/doubled",
    }


@pytest.mark.parametrize("other", [{"same_scale": False}, {"factor": 3.0}, {"mode": "linear"}, {"open_size": True}])
def test_what_is_no_plain_doubling_stays(other: dict[str, Any]) -> None:
    m = model(**other)
    before = run(m)
    assert doubling.as_copies(m) == 0
    np.testing.assert_array_equal(run(m), before)
