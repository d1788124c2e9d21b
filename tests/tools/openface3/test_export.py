"""ONNX export: parity, tiers, folding, facts inside the file, int8, and refusals."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from realtime.errors import ModelFileError, UserInputError  # noqa: E402
from realtime.files import file_sha256  # noqa: E402
from tools import checkpoints, pictures  # noqa: E402
from tools.export import __main__ as command  # noqa: E402
from tools.export import networks, onnx_file, sizes  # noqa: E402
from tools.export.star_graph import DeployedStar  # noqa: E402
from tools.networks import catalogue, random_checkpoint  # noqa: E402
from tools.quantise import int8  # noqa: E402

pytestmark = [pytest.mark.tools, pytest.mark.timeout(240)]
STAR = catalogue.named("star")


@pytest.fixture(scope="module")
def network(star_checkpoint: Path) -> Any:
    return catalogue.load("star", star_checkpoint)[0]


@pytest.fixture(scope="module")
def picture() -> Any:
    return catalogue.example(STAR, 11)


@pytest.fixture(scope="module")
def expected(network: Any, picture: Any) -> list[Any]:
    """The landmarks of each stack of the original."""
    with torch.no_grad():
        return [out.landmarks for out in network(picture)]


@pytest.mark.parametrize("for_integers", [False, True])
def test_the_deployed_star_says_what_every_stack_says(
    network: Any, picture: Any, expected: list[Any], for_integers: bool
) -> None:
    with torch.no_grad():
        for stacks in (1, 2):
            found = DeployedStar(network, stacks, for_integers=for_integers)(picture)
            torch.testing.assert_close(found, expected[stacks - 1], atol=1e-5, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 1e-3  # the tiers are different networks


def test_the_boundary_channel_matters_and_is_carried_over(network: Any, picture: Any, expected: list[Any]) -> None:
    """The second stack reads where the first one's last heat map is on; without it the landmarks are others."""
    deployed = DeployedStar(network, 2)
    with torch.no_grad():
        deployed.stacks[1].entry.extra.weight[:, 3:] = 0
        assert (deployed(picture) - expected[1]).abs().max() > 1e-5


def test_nothing_dead_is_exported(star_tier1: Path, star_checkpoint: Path) -> None:
    graph = onnx.load(str(star_tier1)).graph
    kinds = [node.op_type for node in graph.node]
    assert "Constant" not in kinds
    assert "Identity" not in kinds
    live = sum(int(np.prod(t.dims)) for t in graph.initializer)
    held = sum(v.numel() for v in checkpoints.read(star_checkpoint).state.values())
    assert live < 0.75 * held
    read = {name for node in graph.node for name in node.input}
    assert {t.name for t in graph.initializer} <= read
    # 3 picture channels enter the first convolution: the coordinates are folded away
    first = next(node for node in graph.node if node.op_type == "Conv")
    assert next(t for t in graph.initializer if t.name == first.input[1]).dims[1] == 3


def test_the_file_says_what_it_is(star_tier1: Path, star_checkpoint: Path) -> None:
    facts = onnx_file.facts_of(star_tier1)
    assert facts["source_sha256"] == file_sha256(star_checkpoint)
    assert facts["stacks"] == "1 of 2"
    assert "non-commercial" in facts["licence"]
    assert "BGR" in facts["input"]
    assert "landmarks" in facts["outputs"]
    assert "against torch" in facts["parity"]


def test_a_difference_to_torch_is_refused_and_the_file_is_gone(
    star_checkpoint: Path, star_tier1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = networks.reference
    monkeypatch.setattr(networks, "reference", lambda *a: [value + 2e-4 for value in real(*a)])
    monkeypatch.setattr(onnx_file, "trace", lambda _, __, out, *a, **k: shutil.copy(star_tier1, out))
    with pytest.raises(ModelFileError, match="not the one in torch"):
        networks.export("star", star_checkpoint, tmp_path / "x.onnx", stacks=1)
    assert not list(tmp_path.glob("*.onnx"))


def test_not_a_number_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"")
    with pytest.raises(ModelFileError):
        onnx_file.refuse_beyond(onnx_file.Difference(float("nan"), 0.0), path)
    assert not path.exists()


