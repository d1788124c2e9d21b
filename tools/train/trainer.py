"""One training run: network, optimiser, averaged weights, schedule by time, checkpoint, curves, a polite stop.

The three trainings differ in their batches, losses and validation; what they share is here.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from tools.train.common import AveragedWeights, Curves, Progress, cosine_rate, load_checkpoint, save_checkpoint

B = TypeVar("B")
Figures = Mapping[str, float]


class Optimiser(Protocol):
    """A torch optimiser, or several behind one face."""

    @property
    def param_groups(self) -> list[dict[str, Any]]: ...

    def zero_grad(self, set_to_none: bool = True) -> None: ...

    def step(self) -> Any: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Trainer:
    """Drives a training and keeps its state.

    Args:
        network: what is trained; already on its device.
        optimiser: its optimiser.
        out: folder of the run; it gets checkpoint.pt, curves.jsonl and curves.png.
        minutes: planned training time in all, also that already spent before a resume.
        rate: highest learning rate.
        clip: largest gradient norm.
        decay: of the averaged weights, per step.
        resume: go on from the checkpoint in `out` where there is one.
        facts: further plain values of the checkpoint.
    """

    def __init__(
        self,
        network: nn.Module,
        optimiser: Optimiser,
        out: Path,
        *,
        minutes: float,
        rate: float,
        clip: float,
        decay: float = 0.999,
        resume: bool = False,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = network
        self.optimiser = optimiser
        self.checkpoint = out / "checkpoint.pt"
        self.average = AveragedWeights(network, decay)
        self.steps, self.trained = 0, 0.0
        self._seconds, self._rate, self._clip = 60 * minutes, rate, clip
        self.facts = dict(facts or {})
        self.resumed = resume and self.checkpoint.exists()
        if self.resumed:
            self.restore(load_checkpoint(self.checkpoint))
        self.curves = Curves(out, self.resumed)

    @property
    def share(self) -> float:
        """How much of the schedule has passed, 0..1."""
        return min(self.trained / self._seconds, 1.0)

    def learning_rate(self) -> float:
        """The rate of the next step."""
        return cosine_rate(self.share, self._rate)

    def update(self, loss: Tensor) -> None:
        """One step of the optimiser on this loss; a step whose gradient is no number is left out."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self._clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        self.average.update(self.network)
        self.steps += 1

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state of a checkpoint."""
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.average.steps = state["steps"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps, self.trained = state["steps"], state["trained"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        save_checkpoint(
            self.checkpoint,
            network=self.network.state_dict(),
            average=self.average.network.state_dict(),
            optimiser=self.optimiser.state_dict(),
            steps=self.steps,
            trained=self.trained,
            **self.facts,
        )

    def run(
        self,
        batches: Iterable[B],
        step: Callable[[B], tuple[Tensor, Mapping[str, Tensor]]],
        validate: Callable[[], Figures],
        *,
        validate_every: float,
        save_every: float = 180,
    ) -> None:
        """Train to the end of the schedule, of the batches, or until Ctrl-C or SIGTERM; then validate and save.

        Args:
            batches: what to learn from.
            step: gives the loss of a batch and its parts.
            validate: gives the figures of the averaged network on held-out data.
            validate_every: seconds of training between two validations.
            save_every: seconds of training between two checkpoints.
        """
        stopping = threading.Event()
        former = {
            number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            self._loop(batches, step, validate, stopping, validate_every, save_every)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
        self.save()
        self.curves.draw()

    def _loop(
        self,
        batches: Iterable[B],
        step: Callable[[B], tuple[Tensor, Mapping[str, Tensor]]],
        validate: Callable[[], Figures],
        stopping: threading.Event,
        validate_every: float,
        save_every: float,
    ) -> None:
        progress, clock = Progress(self._seconds), time.monotonic()
        sums: dict[str, float] = {}
        counted, validated, saved = 0, self.trained, self.trained
        for batch in batches:
            loss, parts = step(batch)
            self.update(loss)
            counted += 1
            for name, value in (parts or {"loss": loss}).items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            now = time.monotonic()
            self.trained, clock = self.trained + now - clock, now
            means = {name: value / counted for name, value in sums.items()}
            progress.show(self.trained, step=self.steps, rate=self.learning_rate(), **means)
            over = stopping.is_set() or self.share >= 1
            if over or self.trained - validated > validate_every:
                figures = {**means, **validate()}
                self.curves.add(minutes=self.trained / 60, step=self.steps, rate=self.learning_rate(), **figures)
                print("  ".join(f"{name} {value:.4g}" for name, value in figures.items()), flush=True)
                sums, counted, validated = {}, 0, self.trained
            if self.trained - saved > save_every:
                self.save()
                self.curves.draw()
                saved = self.trained
            if over:
                break
