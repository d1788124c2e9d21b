"""Train the Action Unit network: `python -m tools.train.aus --bank BANK --pictures DIR --weights weights --out RUN`.

BANK: textures and identities of `tools.synth.textures`. DIR: train.npz and held.npz of `tools.train.au_pictures`. Faces by
the thousand come as exact points with the errors that our own landmark network makes on pictures; to them come the points
it really gave. A part of the faces comes without a neutral, as at the start of a session.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realtime.measure.action_units import features
from realtime.measure.descriptor import Descriptor, describe
from realtime.models import Registry
from realtime.networks import landmark_model
from tools.networks.action_units import ActionUnitNet, export
from tools.train.au_data import People, exact_people
from tools.train.au_points import MeasuredNoise, seen_people
from tools.train.au_table import UNITS, intensities
from tools.train.common import AveragedWeights, Curves, Progress, cosine_rate, prepare, save_checkpoint

F32 = NDArray[np.float32]


def neutral_of(rests: F32, noise: MeasuredNoise | None, rng: np.random.Generator) -> F32 | None:
    """(98, 2) the mean descriptor of a person's (R, 98, 2) points at rest."""
    if noise is not None:
        rests = np.stack([noise.add(r, 0.0, rng) for r in rests])
    found = [d.shape for d in (describe(r) for r in rests) if d is not None]
    return np.mean(found, axis=0).astype(np.float32) if found else None


def samples(people: People, noise: MeasuredNoise | None, rng: np.random.Generator, known: float) -> tuple[F32, F32]:
    """(features (2N, FEATURES), intensities (2N, units)): both sides of every face. known: share with a neutral."""
    truth = intensities(people.expression)
    neutrals = [neutral_of(r, noise, rng) for r in people.rest]
    rows: list[F32] = []
    kept: list[int] = []
    for i, points in enumerate(people.points):
        seen = points if noise is None else noise.add(points, float(people.pose[i, 0]), rng)
        found: Descriptor | None = describe(seen)
        if found is None:
            continue
        neutral = neutrals[people.person[i]] if rng.random() < known else None
        rows.append(features(found, neutral))
        kept.append(i)
    return np.concatenate(rows), truth[kept].reshape(-1, len(UNITS))


def correlations(network: nn.Module, x: F32, y: F32) -> NDArray[np.float64]:
    """Pearson r of every unit."""
    network.eval()
    with torch.no_grad():
        guess = network(torch.from_numpy(x)).clamp(0, 5).numpy()
    return np.array([np.corrcoef(guess[:, k], y[:, k])[0, 1] for k in range(y.shape[1])])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=1200)
    parser.add_argument("--views", type=int, default=25)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    device = prepare(a.seed, a.threads)
    rng = np.random.default_rng(a.seed)
    registry = Registry(a.weights)
    model = landmark_model(registry.open(registry.manifest.find("landmarks")))
    seen, held = (seen_people(a.pictures / f"{name}.npz", model) for name in ("train", "held"))
    noise = MeasuredNoise(seen)
    exact = exact_people(a.bank, held_out=False, people=a.people, views=a.views, rests=4, seed=a.seed)
    print(f"{len(exact.points)} exact faces, {len(seen.people.points)} as the landmark network sees them", flush=True)
    parts = [samples(exact, noise, rng, 0.8) for _ in range(2)] + [
        samples(seen.people, None, rng, 0.8) for _ in range(3)
    ]
    x, y = (np.concatenate(column) for column in zip(*parts, strict=True))
    exam_x, exam_y = samples(held.people, None, rng, 1.0)

    network = ActionUnitNet(len(UNITS)).to(device)
    network.mean.copy_(torch.from_numpy(x.mean(0)))
    network.spread.copy_(torch.from_numpy(x.std(0) + 1e-3))
    average = AveragedWeights(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=a.rate, weight_decay=1e-3)
    data, target = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
    steps = a.epochs * (len(x) // a.batch)
    progress, curves = Progress(float(steps), every=10), Curves(a.out, resume=False)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(step / steps, a.rate)
        pick = torch.randint(len(data), (a.batch,), device=device)
        network.train()
        loss = nn.functional.smooth_l1_loss(network(data[pick]), target[pick], beta=0.5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update(network)
        if step % 200 == 199 or step == steps - 1:
            r = correlations(average.network.cpu(), exam_x, exam_y)
            average.network.to(device)
            progress.show(step + 1.0, loss=float(loss), r=float(r.mean()))
            curves.add(step=step + 1, loss=float(loss), **{f"r AU{u}": float(v) for u, v in zip(UNITS, r, strict=True)})
    save_checkpoint(a.out / "checkpoint.pt", network=average.network.state_dict(), units=list(UNITS))
    export(average.network.cpu().eval(), a.out / "action_units.onnx")
    curves.draw(x="step")
    print()
    for unit, value in zip(UNITS, correlations(average.network, exam_x, exam_y), strict=True):
        print(f"AU{unit:02d}  r = {value:.3f}")


if __name__ == "__main__":
    main()
