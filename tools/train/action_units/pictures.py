"""Rendered pictures of people at rest and moving, for the Action Unit network.

`python -m tools.train.action_units.pictures --bank BANK --out DIR [--people N] [--held-out] [--seated]` writes DIR/train.npz or
DIR/held.npz as `tools.synth.make` writes shards, with `person` (N,) and `rest` (N,) true for the person's pictures at rest.
With --seated it is DIR/seated_train.npz or DIR/seated_held.npz: people before the camera who make a few movements. With --shut
it is DIR/shut_train.npz or DIR/shut_held.npz: they shut one eye or both. With --smiles it is DIR/smiles_train.npz or
DIR/smiles_held.npz: the mouth's corners go far, on one side or both, and at rest one side may hang. With --difficult it is
DIR/difficult_train.npz or DIR/difficult_held.npz: what is read worst (`tools.synth.expressions.difficult`). With --views 0
it is DIR/rests_train.npz or DIR/rests_held.npz: the same people at rest. With --first N the file's name ends in _N.

Unlike in shards of heads, a person's shape stays the same from picture to picture, and nothing is hidden or degraded: what blurs a
picture blurs the points, which is the landmark network's matter (`tools.train.action_units.train` shows every picture once more as a cheap
camera would).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime.face.pose import HEAD_PITCH_ZERO
from tools.synth.expressions import (
    difficult,
    exercise,
    far_smile,
    random_expression,
    shut_eyes,
    unequal_rest,
    with_gaze,
)
from tools.synth.heads import bank_files, load_head
from tools.synth.hidden import awake_files
from tools.synth.kit import EXPRESSION_NAMES
from tools.synth.make import write_shard
from tools.synth.sampler import Rendered, Sampler, another_shape, random_pose


def render_people(
    bank: Path,
    *,
    held_out: bool,
    people: int,
    views: int,
    rests: int,
    seed: int,
    seated: bool = False,
    first: int = 0,
    shut: bool = False,
    smiles: bool = False,
    hard: bool = False,
) -> tuple[list[Rendered], np.ndarray, np.ndarray]:
    """(pictures, person of each, whether it is at rest)."""
    sampler = Sampler(bank, seed=seed, held_out=held_out, clean=True, vary_identity=False)
    rng = np.random.default_rng([seed, 17, int(held_out)])
    # The evaluation asks nothing that no picture shows; training may meet anybody.
    files = awake_files(bank, held_out) if held_out else bank_files(bank, held_out)
    people = people or len(files)
    nothing = np.zeros(len(EXPRESSION_NAMES), np.float32)
    pictures, person, rest = [], [], []
    for number in range(first, first + people):
        head = load_head(files[number % len(files)])
        identity = head.identity
        if (again := number // len(files)) > 0:
            # Heads seen before come back as somebody else: with another shape and other folds.
            head = replace(head, name=f"{head.name}_{again}")
            identity = another_shape(rng, identity, 0.4)
        at_rest = unequal_rest(rng) if smiles else nothing
        for view in range(views + rests):
            resting = view < rests
            if smiles:
                pose = _tilted(rng, 11, 7, 7)
                pose = (pose[0], pose[1] + 0.6 * HEAD_PITCH_ZERO, pose[2])
                expression = with_gaze(rng, at_rest) if resting else far_smile(rng, at_rest)
            elif resting:
                pose, expression = _tilted(rng, 5, 5, 5), with_gaze(rng, nothing)
            elif shut:
                pose, expression = _tilted(rng, 10, 7, 6), shut_eyes(rng)
            elif hard:
                pose, expression = _tilted(rng, 10, 7, 6), difficult(rng)
            elif seated:
                pose, expression = _tilted(rng, 10, 7, 6), exercise(rng)
            else:
                pose, expression = random_pose(rng), random_expression(rng)
            pictures.append(sampler.sample(head, expression, pose, identity))
            person.append(number)
            rest.append(resting)
    return pictures, np.asarray(person), np.asarray(rest)


def _tilted(rng: np.random.Generator, *spread: float) -> tuple[float, float, float]:
    yaw, pitch, roll = rng.normal(0, spread)
    return float(yaw), float(pitch), float(roll)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=0, help="how many; every head once where not given")
    parser.add_argument("--views", type=int, default=10)
    parser.add_argument("--rests", type=int, default=2)
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        help="number of the first person; beyond the number of heads they come back as others",
    )
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument(
        "--seated", action="store_true", help="before the camera, one to three movements at any strength"
    )
    parser.add_argument("--shut", action="store_true", help="seated, and shutting one eye or both, gently or squeezed")
    parser.add_argument(
        "--smiles", action="store_true", help="seated, the mouth's corners far out, on one side or both"
    )
    parser.add_argument(
        "--difficult",
        action="store_true",
        help="seated, what is hard to read: jaws that open under smiles, lowered brows, pressed lips, lids half shut",
    )
    a = parser.parse_args()
    pictures, person, rest = render_people(
        a.bank,
        held_out=a.held_out,
        people=a.people,
        views=a.views,
        rests=a.rests,
        seed=a.seed,
        seated=a.seated,
        first=a.first,
        shut=a.shut,
        smiles=a.smiles,
        hard=a.difficult,
    )
    a.out.mkdir(parents=True, exist_ok=True)
    later = f"_{a.first}" if a.first else ""
    kinds = {"smiles_": a.smiles, "shut_": a.shut, "difficult_": a.difficult, "seated_": a.seated}
    kind = "rests_" if a.views == 0 else next((name for name, chosen in kinds.items() if chosen), "")
    file = a.out / f"{kind}{'held' if a.held_out else 'train'}{later}.npz"
    write_shard(file, pictures, person=person, rest=rest)
    print(f"{len(pictures)} pictures of {len(np.unique(person))} people in {file}")


if __name__ == "__main__":
    main()