def test_an_open_batch_gives_each_picture_its_own_answer(network: Any, tmp_path: Path) -> None:
    path = tmp_path / "batch.onnx"
    onnx_file.trace(DeployedStar(network, 1), catalogue.example(STAR), path, STAR.outputs, batch=True)
    two = torch.cat([catalogue.example(STAR, 1), catalogue.example(STAR, 2)])
    found = pictures.session(path).run(["landmarks"], {"image": two.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(found, network(two)[0].landmarks.numpy(), atol=1e-4)


def test_the_detector_fixed_to_one_size(shared: Path, tmp_path: Path) -> None:
    source = shared / "models/retinaface_mnet025/mobilenet0.25_Final.pth"
    fixed = networks.export("retinaface", source, tmp_path / "fixed.onnx", size=(96, 128))
    shape = onnx.load(str(fixed.path)).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_value for d in shape] == [1, 3, 96, 128]
    assert fixed.difference.largest < 1e-4


def test_int8_runs_near_float32_and_says_how_near(
    star_tier1: Path, star_checkpoint: Path, face_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "int8.onnx"
    loss = int8.quantise("star", star_checkpoint, star_tier1, out, face_folder, stacks=1)
    graph = onnx.load(str(out)).graph
    kinds = {t.name: t.data_type for t in graph.initializer}
    readers = {i: node for node in graph.node if node.op_type == "Conv" for i in node.input}
    weights = [
        n for n in graph.node if n.op_type == "DequantizeLinear" and n.output[0] in readers and n.input[0] in kinds
    ]
    signed = [n for n in weights if kinds[n.input[0]] == onnx.TensorProto.INT8]
    assert len(signed) > 50
    scales = {t.name: list(t.dims) for t in graph.initializer}
    assert all(scales[n.input[1]] and scales[n.input[1]][0] > 1 for n in signed)  # one per output channel
    zeros = [n.input[2] for n in graph.node if n.op_type == "QuantizeLinear"]
    assert {kinds[name] for name in zeros} == {onnx.TensorProto.UINT8}
    assert out.stat().st_size < 0.35 * star_tier1.stat().st_size
    assert 0 < loss.mean < 20  # random weights: only that it is the same function
    assert onnx_file.facts_of(out)["loss"] == str(loss)


def test_the_multitask_nets_linear_layers_alone_become_integers(tmp_path: Path, face_folder: Path) -> None:
    checkpoint, exact, out = tmp_path / "MTL.pth", tmp_path / "exact.onnx", tmp_path / "int8.onnx"
    torch.manual_seed(1)
    torch.save(catalogue.named("multitask").build(None).state_dict(), checkpoint)
    made = networks.export("multitask", checkpoint, exact)
    assert made.difference.largest < 1e-4
    loss = int8.quantise("multitask", checkpoint, exact, out, face_folder)
    assert 0 < loss.mean < 0.1
    assert "spread" in loss.unit
    assert out.stat().st_size < 0.45 * exact.stat().st_size
    kinds = [node.op_type for node in onnx.load(str(out)).graph.node]
    assert kinds.count("MatMulInteger") == 15
    assert "ConvInteger" not in kinds


def test_the_detectors_wide_convolutions_alone_become_integers(shared: Path, tmp_path: Path, face_folder: Path) -> None:
    source = shared / "models/retinaface_mnet025/mobilenet0.25_Final.pth"
    exact, out = tmp_path / "exact.onnx", tmp_path / "int8.onnx"
    networks.export("retinaface", source, exact, size=(480, 640))
    loss = int8.quantise("retinaface", source, exact, out, face_folder)
    assert 0 < loss.mean < 0.02
    graph = onnx.load(str(out)).graph
    made = {node.output[0]: node for node in graph.node}
    fed = [made.get(node.input[1]) for node in graph.node if node.op_type == "Conv"]
    integer = [node for node in fed if node is not None and node.op_type == "DequantizeLinear"]
    assert len(integer) == 2 + 3 * 2, "the pyramid's two, and each context module's two that see the whole pyramid"
    assert "3x3 convolutions" in onnx_file.facts_of(out)["precision"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["star", "--int8"], "go together"),
        (["retinaface", "--stacks", "2"], "has no stacks"),
        (["star", "--size", "64x64"], "--size is for retinaface"),
        (["retinaface", "--batch"], "--batch is for"),
        (["elsewhere"], "there is no network"),
    ],
)
def test_bad_words(words: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=sentence):
        command.main([*words, "--checkpoint", str(tmp_path / "x"), "--out", str(tmp_path / "y.onnx")])


def test_more_stacks_than_there_are(star_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="has 2 stacks"):
        networks.export("star", star_checkpoint, tmp_path / "x.onnx", stacks=3)


def test_sizes_as_written() -> None:
    assert sizes.parse("480x640") == (480, 640)
    assert sizes.parse(None) is None
    for words in ("480", "axb", "0x64", "16x640", "1x2x3"):
        with pytest.raises(UserInputError):
            sizes.parse(words)


def test_without_torch_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tools import command as edge

    monkeypatch.setattr(edge, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(UserInputError, match=r"needs torch, .*facemirror-live\[tools\]"):
        command.main(["star", "--checkpoint", str(tmp_path / "x"), "--out", str(tmp_path / "y.onnx")])


def test_a_random_checkpoint_goes_the_whole_way(tmp_path: Path) -> None:
    """Official shape and wrapping, activations of order one, and landmarks that depend on the picture."""
    random = random_checkpoint.randomise(STAR, seed=1, stacks=1, pictures=1)
    path = tmp_path / "Landmark_98.pkl"
    torch.save({"net": random.state_dict()}, path)
    network, _ = catalogue.load("star", path)
    with torch.no_grad():
        first, second = (network(catalogue.example(STAR, seed))[0].landmarks for seed in (20, 21))
        trunk = network.pre(catalogue.example(STAR, 20))
    assert 0.2 < trunk.std() < 5
    assert (first - second).abs().mean() > 0.01
    with pytest.raises(UserInputError, match="1 to 4 stacks"):
        random_checkpoint.main(["star", "--out", str(path), "--stacks", "5"])
