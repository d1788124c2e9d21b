"""Train the Action Unit network: `python -m tools.train.action_units --shards DIR --people DIR --weights weights --out RUN`.

--shards: train_*.npz of `tools.synth.make`, faces without a rest, as at the start of a session. --people: train*.npz,
seated_train*.npz, shut_train*.npz, smiles_train*.npz, difficult_train*.npz and seated_held.npz of `tools.train.action_units.pictures`
(people at rest and moving), rests_train.npz and rests_held.npz (more pictures of the same people at rest). All points are those our own
landmark network finds on the rendered pictures, errors included.
"""

import argparse
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch", "onnx"))

import numpy as np
import torch
from numpy.typing import NDArray

from realtime.analyze.models import landmark_model
from realtime.errors import UserInputError
from realtime.face.landmarks import LandmarkModel
from realtime.models import Registry
from tools.networks.action_units import ActionUnitNet, export, exported
from tools.networks.unfold import unfold
from tools.synth.kit import shared_folder
from tools.train.action_units.batches import Batch, BatchSampler
from tools.train.action_units.options import options
from tools.train.action_units.photographs import from_collages, from_portraits
from tools.train.action_units.samples import Samples, joined, kept, samples_of, stored
from tools.train.action_units.table import EMPHASIS, FULL, UNITS
from tools.train.common import load_checkpoint, prepare
from tools.train.muon import Optimisers
from tools.train.trainer import Trainer

F32 = NDArray[np.float32]
WITHOUT_BASELINE = 0.25
"""Share of faces without a rest in a batch."""
KINDS = ("seated_", "shut_", "smiles_", "difficult_")
"""Files of `tools.train.action_units.pictures` that are learnt from, besides those of no kind."""
BEYOND = 0.3
"""What an error beyond the ends of the scale counts where the truth is that end: the program clips it."""
SIDES = 0.25
"""What the error of the difference of a face's sides counts beside both sides' errors."""
ECHOED = 24
"""Batches among which one is drawn that is learnt from once more."""
TAUGHT = 0.5
"""What an error counts against another network's answer, beside one against the truth."""


def prepared(arguments: argparse.Namespace) -> tuple[Samples, Samples]:
    """(training, held-out) samples, kept in --out by file and landmark network."""
    registry = Registry(arguments.weights)
    spec = registry.manifest.find("landmarks")
    model = landmark_model(registry.open(spec))

    def of(file: Path, seed: int, *, degraded: bool = False) -> Samples:
        name = f"{file.parent.name}_{file.stem}{'_spoilt' if degraded else ''}_{spec.sha256[:12]}.npz"
        store = arguments.out / "samples" / name
        return stored(store) if store.exists() else kept(store, samples_of(file, model, seed, degraded=degraded))

    found = [file for kind in ("", *KINDS) for file in arguments.people.glob(f"{kind}train*.npz")]
    files = sorted(file for file in found if ".part" not in file.name)
    rests = arguments.people / "rests_train.npz"

    def people(file: Path, *, degraded: bool) -> Samples:
        own = of(file, 2 + degraded, degraded=degraded)
        kind, _, later = file.stem.partition("train")
        if (
            later or kind == "smiles_"
        ):  # heads that came back as others, or hang at rest: their rests are all in the file
            return own
        more = of(rests, 8 + degraded, degraded=degraded)
        return joined([own, more.rows(np.flatnonzero(np.isin(more.person, own.person)))])

    # Every person is met twice, clean and through a cheap camera: what changes between the two must not read as a movement.
    parts = [
        apart_from_each_other(people(file, degraded=degraded), number)
        for number, file in enumerate(files)
        for degraded in ((False,) if arguments.clean else (False, True))
    ]
    for number, shard in enumerate(sorted(arguments.shards.glob("train_*.npz"))[: arguments.strangers]):
        parts.append(of(shard, 10 + number))
    parts += photographed(arguments, model, spec.sha256[:12], len(files))
    held = [of(arguments.people / f"{kind}_held.npz", 3) for kind in ("seated", "rests")]
    return joined(parts), joined(held)


