"""Composites for the detector: crops of collages, faces pasted into scenery, and pictures without a face."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.train.detector.scenery import colour, scene, spoil
from tools.train.detector.sources import Source

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

MIRROR = [1, 0, 2, 4, 3]
MOST_TRUTHS = 24
TRUTH_TURN = 20.0
LEAST_CONTRAST = 9.0


@dataclass(frozen=True)
class Composite:
    """image: (S, S, 3) uint8 BGR; boxes (N, 4) and points (N, 5, 2) of the faces known to be there, in pixels.

    complete: no face is in the picture beyond those of `boxes`; otherwise others may be there.
    """

    image: U8
    boxes: F32
    points: F32
    complete: bool


def placement(
    rng: Generator, box: F32, size: int, target: float, where: tuple[float, float], turn: float, mirror: bool
) -> tuple[F32, float]:
    """Affine map (2, 3) that brings a face to height `target` with its centre at `where`; and its scale."""
    scale = target / float(box[3] - box[1])
    stretch = np.exp(rng.normal(0, 0.05))
    angle = np.radians(turn)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = linear @ np.diag([-stretch if mirror else stretch, 1 / stretch])
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    shift = np.array(where) * size - linear @ centre
    return np.concatenate([linear, shift[:, None]], axis=1).astype(np.float32), scale


def warp(source: Source, matrix: F32, scale: float, size: int, border: int, fill: tuple[float, float, float]) -> U8:
    """The source through `matrix` (level-0 pixels to output pixels), read from the level that fits the scale."""
    level = int(np.clip(np.floor(np.log2(1 / max(scale, 1e-6)) + 0.25), 0, len(source.levels) - 1))
    factor = 2.0**level
    lifted = matrix.copy()
    lifted[:, :2] *= factor
    lifted[:, 2] += matrix[:, :2] @ np.full(2, (factor - 1) / 2, np.float32)
    # The memory map is cut to the part that is seen: warping would otherwise read the whole collage.
    inverse = cv2.invertAffineTransform(lifted)
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]], np.float32) @ inverse.T
    picture = source.levels[level]
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 3, 0, None)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 4, [picture.shape[1], picture.shape[0]])
    if (high - low).min() < 2:
        return np.full((size, size, 3), fill, np.uint8)
    part = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    lifted[:, 2] += lifted[:, :2] @ low.astype(np.float32)
    result: U8 = cv2.warpAffine(
        part, lifted, (size, size), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=fill
    ).astype(np.uint8)
    return result


def carry(boxes: F32, points: F32, matrix: F32, mirror: bool) -> tuple[F32, F32]:
    """Boxes and points through an affine map; a box keeps its shape and moves with its centre (turns are small)."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    scales = np.linalg.norm(matrix[:, :2], axis=0)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * scales
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    if mirror:
        moved = moved[:, MIRROR]
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32), moved.astype(np.float32)


def visible(boxes: F32, size: int, share: float = 0.75, least: float = 10.0) -> NDArray[np.bool_]:
    """Which boxes lie at least to `share` inside the picture and are at least `least` pixels high."""
    inside = np.clip(np.minimum(boxes[:, 2:], size) - np.maximum(boxes[:, :2], 0), 0, None).prod(axis=1)
    extent = boxes[:, 2:] - boxes[:, :2]
    result: NDArray[np.bool_] = (inside >= share * np.maximum(extent.prod(axis=1), 1e-6)) & (extent[:, 1] >= least)
    return result


