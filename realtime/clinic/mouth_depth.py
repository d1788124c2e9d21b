"""How deep lips and chin lie, told from how they are seen from the front.

A corner that smiles moves back along the dental arch, a pucker comes forward, a falling jaw swings back: by up to two centimetres
more than the mean head knows. Seen from the side, that reads as movement across. The table is a linear regression over 1,500 faces
(heads of the training half, random expressions, each with its mirror image; `python -m tools.synth.depths`, ICT-FaceKit, MIT). On
heads kept for tests it halves the spread of what the mean head leaves (corners 3.9 to 2.4 mm, lower lip 5.0 to 2.3, chin 7.3 to 3.0).
"""

from typing import Final

import numpy as np

from realtime.face.wflw import FLIP_ORDER
from realtime.types import F64

LIPS: Final = tuple(range(76, 96))
CHIN: Final = tuple(range(11, 22))
POINTS: Final = (*LIPS, *CHIN)
"""Points whose depths are told."""
_MOST = 3.0
"""Centimetres by which a feature may lie off the mean face's: beyond that no face was seen, and the depth stays that of the bound."""
# Offset, then a weight for each of `features`; points of the right side and the middle.
_TABLE: Final = {
    76: (3.994, -0.714, -0.295, 0.029, -0.094, 0.670, 1.490, -0.036, -1.257, 0.573, -0.062),
    77: (2.226, -0.380, -0.237, 0.019, -0.042, 0.415, 1.409, -0.076, -1.315, 0.290, -0.028),
    78: (2.063, -0.091, -0.125, -0.023, -0.070, 0.120, 1.292, -0.142, -1.240, 0.172, 0.054),
    79: (2.328, -0.038, -0.095, -0.038, -0.095, 0.000, 1.311, -0.195, -1.238, 0.173, 0.102),
    83: (3.532, 0.107, -0.063, -0.386, -0.198, -0.495, 1.412, 0.057, -1.372, 0.670, -0.160),
    84: (3.235, 0.122, -0.085, -0.062, -0.134, -0.255, 1.331, 0.103, -1.361, 0.663, -0.172),
    85: (3.073, 0.098, -0.085, 0.098, -0.085, 0.000, 1.286, 0.119, -1.362, 0.626, -0.162),
    88: (3.989, -0.700, -0.277, 0.030, -0.080, 0.653, 1.481, -0.024, -1.309, 0.598, -0.066),
    89: (1.858, -0.283, -0.205, 0.005, -0.079, 0.293, 1.493, -0.045, -1.401, 0.263, -0.006),
    90: (1.012, 0.010, -0.085, 0.010, -0.085, 0.000, 1.381, -0.012, -1.331, 0.047, 0.011),
    93: (3.961, 0.024, -0.028, -0.281, -0.108, -0.325, 1.379, -0.053, -1.382, 0.621, -0.064),
    94: (3.642, 0.043, 0.021, 0.043, 0.021, 0.000, 1.202, -0.042, -1.360, 0.585, -0.061),
    11: (-1.351, 0.115, 0.019, 0.080, -0.098, 0.166, 0.603, 0.785, -0.635, 0.071, -0.482),
    12: (-0.819, 0.178, -0.036, 0.115, -0.102, 0.158, 0.679, 0.863, -0.761, 0.165, -0.532),
    13: (-0.284, 0.224, -0.084, 0.147, -0.115, 0.134, 0.726, 0.935, -0.826, 0.264, -0.602),
    14: (-0.032, 0.267, -0.097, 0.187, -0.119, 0.085, 0.733, 1.007, -0.851, 0.332, -0.690),
    15: (-0.129, 0.286, -0.072, 0.232, -0.098, 0.032, 0.706, 1.071, -0.876, 0.328, -0.748),
    16: (-0.229, 0.269, -0.073, 0.269, -0.073, 0.000, 0.692, 1.100, -0.893, 0.311, -0.764),
}
_MEAN: Final = np.array((2.68, -6.80, 2.68, -6.80, 0.00, -5.69, -7.92, -6.48, -7.02, -11.18))
"""`features` of the mean face."""


# Points that `features` looks at, and what they count there: rows are features, columns these points.
_LOOKED_AT: Final = (76, 82, 79, 85, 90, 94, 16)
_ACROSS: Final = np.zeros((10, 7))
_ACROSS[0, [0, 2, 3]] = -1, 0.5, 0.5
_ACROSS[2, [1, 2, 3]] = 1, -0.5, -0.5
_ACROSS[4, [2, 3]] = 0.5
_UP: Final = np.zeros((10, 7))
_UP[(1, 3, 5, 6, 7, 8, 9), range(7)] = 1


def features(at: F64) -> F64:
    """What the depths are told from, (10,) centimetres of the mean head.

    Right corner outward from the middle of the lips, and up; left corner the same; the lips' middle, across; heights of the upper
    lip's outer, lower lip's outer, upper lip's inner and lower lip's inner middle, and of the chin.

    Args:
        at: (98, 2) from the front, as they lie on the mean head: x to the patient's left, y up.
    """
    looked_at = at[list(_LOOKED_AT)]
    return np.asarray(_ACROSS @ looked_at[:, 0] + _UP @ looked_at[:, 1], np.float64)


def depths(flat: F64, slant: F64) -> F64:
    """Depths of `POINTS`, (31,) centimetres of the mean head towards the camera.

    A point's place from the front needs its depth, and its depth is told from such places: both are linear, so that one small system
    of equations gives them together.

    Args:
        flat: (98, 2) as for `features`, but as the points would lie if none had any depth.
        slant: (2,) by how much a point lies elsewhere for each centimetre of its depth: its place is flat - depth * slant.
    """
    shift = slant[0] * _ACROSS + slant[1] * _UP
    seen = np.linalg.solve(np.eye(10) + shift @ _OF_LOOKED_AT[:, 1:], features(flat) - shift @ _OF_LOOKED_AT[:, 0])
    bounded = _MEAN + np.clip(seen - _MEAN, -_MOST, _MOST)
    return np.asarray(_WEIGHTS[:, 0] + _WEIGHTS[:, 1:] @ bounded, np.float64)


def _weights() -> F64:
    """(31, 11): rows of the left side are the mirror images of the right one's."""
    swapped = np.array((0, 3, 4, 1, 2, 5, 6, 7, 8, 9, 10))
    sign = np.array((1, 1, 1, 1, 1, -1, 1, 1, 1, 1, 1))
    rows = [
        np.array(_TABLE[point]) if point in _TABLE else np.array(_TABLE[int(FLIP_ORDER[point])])[swapped] * sign
        for point in POINTS
    ]
    return np.array(rows)


_WEIGHTS: Final = _weights()
_OF_LOOKED_AT: Final = _WEIGHTS[[POINTS.index(point) for point in _LOOKED_AT]]
