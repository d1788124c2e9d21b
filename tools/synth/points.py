"""The 98 WFLW points, defined on the kit's mesh.

A point is attached to three vertices with weights (an attachment), so it moves with every expression. Lower lids are placed
along the lid margin, upper lids where people mark them, at the root of the lashes; lips and nose on the kit's landmark
vertices. Brows lie where a texture shows them: every texture brings its own attachments for points 33-50.

The contour (0-32) is told of in `tools.synth.contour`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tools.synth.attachments import Attachments, FrontView, along, edge_path
from tools.synth.contour import contour_lines, silhouette
from tools.synth.kit import Kit

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
Bools = NDArray[np.bool_]

# Jaw line of the kit's README ("extended jawline"), patient's right ear -> chin -> left ear.
_JAW = (
    *(1278, 1275, 1272, 1248, 12, 820, 1834, 1902, 243, 844, 781, 1673, 2199, 801, 1447, 800, 966),
    *(3041, 3661, 3042, 4390, 3880, 3022, 3085, 2484, 4102, 4036, 3061, 2253, 3466, 3490, 3493),
    3496,
)
# How far along the jaw line the contour points 0-16 lie (17-32 mirror them), measured where the 98-point teachers put them
# on 60 frontal renderings: nearly even steps, as the annotators were asked for.
_JAW_FRACTIONS = (
    *(0.007, 0.0355, 0.0645, 0.0925, 0.1225, 0.1533, 0.1845, 0.2163, 0.2475),
    *(0.2831, 0.3208, 0.3555, 0.3901, 0.4221, 0.4505, 0.4755, 0.5),
)
# Points that the annotators put between two of the kit's landmarks: WFLW -> (one, other, share of the other).
_BETWEEN_68 = {
    88: (60, 48, 0.45),
    92: (64, 54, 0.45),
    89: (61, 60, 0.2),
    91: (63, 64, 0.2),
    93: (65, 64, 0.2),
    95: (67, 60, 0.2),
}
# Where the annotators' places differ from the kit's landmarks: WFLW point on the patient's right or in the middle ->
# (x, y) cm in the head frame. They are the mean residuals of the fit over 60 frontal photographs and their labels.
_NUDGES = {
    53: (0.0, -0.11),
    54: (0.0, 0.04),
    55: (-0.11, 0.1),
    56: (-0.1, 0.1),
    57: (0.0, 0.07),
    60: (-0.2, -0.03),
    76: (-0.16, -0.05),
    77: (0.05, -0.07),
    78: (0.16, -0.08),
    79: (0.0, -0.03),
    87: (-0.08, 0.04),
    88: (-0.13, -0.1),
}
_MIRRORED = {55: 59, 56: 58, 60: 72, 76: 82, 77: 81, 78: 80, 87: 83, 88: 92}
# WFLW point <- Multi-PIE point, where both mean the same place.
_FROM_68 = {
    **{51 + i: 27 + i for i in range(4)},
    **{55 + i: 31 + i for i in range(5)},
    **{76 + i: 48 + i for i in range(12)},
    **{88 + i: 60 + i for i in range(8)},
}
# Lid margins through the Multi-PIE points: WFLW points and how far along the margin (0..1) each lies.
_LIDS = (
    ((36, 37, 38, 39), (60, 61, 62, 63, 64), (0.0, 0.25, 0.49, 0.75, 1.0)),
    ((39, 40, 41, 36), (64, 65, 66, 67, 60), (0.0, 0.25, 0.50, 0.75, 1.0)),
    ((42, 43, 44, 45), (68, 69, 70, 71, 72), (0.0, 0.25, 0.51, 0.75, 1.0)),
    ((45, 46, 47, 42), (72, 73, 74, 75, 68), (0.0, 0.25, 0.50, 0.75, 1.0)),
)
# An open upper lid shows its margin between the eyeball and the root of the lashes, where people mark it. cm up from the
# eyeball's edge: by how much a network taught on that edge puts these points lower than people do on hand-labelled photographs.
_LASHES = {61: 0.13, 62: 0.15, 63: 0.085, 69: 0.085, 70: 0.15, 71: 0.13}
UPPER_LIDS = tuple(_LASHES)
_BELOW = {61: 67, 62: 66, 63: 65, 69: 75, 70: 74, 71: 73}
# A lid's margin comes into view as the eye opens: shut lids meet at the lashes. Opening (of the eye's width) from which it is seen whole.
_OPEN = 0.2


@dataclass(frozen=True, slots=True)
class PointModel:
    """fixed: 98 attachments (contour at its jaw line, pupils at the eye's front); lines: (33, S) of the contour.

    edge: (6,) of UPPER_LIDS where the lid meets the eyeball.
    """

    fixed: Attachments
    lines: Attachments
    edge: Attachments


@lru_cache(maxsize=2)
def _cached(kit_id: int) -> dict[str, PointModel]:
    del kit_id
    return {}


def point_model(kit: Kit) -> PointModel:
    """The kit's 98 points with default brows (the mean of the texture bank's)."""
    store = _cached(id(kit))
    if "model" not in store:
        store["model"] = _build(kit)
    return store["model"]


def _build(kit: Kit) -> PointModel:
    index = np.zeros((98, 3), np.int32)
    weight = np.zeros((98, 3), np.float32)
    weight[:, 0] = 1
    jaw = [int(v) for v in kit.remap[np.array(_JAW)]]
    for i, fraction in enumerate((*_JAW_FRACTIONS, *(1 - f for f in _JAW_FRACTIONS[15::-1]))):
        index[i], weight[i] = along(kit.neutral, jaw, fraction)
    for wflw, multipie in _FROM_68.items():
        index[wflw] = kit.landmarks68[multipie]
    for wflw, (one, other, share) in _BETWEEN_68.items():
        index[wflw] = kit.landmarks68[[one, other, other]]
        weight[wflw] = 1 - share, share, 0
    # Upper brow lines as the kit marks them; a texture's own attachments replace all 18.
    for first, start in ((33, 17), (42, 22)):
        for i in range(5):
            index[first + i] = kit.landmarks68[start + i]
    for wflw, multipie in ((38, 21), (39, 20), (40, 19), (41, 18), (50, 22), (49, 23), (48, 24), (47, 25)):
        index[wflw] = kit.landmarks68[multipie]
    for anchors, points, fractions in _LIDS:
        path = edge_path(kit, [int(kit.landmarks68[a]) for a in anchors])
        for point, fraction in zip(points, fractions, strict=True):
            index[point], weight[point] = along(kit.neutral, path, fraction)
    for point, part in ((96, "eye_right"), (97, "eye_left")):
        first, end = kit.part_vertices[part]
        index[point] = first + int(np.argmax(kit.neutral[first:end, 2]))
    view = FrontView(kit)
    for wflw, (x, y) in _NUDGES.items():
        for target, sign in ((wflw, 1), (_MIRRORED.get(wflw), -1)):
            if target is not None:
                base = Attachments(index[target], weight[target]).on(kit.neutral)[:2]
                index[target], weight[target] = view.at(base + np.array([sign * x, y]))
    edge = Attachments(index[list(UPPER_LIDS)].copy(), weight[list(UPPER_LIDS)].copy())
    for point, up in _LASHES.items():
        base = Attachments(index[point], weight[point]).on(kit.neutral)[:2]
        index[point], weight[point] = view.at(base + np.array([0, up]))
    return PointModel(Attachments(index, weight), contour_lines(kit, view, index[:33], weight[:33]), edge)


def lashes(points: F32, edge: F32) -> F32:
    """The upper lids (6, 2) of `points` (98, 2), whose own lie a lid margin above the eyeball's `edge` (6, 2): on it in a shut eye."""
    upper = points[list(UPPER_LIDS)]
    below = points[[_BELOW[p] for p in UPPER_LIDS]]
    width = np.repeat(np.linalg.norm(points[[60, 68]] - points[[64, 72]], axis=1), 3)
    gap = np.linalg.norm(edge - below, axis=1).reshape(2, 3).mean(1).repeat(3)
    share = np.clip(gap / np.maximum(_OPEN * width, 1e-6), 0, 1)[:, None]
    result: F32 = (edge + share * (upper - edge)).astype(np.float32)
    return result


def place(model: PointModel, camera_vertices: F32, normals: F32, screen: F32, brows: Attachments | None = None) -> F32:
    """The 98 points (98, 2) in pixels.

    camera_vertices, normals: (V, 3) camera frame; screen: (V, 2) pixels; brows: 18 attachments of points 33-50.
    Pupils are placed at the eyes' fixed fronts: the caller replaces them when the eyes are turned.
    """
    points = model.fixed.on(screen)
    points[list(UPPER_LIDS)] = lashes(points, model.edge.on(screen))
    if brows is not None:
        points[33:51] = brows.on(screen)
    points[:33] = silhouette(model.lines, camera_vertices, normals, screen)
    return points


def visible(points: F32, own_depth: F32, zbuffer: F32, tolerance: F32 | float = 0.6) -> Bools:
    """Whether each point (N, 2) at its depth (N,) cm is the nearest thing there (tolerance: cm, one or (N,)), within the picture."""
    height, width = zbuffer.shape
    x, y = np.rint(points[:, 0]).astype(int), np.rint(points[:, 1]).astype(int)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    nearest = zbuffer[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    result: Bools = inside & (own_depth <= nearest + tolerance)
    return result
