"""What a second look and the mirror image are worth on hard photographs: displaced, turned, covered and degraded crops.

The first crop is displaced and turned as a poor detection's is, by up to a fifth of its side and 40 degrees. The program looks a second
time wherever a detector's box is all it has, on a still picture and on a face's first frame; on a still picture it takes the mirror
image too. Crops are cut from the degraded crop itself, so what lay outside it is not seen: a real second look sees more.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.crops import SIZE, Sample, Strength, sample_face
from tools.data.landmark_batches import FaceSet
from tools.data.points98 import MIRROR, crop_matrix, invert, nme, square_from_points, transform
from tools.evaluate.figures import Figure
from tools.evaluate.landmark_behaviour import PART
from tools.evaluate.landmark_models import Landmarks

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

HARD = Strength(occlude=0.6, hard_geometry=0.3, spoil=1)
IN_VIEW = 0.5
"""Presence, by what is drawn and not by the network, from which a face counts as in view: less of it is no face to be measured."""


def look(ours: Landmarks, crop: U8, matrix: NDArray[np.float64], *, mirror: bool = False) -> F32:
    """Points (98, 2) in the crop's pixels, found in what `matrix` (2, 3) cuts out of it; mirror: in that one's mirror image."""
    seen = cv2.warpAffine(crop, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    found = ours.crop(np.ascontiguousarray(seen[:, ::-1]) if mirror else np.asarray(seen))[0] * SIZE - 0.5
    if mirror:
        found = (found * np.array((-1, 1)) + np.array((SIZE - 1, 0)))[MIRROR]
    return transform(found, invert(matrix)).astype(np.float32)


def looks(ours: Landmarks, crop: U8) -> dict[str, F32]:
    """Points (98, 2) in the crop's pixels after one look, a second one around the points of the first, and with its mirror image."""
    first = look(ours, crop, np.eye(2, 3))
    closer = crop_matrix(*square_from_points(first), SIZE)
    second = look(ours, crop, closer)
    both: F32 = ((second + look(ours, crop, closer, mirror=True)) / 2).astype(np.float32)
    return {"one look": first, "a second look": second, "a second look and its mirror image": both}


def faces_in_view(faces: FaceSet, strength: Strength, views: int) -> Iterator[Sample]:
    """Degraded crops of these faces, the same ones every time, without those that show too little of a face."""
    rng = np.random.default_rng(3)
    for _ in range(views):
        for picture, points, trust in zip(faces.pictures, faces.points, faces.trust, strict=True):
            sample = sample_face(picture, points, trust, rng, strength, None)
            if sample.presence >= IN_VIEW:
                yield sample


def hard_looks(ours: Landmarks, faces: FaceSet, views: int = 2) -> list[Figure]:
    """Mean and median NME of faces in view after one look, two, and with the mirror image."""
    errors: dict[str, list[float]] = {}
    for sample in faces_in_view(faces, HARD, views):
        for name, found in looks(ours, sample.crop).items():
            errors.setdefault(name, []).append(100 * float(nme(found, sample.points * SIZE - 0.5)))
    return [
        Figure(
            PART, f"photographs displaced and degraded, {name}: {which} NME", float(of(values)), "%", cases=len(values)
        )
        for name, values in errors.items()
        for which, of in (("mean", np.mean), ("median", np.median))
    ]
