"""From the teachers' opinions to one label per face, its trust, and the split.

`python -m tools.data.labels FOLDER` reads FOLDER/faces/raw.npz and writes FOLDER/faces/index.npz.

A label is the mean of the three 98-point nets and, as a fourth opinion with its own mistakes, MediaPipe's 478 points mapped to
the 98 by a ridge regression (predicted for each face by a fit without it). MediaPipe counts double on eyelids, pupils and lips.
Held out is every eighth collage as a whole; a face elsewhere that looks like a held-out one (same family of fingerprints)
is used by neither side.
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.collages import families
from tools.data.points98 import (
    CROP_GROWTH,
    EYES,
    LIPS,
    crop_matrix,
    eye_opening,
    inter_ocular,
    invert,
    square_from_points,
    transform,
)

F32 = NDArray[np.float32]
ALIKE = 0.91
"""Correlation of two fingerprints above which two crops count as the same face."""
EVERY = 8
LOWER_LIDS_UP = 0.028
"""How far, of the eye's width, the teachers' lower lids lie below hand-placed ones (the training half of `tools.data.london`)."""
OPEN = 0.2
"""Opening from which that holds in full; in a shut eye the lids meet where they meet."""
DRAWN_ON = ("sfhq/SFHQ_sample_landmarks_segmentation.jpg",)
"""Collages whose pictures already show points or segments: a network would learn to read the marks."""


def mesh_to_98(mesh: F32, teachers: F32, trusted: NDArray[np.bool_], folds: int = 5, ridge: float = 3e-3) -> F32:
    """MediaPipe's points (N, 478, 2) as 98 points (N, 98, 2), by out-of-fold ridge regression onto the teachers' mean."""
    mean = teachers.mean(1)
    frames = [crop_matrix(*square_from_points(p), 1) for p in mean]
    x = np.stack([transform(m, f).reshape(-1) for m, f in zip(mesh, frames, strict=True)]).astype(np.float64)
    y = np.stack([transform(p, f).reshape(-1) for p, f in zip(mean, frames, strict=True)]).astype(np.float64)
    out = np.empty_like(y)
    fold = np.arange(len(x)) % folds
    for k in range(folds):
        fit, rest = trusted & (fold != k), fold == k
        mx, my = x[fit].mean(0), y[fit].mean(0)
        a = x[fit] - mx
        gram = a.T @ a + ridge * len(a) * np.diag(np.full(a.shape[1], a.var()))
        out[rest] = (x[rest] - mx) @ np.linalg.solve(gram, a.T @ (y[fit] - my)) + my
    return np.stack([transform(o.reshape(98, 2), invert(f)) for o, f in zip(out, frames, strict=True)])


def lower_lids_raised(points: F32) -> F32:
    """Faces (N, 98, 2) with the lower lids where people mark them: the teachers put those of open eyes too low, alike for everybody."""
    out = points.copy()
    share = np.clip(eye_opening(points) / OPEN, 0, 1)
    for eye, (a, b, lids) in enumerate(((60, 64, (65, 66, 67)), (68, 72, (73, 74, 75)))):
        along = points[:, b] - points[:, a]
        up = np.stack([along[:, 1], -along[:, 0]], axis=-1)
        out[:, lids] += (LOWER_LIDS_UP * share[:, eye, None] * up)[:, None]
    return out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder / "faces"
    raw = dict(np.load(folder / "raw.npz"))
    teachers, mean = raw["teachers"], raw["teachers"].mean(1)
    # In a profile the eye distance vanishes; the face's size then sets the scale.
    span = np.maximum(inter_ocular(mean), [0.3 * square_from_points(p)[1] / CROP_GROWTH for p in mean])
    disagreement = np.linalg.norm(teachers - mean[:, None], axis=-1).mean((1, 2)) / span
    plausible = (disagreement < 0.03) & (raw["mesh_score"] > 0.9)
    mapped = mesh_to_98(raw["mesh"], teachers, plausible)
    weight = np.ones(98)
    weight[EYES] = weight[LIPS] = 2.0
    weight = np.where(raw["mesh_score"][:, None] > 0.5, weight[None], 0.0)[..., None]
    points = ((3 * mean + weight * mapped) / (3 + weight)).astype(np.float32)
    apart = np.linalg.norm(mapped - mean, axis=-1) / span[:, None]
    between = np.linalg.norm(teachers - mean[:, None], axis=-1).mean(1) / span[:, None]
    error = np.sqrt(between**2 + np.where(weight[..., 0] > 0, apart, 0.04) ** 2 + (raw["spread"] / span[:, None]) ** 2)
    trust = (1 / (1 + (error / 0.06) ** 2)).astype(np.float32)
    usable = (
        (disagreement < 0.05)
        & (apart.mean(1) < 0.08)
        & (raw["mesh_score"] > 0.3)
        & (span > 14)
        & ~np.isin(raw["collage"], DRAWN_ON)
    )
    collages = np.unique(raw["collage"])
    held_collages = collages[EVERY // 2 :: EVERY]
    family = families(raw["print"], ALIKE)
    held = np.isin(raw["collage"], held_collages)
    copies = np.isin(family, family[held]) & ~held
    split = np.where(held, "held", np.where(copies, "copy", "train"))
    # Turned and half-hidden faces, on which MediaPipe says little: the nets' word alone, used for training only.
    turned = ~usable & (raw["score"] > 0.97) & (disagreement < 0.08) & (raw["mesh_score"] > 0.3) & (span > 14)
    turned &= (apart.mean(1) < 0.2) & ~np.isin(raw["collage"], DRAWN_ON)
    points[turned] = mean[turned]
    points = lower_lids_raised(points)
    # A held-out face that stands in several held-out collages counts once.
    first = np.zeros(len(held), bool)
    first[np.unique(family, return_index=True)[1]] = True
    _, once = np.unique(np.where(held, family, -1), return_index=True)
    first = np.zeros(len(held), bool)
    first[once] = True
    split[held & ~first] = "copy"
    index = {
        k: raw[k] for k in ("name", "collage", "collage_box", "score", "scale", "box", "five", "mesh", "mesh_score")
    }
    index |= {"points": points, "trust": trust, "teachers": teachers, "disagreement": disagreement}
    index |= {"usable": usable, "turned": turned, "split": split, "family": family}
    np.savez(folder / "index.npz", **index)
    print(
        f"{len(points)} faces, {usable.sum()} usable, {turned.sum()} turned; train {(usable & (split == 'train')).sum()}, held out "
        f"{(usable & (split == 'held')).sum()}, copies left out {(split == 'copy').sum()}; {len(np.unique(family))} families"
    )
    print(
        f"teachers' disagreement {np.median(disagreement):.4f}, MediaPipe to teachers "
        f"{np.median(apart.mean(1)):.4f} of the eye distance"
    )
    sheet(folder, index, np.flatnonzero(turned)[:120], folder.parent / "sheet_turned.png")
    order = np.random.default_rng(0).permutation(len(points))[:70]
    sheet(folder, index, order[np.argsort(~usable[order])], folder.parent / "sheet_labels.png")
    pairs = [
        np.flatnonzero(family == f)[:2] for f, n in zip(*np.unique(family, return_counts=True), strict=True) if n > 1
    ]
    if pairs:
        sheet(folder, index, np.concatenate(pairs[:35]), folder.parent / "sheet_families.png")


def sheet(folder: Path, index: dict[str, NDArray[Any]], rows: NDArray[np.int64], out: Path, side: int = 160) -> None:
    """A contact sheet with the points drawn; faces that are not used get a red frame."""
    tiles = []
    for i in rows:
        matrix = crop_matrix(*square_from_points(index["points"][i], 1.5), side)
        tile = cv2.warpAffine(cv2.imread(str(folder / str(index["name"][i]))), matrix, (side, side))
        for x, y in transform(index["points"][i], matrix):
            cv2.circle(tile, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)
        if not index["usable"][i]:
            cv2.rectangle(tile, (0, 0), (side - 1, side - 1), (0, 0, 255), 4)
        tiles.append(tile)
    tiles += [np.zeros((side, side, 3), np.uint8)] * (-len(tiles) % 10)
    cv2.imwrite(str(out), np.vstack([np.hstack(tiles[i : i + 10]) for i in range(0, len(tiles), 10)]))


if __name__ == "__main__":
    main()
