"""Architecture reports: the original report's numbers, and what it missed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from realtime.errors import ModelFileError, UserInputError  # noqa: E402
from tools.analyze import __main__ as command  # noqa: E402
from tools.analyze import neural_engine, onnx_model, torch_network, words  # noqa: E402
from tools.analyze.neural_engine import Operation  # noqa: E402
from tools.analyze.report import Report  # noqa: E402

pytestmark = [pytest.mark.tools, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def star_report() -> Report:
    return torch_network.of_name("star")


def test_the_original_reports_numbers(star_report: Report) -> None:
    r = star_report
    assert r.module_count == 915
    assert r.parameters.total == 17_177_332
    assert r.modules["BatchNorm2d"] == 182
    assert r.modules["ReLU"] == 64
    assert r.modules["Conv2d"] == 269
    assert sum(count for name, count in r.modules.items() if "Conv" in name) == 538
    assert not {"LayerNorm", "GELU", "SiLU", "Linear"} & set(r.modules)
    told = " ".join(r.notes)
    assert "538" in told
    assert "269 are convolutions" in told
    assert "LayerNorm, GELU, SiLU, Linear" in told


def test_what_that_report_missed(star_report: Report) -> None:
    assert star_report.functions["InstanceNorm"] == 4
    assert "InstanceNorm" not in star_report.modules
    assert "instance normalisations" in " ".join(star_report.notes)
    assert star_report.parameters.unused == 3_700_864
    assert "InstanceNorm" in {c.kind for c in star_report.concerns()}


def test_the_work_is_counted(star_report: Report) -> None:
    assert star_report.macs == pytest.approx(17.35e9, rel=0.01)


def test_text_json_and_picture(star_report: Report, tmp_path: Path) -> None:
    told = words.text(star_report)
    assert "915 below the root" in told
    assert "17,177,332" in told
    assert "estimate" in told
    values = json.loads(json.dumps(star_report.as_values()))
    assert values["parameters"]["live"] == 17_177_332 - 3_700_864
    assert "estimate" in values["neural_engine"]["estimate"]["basis"]
    words.picture(star_report, tmp_path / "star.png")
    import cv2

    drawn = cv2.imread(str(tmp_path / "star.png"))
    assert drawn.std() > 10


def _model(nodes: list[Any], weights: dict[str, Any], shape: Sequence[int | str] = ("N", 4, 8, 8)) -> Any:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 5])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_an_onnx_files_counts_by_hand(tmp_path: Path) -> None:
    zeros = np.zeros
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("InstanceNormalization", ["a", "s", "b"], ["n"]),
        helper.make_node("Resize", ["n", "", "k"], ["r"], mode="cubic"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "m"], ["y"]),
    ]
    weights = {
        "w": zeros((6, 4, 3, 3), np.float32),
        "s": zeros(6, np.float32),
        "b": zeros(6, np.float32),
        "k": np.array([1, 1, 2, 2], np.float32),
        "m": zeros((6, 5), np.float32),
        "stray": zeros(1000, np.float32),
    }
    path = tmp_path / "m.onnx"
    onnx.save(_model(nodes, weights), str(path))
    report = onnx_model.report(path)
    assert report.counts == {
        "Conv": 1, "InstanceNorm": 1, "Resize-other": 1, "GlobalAveragePool": 1, "Flatten": 1, "Linear": 1,
    }  # fmt: skip
    assert report.macs == 6 * 8 * 8 * 4 * 9 + 6 * 5
    assert report.parameters.total == 216 + 12 + 30
    assert report.parameters.constants == 4 + 1000
    assert report.inputs == {"x": "Nx4x8x8"} or report.inputs == {"x": "?x4x8x8"}
    concerns = {c.kind: c for c in report.concerns()}
    assert {"dynamic shape", "InstanceNorm", "Resize-other", "Linear"} == set(concerns)
    assert not concerns["Resize-other"].stays
    # Conv | InstanceNorm and Resize leave | the rest
    place = report.placement()
    assert (place.operations, place.on_engine, place.partitions) == (6, 4, 2)


def test_partitions_are_runs_that_stay() -> None:
    def program(kinds: Sequence[str]) -> list[Operation]:
        return [Operation(kind, str(i)) for i, kind in enumerate(kinds)]

    assert neural_engine.estimate(program(["TopK", "Conv", "ReLU", "TopK", "TopK", "Conv"])).partitions == 2
    assert neural_engine.estimate(program(["TopK"])).partitions == 0
    assert neural_engine.estimate([]).share == 0.0


def test_the_exported_tier_beside_its_checkpoint(star_tier1: Path, star_checkpoint: Path) -> None:
    before, after = command.of(str(star_checkpoint)), command.of(str(star_tier1))
    assert "98 points, 2 stacks" in before.subject
    told = words.comparison(before, after)
    assert "BatchNorm" in told
    assert after.parameters.total < before.parameters.total
    assert after.macs < before.macs


def test_bad_subjects(tmp_path: Path) -> None:
    for name, content in (("cut.onnx", b"\x08\x07"), ("noise.onnx", b"no model"), ("absent.onnx", None)):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ModelFileError):
            command.of(str(path))
    with pytest.raises(UserInputError, match="neither a network"):
        command.of("something")
    foreign = tmp_path / "foreign.pth"
    torch.save({"fc.weight": torch.zeros(3)}, foreign)
    with pytest.raises(ModelFileError, match="none of the networks"):
        command.of(str(foreign))
