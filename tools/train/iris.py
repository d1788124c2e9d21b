"""Train the iris network: `python -m tools.train.iris --rendered FILE.npz ... --held FILE.npz --out RUN [--minutes 10]`.

Rendered eyes of `tools.data.irises` give exact diameters under all gazes and turns; the hand-placed iris rings of the training half of
the London and Canada portraits give real ones. Both are shown at every resolution, colour, blur and noise of a webcam.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from realtime.face.iris import EYE, TYPICAL, WINDOW
from tools.data.irises import EyeWindow
from tools.data.london_irises import portrait_eyes
from tools.networks.iris import IrisNetwork
from tools.train.common import AveragedWeights, Progress, cosine_rate, load_checkpoint, prepare, save_checkpoint

_PORTRAITS = 0.25
_LEAST_SHARPNESS = 0.25


@dataclass(frozen=True, slots=True)
class Eyes:
    """pictures: (N, 3, 80, 112) uint8. centre: (N, 2), diameter: (N,), pixels of the window."""

    pictures: Tensor
    centre: Tensor
    diameter: Tensor

    @classmethod
    def of(cls, pictures: NDArray[np.uint8], centre: NDArray[np.float32], diameter: NDArray[np.float32]) -> "Eyes":
        """From (N, 80, 112, 3) pictures."""
        channels_first = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        return cls(channels_first, torch.from_numpy(centre).float(), torch.from_numpy(diameter).float())

    @classmethod
    def read(cls, files: list[Path]) -> "Eyes":
        """From shards of `tools.data.irises`."""
        shards = [np.load(file) for file in files]
        return cls.of(*(np.concatenate([s[name] for s in shards]) for name in ("picture", "centre", "diameter")))

    @classmethod
    def from_windows(cls, windows: list[EyeWindow]) -> "Eyes":
        """From windows cut one by one."""
        return cls.of(
            np.stack([w.picture for w in windows]),
            np.stack([w.centre for w in windows]),
            np.array([w.diameter for w in windows], np.float32),
        )


def batch(eyes: Eyes, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Windows (B, 3, 80, 112), changed at random, and their targets (B, 3), as the network gives them."""
    count = len(rows)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    scale, angle = torch.exp(uniform(-0.13, 0.13)), uniform(-0.16, 0.16)
    shift = torch.stack([uniform(-5, 5), uniform(-4, 4)], 1)
    width, height = WINDOW
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    # A window's pixel q, from its middle, shows the stored pixel turn^-1 (q - shift).
    turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    inverse = torch.linalg.inv(turn)
    half = torch.tensor([width / 2, height / 2])
    theta = torch.zeros(count, 2, 3)
    theta[:, :, :2] = inverse * half[None, None, :] / half[None, :, None]
    theta[:, :, 2] = -(inverse @ shift[:, :, None])[:, :, 0] / half
    grid = functional.affine_grid(theta, [count, 3, height, width], align_corners=False)
    seen = functional.grid_sample(eyes.pictures[rows].float(), grid, padding_mode="border", align_corners=False)
    seen = _camera(seen, generator)
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    centre = (turn @ (eyes.centre[rows] - middle)[:, :, None])[:, :, 0] + shift
    size = torch.log(eyes.diameter[rows] * scale / (TYPICAL * EYE))
    return (seen - 127.5) / 127.5, torch.cat([centre / EYE, size[:, None]], 1)


def _camera(seen: Tensor, generator: torch.Generator) -> Tensor:
    """Light, colour, resolution and noise; one resolution for the whole batch, which costs little and changes every step."""

    def normal(spread: float, *shape: int) -> Tensor:
        return spread * torch.randn(*shape, generator=generator)

    count = len(seen)
    gain = torch.exp(normal(0.25, count, 1, 1, 1) + normal(0.08, count, 3, 1, 1))
    gamma = torch.exp(normal(0.25, count, 1, 1, 1))
    seen = 255 * (seen.clamp(1, 255) / 255 * gain).clamp(0.003, 1) ** gamma
    slope = torch.linspace(-1, 1, seen.shape[3])[None, None, None] * normal(0.12, count, 1, 1, 1)
    seen = seen * (1 + slope)
    grey = torch.rand(count, generator=generator) < 0.08
    seen[grey] = seen[grey].mean(1, keepdim=True)
    share = float(_LEAST_SHARPNESS + (1 - _LEAST_SHARPNESS) * torch.rand(1, generator=generator))
    if share < 0.95:
        size = (round(seen.shape[2] * share), round(seen.shape[3] * share))
        small = functional.interpolate(seen, size=size, mode="bilinear", antialias=True, align_corners=False)
        small = small + normal(float(6 * torch.rand(1, generator=generator)), *small.shape)
        seen = functional.interpolate(small, size=seen.shape[2:], mode="bilinear", align_corners=False)
    else:
        seen = seen + normal(float(8 * torch.rand(1, generator=generator)), *seen.shape)
    return seen.clamp(0, 255)


