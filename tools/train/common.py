"""What every training shares: seeds, device, averaged weights, a time-based cosine, checkpoints, progress and curves."""

import json
import math
import random
import sys
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime.files import write_atomically


def prepare(seed: int, threads: int) -> torch.device:
    """Seed every generator, set the CPU threads, and choose the GPU where there is one."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  libraries that still use the global generator
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


class Float32Conv2d(nn.Conv2d):
    """A convolution that stays in float32 under autocast."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
        """As nn.Conv2d."""
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())


def spare_slow_bfloat(network: nn.Module) -> None:
    """Keep strided and 5x5 depthwise convolutions in float32 under autocast.

    On the CPU their bfloat16 backward pass falls back to reference code (oneDNN in torch 2.13, Zen 4): three of StarLite's 48
    convolutions took 94 of 330 ms of a step, and take 10 in float32.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.groups > 1 and (layer.stride[0] > 1 or layer.kernel_size[0] > 3):
            layer.__class__ = Float32Conv2d


class AveragedWeights:
    """An exponential moving average of a network's weights; young averages forget faster."""

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move towards `network` by one step."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (20 + self.steps))
        for mine, new in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(new, 1 - decay)
            else:
                mine.copy_(new)


def mean_weights(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several networks' weights, of what is no real number the first one's: the networks must have begun as one."""
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }


def cosine_rate(done: float, peak: float, warm_up: float = 0.02, floor: float = 0.01) -> float:
    """Learning rate when the share `done` (0..1) of the planned time has passed: linear warm-up, then a cosine to floor * peak."""
    if done < warm_up:
        return peak * (0.1 + 0.9 * done / warm_up)
    along = min((done - warm_up) / (1 - warm_up), 1.0)
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * along)))


def save_checkpoint(path: Path, **state: Any) -> None:
    """Write a checkpoint so that an interruption leaves either the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(path) as file:
        torch.save(state, file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of `save_checkpoint` (tensors and plain values only)."""
    result: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return result


class Progress:
    """One line on a terminal, a line every `every` seconds in a log."""

    def __init__(self, planned_seconds: float, every: float = 30.0) -> None:
        self._planned = planned_seconds
        self._every = 1.0 if sys.stdout.isatty() else every
        self._last = 0.0

    def show(self, trained_seconds: float, **figures: float) -> None:
        """Draw the bar and the figures, if it is time."""
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        share = min(trained_seconds / self._planned, 1.0)
        bar = "█" * round(20 * share) + "·" * (20 - round(20 * share))
        words = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        tail = "\r" if sys.stdout.isatty() else "\n"
        print(f"{bar} {100 * share:5.1f} % {trained_seconds / 60:6.1f} min  {words}", end=tail, flush=True)


class Curves:
    """Figures over time, kept as JSON lines and drawn as a picture."""

    def __init__(self, folder: Path, resume: bool) -> None:
        self._lines = folder / "curves.jsonl"
        self._picture = folder / "curves.png"
        folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            self._lines.unlink(missing_ok=True)

    def add(self, **figures: float) -> None:
        """Append one row."""
        with self._lines.open("a", encoding="utf-8") as out:
            out.write(json.dumps({k: round(float(v), 6) for k, v in figures.items()}) + "\n")

    def rows(self) -> list[dict[str, float]]:
        """All rows so far."""
        if not self._lines.exists():
            return []
        return [json.loads(line) for line in self._lines.read_text(encoding="utf-8").splitlines()]

    def draw(self, x: str = "minutes") -> None:
        """Draw every figure over `x`, one panel each."""
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt

        rows = self.rows()
        names = sorted({name for row in rows for name in row} - {x})
        if not names:
            return
        across = min(4, len(names))
        down = -(-len(names) // across)
        figure, axes = plt.subplots(down, across, figsize=(4 * across, 2.6 * down), squeeze=False)
        for axis, name in zip(axes.flat, names, strict=False):
            seen = [(row[x], row[name]) for row in rows if name in row]
            axis.plot(*zip(*seen, strict=True), linewidth=1)
            axis.set_title(name, fontsize=9)
            axis.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(self._picture, dpi=80)
        plt.close(figure)