def photographed(arguments: argparse.Namespace, model: LandmarkModel, network: str, number: int) -> list[Samples]:
    """Photographs and portraits where they are asked for, kept in --out like the others. number: of their first file."""
    out = []
    if arguments.portraits:
        store = arguments.out / "samples" / f"portraits_{network}.npz"
        detector, shared = arguments.weights / "retinaface.onnx", shared_folder()
        found = (
            stored(store)
            if store.exists()
            else kept(store, from_portraits(arguments.portraits, shared, detector, model, 21))
        )
        out.append(apart_from_each_other(found, number))
    if arguments.photographs:
        store = arguments.out / "samples" / f"photographs_{network}.npz"
        most = arguments.most_photographs
        found = stored(store) if store.exists() else kept(store, from_collages(arguments.photographs, model, 23, most))
        out.append(apart_from_each_other(found, number + 1))
    return out


def apart_from_each_other(people: Samples, number: int) -> Samples:
    """The same with person numbers that no other file has."""
    return replace(people, person=np.where(people.person < 0, -1, people.person + number * 1_000_000).astype(np.int32))


def answer(network: ActionUnitNet, batch: Batch) -> torch.Tensor:
    """Intensities (2B, units)."""
    count = len(batch.points)
    looks = network.look(*(torch.cat([now, rests[0]]) for now, rests in zip(batch.now, batch.rests, strict=True)))
    rest = looks[count:]
    if (more := len(batch.rests.eye) - 1) > 0:
        # At runtime a look at rest is the median of hundreds; learning through one of a few is enough, and a third of the work.
        with torch.no_grad():
            others = network.look(*(rests[1:].flatten(0, 1) for rests in batch.rests))
        rest = (rest + others.reshape(more, count, -1).sum(0)) / (more + 1)
    return network.read(batch.points, batch.flow, looks[:count], rest, batch.known)


@torch.no_grad()
def scaled(network: ActionUnitNet, batches: Sequence[Batch]) -> None:
    """Make the point features comparable, as they are on these batches. A branch that begins anew takes its inputs as they come."""
    points = torch.cat([batch.points for batch in batches])
    network.mean.copy_(points.mean(0))
    network.spread.copy_(points.std(0) + 1e-3)


def emphasised(entries: Sequence[str]) -> F32:
    """What each unit counts: the table's emphasis, times the factors given as UNIT=FACTOR. Raises UserInputError."""
    counts = EMPHASIS.copy()
    for entry in entries:
        unit, _, factor = entry.partition("=")
        try:
            place, times = UNITS.index(int(unit)), float(factor)
        except ValueError:
            raise UserInputError(f"--emphasis takes UNIT=FACTOR with a unit of {list(UNITS)}, not {entry!r}.") from None
        if not 0 <= times < float("inf"):
            raise UserInputError(f"--emphasis takes factors that are not negative, not {entry!r}.")
        counts[place] *= times
    return counts


