"""Rendered heads with exact points: accuracy, lids and lips, and how far the turn of the head and the teachers' own limits explain it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.data.landmark_batches import FaceSet
from tools.data.points98 import corner_drop, eye_opening, nme, square_from_points
from tools.data.rendered import HIDDEN_TRUST, shards
from tools.data.teachers import PfldEnsemble
from tools.evaluate.figures import Figure
from tools.evaluate.landmark_behaviour import PART
from tools.evaluate.landmark_models import Model, through_crops

F32 = NDArray[np.float32]


def seen(model: Model, faces: FaceSet) -> F32:
    """Points (N, 98, 2) through mildly displaced crops."""
    return through_crops(model, faces, 0.05, 0.1, 10)


def refined(model: Model, faces: FaceSet, found: F32) -> F32:
    """Points (N, 98, 2) through squares around the points found before, as the tracker goes on from its own."""
    again = [model(p, square_from_points(q)) for p, q in zip(faces.pictures, found, strict=True)]
    return np.stack(again)


def rendered(first: F32, found: F32, other: Model, faces: FaceSet, name: str) -> list[Figure]:
    """Held-out rendered identities against exact points: `first` as `seen` gives them, `found` as `refined` does, (N, 98, 2)."""
    theirs = refined(other, faces, found)
    n = len(faces)

    def mean(points: F32) -> float:
        return float(100 * nme(points, faces.points).mean())

    shown = faces.trust > HIDDEN_TRUST
    eyes = np.stack([shown[:, 60:68].all(1), shown[:, 68:76].all(1)], 1)
    lids = np.abs(eye_opening(found) - eye_opening(faces.points))[eyes]
    mouths = shown[:, [76, 82, 60, 72]].all(1)
    corners = 100 * np.abs(corner_drop(found) - corner_drop(faces.points))[mouths]
    return [
        Figure(PART, f"{name}, from a displaced crop: mean NME", mean(first), "%", cases=n),
        Figure(PART, f"{name}, then once refined: mean NME", mean(found), "%", at_most=3.0, cases=n),
        Figure(PART, f"{name}, refined: median NME", float(np.median(100 * nme(found, faces.points))), "%", cases=n),
        Figure(PART, f"{name}, PFLD-GhostOne, same crops: mean NME", mean(theirs), "%", cases=n),
        Figure(
            PART, f"{name}, eye opening error, eye in view: mean", float(lids.mean()), at_most=0.03, cases=len(lids)
        ),
        Figure(PART, f"{name}, eye opening error, eye in view: median", float(np.median(lids)), cases=len(lids)),
        Figure(
            PART,
            f"{name}, mouth-corner height error: mean",
            float(corners.mean()),
            "% of eye distance",
            at_most=2.0,
            cases=len(corners),
        ),
        Figure(
            PART,
            f"{name}, mouth-corner height error: median",
            float(np.median(corners)),
            "% of eye distance",
            cases=len(corners),
        ),
    ]


def yaws(folder: Path, split: str = "held") -> F32:
    """Yaw (N,) in degrees of a folder's rendered heads, in the order of `tools.data.rendered.read_rendered`."""
    return np.concatenate([np.load(file)["pose"][:, 0] for file in shards(folder, split)]).astype(np.float32)


def turned(found: F32, teachers: Path, faces: FaceSet, yaw: F32, every: int = 2) -> list[Figure]:
    """Mean NME of found points (N, 98, 2) by the head's turn, and that of the three teachers together on the same heads.

    Each teacher is averaged over eight views from the exact place.
    """
    errors = 100 * nme(found, faces.points)
    turn = np.abs(yaw[: len(faces)])
    out = []
    for low, high in ((0, 15), (15, 30), (30, 45), (45, 60)):
        chosen = errors[(turn >= low) & (turn < high + (high == 60))]
        name = f"rendered, yaw {low} to {high} degrees: mean NME"
        out.append(Figure(PART, name, float(chosen.mean()), "%", cases=len(chosen)))
    ensemble, rows = PfldEnsemble(teachers), range(0, len(faces), every)
    together = np.stack([ensemble.label(faces.pictures[i], faces.points[i])[0].mean(0) for i in rows])
    theirs = float(100 * nme(together, faces.points[::every]).mean())
    return [*out, Figure(PART, "rendered, the teachers' average over 24 views: mean NME", theirs, "%", cases=len(rows))]
