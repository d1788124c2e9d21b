"""OpenFace 3.0's networks live, at their real cost, on a face that they see: prints rates and ages.

The official weights of STAR and the multi-task net are not here. STAR with random weights is run whole, and the points it would give
are those of our own network, which sits in the same file and adds nothing to the cost worth naming (0.3 %): so the tracker has a face to
follow, as it will have with the real weights.
"""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.live.program import program

pytestmark = [
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes minutes; set LIVE_TESTS"),
    pytest.mark.timeout(900),
]
pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from onnx import helper, numpy_helper  # noqa: E402

from realtime.models.registry import weights_folder  # noqa: E402
from tools.export import networks  # noqa: E402
from tools.export import openface3 as convert  # noqa: E402
from tools.networks import random_checkpoint  # noqa: E402
from tools.quantise import int8  # noqa: E402


def seeing(star: Path) -> None:
    """Give an exported STAR our own network's points, in its own terms; all of its work is still done."""
    model, ours = onnx.load(str(star)), onnx.load(str(weights_folder() / "landmarks98.onnx"))
    ours = onnx.compose.add_prefix(ours, "own/")
    graph = model.graph
    output, image = graph.output[0].name, graph.input[0].name
    for node in graph.node:
        for k, name in enumerate(node.output):
            node.output[k] = "star/points" if name == output else name
    numbers = {
        "own/channels": np.array([2, 1, 0], np.int64),
        "own/size": np.array([1, 3, 112, 112], np.int64),
        "own/two": np.array(2, np.float32),
        "own/one": np.array(1, np.float32),
        "own/nought": np.array(0, np.float32),
    }
    before = [
        helper.make_node("AveragePool", [image], ["own/half"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Resize", ["own/half", "", "", "own/size"], ["own/small"], mode="linear"),
        helper.make_node("Gather", ["own/small", "own/channels"], ["own/crop"], axis=1),
    ]
    after = [
        helper.make_node("Mul", ["own/points", "own/two"], ["own/doubled"]),
        helper.make_node("Sub", ["own/doubled", "own/one"], ["own/signed"]),
        helper.make_node("Mul", ["star/points", "own/nought"], ["own/nothing"]),
        helper.make_node("Add", ["own/signed", "own/nothing"], [output]),
    ]
    graph.node.extend([*before, *ours.graph.node, *after])
    graph.initializer.extend(ours.graph.initializer)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in numbers.items())
    onnx.checker.check_model(model)
    onnx.save(model, str(star))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("networks")
    star, multitask = folder / "star.pkl", folder / "multitask.pth"
    random_checkpoint.write("star", star)
    random_checkpoint.write("multitask", multitask)
    pictures = convert._faces_of_the_demo(folder)

    def made(precision: str) -> Path:
        out = folder / precision
        out.mkdir()
        (out / "retinaface.onnx").write_bytes((weights_folder() / "retinaface.onnx").read_bytes())
        entries = [convert.detector_entry(out / "retinaface.onnx")]
        for tier, stacks in enumerate((4, 1)):
            exact, path = folder / f"star{stacks}-{precision}.onnx", out / f"star{stacks}.onnx"
            networks.export("star", star, exact if precision == "int8" else path, stacks=stacks)
            if precision == "int8":
                int8.quantise("star", star, exact, path, pictures, stacks=stacks)
            seeing(path)
            entries.append(convert.landmark_entry(path, tier, f"{stacks} stacks, {precision}, random weights"))
        networks.export("multitask", multitask, out / "multitask.onnx")
        entries.append(convert.multitask_entry(out / "multitask.onnx", "random weights"))
        (out / "manifest.toml").write_text("\n".join(entries), encoding="utf-8")
        return out

    return made


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_the_picture_path_keeps_its_rate_beside_star(
    weights: Callable[[str], Path], tmp_path: Path, precision: str
) -> None:
    folder, summary = tmp_path / "session", tmp_path / "summary.json"
    words = ["run", "--models", "openface3", "--weights", str(weights(precision)), "--source", "demo", "--headless"]
    with program(*words, "--session", str(folder), "--summary", str(summary)) as started:
        assert started.process.wait(300) == 0, started.said
    told = json.loads(summary.read_text())
    with (folder / "frames.csv").open(newline="") as file:
        shown = list(csv.DictReader(file))
    with (folder / "openface3.csv").open(newline="") as file:
        measured = [row for row in csv.DictReader(file) if row["of3_emotion"]]
    seconds = float(shown[-1]["capture_time"]) - float(shown[0]["capture_time"])
    print(f"\n{precision}: {json.dumps({k: told[k] for k in ('fps', 'age_ms', 'result_age_ms', 'frames')})}")
    print(f"{len(measured) / seconds:.1f} expressions a second")
    assert told["failures"] == {}
    assert told["fps"] > 29
    assert told["age_ms"]["p99"] < 60
    analysed = [row for row in shown if row["status"] == "measured"]
    followed = [row for row in analysed if row["face_id"]]
    print(f"{len(analysed) / seconds:.1f} analyses a second, {len(followed)} of {len(analysed)} with a face")
    assert len(followed) > 0.6 * len(analysed)
    assert len({row["face_id"] for row in followed}) <= 3, "a face is followed, not found anew each time"
    assert measured
