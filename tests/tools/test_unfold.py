"""A trained, folded network taken back as a beginning: the same function, and channels of unit variance."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from torch import Tensor, nn  # noqa: E402

from realtime.action_units.model import FEATURES, PICTURE_FEATURES, POINT_FEATURES, REST_FEATURES  # noqa: E402
from realtime.action_units.rest_frame import FLOW_FEATURES  # noqa: E402
from realtime.errors import ModelFileError  # noqa: E402
from tools.networks.action_units import LOOK, ActionUnitNet  # noqa: E402
from tools.networks.action_units import export as export_action_units  # noqa: E402
from tools.networks.folding import fold_batch_norm  # noqa: E402
from tools.networks.retinaface import RetinaFace  # noqa: E402
from tools.networks.retinaface_onnx import export  # noqa: E402
from tools.networks.starlite import StarLite, StarLiteExport, StarLiteSize  # noqa: E402
from tools.networks.unfold import normalised, unfold  # noqa: E402
from tools.train.landmarks.export import to_onnx  # noqa: E402

BRANCHES = ("network.more_eye.", "network.lower.")


def shaken(network: nn.Module, seed: int) -> nn.Module:
    """With statistics and scales as a training would leave them."""
    generator = torch.Generator().manual_seed(seed)
    for _, _, norm in normalised(network):
        for tensor, low, high in (
            (norm.weight.data, 0.5, 1.5),
            (norm.bias.data, -0.5, 0.5),
            (norm.running_mean, -0.2, 0.2),
            (norm.running_var, 0.5, 2.0),
        ):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return network.eval()


@pytest.fixture(scope="module")
def landmark_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    network = shaken(StarLite(), 4)
    path = tmp_path_factory.mktemp("unfold") / "landmarks.onnx"
    path.write_bytes(to_onnx(fold_batch_norm(StarLiteExport(network)).eval()))
    return path


def test_the_landmark_network_comes_back_with_its_function_and_unit_channels(landmark_file: Path) -> None:
    torch.manual_seed(3)
    original = shaken(StarLite(), 4)
    back = StarLite()
    batch = torch.rand(8, 3, 112, 112) * 2 - 1
    unfold(back, landmark_file, [batch[:4], batch[4:]])
    with torch.no_grad():
        for mine, theirs in zip(back.eval()(batch), original(batch), strict=True):
            assert torch.allclose(mine, theirs, atol=2e-5)
    # Normalised by the very batch, as training does, it is nearly the same, too: the statistics are those of the inputs.
    with torch.no_grad():
        for mine, theirs in zip(back.train()(batch), original(batch), strict=True):
            assert torch.allclose(mine, theirs, atol=2e-3)
    spreads = torch.cat([norm.running_var for _, _, norm in normalised(back)])
    assert float(spreads.median()) == pytest.approx(1.0, abs=0.2)


def test_the_detector_comes_back_with_its_function(tmp_path: Path) -> None:
    torch.manual_seed(5)
    original = shaken(RetinaFace(), 6)
    path = tmp_path / "detector.onnx"
    export(original, path, source="a test", licence="MIT", sizes=((96, 128),))
    back = RetinaFace()
    batch = torch.rand(2, 3, 96, 128) * 255 - 120
    unfold(back, path, [batch])
    with torch.no_grad():
        for mine, theirs in zip(back.eval()(batch), original(batch), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-3 * float(theirs.abs().max()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_the_action_unit_network_comes_back_though_the_exporter_merged_it(tmp_path: Path) -> None:
    torch.manual_seed(7)
    original = shaken(ActionUnitNet((12, 17, 45)), 8)
    for branch in original.branches:
        for tensor in branch.judge[-1].parameters():
            nn.init.normal_(tensor)
    path = tmp_path / "units.onnx"
    export_action_units(original, path)
    back = ActionUnitNet((12, 17, 45))
    batch = torch.randn(6, FEATURES)
    assert unfold(back, path, [batch]) == []
    with torch.no_grad():
        for mine, theirs in zip(back.eval()(batch), original(batch), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-4)
    without_branches(path)
    again = ActionUnitNet((12, 17, 45))
    new = unfold(again, path, [batch], grown=True)
    assert new
    assert all(name.startswith(("more_eye.", "lower.")) for name in new)
    with torch.no_grad():
        found, wanted = again.eval()(batch), original(batch)
        plain = original.judged(*original_parts(original, batch))
    assert torch.allclose(found[0], plain.intensity, atol=1e-4), "branches that have learnt nothing change nothing"
    assert torch.allclose(found[1][:, : 2 * LOOK], wanted[1][:, : 2 * LOOK], atol=1e-4)


def without_branches(path: Path) -> None:
    """Leave in the file what one from before the branches holds."""
    model = onnx.load(str(path))
    merged = [i.name for i in model.graph.initializer if i.name.startswith("onnx::Conv_")]
    gone = {*merged[len(merged) // 2 :]}
    kept = [i for i in model.graph.initializer if i.name not in gone and not i.name.startswith(BRANCHES)]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.save(model, str(path))


def original_parts(network: ActionUnitNet, features: Tensor) -> tuple[Tensor, ...]:
    """Points, flow, look, rest and whether it is known, as `ActionUnitNet.judged` takes them."""
    points, rest, flow = features.split([POINT_FEATURES, REST_FEATURES, FLOW_FEATURES, PICTURE_FEATURES], dim=1)[:3]
    return points, flow, network(features)[1], rest[:, :-1], rest[:, -1:]


def test_a_network_may_have_grown_since(landmark_file: Path) -> None:
    torch.manual_seed(3)
    original = shaken(StarLite(), 4)
    back = StarLite(StarLiteSize(eighth_blocks=original.size.eighth_blocks + 1))
    back.start_quiet()
    batch = torch.rand(4, 3, 112, 112) * 2 - 1
    with pytest.raises(ModelFileError, match="another network"):
        unfold(back, landmark_file, [batch])
    new = unfold(back, landmark_file, [batch], grown=True)
    assert new
    assert all(name.startswith("eighth.5.") for name in new)
    with torch.no_grad():
        for mine, theirs in zip(back.eval()(batch), original(batch), strict=True):
            assert torch.allclose(mine, theirs, atol=2e-5)


def test_the_file_of_another_network_is_refused(landmark_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="another network"):
        unfold(RetinaFace(), landmark_file, [torch.zeros(1, 3, 64, 64)], grown=True)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(landmark_file.read_bytes()[:1000])
    with pytest.raises(ModelFileError, match=r"cannot be read|names no parameters"):
        unfold(StarLite(), broken, [torch.zeros(1, 3, 112, 112)])
