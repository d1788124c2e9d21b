"""Padding moved into convolutions changes nothing but the graph."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime as ort  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from tools.export.pads import fold_pads  # noqa: E402

pytestmark = pytest.mark.tools
RNG = np.random.default_rng(0)


def padded(
    path: Path, sides: list[int], value: float = 0.0, own: list[int] | None = None, mode: str = "constant"
) -> None:
    """Pad, then a 3x3 convolution of stride 2."""
    nodes = [
        helper.make_node("Pad", ["x", "sides", "value"], ["p"], mode=mode),
        helper.make_node("Conv", ["p", "w"], ["y"], strides=[2, 2], pads=own or [0, 0, 0, 0]),
    ]
    weights = RNG.normal(size=(4, 3, 3, 3)).astype(np.float32)
    constants = {"sides": np.array(sides, np.int64), "value": np.array(value, np.float32), "w": weights}
    graph = helper.make_graph(
        nodes,
        "padded",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))


def answer(path: Path) -> np.ndarray:
    x = np.random.default_rng(1).normal(size=(1, 3, 16, 16)).astype(np.float32)
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.mark.parametrize("own", [None, [1, 0, 0, 2]])
def test_zeros_around_the_picture_move_into_the_convolution(tmp_path: Path, own: list[int] | None) -> None:
    file = tmp_path / "net.onnx"
    padded(file, [0, 0, 0, 1, 0, 0, 2, 1], own=own)
    before = answer(file)
    assert fold_pads(file) == 1
    np.testing.assert_allclose(answer(file), before, atol=1e-5)
    assert [node.op_type for node in onnx.load(str(file)).graph.node] == ["Conv"]


@pytest.mark.parametrize(
    ("sides", "value", "mode"),
    [
        ([0, 0, 1, 1, 0, 0, 1, 1], 0.5, "constant"),
        ([0, 0, 1, 1, 0, 0, 1, 1], 0.0, "reflect"),
        ([0, 0, -1, 1, 0, 0, 1, 1], 0.0, "constant"),
    ],
)
def test_any_other_padding_stays(tmp_path: Path, sides: list[int], value: float, mode: str) -> None:
    file = tmp_path / "net.onnx"
    padded(file, sides, value, mode=mode)
    before = answer(file)
    assert fold_pads(file) == 0
    np.testing.assert_array_equal(answer(file), before)
