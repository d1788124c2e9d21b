"""Fit the network's last layer anew for a few units: `python -m tools.train.action_units.last_layer --people FILE ... --units 4 26 45`.

Training weighs all units against each other and punishes what lies beyond the ends of the scale, which the program clips anyway. Here
the numbers before the last layer stay as they are; for each named unit a ridge regression finds what has to be added to its row so that
the clipped value fits. How strongly the row is held where it was is chosen by cross-validation over people. Every other unit stays
what it was: what the branches know of the named units is taken back in their own first layers. The graph and its cost do not change.

--people: files of `tools.train.action_units.pictures`, met with their rests and as strangers. --strangers: files of `tools.synth.make`.
--photographs: folder of `tools.data.collages`, with eyes shut by a warp. All points are those of --weights' landmark network.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch", "onnx"))

import numpy as np
import torch
from numpy.typing import NDArray

from realtime.analyze.models import landmark_model
from realtime.errors import UserInputError
from realtime.models import Registry
from tools.networks.action_units import EYE_UNITS, HIDDEN, LOWER_UNITS, ActionUnitNet, Branch, export, exported
from tools.train.action_units.batches import BatchSampler
from tools.train.action_units.photographs import from_collages
from tools.train.action_units.samples import Samples, kept, samples_of, stored
from tools.train.action_units.table import FULL, UNITS

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""By which a row is held where it was, in shares of the number of faces."""
FOLDS = 5
AT_REST = 0.02
"""Truth below which a guess below zero is right."""
WORTH = 0.0005
"""What a weaker hold must gain in r to be taken."""


class Faces(NamedTuple):
    """One row for each side of each face.

    Attributes:
        hidden: (N, HIDDEN) numbers before the last layer.
        guess: (N, units) what the network says, not clipped.
        truth: (N, units), NaN where it is not known.
        person: (N,) whom the face belongs to.
    """

    hidden: F32
    guess: F32
    truth: F32
    person: NDArray[np.int64]


class Row(NamedTuple):
    """What is added to a unit's row of the last layer: weights (HIDDEN,) and bias."""

    weight: F64
    bias: float


