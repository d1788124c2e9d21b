"""The optimiser of the trainings, and the layers that it must find."""

from copy import deepcopy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from realtime.errors import ModelFileError  # noqa: E402
from tools.networks.starlite import StarLite  # noqa: E402
from tools.train.common import Float32Conv2d, spare_slow_bfloat  # noqa: E402
from tools.train.muon import Muon, Optimisers, matrices, orthogonal  # noqa: E402

pytestmark = pytest.mark.tools


@pytest.mark.parametrize("shape", [(24, 72), (72, 24), (40, 40)])
def test_orthogonal_keeps_the_singular_vectors_and_evens_the_values(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    given = rng.normal(size=shape).astype(np.float32)
    u, _, vt = np.linalg.svd(given, full_matrices=False)
    found = orthogonal(torch.from_numpy(given)).numpy()
    inside = u.T @ found @ vt.T
    values = np.diag(inside)
    assert values.min() > 0.6
    assert values.max() < 1.3
    assert np.abs(inside - np.diag(values)).max() < 1e-3


def test_a_step_has_the_size_that_a_rate_for_adamw_stands_for() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(64, 256))
    weight.grad = torch.randn(64, 256)
    Muon([weight], lr=0.1, weight_decay=0.0).step()
    size = float(weight.detach().square().mean().sqrt())
    assert size == pytest.approx(0.2 * 0.1, rel=0.25)


def test_matrices_are_dense_layers_alone() -> None:
    network = nn.Sequential(
        nn.Conv2d(16, 32, 3), nn.Conv2d(32, 32, 3, groups=32), nn.Conv2d(3, 16, 3), nn.Linear(64, 8)
    )
    assert [id(p) for p in matrices(network)] == [id(network[0].weight)]


def test_both_optimisers_together_fit_a_linear_map() -> None:
    torch.manual_seed(1)
    goal, network = nn.Linear(32, 16), nn.Linear(32, 16)
    optimiser = Optimisers(network, 0.02, weight_decay=0.0)
    x = torch.randn(256, 32)
    wanted = goal(x).detach()
    losses = []
    for step in range(200):
        for group in optimiser.param_groups:
            group["lr"] = 0.02 * (1 - step / 200)
        loss = (network(x) - wanted).square().mean()
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 1e-3 * losses[0]


def test_states_return_and_another_optimisers_are_refused() -> None:
    network = nn.Linear(32, 16)
    first, second = Optimisers(network, 0.1), Optimisers(network, 0.1)
    network(torch.ones(1, 32)).sum().backward()
    first.step()
    second.load_state_dict(deepcopy(first.state_dict()))
    assert torch.equal(
        second.state_dict()["muon"]["state"][0]["momentum"], first.state_dict()["muon"]["state"][0]["momentum"]
    )
    with pytest.raises(ModelFileError, match="--from"):
        second.load_state_dict(torch.optim.AdamW(network.parameters()).state_dict())


def test_spared_layers_answer_as_before_and_copies_are_their_own() -> None:
    torch.manual_seed(2)
    network = StarLite().eval()
    crop = torch.randn(1, 3, 112, 112)
    with torch.no_grad():
        before = network(crop)[0]
        spare_slow_bfloat(network)
        assert torch.equal(network(crop)[0], before)
        assert sum(isinstance(layer, Float32Conv2d) for layer in network.modules()) == 3
        with torch.autocast("cpu", torch.bfloat16):
            spared = next(layer for layer in network.modules() if isinstance(layer, Float32Conv2d))
            assert spared(torch.randn(1, spared.in_channels, 14, 14).bfloat16()).dtype == torch.float32
        copy = deepcopy(network)
        for value in network.parameters():
            value.zero_()
        assert torch.equal(copy(crop)[0], before)
