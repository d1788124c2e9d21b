"""Train the Action Unit network: `python -m tools.train.aus --shards DIR --people DIR --weights weights --out RUN`.

--shards: train_*.npz of `tools.synth.make`. --people: train.npz and held.npz of `tools.train.au_pictures` (people at rest
and moving). All points are those our own landmark network finds on the rendered pictures, errors included. A part of the
faces comes without a neutral, as at the start of a session.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realtime.models import Registry
from realtime.networks import landmark_model
from tools.networks.action_units import ActionUnitNet, export
from tools.train.au_samples import NAMES, Samples, batch, joined, neutrals, samples_of
from tools.train.au_table import UNITS
from tools.train.common import AveragedWeights, Curves, Progress, cosine_rate, prepare, save_checkpoint

F32 = NDArray[np.float32]


def prepared(arguments: argparse.Namespace) -> tuple[Samples, Samples]:
    """(training, held-out) samples, kept in --out so that a second run starts at once."""
    registry = Registry(arguments.weights)
    spec = registry.manifest.find("landmarks")
    stores = [arguments.out / f"{name}_{spec.sha256[:12]}.npz" for name in ("train", "held")]
    if all(store.exists() for store in stores):
        loaded = [np.load(store) for store in stores]
        return tuple(Samples(**{k: z[k] for k in z.files}) for z in loaded)  # type: ignore[return-value]
    model = landmark_model(registry.open(spec))
    people = arguments.people / "train.npz", arguments.people / "held.npz"
    rest, held_rest = neutrals(people[0], model), neutrals(people[1], model)
    parts = [samples_of(people[0], model, rest, 0.8, seed=2)]
    for number, shard in enumerate(sorted(arguments.shards.glob("train_*.npz"))):
        parts.append(samples_of(shard, model, rest, 0.6, seed=10 + number))
    train, held = joined(parts), samples_of(people[1], model, held_rest, 1.0, seed=3)
    for store, data in zip(stores, (train, held), strict=True):
        store.parent.mkdir(parents=True, exist_ok=True)
        np.savez(store, **{name: getattr(data, name) for name in NAMES})
    return train, held


def guesses(network: nn.Module, data: Samples) -> tuple[F32, F32]:
    """(guess, truth), both (2N, units)."""
    network.eval()
    out, truth = [], []
    with torch.no_grad():
        for rows in np.array_split(np.arange(len(data.points)), max(1, len(data.points) // 128)):
            x, y = batch(data, rows, None)
            out.append(network(torch.from_numpy(x)).clamp(0, 5).numpy())
            truth.append(y)
    return np.concatenate(out), np.concatenate(truth)


def correlations(guess: F32, truth: F32) -> NDArray[np.float64]:
    """Pearson r of every unit."""
    return np.array([np.corrcoef(guess[:, k], truth[:, k])[0, 1] for k in range(truth.shape[1])])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--people", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--batch", type=int, default=96, help="faces; each gives two samples")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    device = prepare(a.seed, a.threads)
    rng = np.random.default_rng(a.seed)
    train, held = prepared(a)
    print(f"{len(train.points)} faces to learn from, {len(held.points)} held out", flush=True)
    network = ActionUnitNet(len(UNITS)).to(device)
    flat = torch.from_numpy(train.points.reshape(-1, train.points.shape[-1]))
    network.mean.copy_(flat.mean(0))
    network.spread.copy_(flat.std(0) + 1e-3)
    average = AveragedWeights(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=a.rate, weight_decay=0.02)
    progress, curves = Progress(60 * a.minutes, every=20), Curves(a.out, resume=False)
    start, last, step = time.monotonic(), 0.0, 0
    while (gone := time.monotonic() - start) < 60 * a.minutes:
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(gone / (60 * a.minutes), a.rate)
        x, y = batch(train, rng.integers(0, len(train.points), a.batch), rng)
        network.train()
        guess = network(torch.from_numpy(x).to(device))
        loss = nn.functional.smooth_l1_loss(guess, torch.from_numpy(y).to(device), beta=0.5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update(network)
        step += 1
        if gone - last > 45:
            last = gone
            r = correlations(*guesses(average.network.cpu(), held))
            average.network.to(device)
            progress.show(gone, step=step, loss=float(loss.detach()), r=float(r.mean()))
            curves.add(
                minutes=gone / 60,
                loss=float(loss.detach()),
                **{f"r AU{u}": float(v) for u, v in zip(UNITS, r, strict=True)},
            )
    save_checkpoint(a.out / "checkpoint.pt", network=average.network.state_dict(), units=list(UNITS), step=step)
    export(average.network.cpu().eval(), a.out / "action_units.onnx")
    curves.draw()
    for unit, value in zip(UNITS, correlations(*guesses(average.network, held)), strict=True):
        print(f"AU{unit:02d}  r = {value:.3f}")


if __name__ == "__main__":
    main()
