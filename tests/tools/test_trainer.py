"""The loop that the trainings share: it learns, resumes where it stopped, and leaves out steps that are no numbers."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from tools.train.common import mean_weights  # noqa: E402
from tools.train.trainer import Trainer  # noqa: E402

WANTED = 3.0


def trainer(out: Path, *, resume: bool = False, minutes: float = 1.0) -> Trainer:
    torch.manual_seed(1)
    network = torch.nn.Linear(1, 1)
    optimiser = torch.optim.SGD(network.parameters(), 0.1)
    return Trainer(network, optimiser, out, minutes=minutes, rate=0.1, clip=10.0, decay=0.5, resume=resume)


def batches(count: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(4)
    for _ in range(count):
        yield torch.randn(16, 1, generator=generator)


def run(subject: Trainer, count: int) -> None:
    def step(x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        loss = (subject.network(x) - WANTED * x).square().mean()
        return loss, {"error": loss}

    subject.run(batches(count), step, lambda: {"held": 1.0}, validate_every=1e9)


def test_it_learns_and_the_average_follows(tmp_path: Path) -> None:
    subject = trainer(tmp_path)
    run(subject, 300)
    assert subject.network.weight.item() == pytest.approx(WANTED, abs=0.1)
    assert subject.average.network.weight.item() == pytest.approx(WANTED, abs=0.1)
    assert subject.steps == 300


def test_a_resumed_run_has_the_state_of_the_stopped_one(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    run(first, 5)
    second = trainer(tmp_path, resume=True)
    assert second.resumed
    assert (second.steps, second.trained) == (5, first.trained)
    for mine, theirs in zip(second.network.parameters(), first.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert trainer(tmp_path).steps == 0, "without --resume it begins from nothing"


def test_a_gradient_that_is_no_number_changes_nothing(tmp_path: Path) -> None:
    subject = trainer(tmp_path)
    before = subject.network.weight.detach().clone()
    subject.update(subject.network(torch.full((1, 1), float("nan"))).sum())
    assert torch.equal(subject.network.weight, before)


def test_a_signal_ends_the_step_validates_and_saves(tmp_path: Path) -> None:
    subject = trainer(tmp_path)

    def step(x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if subject.steps == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return subject.network(x).square().mean(), {}

    subject.run(batches(1000), step, lambda: {"held": 0.25}, validate_every=1e9)
    assert subject.steps == 3
    assert subject.checkpoint.exists()
    assert subject.curves.rows()[-1]["held"] == 0.25
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_schedule_ends_it(tmp_path: Path) -> None:
    subject = trainer(tmp_path, minutes=1e-9)
    run(subject, 1000)
    assert subject.steps == 1
    assert subject.share == 1


def test_the_mean_of_weights_is_a_mean_and_counts_stay_whole() -> None:
    one = {"weight": torch.tensor([1.0, 2.0]), "steps": torch.tensor(7)}
    other = {"weight": torch.tensor([3.0, 6.0]), "steps": torch.tensor(9)}
    mean = mean_weights([one, other])
    assert mean["weight"].tolist() == [2.0, 4.0]
    assert mean["steps"].item() == 7
    assert one["weight"].tolist() == [1.0, 2.0]
