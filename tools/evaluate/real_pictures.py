"""What the figures on real people are made of: a face through the live way, and pictures composed of its photographs."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import describe
from realtime.action_units.model import ActionUnits
from realtime.face.landmarks import LandmarkModel
from realtime.face.wflw import FLIP_ORDER
from tools.data.london_labels import Labelled
from tools.data.points98 import eye_opening
from tools.data.winks import Shut, winked
from tools.evaluate.au_people import KnownPerson, with_rest
from tools.train.action_units.points import locate
from tools.train.action_units.table import UNITS

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
REST_VIEWS = 5


class Seen(NamedTuple):
    """values: (2, units), the patient's left first. opening: (2,) of the points' eyes, left first. points: (98, 2) pixels."""

    values: F32
    opening: F32
    points: F32


class Viewer:
    """Our landmark network and Action Units on one picture at a time."""

    def __init__(self, model: LandmarkModel, units: ActionUnits) -> None:
        self.model, self.units = model, units

    def points(self, picture: U8, near: F32, seed: int = 5) -> F32:
        """The network's points (98, 2), from a crop around `near` (98, 2) a little off, then once more from its own."""
        return locate(self.model, picture, near, np.random.default_rng(seed))

    def face(self, picture: U8, near: F32, known: KnownPerson | None = None, seed: int = 5) -> Seen:
        """Action Units of the face near these points, of a stranger or of somebody known."""
        return self._seen(picture, self.points(picture, near, seed), known)

    def mirror_difference(self, picture: U8, near: F32) -> F32:
        """(2 * units,) by how much the picture and its mirror image differ once sides are swapped back."""
        straight = self.face(picture, near)
        flipped = np.ascontiguousarray(picture[:, ::-1])
        swapped = (near * np.array([-1, 1], np.float32) + np.array([picture.shape[1] - 1, 0], np.float32))[FLIP_ORDER]
        result: F32 = np.abs(straight.values - self.face(flipped, swapped).values[::-1]).reshape(-1)
        return result

    def _seen(self, picture: U8, points: F32, known: KnownPerson | None) -> Seen:
        found = describe(points)
        if found is None:
            zero = np.zeros((2, len(UNITS)), np.float32)
            return Seen(zero, np.zeros(2, np.float32), points)
        rest, at_rest = (None, None) if known is None else known
        sides = self.units.measure(found, rest, self.units.cut(picture, points), at_rest)
        values = np.array([[sides.left[u] for u in UNITS], [sides.right[u] for u in UNITS]], np.float32)
        return Seen(values, eye_opening(points)[::-1].astype(np.float32), points)


def resting(viewer: Viewer, picture: U8, near: F32) -> KnownPerson:
    """What is known of a person after a calibration on this picture: some views of it, a little unlike each other."""
    frames = []
    for seed in range(REST_VIEWS):
        points = viewer.points(picture, near, 100 + seed)
        found = describe(points)
        if found is not None:
            windows = viewer.units.cut(picture, points)
            viewer.units.measure(found, None, windows)
            assert viewer.units.embedding is not None
            frames.append((found, windows, viewer.units.embedding))
    return with_rest(frames, viewer.units.identity)[0]


def wink_pictures(face: Labelled, kind: str, seed: int) -> Iterator[tuple[int, U8, F32]]:
    """(side shut, picture, its points (98, 2)) of a neutral face: side 0 is the patient's left. kind: which closure."""
    amount, squeeze = {"gentle": (1.0, 0.0), "squeezed": (1.0, 1.0), "half shut": (0.5, 0.0), "both shut": (1.0, 0.3)}[
        kind
    ]
    for side, first in ((0, 68), (1, 60)):
        eyes = [Shut(first, amount, squeeze)]
        if kind == "both shut":
            eyes.append(Shut(128 - first, amount, squeeze))
        elif kind == "squeezed":  # who shuts one eye hard narrows the other one as well
            eyes.append(Shut(128 - first, 0.3, 0.3))
        rng = np.random.default_rng([seed, side])
        picture, points = winked(face.portrait.picture, face.points, eyes, rng, size=400)
        yield side, picture, points
