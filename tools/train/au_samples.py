"""Samples for the Action Unit network: rendered pictures as our own landmark network sees them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.face.landmarks import LandmarkModel
from realtime.measure.action_units import SIDE, FacePicture, point_features
from realtime.measure.descriptor import describe
from tools.synth.make import read_shard
from tools.train.au_points import locate
from tools.train.au_table import intensities

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

MARGIN = 4
"""Pixels around the network's picture that training may shift into."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Both sides of every face. points: (N, 2, POINT_FEATURES). grey: (N, SIDE + 2 MARGIN, SIDE + 2 MARGIN) as the patient is seen.

    truth: (N, 2, units) intensities of the patient's left, then right. pose: (N, 3) degrees. found: (N, 98, 2) px.
    """

    points: F32
    grey: U8
    truth: F32
    pose: F32
    found: F32


def neutrals(file: Path, model: LandmarkModel) -> dict[str, F32]:
    """Mean descriptor at rest (98, 2) of every head in a file of `tools.train.au_pictures`."""
    shard, rng = read_shard(file), np.random.default_rng(1)
    shapes: dict[str, list[F32]] = {}
    for i in np.flatnonzero(shard["rest"]):
        found = describe(locate(model, shard["image"][i], shard["points"][i].astype(np.float32), rng))
        if found is not None:
            shapes.setdefault(str(shard["identity"][i]), []).append(found.shape)
    return {name: np.mean(values, axis=0).astype(np.float32) for name, values in shapes.items()}


def samples_of(file: Path, model: LandmarkModel, at_rest: dict[str, F32], known: float, seed: int) -> Samples:
    """Every picture of a shard. at_rest: neutrals by head; known: share of the faces whose neutral is used."""
    shard, rng = read_shard(file), np.random.default_rng(seed)
    pictures = FacePicture(SIDE + 2 * MARGIN)
    truth = intensities(shard["expression"].astype(np.float32))
    points, greys, kept, placed = [], [], [], []
    for i, image in enumerate(shard["image"]):
        seen = locate(model, image, shard["points"][i].astype(np.float32), rng)
        found = describe(seen)
        if found is None:
            continue
        neutral = at_rest.get(str(shard["identity"][i])) if rng.random() < known else None
        points.append(point_features(found, neutral))
        greys.append(pictures.grey(image, seen).copy())
        placed.append(seen)
        kept.append(i)
    return Samples(
        np.asarray(points), np.asarray(greys), truth[kept], shard["pose"][kept].astype(np.float32), np.asarray(placed)
    )


def joined(parts: list[Samples]) -> Samples:
    """All parts as one."""
    return Samples(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("points", "grey", "truth", "pose", "found"))
    )


def batch(data: Samples, rows: NDArray[np.intp], rng: np.random.Generator | None) -> tuple[F32, F32]:
    """(features (2N, FEATURES), truth (2N, units)) of these faces; with `rng` the pictures are shifted and their light changed."""
    features, target = [], []
    for i in rows:
        dx, dy = (MARGIN, MARGIN) if rng is None else rng.integers(0, 2 * MARGIN + 1, 2)
        picture = data.grey[i, dy : dy + SIDE, dx : dx + SIDE].astype(np.float32)
        if rng is not None:
            picture = _relit(picture, rng)
        picture -= picture.mean()
        picture /= max(float(picture.std()), 8.0)
        for side in range(2):
            shown = picture if side == 0 else picture[:, ::-1]
            features.append(np.concatenate([data.points[i, side], shown.reshape(-1)]))
            target.append(data.truth[i, side])
    return np.asarray(features, np.float32), np.asarray(target, np.float32)


def _relit(picture: F32, rng: np.random.Generator) -> F32:
    """A light from one side, another gamma, now and then a little blur or noise."""
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)
    light = 1 + rng.normal(0, 0.2) * ramp[None, :] + rng.normal(0, 0.15) * ramp[:, None]
    out = 255 * np.clip(picture * light / 255, 0, 1) ** np.exp(rng.normal(0, 0.25))
    if rng.random() < 0.3:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.3:
        out = out + rng.normal(0, rng.uniform(1, 8), out.shape)
    return out.astype(np.float32)
