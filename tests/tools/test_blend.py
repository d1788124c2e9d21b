"""Weights between two files of one network."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from realtime.errors import ModelFileError  # noqa: E402
from tools.networks.blend import blended  # noqa: E402

pytestmark = pytest.mark.tools


def written(file: Path, value: float, width: int = 2) -> Path:
    """x + weight, the weight filled with one value."""
    weight = numpy_helper.from_array(np.full(width, value, np.float32), "weight")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [width]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "weight"], ["y"])], "add", ends[:1], ends[1:], [weight])
    onnx.save(helper.make_model(graph), str(file))
    return file


def test_weights_lie_between(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.onnx", 1), written(tmp_path / "b.onnx", 3)
    mixed = onnx.load_from_string(blended(first, second, 0.75))
    assert numpy_helper.to_array(mixed.graph.initializer[0]) == pytest.approx([2.5, 2.5])
    assert blended(first, second, 1.0) == second.read_bytes()


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="not of one network"):
        blended(written(tmp_path / "a.onnx", 1, 3), written(tmp_path / "b.onnx", 3), 0.5)
