"""How deep mouth and chin lie, told from how they are seen from the front: `python -m tools.synth.depths --bank BANK`.

A corner that smiles moves back along the dental arch, a pucker comes forward, a falling jaw swings back. Least squares over heads of
the training half and random expressions give the depth of each point from a few places of the same face; printed is the table of
`realtime.clinic.mouth_depth`, and how far it is off on heads kept for tests.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.clinic.frontal import FACING_HEAD, RIGID
from realtime.clinic.mouth_depth import POINTS, features
from realtime.face.wflw import FLIP_ORDER
from tools.synth.expressions import random_expression
from tools.synth.heads import bank_files
from tools.synth.kit import load_kit
from tools.synth.points import point_model

F64 = NDArray[np.float64]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bank", type=Path, required=True, help="folder of `python -m tools.synth.textures`")
    parser.add_argument("--faces", type=int, default=1500)
    parser.add_argument("--ridge", type=float, default=0.02, help="of the number of faces")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    seen, depths = sample(options.bank, options.faces, rng, held_out=False)
    table = fitted(seen, depths, options.ridge)
    for point, row in zip(POINTS, table, strict=True):
        if FLIP_ORDER[point] >= point:
            print(f"    {point}: ({', '.join(f'{value:.3f}' for value in row)}),")
    print(f"mean of the features: ({', '.join(f'{value:.2f}' for value in seen.mean(axis=0))})")
    seen, depths = sample(options.bank, options.faces // 5, rng, held_out=True)
    mean_head = depths - FACING_HEAD[list(POINTS), 2]
    told = depths - np.hstack([np.ones((len(seen), 1)), seen]) @ table.T
    for point, before, after in zip(POINTS, mean_head.std(axis=0), told.std(axis=0), strict=True):
        print(
            f"point {point}: mean head off by {10 * before:.1f} mm, told off by {10 * after:.1f} mm (standard deviation)"
        )


def sample(bank: Path, count: int, rng: np.random.Generator, *, held_out: bool) -> tuple[F64, F64]:
    """Features (N, F) and depths (N, POINTS) of random faces and their mirror images, centimetres of the mean head.

    Args:
        bank: of heads.
        count: of faces; N is twice that.
        rng: draws heads and expressions.
        held_out: from the heads kept for tests.
    """
    kit, files = load_kit(), bank_files(bank, held_out)
    places, identities = point_model(kit).fixed, []
    for file in files:
        with np.load(file) as data:
            identities.append(data["identity"])
    seen, depths = [], []
    for _ in range(count):
        shape = kit.shape(identities[int(rng.integers(len(identities)))], random_expression(rng))
        points = laid_on_mean_head(places.on(shape).astype(np.float64))
        for face in (points, points[FLIP_ORDER] * (-1.0, 1.0, 1.0)):
            seen.append(features(face[:, :2]))
            depths.append(face[list(POINTS), 2])
    return np.array(seen), np.array(depths)


def laid_on_mean_head(points: F64) -> F64:
    """The points (98, 3) turned, shifted and enlarged until those that no expression moves lie on the mean head's."""
    rigid, goal = points[RIGID], FACING_HEAD[RIGID]
    centre, aim = rigid.mean(axis=0), goal.mean(axis=0)
    u, stretch, vt = np.linalg.svd((rigid - centre).T @ (goal - aim))
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    scale = stretch.sum() / ((rigid - centre) ** 2).sum()
    return np.asarray((points - centre) @ turn * scale + aim, np.float64)


def fitted(seen: F64, depths: F64, ridge: float) -> F64:
    """Offset and weights (POINTS, 1 + F) by ridge regression.

    Args:
        seen: (N, F).
        depths: (N, POINTS).
        ridge: of N.
    """
    middle, spread = seen.mean(axis=0), seen.std(axis=0)
    scaled = (seen - middle) / spread
    normal = scaled.T @ scaled + ridge * len(seen) * np.eye(seen.shape[1])
    weights = (np.linalg.solve(normal, scaled.T @ (depths - depths.mean(axis=0))) / spread[:, None]).T
    return np.hstack([(depths.mean(axis=0) - weights @ middle)[:, None], weights])


if __name__ == "__main__":
    main()
