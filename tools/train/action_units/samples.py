"""Samples for the Action Unit network: rendered pictures as our own landmark network sees them."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import describe
from realtime.action_units.model import FaceWindows
from realtime.face.landmarks import LandmarkModel
from realtime.files import write_atomically
from tools.synth.make import read_shard
from tools.synth.scenery import degrade
from tools.train.action_units.points import locate
from tools.train.action_units.table import intensities

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]

MARGIN = 2
"""Pixels around the network's windows that training may shift into."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Faces, those at rest among them. shape: (N, 98, 2) descriptors. pose: (N, 3) degrees, as found.

    left, right, mouth, lower: (N, height, width) grey windows with margins. truth: (N, 2, units) intensities of the patient's left,
    then right. person: (N,) whom the face belongs to, -1 where nothing else is known of the person. rest: (N,) at rest.
    """

    shape: F32
    pose: F32
    left: U8
    right: U8
    mouth: U8
    lower: U8
    truth: F32
    person: I32
    rest: NDArray[np.bool_]

    def rows(self, chosen: NDArray[np.intp]) -> "Samples":
        """These faces alone."""
        return Samples(*(getattr(self, f.name)[chosen] for f in fields(self)))


def samples_of(file: Path, model: LandmarkModel, seed: int, *, degraded: bool = False) -> Samples:
    """Every picture of a file of `tools.synth.make` (strangers) or `tools.train.action_units.pictures` (people with pictures at rest).

    degraded: as a cheap camera would have taken it.
    """
    shard, rng = read_shard(file), np.random.default_rng(seed)
    windows = FaceWindows(MARGIN)
    shapes, poses, cuts, kept = [], [], [], []
    for i, picture in enumerate(shard["image"]):
        image = degrade(rng, picture.astype(np.float32)) if degraded else picture
        seen = locate(model, image, shard["points"][i].astype(np.float32), rng)
        found = describe(seen)
        if found is None:
            continue
        shapes.append(found.shape)
        poses.append(found.pose)
        cuts.append(windows.cut(image, seen))
        kept.append(i)
    left, right, mouth, lower = (np.asarray(column) for column in zip(*cuts, strict=True))
    truth = intensities(shard["expression"].astype(np.float32))[kept]
    person = shard["person"][kept] if "person" in shard else np.full(len(kept), -1)
    rest = shard["rest"][kept].astype(bool) if "rest" in shard else np.zeros(len(kept), bool)
    pose = np.asarray(poses, np.float32)
    return Samples(
        np.asarray(shapes, np.float32), pose, left, right, mouth, lower, truth, person.astype(np.int32), rest
    )


def joined(parts: list[Samples]) -> Samples:
    """All parts as one."""
    return Samples(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Samples)))


def kept(file: Path, made: Samples) -> Samples:
    """Store samples, so that a second run starts at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(file) as out:
        np.savez(out, **{f.name: getattr(made, f.name) for f in fields(made)})
    return made


def stored(file: Path) -> Samples:
    """Samples kept earlier."""
    with np.load(file) as data:
        return Samples(**{f.name: data[f.name] for f in fields(Samples)})