@torch.no_grad()
def faces_of(
    network: ActionUnitNet, samples: Samples, rows: NDArray[np.intp], rng: np.random.Generator | None
) -> Faces:
    """What the network makes of these faces. rng: changed as in training; None: as they are."""
    sampler, parts = BatchSampler(samples, rests=1), []
    for some in np.array_split(rows, max(1, len(rows) // 64)):
        batch = sampler.batch(some, rng)
        look, rest = network.look(*batch.now), network.look(*(rests[0] for rests in batch.rests))
        found = network.judged(batch.points, batch.flow, look, rest, batch.known)
        person = np.where(samples.person[some] < 0, -1 - some, samples.person[some])
        parts.append(
            (found.hidden.numpy(), found.intensity.numpy(), batch.truth.numpy(), np.tile(person, 2).astype(np.int64))
        )
    hidden, guess, truth, people = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Faces(hidden, guess, truth, people)


def together(parts: Sequence[Faces]) -> Faces:
    """All of them, people of different parts apart."""
    people = [part.person + 10_000_000 * number for number, part in enumerate(parts)]
    hidden, guess, truth = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return Faces(hidden, guess, truth, np.concatenate(people))


def known_rows(samples: Samples) -> NDArray[np.intp]:
    """Faces of people of whom a picture at rest is there, those at rest among them: they hold down what an open eye reads."""
    resting = np.unique(samples.person[samples.rest])
    return np.flatnonzero((samples.person >= 0) & np.isin(samples.person, resting))


def as_strangers(samples: Samples) -> Samples:
    """The same faces, of whose people nothing else is known."""
    count = len(samples.person)
    return replace(samples, person=np.full(count, -1, np.int32), rest=np.zeros(count, bool))


def ridge(hidden: F32, guess: F32, truth: F32, strength: float) -> Row:
    """What to add to a row, from (N, HIDDEN), (N,) and (N,). Guesses below zero of what is at rest are right and count for nothing."""
    counts = (truth > AT_REST) | (guess > 0)
    mean, spread = hidden.mean(axis=0, dtype=np.float64), hidden.std(axis=0, dtype=np.float64) + 0.05
    known = np.column_stack([(hidden[counts] - mean) / spread, np.ones(int(counts.sum()))])
    held = strength * len(known) * np.eye(known.shape[1])
    held[-1, -1] = 0.0
    found = np.linalg.solve(known.T @ known + held, known.T @ (truth - guess)[counts].astype(np.float64))
    weight = found[:-1] / spread
    return Row(weight, float(found[-1] - weight @ mean))


def amended(row: Row, hidden: F32, guess: F32) -> F32:
    """(N,) intensities, clipped as the program clips them."""
    result: F32 = np.clip(guess + hidden @ row.weight + row.bias, 0.0, FULL).astype(np.float32)
    return result


def fitted(hidden: F32, guess: F32, truth: F32, person: NDArray[np.int64]) -> tuple[Row, float, float]:
    """(row, strength, cross-validated r) with the strongest hold that is as good as the best one."""
    order = np.random.default_rng(0).permutation(np.unique(person))
    fold = np.argsort(order)[np.searchsorted(np.sort(order), person)] % FOLDS

    def score(strength: float) -> float:
        guesses = np.empty(len(truth), np.float32)
        for number in range(FOLDS):
            out = fold == number
            row = ridge(hidden[~out], guess[~out], truth[~out], strength)
            guesses[out] = amended(row, hidden[out], guess[out])
        return float(np.corrcoef(guesses, truth)[0, 1])

    scores = {strength: score(strength) for strength in STRENGTHS}
    best = max(scores.values())
    chosen = max(strength for strength, r in scores.items() if r >= best - WORTH)
    return ridge(hidden, guess, truth, chosen), chosen, scores[chosen]


@torch.no_grad()
def put(network: ActionUnitNet, unit: int, row: Row) -> None:
    """Add a row to the last layer's for a unit (its place in the network's order); the branches go on seeing what it was before."""
    last = network.judge[-1]
    assert isinstance(last, torch.nn.Linear)
    weight = torch.from_numpy(row.weight.astype(np.float32))
    last.weight[unit] += weight
    last.bias[unit] += row.bias
    for branch in (network.more_eye, network.lower):
        assert isinstance(branch, Branch)
        first = next(layer for layer in branch.judge if isinstance(layer, torch.nn.Linear))
        place = first.in_features - HIDDEN - last.out_features + unit
        own = slice(first.in_features - HIDDEN, first.in_features)
        # The branch is given half the intensity, then the hidden numbers, each less its mean and over its spread.
        share = first.weight[:, place] / (2 * branch.spread[place])
        change = -share[:, None] * weight * branch.spread[own]
        first.weight[:, own] += change
        first.bias += change @ (branch.mean[own] / branch.spread[own]) - share * row.bias


def gathered(options: argparse.Namespace, network: ActionUnitNet) -> Faces:
    """All faces to fit to; what the landmark network makes of the pictures is kept in --out."""
    registry = Registry(options.weights)
    spec = registry.manifest.find("landmarks")
    model = landmark_model(registry.open(spec))

    def of(file: Path, seed: int) -> Samples:
        store = options.out / "samples" / f"{file.parent.name}_{file.stem}_{spec.sha256[:12]}.npz"
        return stored(store) if store.exists() else kept(store, samples_of(file, model, seed))

    rng, parts = np.random.default_rng(1), []
    for file in options.people:
        samples = of(file, 2)
        rows = known_rows(samples)
        parts += [faces_of(network, samples, rows, None), faces_of(network, samples, rows, rng)]
        parts.append(faces_of(network, as_strangers(samples), rows, None))
    for file in options.strangers:
        samples = of(file, 10)
        parts.append(faces_of(network, samples, np.arange(len(samples.person)), rng))
    if options.photographs is not None:
        store = options.out / "samples" / f"photographs_{spec.sha256[:12]}.npz"
        most = options.most_photographs
        samples = stored(store) if store.exists() else kept(store, from_collages(options.photographs, model, 23, most))
        parts.append(faces_of(network, samples, known_rows(samples), None))
        parts.append(faces_of(network, samples, np.flatnonzero(samples.person < 0), None))
    return together(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line. Raises UserInputError where a unit cannot be fitted so, or a file is missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.train.action_units.last_layer", description=__doc__)
    parser.add_argument("--people", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--strangers", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--photographs", type=Path, metavar="DIR")
    parser.add_argument("--most-photographs", type=int, default=200)
    parser.add_argument("--units", type=int, nargs="+", default=[4, 26, 45])
    parser.add_argument("--from", dest="start_from", type=Path, help="default: the file in --weights")
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for action_units.onnx and what was computed on the way"
    )
    options = parser.parse_args(arguments)
    corrected = sorted({*EYE_UNITS, *LOWER_UNITS} & set(options.units))
    if corrected or not set(options.units) <= set(UNITS):
        raise UserInputError(
            f"--units takes units that no branch corrects, which are {sorted({*UNITS} - {*EYE_UNITS, *LOWER_UNITS})}."
        )
    named = [*options.people, *options.strangers, options.photographs, options.start_from]
    missing = [str(path) for path in named if path is not None and not path.exists()]
    if missing:
        raise UserInputError(f"There is no {', '.join(missing)}: --help says what makes such files.")
    torch.set_num_threads(1)
    network = exported(options.start_from or options.weights / "action_units.onnx", UNITS)
    faces = gathered(options, network)
    print(f"{len(faces.person)} sides of faces", flush=True)
    for unit in options.units:
        k = UNITS.index(unit)
        known = np.isfinite(faces.truth[:, k])
        guess, truth = faces.guess[known, k], faces.truth[known, k]
        row, strength, r = fitted(faces.hidden[known], guess, truth, faces.person[known])
        before = float(np.corrcoef(guess.clip(0, FULL), truth)[0, 1])
        put(network, k, row)
        print(f"AU{unit:02d}: r {before:.3f}, now {r:.3f} over people left out, held by {strength:g}", flush=True)
    difference = export(network, options.out / "action_units.onnx")
    print(f"{options.out / 'action_units.onnx'}: largest difference from PyTorch {difference:.1e}")


if __name__ == "__main__":
    guarded(main)
