"""The landmark losses against plain references."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.data.points98 import MIRROR  # noqa: E402
from tools.train.common import AveragedWeights, cosine_rate, load_checkpoint, save_checkpoint  # noqa: E402
from tools.train.landmarks import loss as losses  # noqa: E402

pytestmark = pytest.mark.tools


def test_eigen_agrees_with_lapack() -> None:
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(50, 2, 2, generator=generator)
    matrix = a @ a.transpose(1, 2)
    values, major = losses.eigen(torch.stack([matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 1]], -1))
    reference, vectors = torch.linalg.eigh(matrix)
    assert torch.allclose(values.flip(-1), reference, atol=1e-4)
    assert torch.allclose((major * vectors[..., 1]).sum(-1).abs(), torch.ones(50), atol=1e-3)


def test_star_forgives_errors_along_the_uncertain_direction() -> None:
    covariance = torch.tensor([[9.0, 0.0, 1.0]])
    along, across = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert losses.star(along, covariance) < losses.star(across, covariance)
    # Without error, a wider heat map only costs.
    none = torch.zeros(1, 2)
    assert losses.star(none, covariance) > losses.star(none, covariance / 4)


def test_star_with_its_floor_equals_the_written_formula() -> None:
    error, covariance = torch.tensor([[1.0, -3.0]]), torch.tensor([[4.0, 1.5, 2.0]])
    matrix = np.array([[4, 1.5], [1.5, 2]])
    values, vectors = np.linalg.eigh(matrix)
    total = 0.0
    for value, vector in zip(values, vectors.T, strict=True):
        e = abs(vector @ np.array((1, -3))) / math.sqrt(value + 0.25)
        total += (0.5 * e * e if e < 1 else e - 0.5) + 0.5 * math.log(value + 0.25)
    assert float(losses.star(error, covariance)) == pytest.approx(total, rel=1e-4)


def test_wing_is_continuous_and_grows() -> None:
    d = torch.linspace(0, 20, 401)
    w = losses.wing(d)
    assert float(w[0]) == 0
    assert bool((w[1:] > w[:-1]).all())
    assert float((w[1:] - w[:-1]).max()) < 0.05 * 8 / 2.5 * 1.01


def test_points_found_on_a_moved_crop_come_back() -> None:
    generator = torch.Generator().manual_seed(1)
    motion = losses.random_small_motion(3, generator)
    y, x = torch.meshgrid(torch.arange(112.0), torch.arange(112.0), indexing="ij")
    place = torch.tensor([48.0, 66.0])
    picture = torch.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 18).expand(3, 1, 112, 112)
    seen = losses.moved(picture, motion)
    mass = seen.sum((1, 2, 3))
    found = torch.stack([(seen[:, 0] * x).sum((1, 2)) / mass, (seen[:, 0] * y).sum((1, 2)) / mass], -1)
    back = losses.back_to_first(((found + 0.5) / 112)[:, None], motion)[:, 0] * 112 - 0.5
    assert torch.allclose(back, place.expand(3, 2), atol=0.05)


def test_unlabelled_samples_teach_presence_only() -> None:
    points = torch.rand(2, 98, 2, requires_grad=True)
    covariance, logit = torch.rand(2, 98, 3) * 0.01 + 0.01, torch.zeros(2, requires_grad=True)
    weight = torch.stack([torch.ones(98), torch.zeros(98)])
    loss, _ = losses.landmark_loss(points, covariance, logit, torch.rand(2, 98, 2), weight, torch.tensor([1.0, 0.0]))
    loss.backward()
    assert points.grad is not None
    assert logit.grad is not None
    assert float(points.grad[0].abs().sum()) > 0
    assert float(points.grad[1].abs().sum()) == 0
    assert float(logit.grad[1]) > 0 > float(logit.grad[0])


def test_rate_warms_up_peaks_and_falls() -> None:
    assert cosine_rate(0, 1.0) == pytest.approx(0.1)
    assert cosine_rate(0.02, 1.0) == pytest.approx(1.0)
    assert cosine_rate(1.0, 1.0) == pytest.approx(0.01)
    assert cosine_rate(1.5, 1.0) == pytest.approx(0.01)


def test_checkpoint_and_average_survive(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    average = AveragedWeights(network, 0.9)
    with torch.no_grad():
        network[0].weight.fill_(1.0)
    for _ in range(200):
        average.update(network)
    assert torch.allclose(average.network[0].weight, torch.ones(2, 3), atol=1e-3)
    save_checkpoint(tmp_path / "run" / "c.pt", network=network.state_dict(), steps=3)
    assert load_checkpoint(tmp_path / "run" / "c.pt")["steps"] == 3
    assert not list((tmp_path / "run").glob("*.part"))


def test_an_open_eye_shut_with_the_other_one_costs() -> None:
    error = torch.zeros(2, 98, 2)
    error[0, [61, 62, 63], 1] = 0.02  # the right upper lid too low
    error[1, [61, 62, 63, 69, 70, 71], 1] = 0.02
    one, both = losses.eye_gaps(error)
    assert one.tolist() == pytest.approx([-0.02, 0, -0.02])
    assert both.tolist() == pytest.approx([-0.02, -0.02, 0], abs=1e-7)
    weight = torch.ones(1, 98)
    weight[0, 70] = 0.1
    assert losses.lids_seen(weight)[0].tolist() == pytest.approx([1, 0.1, 0.1])


def test_grain_has_no_mean_and_at_most_the_named_strength() -> None:
    crops = torch.zeros(64, 3, 24, 24)
    spread = (127.5 * losses.grainy(crops, 6.0, torch.Generator().manual_seed(1))).std((1, 2, 3))
    assert spread.max() < 6.3
    assert spread.mean() == pytest.approx(3.0, abs=0.6)
    assert losses.grainy(crops, 6.0, torch.Generator().manual_seed(2)).mean() == pytest.approx(0.0, abs=1e-3)


def test_points_come_back_out_of_the_mirror() -> None:
    points = torch.rand(3, 98, 2)
    shown = points.clone()
    shown[:2] = points[:2][:, torch.from_numpy(MIRROR)] * torch.tensor((-1.0, 1.0)) + torch.tensor((1.0, 0.0))
    assert torch.allclose(losses.out_of_mirror(shown, 2), points, atol=1e-6)
    crops = torch.rand(3, 3, 8, 8)
    assert torch.equal(losses.mirrored(crops, 2)[:2], crops[:2].flip(-1))
    assert torch.equal(losses.mirrored(crops, 2)[2], crops[2])


def test_corner_errors_are_outward_and_down_in_the_axes_of_the_eyes() -> None:
    truth = torch.zeros(1, 98, 2)
    truth[0, 72] = torch.tensor([0.0, 1.0])  # the head lies on its left side: the eye line runs down the picture
    error = torch.zeros(1, 98, 2)
    error[0, 76] = torch.tensor([0.0, -0.02])  # the right corner 0.02 too far out
    error[0, 82] = torch.tensor([-0.03, 0.01])  # the left one 0.01 too far out and 0.03 too low
    found = losses.corner_errors(error, truth)[0]
    assert torch.allclose(found, torch.tensor([0.02, 0.01, 0.0, 0.03, 0.01, -0.03]), atol=1e-6)


def test_corner_errors_change_sides_in_the_mirror() -> None:
    generator = torch.Generator().manual_seed(2)
    truth, error = torch.rand(4, 98, 2, generator=generator), torch.randn(4, 98, 2, generator=generator)
    flip = torch.tensor([-1.0, 1.0])
    order = torch.from_numpy(MIRROR)
    straight = losses.corner_errors(error, truth)
    mirrored = losses.corner_errors(error[:, order] * flip, truth[:, order] * flip + torch.tensor([1.0, 0.0]))
    assert torch.allclose(mirrored[:, [1, 0, 3, 2]], straight[:, :4], atol=1e-5)
    assert torch.allclose(mirrored[:, 4:], -straight[:, 4:], atol=1e-5)


def test_what_two_pictures_of_a_person_err_alike_shortens_no_movement() -> None:
    generator = torch.Generator().manual_seed(3)
    truth = torch.rand(3, 98, 2, generator=generator)
    truth[:, 60], truth[:, 72] = torch.tensor([0.3, 0.4]), torch.tensor([0.7, 0.4])
    alike = torch.zeros(3, 98, 2)
    alike[:2, 76] = 0.02
    unlike = alike.clone()
    unlike[1, 76] = 0.0
    pair = torch.tensor([1, 0, -1])
    rest = (torch.full((3, 98, 3), 0.01), torch.zeros(3))

    def way(error: Any) -> float:
        points = truth + error
        _, parts = losses.landmark_loss(points, *rest, truth, torch.ones(3, 98), torch.ones(3), pair)
        return float(parts["way"])

    assert way(alike) == pytest.approx(0, abs=1e-3)
    assert way(unlike) > 0.5
    _, parts = losses.landmark_loss(truth, *rest, truth, torch.ones(3, 98), torch.ones(3), torch.tensor([-1, -1, -1]))
    assert "way" not in parts
