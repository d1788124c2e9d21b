"""RetinaFace rebuilt: shapes and anchors as published, loading that refuses what is foreign, ONNX that says the same."""

import pickle
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from realtime.errors import ModelFileError  # noqa: E402
from tools.networks import retinaface, retinaface_onnx  # noqa: E402

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def network() -> retinaface.RetinaFace:
    torch.manual_seed(5)
    made = retinaface.RetinaFace()
    # Statistics other than 0 and 1, so that a wrong fold of BatchNorm shows.
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2.0)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.3, 0.3)
    return made.eval()


@pytest.mark.parametrize(("height", "width", "count"), [(640, 640, 16_800), (1080, 1920, 85_200)])
def test_prior_counts_are_the_published_ones(height: int, width: int, count: int) -> None:
    assert retinaface.priors(height, width).shape == (count, 4)


def test_priors_are_ordered_by_level_row_column_and_size() -> None:
    table = retinaface.priors(64, 96) * np.array([96, 64, 96, 64], np.float32)
    np.testing.assert_allclose(table[0], [4, 4, 16, 16])
    np.testing.assert_allclose(table[1], [4, 4, 32, 32])
    np.testing.assert_allclose(table[2], [12, 4, 16, 16])
    np.testing.assert_allclose(table[2 * 12], [4, 12, 16, 16])
    np.testing.assert_allclose(table[-1], [80, 48, 512, 512])


@pytest.mark.parametrize(("height", "width"), [(64, 64), (180, 320), (45, 77)])
def test_outputs_have_one_row_per_prior_at_any_size(network: retinaface.RetinaFace, height: int, width: int) -> None:
    with torch.inference_mode():
        loc, logits, marks = network(torch.zeros(2, 3, height, width))
    count = len(retinaface.priors(height, width))
    assert loc.shape == (2, count, 4)
    assert logits.shape == (2, count, 2)
    assert marks.shape == (2, count, 10)


def test_growing_a_map_equals_interpolation_to_the_finer_size() -> None:
    for fine in range(1, 130):
        coarse = torch.arange((fine + 1) // 2, dtype=torch.float32).reshape(1, 1, 1, -1)
        like = torch.zeros(1, 1, 1, fine)
        expected = torch.nn.functional.interpolate(coarse, size=(1, fine), mode="nearest")
        assert torch.equal(retinaface._grow(coarse, like), expected)


def test_parameters_and_decode_of_zero_offsets_are_the_anchors() -> None:
    assert sum(p.numel() for p in retinaface.RetinaFace().parameters()) == retinaface.PARAMETERS
    anchors = retinaface.priors(96, 160)
    zeros = np.zeros((len(anchors), 14), np.float32)
    boxes, points = retinaface.decode(zeros[:, :4], zeros[:, 4:], anchors, 96, 160)
    np.testing.assert_allclose(boxes[0], [-4, -4, 12, 12], atol=1e-4)
    np.testing.assert_allclose(points[0], np.full((5, 2), 4), atol=1e-4)


def test_a_checkpoint_loads_with_or_without_module_prefix(network: retinaface.RetinaFace, tmp_path: Path) -> None:
    path = tmp_path / "wrapped.pth"
    torch.save({f"module.{key}": value for key, value in network.state_dict().items()}, path)
    loaded = retinaface.load(path)
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert all(torch.equal(a, b) for a, b in zip(network(x), loaded(x), strict=True))


def test_a_foreign_checkpoint_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(torch.nn.Linear(3, 4).state_dict(), path)
    with pytest.raises(
        ModelFileError, match=r"is not a RetinaFace MobileNet-0\.25 checkpoint: 300 tensors missing, 2 foreign"
    ):
        retinaface.load(path)


def test_a_checkpoint_of_other_shapes_is_refused(network: retinaface.RetinaFace, tmp_path: Path) -> None:
    path = tmp_path / "wide.pth"
    tensors = dict(network.state_dict())
    tensors["ClassHead.0.conv1x1.weight"] = torch.zeros(6, 64, 1, 1)
    torch.save(tensors, path)
    with pytest.raises(ModelFileError, match=r"1 of another shape \(for example ClassHead"):
        retinaface.load(path)


class Malicious:
    """Unpickled by a careless reader, this writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path, wrapped: bool) -> None:
    path, mark = tmp_path / "evil.pth", tmp_path / "ran"
    if wrapped:
        torch.save({"body": Malicious(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"body": Malicious(mark)}))
    with pytest.raises(ModelFileError, match="was refused unread"):
        retinaface.load(path)
    assert not mark.exists()


@pytest.mark.parametrize("kept", [0, 10, 5000])
def test_a_truncated_or_missing_checkpoint_is_refused(
    network: retinaface.RetinaFace, tmp_path: Path, kept: int
) -> None:
    path = tmp_path / "whole.pth"
    torch.save(network.state_dict(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelFileError, match=path.name):
        retinaface.load(path)
    path.unlink()
    with pytest.raises(ModelFileError, match="is not there"):
        retinaface.load(path)


def test_onnx_says_what_torch_says_at_sizes_never_traced(network: retinaface.RetinaFace, tmp_path: Path) -> None:
    out = tmp_path / "small.onnx"
    gap = retinaface_onnx.export(network, out, source="test", licence="MIT", sizes=((72, 100), (33, 129)))
    assert gap["max"] < retinaface_onnx.PARITY
    import onnx

    model = onnx.load(str(out))
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert {p.key: p.value for p in model.metadata_props}["licence"] == "MIT"


def test_export_refuses_and_removes_a_file_that_differs(
    network: retinaface.RetinaFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retinaface_onnx, "PARITY", 0.0)
    out = tmp_path / "off.onnx"
    with pytest.raises(ModelFileError, match="differs from torch"):
        retinaface_onnx.export(network, out, source="test", licence="MIT", sizes=((64, 64),))
    assert not out.exists()


def test_the_official_checkpoint_loads_unchanged(shared: Path) -> None:
    loaded = retinaface.load(shared / "models" / "retinaface_mnet025" / "mobilenet0.25_Final.pth")
    assert not loaded.training
