"""Samples for the Action Unit network: rendered pictures as our own landmark network sees them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.face.landmarks import LandmarkModel
from realtime.measure.action_units import EYE, MOUTH, FaceWindows, point_features, settled
from realtime.measure.descriptor import describe
from tools.synth.make import read_shard
from tools.train.au_points import locate
from tools.train.au_table import intensities

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

MARGIN = 4
"""Pixels around the network's windows that training may shift into."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Both sides of every face. points: (N, 2, POINT_FEATURES). left, right, mouth: (N, height, width) with margins.

    truth: (N, 2, units) intensities of the patient's left, then right. pose: (N, 3) degrees. found: (N, 98, 2) px.
    """

    points: F32
    left: U8
    right: U8
    mouth: U8
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
    windows = FaceWindows(MARGIN)
    truth = intensities(shard["expression"].astype(np.float32))
    points, cuts, kept, placed = [], [], [], []
    for i, image in enumerate(shard["image"]):
        seen = locate(model, image, shard["points"][i].astype(np.float32), rng)
        found = describe(seen)
        if found is None:
            continue
        neutral = at_rest.get(str(shard["identity"][i])) if rng.random() < known else None
        points.append(point_features(found, neutral))
        cuts.append(windows.cut(image, seen))
        placed.append(seen)
        kept.append(i)
    left, right, mouth = (np.asarray(column) for column in zip(*cuts, strict=True))
    pose = shard["pose"][kept].astype(np.float32)
    return Samples(np.asarray(points), left, right, mouth, truth[kept], pose, np.asarray(placed))


NAMES = ("points", "left", "right", "mouth", "truth", "pose", "found")


def joined(parts: list[Samples]) -> Samples:
    """All parts as one."""
    return Samples(*(np.concatenate([getattr(p, name) for p in parts]) for name in NAMES))


def batch(data: Samples, rows: NDArray[np.intp], rng: np.random.Generator | None) -> tuple[F32, F32]:
    """(features (2N, FEATURES), truth (2N, units)) of these faces; with `rng` the windows are shifted and their light changed."""
    features, target = [], []
    for i in rows:
        left, right = _seen(data.left[i], EYE, rng), _seen(data.right[i], EYE, rng)
        mouth = _seen(data.mouth[i], MOUTH, rng)
        for side, (eye, lips) in enumerate(((left, mouth), (right[:, ::-1], mouth[:, ::-1]))):
            features.append(np.concatenate([data.points[i, side], eye.reshape(-1), lips.reshape(-1)]))
            target.append(data.truth[i, side])
    return np.asarray(features, np.float32), np.asarray(target, np.float32)


def _seen(window: U8, size: tuple[int, int], rng: np.random.Generator | None) -> F32:
    """The part of a window with margins that the network gets; spoilt a little with `rng`."""
    dx, dy = (MARGIN, MARGIN) if rng is None else (int(v) for v in rng.integers(0, 2 * MARGIN + 1, 2))
    part = window[dy : dy + size[0], dx : dx + size[1]].astype(np.float32)
    return settled(part if rng is None else _relit(part, rng))


def _relit(part: F32, rng: np.random.Generator) -> F32:
    """A light from one side, now and then a little blur or noise."""
    height, width = part.shape
    across, down = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    light = 1 + rng.normal(0, 0.15) * across[None, :] + rng.normal(0, 0.15) * down[:, None]
    out: NDArray[np.floating] = part * light
    if rng.random() < 0.2:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.2:
        out = out + rng.normal(0, rng.uniform(1, 8), out.shape)
    return out.astype(np.float32)