@torch.no_grad()
def answers(network: ActionUnitNet, data: Samples) -> F32:
    """(N, 2, units) what a network makes of the faces as they are, each beside its person's rest; NaN where the truth is known."""
    out, sampler = np.full_like(data.truth, np.nan), BatchSampler(data, rests=1)
    resting = np.unique(data.person[data.rest])
    judged = (data.person < 0) | np.isin(data.person, resting)
    unknown = np.flatnonzero(np.isnan(data.truth).any(axis=(1, 2)) & judged)
    for rows in np.array_split(unknown, max(1, len(unknown) // 128)):
        found = answer(network, sampler.batch(rows, None)).clamp(0, FULL).numpy()
        out[rows] = found.reshape(2, len(rows), -1).transpose(1, 0, 2)
    return np.where(np.isnan(data.truth), out, np.nan).astype(np.float32)


def loss_of(guess: torch.Tensor, truth: torch.Tensor, taught: torch.Tensor, emphasis: torch.Tensor) -> torch.Tensor:
    """The mean of squared errors, each unit's times its emphasis.

    Args:
        guess: (2B, units) of the left sides, then of the right ones.
        truth: likewise, NaN where it is not known.
        taught: likewise, what counts in its place; NaN where that is not known either.
        emphasis: (units,).
    """
    known = ~truth.isnan()
    either = known | ~taught.isnan()
    wanted = torch.where(known, truth, taught).nan_to_num()
    error = torch.where(either, guess - wanted, 0.0)
    beyond = ((wanted <= 0) & (error < 0)) | ((wanted >= FULL) & (error > 0))
    error = torch.where(beyond, BEYOND * error, error)
    weight = torch.where(known, 1.0, TAUGHT) * emphasis
    left, right = error.chunk(2)
    both = torch.logical_and(*either.chunk(2))
    apart = torch.where(both, left - right, 0.0).square() * weight[: len(left)]
    return ((error.square() * weight).sum() + SIDES * apart.sum()) / either.sum()


def guesses(network: ActionUnitNet, sampler: BatchSampler) -> tuple[F32, F32]:
    """(guess, truth) of everybody who moves, both (2N, units)."""
    network.eval()
    out, truth = [], []
    with torch.no_grad():
        for rows in np.array_split(sampler.with_baseline, max(1, len(sampler.with_baseline) // 128)):
            batch = sampler.batch(rows, None)
            out.append(answer(network, batch).clamp(0, 5).numpy())
            truth.append(batch.truth.numpy())
    return np.concatenate(out), np.concatenate(truth)


def correlations(guess: F32, truth: F32) -> NDArray[np.float64]:
    """Pearson r of every unit."""
    return np.array([np.corrcoef(guess[:, k], truth[:, k])[0, 1] for k in range(truth.shape[1])])


def main() -> None:
    """Command line."""
    a = options(__doc__)
    emphasised(a.emphasis)  # a mistake is told before the pictures are prepared
    prepare(a.seed, a.threads)
    rng = np.random.default_rng(a.seed)
    parts = prepared(a)
    taught = answers(exported(a.taught_by, UNITS), parts[0]) if a.taught_by else None
    train, held = BatchSampler(parts[0], rests=1, taught=taught), BatchSampler(parts[1])
    print(
        f"{len(train.with_baseline)} faces with a rest and {len(train.without_baseline)} without to learn from, "
        f"{len(held.with_baseline)} held out",
        flush=True,
    )
    network = ActionUnitNet(UNITS).to(memory_format=torch.channels_last)
    for look in (network.eye, network.mouth, network.more_eye.look, network.lower.look):
        look.half = a.half
    scaled(network, [train.batch(train.draw(rng, 512, 0.3), None) for _ in range(4)])
    if a.start_from and a.start_from.suffix == ".pt":
        network.load_state_dict(load_checkpoint(a.start_from)["average"])
    elif a.start_from:
        unfold(
            network,
            a.start_from,
            [train.batch(train.draw(rng, 64, WITHOUT_BASELINE), rng).features() for _ in range(12)],
            grown=a.branches,
        )
    learning = network.branches if a.branches else network
    network.requires_grad_(not a.branches)
    learning.requires_grad_(True)
    # Squared errors, not absolute ones: most units rest in most pictures, and what is nearest to them on the whole
    # in the absolute sense is never to see them move. In shares of the variance, or rare and small movements count for nothing.
    variance = np.nanvar(train.data.truth.reshape(-1, len(UNITS)), axis=0)
    counts = emphasised(a.emphasis)
    emphasis = torch.from_numpy(counts / counts.mean() / variance)
    rng_echo = np.random.default_rng([a.seed, 5])
    ahead = ThreadPoolExecutor(1)  # torch and numpy let go of the interpreter: the next batch is made during the step

    def ordered() -> Future[Batch]:
        return ahead.submit(lambda: train.batch(train.draw(rng, a.batch, WITHOUT_BASELINE), rng))

    def batches() -> Iterator[Batch]:
        following = ordered()
        recent: deque[Batch] = deque(maxlen=ECHOED)
        while True:
            batch, following = following.result(), ordered()
            recent.append(batch)
            yield batch
            for _ in range(a.echo - 1):
                yield recent[int(rng_echo.integers(len(recent)))]

    def step(batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        learning.train()
        return loss_of(answer(network, batch), batch.truth, batch.taught, emphasis), {}

    network.eval()  # with --branches the network beside them stays as it is, its normalisations too
    trainer = Trainer(
        network,
        Optimisers(learning, a.rate, weight_decay=0.02),
        a.out,
        minutes=a.minutes,
        rate=a.rate,
        clip=5.0,
        resume=a.resume,
        facts={"units": list(UNITS)},
    )

    def validate() -> dict[str, float]:
        r = correlations(*guesses(trainer.average.network, held))
        return {"r": float(r.mean()), **{f"r AU{u}": float(v) for u, v in zip(UNITS, r, strict=True)}}

    trainer.run(batches(), step, validate, validate_every=240)
    ahead.shutdown()
    average = trainer.average
    export(average.network.eval(), a.out / "action_units.onnx")
    if a.to:
        shutil.copyfile(a.out / "action_units.onnx", a.to)
    for unit, value in zip(UNITS, correlations(*guesses(average.network, held)), strict=True):
        print(f"AU{unit:02d}  r = {value:.3f}")


if __name__ == "__main__":
    main()
