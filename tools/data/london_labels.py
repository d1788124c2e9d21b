"""98 points for the portraits of `tools.data.london`: the teachers', but lids and pupils by hand where people placed them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.data.crops import Strength
from tools.data.labels import lower_lids_raised
from tools.data.landmark_batches import FaceSet, rarity
from tools.data.london import Portrait, portraits
from tools.data.points98 import square_from_points
from tools.data.scan import FaceScanner
from tools.data.teachers import PfldEnsemble

F32 = NDArray[np.float32]
BY_HAND = [61, 62, 63, 65, 66, 67, 69, 70, 71, 73, 74, 75, 96, 97]
"""Points taken from the hand where there is one; corners of eyes and mouth mean other places to the annotators of the two schemes."""


class Labelled(NamedTuple):
    """A portrait, the detector's box (4,) and five points (5, 2) of its face, and 98 points (98, 2), all in pixels."""

    portrait: Portrait
    box: F32
    five: F32
    points: F32


def with_hand(points: F32, hand: F32 | None) -> F32:
    """The teachers' points (98, 2) with people's lids and pupils (98, 2, NaN elsewhere); without people, the lower lids raised."""
    if hand is None:
        result: F32 = lower_lids_raised(points[None])[0]
        return result
    out = points.copy()
    out[BY_HAND] = hand[BY_HAND]
    return out


def labelled(folder: Path, shared: Path, detector: Path, *, training: bool | None = None) -> list[Labelled]:
    """Every portrait on which a face is found. training: only those for training, or only the others."""
    scanner, teachers = FaceScanner(detector), PfldEnsemble(shared / "models/pfld_ghostone_98")
    out = []
    for portrait in portraits(folder):
        if training is not None and portrait.training is not training:
            continue
        boxes, scores, fives = scanner.scan(portrait.picture, (1.0, 0.5))
        if not len(boxes):
            continue
        box, five = boxes[int(np.argmax(scores))], fives[int(np.argmax(scores))]
        each, _ = teachers.label(portrait.picture, teachers.first_guess(portrait.picture, box, five))
        out.append(Labelled(portrait, box, five, with_hand(each.mean(0), portrait.hand)))
    return out


def load_portraits(folder: Path, shared: Path, detector: Path, share: float) -> FaceSet:
    """The portraits for training."""
    return portrait_set(labelled(folder, shared, detector, training=True), share)


def portrait_set(faces: Sequence[Labelled], share: float) -> FaceSet:
    """Portraits to learn from. Lids placed by hand count three times as much as a teacher's point."""
    points = np.stack([face.points for face in faces])
    trust = np.full((len(faces), 98), 0.8, np.float32)
    for row, face in zip(trust, faces, strict=True):
        row[BY_HAND] = 0.8 if face.portrait.hand is None else 2.5
    squares = [[square_from_points(p)] for p in points]
    strength = Strength(wink=0.4, spoil=0.5)
    draw = rarity(points) * group_balance([face.portrait.ethnicity for face in faces])
    return FaceSet(
        "portraits", [f.portrait.picture for f in faces], points, trust, squares, strength, share, draw / draw.sum()
    )


def group_balance(groups: Sequence[str]) -> NDArray[np.float64]:
    """(N,) how often each portrait is drawn: more in groups of few people, by the root of the largest group's size over their own.

    Not in full: a group of two pictures would be learnt by heart.
    """
    counts = Counter(groups)
    largest = max(counts.values())
    return np.array([min(np.sqrt(largest / counts[group]), MOST_BALANCE) for group in groups])


MOST_BALANCE = 3.0
