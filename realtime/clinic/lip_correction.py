"""Where the lips really are, told from where a landmark network puts them.

A network places points of the mouth nearer to a usual mouth than they are: a corner that smiles too little out, a still corner beside a
smiling one too far. How far off a point is shows in the others' places, since each errs in a way of its own. The table is a linear
regression over examinations of rendered people (heads of the training half, one side weak in three of four, every movement, three
lights, two cameras; `python -m tools.train.lip_correction`), and belongs to the network that it was fitted to. It moves nothing but
the points of the lips, and only where lengths are measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np

from realtime import strict_json
from realtime.clinic.frontal import EyeAxes, Frontal, eye_axes
from realtime.face import wflw
from realtime.types import F64

LIPS: Final = tuple(range(76, 96))
TOLD_FROM: Final = (*wflw.NOSE_BRIDGE, *wflw.NOSE_BASE, *LIPS)
"""Points of the nose and the lips."""
MOST: Final = 1.5
"""Centimetres of the mean head by which a place may differ from the mean face's; farther ones count as that far."""
_FILE: Final = "lip_correction.json"


@dataclass(frozen=True, slots=True)
class LipCorrection:
    """A linear map from places to what they are off. All places are centimetres of the mean head in the axes of the eyes.

    Attributes:
        mean: (2 x TOLD_FROM,) of the places.
        weights: (2 x TOLD_FROM, 2 x LIPS).
        offset: (2 x LIPS,).
        fitted_to: checksum of the network's file.
    """

    mean: F64
    weights: F64
    offset: F64
    fitted_to: str = ""

    def __call__(self, face: Frontal) -> Frontal:
        """The same face with its lips where they are.

        Args:
            face: from the front, its points as the network gave them.
        """
        axes = eye_axes(face.points)
        if axes is None:
            return face
        shift = self.told(places_of(face, axes, TOLD_FROM).ravel()).reshape(-1, 2) * face.head_scale
        points = face.points.copy()
        points[list(LIPS)] += shift @ axes.directions
        return Frontal(points, face.head_scale)

    def told(self, places: F64) -> F64:
        """(..., 2 x LIPS) by how much the lips are off.

        Args:
            places: (..., 2 x TOLD_FROM).
        """
        return np.asarray(np.clip(places - self.mean, -MOST, MOST) @ self.weights + self.offset, np.float64)


def places_of(face: Frontal, axes: EyeAxes, points: Sequence[int]) -> F64:
    """(N, 2) where points of a face lie, centimetres of the mean head in the axes of the eyes.

    Args:
        face: from the front.
        axes: of its eyes.
        points: their numbers.
    """
    return np.asarray(axes.places(face.points[list(points)]) / face.head_scale, np.float64)


def lip_correction_of(network: str) -> LipCorrection | None:
    """The correction that was fitted to a landmark network; None: to this one none was.

    Args:
        network: its name in the manifest.
    """
    table = strict_json.loads(files("realtime.clinic").joinpath("assets", _FILE).read_text(encoding="utf-8"))
    if table["network"] != network:
        return None
    mean, weights, offset = (np.array(table[name], np.float64) for name in ("mean", "weights", "offset"))
    return LipCorrection(mean, weights, offset, str(table["sha256"]))
