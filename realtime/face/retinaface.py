"""RetinaFace (Deng et al., 2020; MobileNet-0.25 of Pytorch_Retinaface): from a network's outputs to faces in pixels.

Anchors are computed once per input size. Only those above the threshold are decoded, so a picture costs one pass over its
scores and next to nothing more. Coordinates follow the original: (network pixel) * scale + origin.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from realtime.errors import ModelFileError
from realtime.types import F32, Detection


@dataclass(frozen=True, slots=True)
class Anchors:
    """What a RetinaFace was trained with; part of its manifest. Other sizes are another network.

    Attributes:
        min_sizes: sides of the anchors of each level, pixels.
        steps: pixels between anchors of each level.
        variances: by which offsets of middles and sizes are scaled.
    """

    min_sizes: tuple[tuple[int, ...], ...] = ((16, 32), (64, 128), (256, 512))
    steps: tuple[int, ...] = (8, 16, 32)
    variances: tuple[float, float] = (0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Mapping:
    """From network pixels to frame pixels: x * scale_x + x0, y * scale_y + y0.

    Attributes:
        scale_x: frame pixels for each network pixel.
        scale_y: likewise.
        x0: frame pixels.
        y0: likewise.
    """

    scale_x: float = 1.0
    scale_y: float = 1.0
    x0: float = 0.0
    y0: float = 0.0


@lru_cache(maxsize=16)
def priors(height: int, width: int, anchors: Anchors = Anchors()) -> F32:
    """(P, 4) centre x, centre y, width, height in network pixels; read-only, kept per size. 640 x 640 has 16,800.

    Args:
        height: of the network's input, pixels.
        width: likewise.
        anchors: of the network.
    """
    rows = []
    for sizes, step in zip(anchors.min_sizes, anchors.steps, strict=True):
        ys, xs = np.mgrid[0 : -(-height // step), 0 : -(-width // step)]
        level = np.empty((*ys.shape, len(sizes), 4), np.float32)
        level[..., 0] = ((xs + 0.5) * step)[..., None]
        level[..., 1] = ((ys + 0.5) * step)[..., None]
        level[..., 2] = level[..., 3] = sizes
        rows.append(level.reshape(-1, 4))
    table = np.concatenate(rows)
    table.flags.writeable = False
    return table


@np.errstate(all="ignore")  # a broken network's infinities are found by who asks for faces
def _decode(
    loc: F32, conf: F32, landmarks: F32, table: F32, v0: float, v1: float, threshold: float
) -> tuple[F32, F32, F32]:
    """Boxes (K, 4), scores (K,) and points (K, 10) of the anchors above the threshold; a score of NaN is not."""
    above = np.flatnonzero(conf[:, 1] > threshold)
    middles, sizes = table[above, :2], table[above, 2:]
    offsets = loc[above].astype(np.float64)
    centre, half = middles + offsets[:, :2] * v0 * sizes, sizes * np.exp(offsets[:, 2:] * v1) / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    five = landmarks[above].astype(np.float64).reshape(-1, 5, 2)
    points = middles[:, None] + five * v0 * sizes[:, None]
    return boxes, conf[above, 1], points.reshape(-1, 10).astype(np.float32)


@np.errstate(all="ignore")
def _suppress(boxes: F32, scores: F32, overlap: float, most: int) -> list[int]:
    """Greedy non-maximum suppression: the places of the boxes that stay, best first."""
    left = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while len(left) and len(kept) < most:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        shared = np.minimum(boxes[best, 2:], boxes[left, 2:]) - np.maximum(boxes[best, :2], boxes[left, :2])
        both = shared[:, 0] * shared[:, 1]
        same = (shared > 0).all(axis=1) & (both > np.float64(overlap) * (areas[best] + areas[left] - both))
        left = left[~same]
    return kept


def decode(
    loc: F32,
    conf: F32,
    landmarks: F32,
    *,
    height: int,
    width: int,
    mapping: Mapping = Mapping(),
    threshold: float = 0.3,
    overlap: float = 0.4,
    most: int = 16,
    anchors: Anchors = Anchors(),
) -> tuple[Detection, ...]:
    """Faces of one picture in frame pixels, best first.

    Args:
        loc: (1, P, 4).
        conf: (1, P, 2), softmaxed, column 1 is the face.
        landmarks: (1, P, 10).
        height: of the network's input in pixels.
        width: likewise.
        mapping: network pixels to frame pixels.
        threshold: least score.
        overlap: IoU above which the worse box goes.
        most: faces at most.
        anchors: of the network.

    Raises:
        ModelFileError: the outputs do not have one row for each anchor of this size: another network, or other anchors.
    """
    table = priors(height, width, anchors)
    count = len(table)
    if loc.shape != (1, count, 4) or conf.shape != (1, count, 2) or landmarks.shape != (1, count, 10):
        raise ModelFileError(
            f"The detector's outputs {loc.shape}, {conf.shape}, {landmarks.shape} do not fit the {count} anchors of a "
            f"{width} x {height} picture: this is another network, or its manifest names other anchors."
        )
    boxes, scores, points = _decode(loc[0], conf[0], landmarks[0], table, *anchors.variances, threshold)
    if not len(scores):
        return ()
    kept = _suppress(boxes, scores, overlap, most)
    scale = np.array((mapping.scale_x, mapping.scale_y), np.float32)
    origin = np.array((mapping.x0, mapping.y0), np.float32)
    out_boxes = boxes[kept].reshape(-1, 2, 2) * scale + origin
    out_points = points[kept].reshape(-1, 5, 2) * scale + origin
    return tuple(
        Detection(box=out_boxes[k].reshape(4), score=float(scores[i]), points=out_points[k]) for k, i in enumerate(kept)
    )


def anchor_disagreement(
    loc: F32, conf: F32, *, height: int, width: int, threshold: float = 0.7, anchors: Anchors = Anchors()
) -> float | None:
    """How far the anchors that see the same face disagree about its middle, in widths of the face.

    With the anchors a network was trained with, neighbours agree to a few hundredths; with others they are off by a share of their
    own distance.

    Args:
        loc: (1, P, 4).
        conf: (1, P, 2), softmaxed.
        height: of the network's input, pixels.
        width: likewise.
        threshold: least score.
        anchors: supposed.

    Returns:
        The disagreement; None where no face is seen by at least four anchors.
    """
    boxes, scores, _ = _decode(
        loc[0],
        conf[0],
        np.zeros((loc.shape[1], 10), np.float32),
        priors(height, width, anchors),
        *anchors.variances,
        threshold,
    )
    if not len(scores):
        return None
    best = boxes[int(np.argmax(scores))]
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    near = np.abs(middles - (best[:2] + best[2:]) / 2).max(axis=1) < 0.5 * (best[2] - best[0])
    if near.sum() < 4:
        return None
    spread = np.abs(middles[near] - np.median(middles[near], axis=0)).max(axis=1)
    return float(np.median(spread) / (best[2] - best[0]))
