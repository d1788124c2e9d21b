"""Samples for the Action Unit network from photographs: little is known of them, but whether an eye is shut.

A photograph stands for its person at rest, whatever the mouth does; warps of it shut one eye or both (`tools.data.winks`), so AU 45 is
known and nothing else. Portraits of people asked to look neutral are at rest altogether. What is not known is NaN and teaches nothing.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import describe
from realtime.action_units.model import FaceWindows
from realtime.face.landmarks import LandmarkModel
from tools.data.landmark_batches import SHUT, load_photographs
from tools.data.london_labels import labelled
from tools.data.points98 import eye_opening
from tools.data.winks import Shut, random_eyes, winked
from tools.synth.scenery import degrade
from tools.train.action_units.points import locate
from tools.train.action_units.samples import MARGIN, Samples, joined
from tools.train.action_units.table import FULL, UNITS

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
LID = UNITS.index(45)
SIDE = 288
"""Pixels of a picture's side: a face as large as on the rendered ones."""
PORTRAIT_ROUNDS = 4
WIDEST_TILT = 25.0
"""Degrees of yaw beyond which a warp of the lids is not to be believed."""


def wink_truth(eyes: Iterable[Shut], *, neutral: bool) -> F32:
    """(2, units) of the patient's left, then right: AU 45, and NaN for the rest. neutral: a face at rest apart from its eyes.

    A squeeze moves brow, cheek and nose, by how much in these units is not known.
    """
    shut = [eye for eye in eyes if eye.amount > 0 or eye.squeeze > 0]
    out = np.full((2, len(UNITS)), 0.0 if neutral and not shut else np.nan, np.float32)
    out[:, LID] = 0.0
    for eye in shut:
        out[0 if eye.first == 68 else 1, LID] = FULL * min(max(eye.amount, 0.0), 1.0)
    return out


def photograph_samples(
    faces: Iterable[tuple[U8, F32]], model: LandmarkModel, seed: int, *, neutral: bool, winks: int = 3, first: int = 0
) -> Samples:
    """Of each (picture, points): two views at rest and `winks` with eyes shut, as of somebody known, and as of strangers.

    first: number of the first person. Faces that are turned or have their eyes shut are left out.
    """
    rng, windows = np.random.default_rng(seed), FaceWindows(MARGIN)
    shapes, poses, cuts, truths, persons, rests = [], [], [], [], [], []
    for number, (picture, points) in enumerate(faces, start=first):
        if eye_opening(points).min() < SHUT:
            continue
        for view in range(2 + winks):
            resting = view < 2
            eyes = [] if resting else random_eyes(rng)
            image, exact = winked(picture, points, eyes, rng, SIDE, bands=True)
            if rng.random() < 0.3:
                image = degrade(rng, image.astype(np.float32))
            seen = locate(model, image, exact, rng)
            found = describe(seen)
            if found is None or abs(found.pose[0]) > WIDEST_TILT:
                continue
            cut, truth = windows.cut(image, seen), wink_truth(eyes, neutral=neutral)
            for person in (number, -1) if view in (0, 2) else (number,):
                shapes.append(found.shape)
                poses.append(found.pose)
                cuts.append(cut)
                truths.append(truth)
                persons.append(person)
                rests.append(resting and person >= 0)
    left, right, mouth, lower = (np.asarray(column) for column in zip(*cuts, strict=True))
    pose, shape = np.asarray(poses, np.float32), np.asarray(shapes, np.float32)
    truth = np.asarray(truths, np.float32)
    return Samples(
        shape, pose, left, right, mouth, lower, truth, np.asarray(persons, np.int32), np.asarray(rests, bool)
    )


def from_collages(data: Path, model: LandmarkModel, seed: int, limit: int) -> Samples:
    """Of the training photographs of `tools.data.collages`."""
    faces = load_photographs(data, "train")
    return photograph_samples(zip(faces.pictures[:limit], faces.points, strict=False), model, seed, neutral=False)


def from_portraits(folder: Path, shared: Path, detector: Path, model: LandmarkModel, seed: int) -> Samples:
    """Of the training half of `tools.data.london`, neutral pictures and smiles."""
    found = labelled(folder, shared, detector, training=True)
    calm, smiling = ([(f.portrait.picture, f.points) for f in found if f.portrait.smiling is s] for s in (False, True))
    parts = []
    for again in range(PORTRAIT_ROUNDS):  # they are few, and the only ones whose whole face is known to be at rest
        parts.append(photograph_samples(calm, model, seed + 2 * again, neutral=True, winks=6, first=2000 * again))
        parts.append(photograph_samples(smiling, model, seed + 2 * again + 1, neutral=False, first=2000 * again + 1000))
    return joined(parts)
