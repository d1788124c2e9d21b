"""Left and right Action Units: a small network that sees one side at a time, in points and in a picture of the face.

The same network is asked twice, once with the face as it is (for the patient's left) and once with its mirror image (for
the patient's right), so a mirrored face gives swapped values and no side is favoured. Points say where the features are
against the person's neutral; the aligned picture shows what points of a light network miss (lids, folds, teeth).
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.face.alignment import Aligner
from realtime.measure.descriptor import Descriptor, mirror_shape

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Network = Callable[[F32], Mapping[str, F32]]

POINT_FEATURES = 98 * 2 * 2 + 4
SIDE = 80
FEATURES = POINT_FEATURES + SIDE * SIDE
FULL = 5.0
_ANGLE = 30.0
# the least spread of grey values (0..255) by which a flat picture is scaled up
_LEAST_SPREAD = 8.0


def point_features(found: Descriptor, neutral: F32 | None) -> F32:
    """(2, POINT_FEATURES): the face as it is, then its mirror image.

    Per row: displacement from the neutral (98 x 2), the neutral itself (98 x 2), yaw, pitch and roll in units of 30
    degrees, and whether the person's neutral is known (without it the mean face stands in).
    """
    out = np.empty((2, POINT_FEATURES), np.float32)
    rest = np.zeros_like(found.shape) if neutral is None else neutral
    mirror = found.mirrored()
    for row, shape, base, pose in (
        (out[0], found.shape, rest, found.pose),
        (out[1], mirror.shape, mirror_shape(rest), mirror.pose),
    ):
        row[:196] = (shape - base).reshape(-1)
        row[196:392] = base.reshape(-1)
        row[392:395] = np.array(pose) / _ANGLE
        row[395] = neutral is not None
    return out


def picture_features(grey: U8) -> F32:
    """(2, SIDE * SIDE): an aligned grey picture (SIDE, SIDE) without its brightness and contrast, then its mirror image."""
    picture = grey.astype(np.float32)
    picture -= picture.mean()
    picture /= max(float(picture.std()), _LEAST_SPREAD)
    return np.stack([picture.reshape(-1), picture[:, ::-1].reshape(-1)])


class FacePicture:
    """The aligned grey picture of a face, at the size the network wants. One caller at a time."""

    def __init__(self, side: int = SIDE) -> None:
        self._aligner = Aligner(side)
        self._colour: U8 = np.empty((side, side, 3), np.uint8)

    def grey(self, image: U8, points: F32) -> U8:
        """(side, side) of the (H, W, 3) BGR image, for (98, 2) points."""
        return cv2.cvtColor(self._aligner.picture(image, points, self._colour), cv2.COLOR_BGR2GRAY)


class ActionUnits:
    """Intensities 0..5 of the patient's right and left side.

    network: takes (2, FEATURES), gives "intensity" (2, len(units)) in 0..5. units: Action Unit of each output; those in
    `unobservable` are computed by the network but were found not to be measurable, and are left out.
    """

    def __init__(self, network: Network, units: Sequence[int], unobservable: Sequence[int] = ()) -> None:
        self._network = network
        self._units = tuple(units)
        self._kept = [i for i, unit in enumerate(units) if unit not in set(unobservable)]
        self._picture = FacePicture()
        self.units = tuple(units[i] for i in self._kept)

    def measure(
        self, found: Descriptor, neutral: F32 | None, image: U8, points: F32
    ) -> tuple[dict[int, float], dict[int, float]]:
        """(patient's right, patient's left), by Action Unit. image: (H, W, 3) BGR with (98, 2) `points` on it."""
        rows = np.concatenate(
            [point_features(found, neutral), picture_features(self._picture.grey(image, points))], axis=1
        )
        values = self._network(rows)["intensity"].clip(0.0, FULL).tolist()
        left, right = ({self._units[i]: row[i] for i in self._kept} for row in values)
        return right, left
