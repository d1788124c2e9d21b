"""What an Action Unit is in terms of ICT-FaceKit's expressions: the stated table that the AU network learns.

An intensity is 5 times the coefficient (FACS A..E as 1..5), side by side. Expressions without a side count on both.
Sources: the FACS manual's descriptions (Ekman, Friesen and Hager 2002) against the kit's shapes (named as in ARKit).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tools.synth.kit import sided

F32 = NDArray[np.float32]
FULL = 5.0


class _Side:
    """Coefficients by name for one side: `c("browDown")` is browDown_L or browDown_R, or the unsided expression."""

    def __init__(self, expression: F32, side: str) -> None:
        self._expression = expression
        self._side = side

    def __call__(self, name: str) -> F32:
        return self._expression[:, sided(name, self._side)]


def _lips_part(c: _Side) -> F32:
    jaw = np.maximum(c("jawOpen") - c("mouthClose"), 0) * (
        1 - 0.5 * np.maximum(c("mouthRollUpper"), c("mouthRollLower"))
    )
    result: F32 = 1.5 * jaw + 0.6 * c("mouthLowerDown") + 0.5 * c("mouthUpperUp") + 0.5 * c("mouthFunnel")
    return result


TABLE: dict[int, tuple[str, Callable[[_Side], F32]]] = {
    1: ("browInnerUp", lambda c: c("browInnerUp")),
    2: ("browOuterUp", lambda c: c("browOuterUp")),
    4: ("browDown", lambda c: c("browDown")),
    5: ("eyeWide", lambda c: c("eyeWide")),
    6: ("max(cheekSquint, cheekRaiser)", lambda c: np.maximum(c("cheekSquint"), c("cheekRaiser"))),
    7: ("eyeSquint", lambda c: c("eyeSquint")),
    9: ("noseSneer", lambda c: c("noseSneer")),
    10: ("mouthUpperUp", lambda c: c("mouthUpperUp")),
    12: ("mouthSmile", lambda c: c("mouthSmile")),
    14: ("mouthDimple", lambda c: c("mouthDimple")),
    15: ("mouthFrown", lambda c: c("mouthFrown")),
    17: ("mouthShrugLower", lambda c: c("mouthShrugLower")),
    18: ("mouthPucker", lambda c: c("mouthPucker")),
    20: ("mouthStretch", lambda c: c("mouthStretch")),
    23: ("mouthPress", lambda c: c("mouthPress")),
    25: ("lips apart: 1.5 jaw net of mouthClose + 0.6 mouthLowerDown + 0.5 mouthUpperUp + 0.5 mouthFunnel", _lips_part),
    26: ("jawOpen", lambda c: c("jawOpen")),
    45: ("eyeBlink", lambda c: c("eyeBlink")),
}
UNITS = tuple(TABLE)
_EMPHASIS = {1: 4.0, 4: 5.0, 5: 1.5, 6: 2.0, 7: 2.0, 9: 1.5, 10: 1.5, 15: 2.0, 17: 2.0, 23: 2.5, 45: 8.0}
EMPHASIS = np.array([_EMPHASIS.get(unit, 1.0) for unit in UNITS], np.float32)
"""What a unit's error counts, in shares of the unit's variance: lids and the movements of the brow most."""


def intensities(expression: F32) -> F32:
    """(N, 2, len(UNITS)) intensities 0..5 of the patient's left, then right, from (N, 57) coefficients."""
    sides = [_Side(expression, side) for side in "LR"]
    columns = [[np.clip(formula(side), 0, 1) * FULL for _, formula in TABLE.values()] for side in sides]
    return np.asarray(columns, np.float32).transpose(2, 0, 1)