def contrast(image: U8, boxes: F32) -> F32:
    """(N,) standard deviation of grey within each box: a face lost in darkness or haze is not to be learnt."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    size = grey.shape[0]
    low = np.clip(boxes[:, :2], 0, size - 2).astype(int)
    high = np.maximum(np.clip(boxes[:, 2:], 0, size).astype(int), low + 2)
    return np.array([grey[a[1] : b[1], a[0] : b[0]].std() for a, b in zip(low, high, strict=True)], np.float32)


class Composer:
    """Makes composites of one size from the sources; the same generator state gives the same pictures."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = [s for s in sources if len(s.boxes)]
        weights = np.sqrt([len(s.boxes) for s in self._sources])
        self._weights = weights / weights.sum()

    def compose(self, rng: Generator, size: int) -> Composite:
        """One composite: 50 % a crop full of faces, 25 % pasted faces, 25 % without a face; then degraded."""
        kind = rng.random()
        made = (
            self.crop(rng, size) if kind < 0.5 else self.pasted(rng, size) if kind < 0.75 else self.faceless(rng, size)
        )
        image = spoil(rng, made.image)
        clear = contrast(image, made.boxes) >= LEAST_CONTRAST
        clear[MOST_TRUTHS:] = False
        return Composite(image, made.boxes[clear], made.points[clear], made.complete and bool(clear.all()))

    def _pick(self, rng: Generator) -> tuple[Source, int]:
        source = self._sources[int(rng.choice(len(self._sources), p=self._weights))]
        return source, int(rng.integers(len(source.boxes)))

    def crop(self, rng: Generator, size: int) -> Composite:
        """A window of a collage around one face, at any scale from a face of 14 px to one that fills the picture."""
        source, index = self._pick(rng)
        target = float(np.exp(rng.uniform(np.log(14), np.log(1.15 * size))))
        turn = float(rng.normal(0, 10) if rng.random() < 0.85 else rng.uniform(-60, 60))
        mirror = bool(rng.random() < 0.5)
        where = (float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.15, 0.85)))
        matrix, scale = placement(rng, source.boxes[index], size, target, where, turn, mirror)
        image = warp(source, matrix, scale, size, cv2.BORDER_CONSTANT, colour(rng))
        boxes, points = carry(source.boxes, source.points, matrix, mirror)
        seen = visible(boxes, size) if abs(turn) <= TRUTH_TURN else np.zeros(len(boxes), bool)
        return Composite(image, boxes[seen], points[seen], complete=False)

    def pasted(self, rng: Generator, size: int) -> Composite:
        """Up to four faces laid into scenery, cut out as ellipses or rectangles with soft or hard rims."""
        backdrop = None if rng.random() < 0.6 else self.window(rng, size)
        complete = backdrop is None
        picture = (scene(rng, size) if backdrop is None else backdrop).astype(np.float32)
        boxes, points = np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
        for _ in range(int(rng.integers(1, 5))):
            source, index = self._pick(rng)
            target = float(np.exp(rng.uniform(np.log(14), np.log(0.8 * size))))
            turn, mirror = float(rng.normal(0, 8)), bool(rng.random() < 0.5)
            where = (float(rng.uniform(0.05, 0.95)), float(rng.uniform(0.05, 0.95)))
            matrix, scale = placement(rng, source.boxes[index], size, target, where, turn, mirror)
            box, marks = carry(source.boxes[index : index + 1], source.points[index : index + 1], matrix, mirror)
            extent = box[0, 2:] - box[0, :2]
            grown = np.concatenate([box[0, :2] - 0.35 * extent, box[0, 2:] + 0.35 * extent])
            apart = (np.minimum(grown[2:], boxes[:, 2:]) - np.maximum(grown[:2], boxes[:, :2])).min(axis=1) <= 0
            if not apart.all():
                continue
            image = warp(source, matrix, scale, size, cv2.BORDER_REPLICATE, (0, 0, 0))
            mask = self._mask(rng, box[0], size)
            picture = picture * (1 - mask) + image * mask
            boxes, points = np.concatenate([boxes, box]), np.concatenate([points, marks])
        seen = visible(boxes, size)
        # A face that leaves the picture by more than a quarter may or may not be one: then nothing is claimed of the rest.
        return Composite(picture.astype(np.uint8), boxes[seen], points[seen], complete and bool(seen.all()))

    def _mask(self, rng: Generator, box: F32, size: int) -> F32:
        """(size, size, 1), 1 on the face: an ellipse or rectangle about its box, its rim soft by a random width."""
        mask = np.zeros((size, size), np.float32)
        centre, extent = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        if rng.random() < 0.6:
            reach = extent * rng.uniform(0.55, 0.8)
            axes = (int(reach[0]) + 1, int(reach[1]) + 1)
            cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, 1.0, -1)
        else:
            reach = extent * rng.uniform(0.55, 0.85)
            low, high = (centre - reach).astype(int), (centre + reach).astype(int)
            cv2.rectangle(mask, low.tolist(), high.tolist(), 1.0, -1)
        rim = float(extent[0] * rng.uniform(0, 0.06))
        return (cv2.GaussianBlur(mask, (0, 0), rim) if rim > 0.4 else mask)[..., None]

    def faceless(self, rng: Generator, size: int) -> Composite:
        """Scenery, or a part of a collage between its faces."""
        window = self.window(rng, size) if rng.random() < 0.55 else None
        nothing = np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
        # A collage may hold a face that the scan missed, so only scenery is known to have none.
        if window is None:
            return Composite(scene(rng, size), *nothing, complete=True)
        return Composite(window, *nothing, complete=False)

    def window(self, rng: Generator, size: int) -> U8 | None:
        """A square of a collage that touches no face (grown by a tenth), or None when none was met in forty tries."""
        for _ in range(40):
            source = self._sources[int(rng.choice(len(self._sources), p=self._weights))]
            height, width = source.size
            side = float(np.exp(rng.uniform(np.log(60), np.log(700))))
            if side >= min(height, width):
                continue
            x, y = rng.uniform(0, width - side), rng.uniform(0, height - side)
            extent = source.boxes[:, 2:] - source.boxes[:, :2]
            low, high = source.boxes[:, :2] - 0.1 * extent, source.boxes[:, 2:] + 0.1 * extent
            overlap = (np.minimum(high, [x + side, y + side]) - np.maximum(low, [x, y])).min(axis=1) > 0
            if overlap.any():
                continue
            scale = size / side
            matrix = np.array([[scale, 0, -scale * x], [0, scale, -scale * y]], np.float32)
            if rng.random() < 0.5:
                matrix = np.array([[-scale, 0, scale * (x + side)], [0, scale, -scale * y]], np.float32)
            return warp(source, matrix, scale, size, cv2.BORDER_REPLICATE, (0, 0, 0))
        return None
