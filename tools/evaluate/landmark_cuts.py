"""Photographs cut close to a face or through it: what `FaceAnalyzer` finds there, beside what it finds in the whole picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.analyze.still import FaceAnalyzer
from tools.evaluate.figures import Figure

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

PART = "real"
CUTS: Mapping[str, tuple[float, float, float, float]] = {
    "along the face": (0.02, 0.02, 0.02, 0.02),
    "with 15 % of its size around it": (0.15, 0.15, 0.15, 0.15),
    "through its left cheek and eye": (9, 9, -0.25, 9),
    "through its brows": (9, -0.12, 9, 9),
    "through its chin": (9, 9, 9, -0.15),
}
"""By how much of the face's size the picture reaches beyond its points: at its left, top, right and bottom edge."""
OTHER = 0.25
"""Eye distances from which a face that was found is another one."""


def cut(picture: U8, points: F32, room: tuple[float, float, float, float]) -> tuple[U8, NDArray[np.int64]]:
    """The cut picture and the place of its first pixel (x, y) in the whole one.

    Args:
        picture: (H, W, 3) BGR.
        points: (98, 2) of the face, pixels.
        room: as in `CUTS`.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    size, end = high - low, np.array(picture.shape[1::-1])
    first = np.clip((low - size * room[:2]).astype(int), 0, end)
    last = np.clip((high + size * room[2:]).astype(int), 0, end)
    return np.ascontiguousarray(picture[first[1] : last[1], first[0] : last[0]]), first


def cut_figures(weights: Path, pictures: Sequence[U8]) -> list[Figure]:
    """Faces found, what is taken for a face besides, and the distance of the points in view from those in the whole picture.

    Args:
        weights: folder of the shipped models.
        pictures: of one face each.
    """
    apart: dict[str, list[float]] = {name: [] for name in CUTS}
    others, count = dict.fromkeys(CUTS, 0), 0
    with FaceAnalyzer(weights=weights) as analyze:
        for picture in pictures:
            whole = analyze(picture)
            if len(whole) != 1:
                continue
            count += 1
            true = whole[0].points
            for name, room in CUTS.items():
                part, first = cut(picture, true, room)
                found = [_distances(face.points + first.astype(np.float32), true) for face in analyze(part)]
                mine = [distances for distances in found if distances.mean() < OTHER]
                others[name] += len(found) - len(mine[:1])
                inside = ((true >= first) & (true < first + part.shape[1::-1])).all(axis=1)
                apart[name] += [100 * float(distances[inside].mean()) for distances in mine[:1]]
    out = []
    for name, values in apart.items():
        words = f"photographs cut {name}"
        out.append(Figure(PART, f"{words}: faces found", 100 * len(values) / max(count, 1), "%", cases=count))
        out.append(Figure(PART, f"{words}: taken for a face besides", float(others[name]), "faces", cases=count))
        if values:
            mean = float(np.mean(values))
            out.append(Figure(PART, f"{words}: points in view, from the whole picture's", mean, "%", cases=len(values)))
    return out


def _distances(points: F32, true: F32) -> F32:
    """(98,) in distances of the outer eye corners."""
    found: F32 = np.linalg.norm(points - true, axis=1) / np.linalg.norm(true[60] - true[72])
    return found
