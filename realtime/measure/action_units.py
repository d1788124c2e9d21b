"""Left and right Action Units from landmarks: a small network that sees one side at a time.

The same network is asked twice, once with the face as it is (for the patient's left) and once with its mirror image (for
the patient's right), so a mirrored face gives exactly swapped values and no side is favoured.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from realtime.measure.descriptor import Descriptor, mirror_shape

F32 = NDArray[np.float32]
Network = Callable[[F32], Mapping[str, F32]]

FEATURES = 98 * 2 * 2 + 4
FULL = 5.0
_ANGLE = 30.0


def features(found: Descriptor, neutral: F32 | None) -> F32:
    """(2, FEATURES): the face as it is, then its mirror image.

    Per row: displacement from the neutral (98 x 2), the neutral itself (98 x 2), yaw, pitch and roll in units of 30
    degrees, and whether the person's neutral is known (without it the mean face stands in).
    """
    out = np.empty((2, FEATURES), np.float32)
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


class ActionUnits:
    """Intensities 0..5 of the patient's right and left side.

    network: takes (2, FEATURES), gives "intensity" (2, len(units)) in 0..5. units: Action Unit of each output; those in
    `unobservable` are computed by the network but were found not to be measurable, and are left out.
    """

    def __init__(self, network: Network, units: Sequence[int], unobservable: Sequence[int] = ()) -> None:
        self._network = network
        self._units = tuple(units)
        self._kept = [i for i, unit in enumerate(units) if unit not in set(unobservable)]
        self.units = tuple(units[i] for i in self._kept)

    def measure(self, found: Descriptor, neutral: F32 | None) -> tuple[dict[int, float], dict[int, float]]:
        """(patient's right, patient's left), by Action Unit."""
        values = self._network(features(found, neutral))["intensity"].clip(0.0, FULL).tolist()
        left, right = ({self._units[i]: row[i] for i in self._kept} for row in values)
        return right, left
