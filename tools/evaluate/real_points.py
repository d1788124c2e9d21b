"""How far the landmark network's points lie from people's own on hand-labelled photographs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.data.london import HAND_POINTS
from tools.data.london_labels import Labelled
from tools.evaluate.figures import Figure
from tools.evaluate.real_pictures import Viewer

F32 = NDArray[np.float32]
PART = "real"
UPPER, LOWER = [61, 62, 63, 69, 70, 71], [65, 66, 67, 73, 74, 75]
REGIONS = {
    "all placed points": list(HAND_POINTS),
    "upper lids": UPPER,
    "lower lids": LOWER,
    "corners of the eyes": [60, 64, 68, 72],
    "pupils": [96, 97],
    "outer lips": list(range(76, 88)),
    "chin": [16],
}
FISSURES = ((62, 66), (70, 74))
"""Middle of the upper and of the lower lid, right and left."""
CORNERS = ((76, 0), (82, 1))


def point_figures(viewer: Viewer, faces: Sequence[Labelled], who: str, *, judged: bool) -> list[Figure]:
    """Errors by region and by group in % of the eye distance, lids and corners of the mouth in mm. judged: against the aims."""
    placed = [f for f in faces if f.portrait.hand is not None]
    found = np.array([viewer.points(f.portrait.picture, f.points) for f in placed])
    hand = np.array([f.portrait.hand for f in placed])
    mm = np.array([f.portrait.mm for f in placed], np.float32)
    groups = np.array([f.portrait.ethnicity for f in placed])
    eyes = np.linalg.norm(hand[:, 60] - hand[:, 72], axis=1)
    error = 100 * np.linalg.norm(found - hand, axis=2) / eyes[:, None]
    out = []
    for region, points in REGIONS.items():
        out.append(Figure(PART, f"{who}: {region}, mean error", float(error[:, points].mean()), "%", cases=len(placed)))
    for group in np.unique(groups):
        own = error[groups == group][:, list(HAND_POINTS)]
        out.append(
            Figure(PART, f"{who}: all placed points, {group}, mean error", float(own.mean()), "%", cases=len(own))
        )
    out += lid_figures(found, hand, mm, groups, who, judged=judged)
    for point, side in CORNERS:
        away = float((np.linalg.norm(found[:, point] - hand[:, point], axis=1) * mm).mean())
        name = f"{who}: corner of the mouth, {('right', 'left')[side]}, mean error"
        out.append(Figure(PART, name, away, "mm", cases=len(placed)))
    return out


def lid_figures(found: F32, hand: F32, mm: F32, groups: NDArray[np.str_], who: str, *, judged: bool) -> list[Figure]:
    """The height of the eye's opening against people's, mean and absolute, and where it comes from."""

    def height(points: F32) -> F32:
        return np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=1) * mm for a, b in FISSURES], axis=1)

    wrong = height(found) - height(hand)
    n = wrong.size
    aims = (0.3, 0.6) if judged else (None, None)
    out = [
        Figure(PART, f"{who}: eye opening, mean error (negative: too small)", float(wrong.mean()), "mm", cases=n),
        Figure(
            PART,
            f"{who}: eye opening, size of the mean error",
            abs(float(wrong.mean())),
            "mm",
            at_most=aims[0],
            cases=n,
        ),
        Figure(
            PART,
            f"{who}: eye opening, mean absolute error",
            float(np.abs(wrong).mean()),
            "mm",
            at_most=aims[1],
            cases=n,
        ),
        Figure(PART, f"{who}: eye opening, spread of the error", float(wrong.std()), "mm", cases=n),
        Figure(PART, f"{who}: eye opening, by hand", float(height(hand).mean()), "mm", cases=n),
    ]
    for name, lids in (("upper", UPPER), ("lower", LOWER)):
        low = ((found[:, lids, 1] - hand[:, lids, 1]) * mm[:, None]).mean()
        out.append(Figure(PART, f"{who}: {name} lids, how much too low", float(low), "mm", cases=n))
    for group in np.unique(groups):
        own = wrong[groups == group]
        out.append(Figure(PART, f"{who}: eye opening, {group}, mean error", float(own.mean()), "mm", cases=own.size))
    difference = np.abs(np.diff(height(found), axis=1) - np.diff(height(hand), axis=1))
    return [
        *out,
        Figure(
            PART, f"{who}: eye opening, right from left, mean error", float(difference.mean()), "mm", cases=len(found)
        ),
    ]