def loss_of(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared error of the place, and the Gaussian likelihood of the diameter's log with the spread that the network claims."""
    place = functional.smooth_l1_loss(found[:, :2], wanted[:, :2], beta=0.02)
    spread = found[:, 3].clamp(-5, 1)
    size = (0.5 * ((found[:, 2] - wanted[:, 2]) * torch.exp(-spread)) ** 2 + spread).mean()
    return 10 * place + size + functional.smooth_l1_loss(found[:, 2], wanted[:, 2], beta=0.02) * 10


@torch.no_grad()
def size_errors(network: torch.nn.Module, eyes: Eyes, share: float = 1.0) -> NDArray[np.float64]:
    """(N,) found diameter over true diameter, minus 1. share: of the resolution that the pictures are shown at."""
    seen = eyes.pictures.float()
    if share < 1:
        size = (round(seen.shape[2] * share), round(seen.shape[3] * share))
        small = functional.interpolate(seen, size=size, mode="bilinear", antialias=True, align_corners=False)
        seen = functional.interpolate(small, size=seen.shape[2:], mode="bilinear", align_corners=False)
    found = network.eval()((seen - 127.5) / 127.5)
    ratio = torch.exp(found[:, 2]) * TYPICAL * EYE / eyes.diameter - 1
    return np.asarray(ratio.numpy(), np.float64)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.train.iris", description=__doc__)
    parser.add_argument("--rendered", type=Path, nargs="+", required=True)
    parser.add_argument("--held", type=Path, required=True, help="rendered eyes of people kept for tests")
    parser.add_argument("--portraits", type=Path, required=True, help="folder of the London and Canada portraits")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--from", type=Path, dest="start", help="a checkpoint to go on from")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    prepare(arguments.seed, arguments.threads)
    generator = torch.Generator().manual_seed(arguments.seed)
    rendered, held = Eyes.read(arguments.rendered), Eyes.read([arguments.held])
    portraits = portrait_eyes(arguments.portraits)
    real = Eyes.from_windows([eye.window for eye in portraits if eye.training])
    kept = Eyes.from_windows([eye.window for eye in portraits if not eye.training])
    network = IrisNetwork()
    if arguments.start is not None:
        network.load_state_dict(load_checkpoint(arguments.start)["network"])
    average = AveragedWeights(network, 0.998)
    optimiser = torch.optim.AdamW(network.parameters(), arguments.rate, weight_decay=0.02)
    seconds, begun, steps = 60 * arguments.minutes, time.monotonic(), 0
    progress, real_count = Progress(seconds), round(_PORTRAITS * arguments.batch)
    while (gone := time.monotonic() - begun) < seconds:
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(gone / seconds, arguments.rate)
        parts = [
            batch(source, torch.randint(len(source.diameter), (size,), generator=generator), generator)
            for source, size in ((rendered, arguments.batch - real_count), (real, real_count))
        ]
        windows, wanted = (torch.cat(part) for part in zip(*parts, strict=True))
        loss = loss_of(network.train()(windows), wanted)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        average.update(network)
        steps += 1
        if steps % 100 == 0:
            errors = {"held": size_errors(average.network, held), "real": size_errors(average.network, kept)}
            figures = {f"{name}_mae": float(np.abs(e).mean()) for name, e in errors.items()}
            progress.show(
                gone, step=float(steps), loss=float(loss.detach()), real_bias=float(errors["real"].mean()), **figures
            )
            save_checkpoint(arguments.out / "last.pt", network=average.network.state_dict(), steps=steps)
    save_checkpoint(arguments.out / "last.pt", network=average.network.state_dict(), steps=steps)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
