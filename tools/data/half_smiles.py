"""Pictures one half of which smiles: two photographs of a person, joined at the middle of the face. Real skin, one-sided in truth."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.crops import Strength
from tools.data.landmark_batches import FaceSet, rarity
from tools.data.london_labels import Labelled
from tools.data.points98 import square_from_points, transform

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
RIGID = np.array([51, 52, 53, 54, 55, 57, 59, 60, 64, 68, 72])
"""Points that a smile hardly moves."""


def half_smile(calm: Labelled, smiling: Labelled, side: int) -> tuple[U8, F32]:
    """A picture whose one half smiles and its points (98, 2). side: 0 where the patient's left smiles, 1 the right.

    The smiling picture is laid on the calm one by the points that a smile hardly moves; the halves meet at the middle of the face.
    """
    matrix, _ = cv2.estimateAffinePartial2D(smiling.points[RIGID], calm.points[RIGID], method=cv2.LMEDS)
    picture = calm.portrait.picture
    height, width = picture.shape[:2]
    laid = cv2.warpAffine(smiling.portrait.picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    moved = transform(smiling.points, matrix)
    top, bottom = (calm.points[[51, 52]] + moved[[51, 52]]).mean(0) / 2, (calm.points[16] + moved[16]) / 2
    down = (bottom - top) / max(float(np.linalg.norm(bottom - top)), 1e-6)
    across = np.array((down[1], -down[0]))
    y, x = np.mgrid[:height, :width]
    place = (x - top[0]) * across[0] + (y - top[1]) * across[1]
    eyes = float(np.linalg.norm(calm.points[72] - calm.points[60]))
    left = np.clip(place / (0.08 * eyes) + 0.5, 0, 1)
    share = (left if side == 0 else 1 - left)[..., None]
    mixed = np.clip(picture + (laid.astype(np.float32) - picture) * share, 0, 255).astype(np.uint8)
    own = (calm.points - top) @ across > 0
    points = np.where((own if side == 0 else ~own)[:, None], moved, calm.points)
    return mixed, points.astype(np.float32)


def half_smile_set(faces: Sequence[Labelled], share: float) -> FaceSet:
    """Half smiles of these people, both ways, as pictures to learn from."""
    smiling = {face.portrait.person: face for face in faces if face.portrait.smiling}
    calm = [face for face in faces if not face.portrait.smiling and face.portrait.person in smiling]
    made = [half_smile(face, smiling[face.portrait.person], side) for face in calm for side in (0, 1)]
    points = np.stack([p for _, p in made])
    return FaceSet(
        "half smiles",
        [picture for picture, _ in made],
        points,
        np.full((len(made), 98), 0.8, np.float32),
        [[square_from_points(p)] for p in points],
        Strength(bend=0.1, features=0.2, tear=0.1, wink=0.1, spoil=0.5),
        share,
        rarity(points),
    )
