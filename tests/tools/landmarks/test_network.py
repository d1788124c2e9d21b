"""StarLite: its moments, its folding and its ONNX file."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from torch import Tensor  # noqa: E402

from tools.networks.folding import fold_batch_norm  # noqa: E402
from tools.networks.starlite import INPUT_SIZE, StarLite, StarLiteExport, StarLiteSize, lid_stretch  # noqa: E402
from tools.train.common import save_checkpoint  # noqa: E402
from tools.train.landmarks.export import largest_difference, load_network, to_onnx  # noqa: E402

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def network() -> StarLite:
    torch.manual_seed(0)
    network = StarLite(StarLiteSize(stem=8, quarter=8, eighth=16, sixteenth=24, head=16, mixed=16))
    network.train()
    with torch.no_grad():
        for _ in range(3):  # give the batch normalisations statistics of their own
            network(torch.rand(4, 3, INPUT_SIZE, INPUT_SIZE) * 2 - 1)
    return network.eval()


def test_moments_equal_those_of_the_shuffled_heat_map(network: StarLite) -> None:
    crop = torch.rand(1, 3, INPUT_SIZE, INPUT_SIZE, generator=torch.Generator().manual_seed(3)) * 2 - 1
    heat: dict[str, Tensor] = {}
    handle = network.heat.register_forward_hook(lambda _m, _i, out: heat.update(value=out))
    with torch.no_grad():
        points, covariance, _ = network(crop)
    handle.remove()
    full = torch.nn.functional.pixel_shuffle(heat["value"], 2)[0].numpy().astype(np.float64)
    assert full.shape == (98, 28, 28)
    ticks = (np.arange(28) + 0.5) / 28
    for i in (0, 41, 97):
        weight = np.exp(full[i] - full[i].max())
        weight /= weight.sum()
        x, y = (weight.sum(0) * ticks).sum(), (weight.sum(1) * ticks).sum()
        assert points[0, i].numpy() == pytest.approx((x, y), abs=1e-5)
        dx, dy = np.meshgrid(ticks - x, ticks - y)
        expected = [(weight * a).sum() for a in (dx * dx, dx * dy, dy * dy)]
        assert covariance[0, i].numpy() == pytest.approx(expected, abs=1e-5)


def test_onnx_with_folded_normalisation_gives_the_same_numbers(network: StarLite) -> None:
    from copy import deepcopy

    import onnx

    module = StarLiteExport(network, covariance_scale=2.0)
    packed = to_onnx(fold_batch_norm(deepcopy(module)))
    assert largest_difference(module, packed) < 1e-4
    graph = onnx.load_from_string(packed).graph
    assert not [n for n in graph.node if n.op_type == "BatchNormalization"]
    shapes = {o.name: [d.dim_value for d in o.type.tensor_type.shape.dim] for o in graph.output}
    assert shapes == {"points": [1, 98, 2], "covariance": [1, 98, 3], "presence": [1]}
    assert [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == [1, 3, 112, 112]


def test_defaults_stay_within_the_file_budget() -> None:
    assert 4 * sum(p.numel() for p in StarLite().parameters()) < 3_000_000


def test_a_network_that_grew_first_says_what_it_said_before() -> None:
    from tools.train.landmarks.train import take_over

    widths = {"stem": 8, "quarter": 8, "eighth": 16, "sixteenth": 24, "head": 16, "mixed": 16}
    torch.manual_seed(2)
    small, large = StarLite(StarLiteSize(**widths, eighth_blocks=1)), StarLite(StarLiteSize(**widths, eighth_blocks=2))
    large.start_quiet()
    take_over(large, small.state_dict())
    crop = torch.rand(2, 3, INPUT_SIZE, INPUT_SIZE)
    with torch.no_grad():
        for before, after in zip(small.eval()(crop), large.eval()(crop), strict=True):
            assert torch.allclose(before, after, atol=1e-6)


def test_a_foreign_checkpoint_is_refused(network: StarLite) -> None:
    from realtime.errors import ModelFileError
    from tools.train.landmarks.train import take_over

    with pytest.raises(ModelFileError, match="not"):
        take_over(network, {"somewhere.else": torch.zeros(1)})


def test_lids_move_apart_by_a_share_and_shut_ones_stay() -> None:
    points = torch.rand(1, 98, 2)
    points[0, 70] = points[0, 74]  # shut there
    shares = torch.tensor([[0.1, 0.0], [0.2, 0.05], [0.0, 0.0]])
    moved = lid_stretch(shares) @ points
    gap = points[0, 66] - points[0, 62]
    assert torch.allclose(moved[0, 62], points[0, 62] - 0.2 * gap, atol=1e-6)
    assert torch.allclose(moved[0, 66], points[0, 66] + 0.05 * gap, atol=1e-6)
    assert torch.allclose(moved[0, 70], points[0, 70], atol=1e-6)
    still = [i for i in range(98) if i not in (61, 62, 66, 67, 70, 71, 73, 74)]
    assert torch.allclose(moved[0, still], points[0, still], atol=1e-6)


def test_stretched_lids_are_in_the_file(network: StarLite) -> None:
    from copy import deepcopy

    stretch = lid_stretch(torch.full((3, 2), 0.1))
    module = StarLiteExport(network, stretch=stretch)
    packed = to_onnx(fold_batch_norm(StarLiteExport(deepcopy(network), stretch=stretch)))
    assert largest_difference(module, packed) < 1e-4


def test_the_mean_of_two_runs_lies_between_them(tmp_path: Path) -> None:
    size = StarLiteSize(stem=8, quarter=8, eighth=16, sixteenth=24, head=16, mixed=16)
    networks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        networks.append(StarLite(size))
        save_checkpoint(tmp_path / f"{seed}.pt", size=size.as_dict(), average=networks[-1].state_dict())
    mean = load_network(tmp_path / "1.pt", [tmp_path / "2.pt"]).state_dict()
    first, second = (network.state_dict() for network in networks)
    for name, value in mean.items():
        wanted = (first[name] + second[name]) / 2 if value.is_floating_point() else first[name]
        assert torch.allclose(value, wanted), name
    assert not torch.allclose(first["heat.weight"], second["heat.weight"])
