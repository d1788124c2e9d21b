"""A small world with discs for faces, a detector and a landmark network that see exactly them: the tracker without any model.

A disc's blue channel marks it; its green texture is its looks. What the network and the detector report follows from the pixels
alone, so a crop in the wrong place finds nothing, as it should.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from realtime.face import matching
from realtime.face.contract import LandmarkContract
from realtime.face.crops import five_of
from realtime.face.face_model import FACE_2D
from realtime.face.landmarks import LandmarkModel
from realtime.face.settings import FaceSettings
from realtime.face.tracker import Tracker
from realtime.types import F32, U8, Detection, Detections, FaceObservation, Frame

WIDTH, HEIGHT = 640, 360
CONTRACT = LandmarkContract(size=112, presence="probability", upright=False)
MIDDLE = (FACE_2D.min(axis=0) + FACE_2D.max(axis=0)) / 2


@dataclass
class Disc:
    """x, y: middle; radius: pixels; looks: seed of the texture; score: what the detector gives it."""

    x: float
    y: float
    radius: float = 60.0
    looks: int = 1
    score: float = 0.95

    def points(self) -> F32:
        """(98, 2) where its landmarks are."""
        return ((FACE_2D - MIDDLE) * self.radius + (self.x, self.y)).astype(np.float32)


@cache
def texture(seed: int, size: int) -> U8:
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


@cache
def background(scene: int) -> U8:
    """Not to be written to."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 1] = cv2.resize(texture(scene, 256), (WIDTH, HEIGHT))
    return image


def picture(*discs: Disc, scene: int = 100) -> U8:
    """(360, 640, 3) BGR: a textured background with the discs on it."""
    image = background(scene).copy()
    for disc in discs:
        size = round(disc.radius * 2)
        patch = np.zeros((size, size, 3), np.uint8)
        patch[..., 0], patch[..., 1] = 255, texture(disc.looks, size)
        mask = np.zeros((size, size), np.uint8)
        cv2.circle(mask, (size // 2, size // 2), int(disc.radius), 255, -1)
        # Only the part of the picture that the patch can reach, as far as it lies in the picture.
        left, top = disc.x - (size - 1) / 2, disc.y - (size - 1) / 2
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1, y1 = min(WIDTH, math.floor(left) + size + 2), min(HEIGHT, math.floor(top) + size + 2)
        if x0 >= x1 or y0 >= y1:
            continue
        place = np.array(((1.0, 0, left - x0), (0, 1.0, top - y0)))
        reach, part = (x1 - x0, y1 - y0), image[y0:y1, x0:x1]
        there = cv2.warpAffine(mask, place, reach) > 127
        part[there] = cv2.warpAffine(patch, place, reach)[there]
    return image


def discs_in(blue: F32 | U8) -> list[tuple[float, float, float]]:
    """(x, y, radius) of the discs in a blue channel."""
    _, _, stats, centres = cv2.connectedComponentsWithStats((blue > 127).astype(np.uint8))
    return [
        (x, y, max(w, h) / 2) for (_, _, w, h, area), (x, y) in zip(stats[1:], centres[1:], strict=True) if area > 30
    ]


def landmark_network(blob: F32) -> dict[str, F32]:
    """The disc nearest to the crop's middle; without one, the mean face in the middle and hardly any presence."""
    size = blob.shape[2]
    found = discs_in(blob[0, 0])
    x, y, radius = size / 2, size / 2, size / 3
    presence = 0.02
    if found:
        x, y, radius = min(found, key=lambda d: (d[0] - size / 2) ** 2 + (d[1] - size / 2) ** 2)
        # a face cut off by the crop, or tiny in it, is no good view
        presence = 0.95 if radius > 0.15 * size else 0.2
    points = ((FACE_2D - MIDDLE) * radius + (x + 0.5, y + 0.5)) / size
    return {"points": points[None].astype(np.float32), "presence": np.array([presence], np.float32)}


def detect(frame: Frame, scores: Sequence[Disc], region: tuple[int, int, int, int] | None = None) -> Detections:
    """Every disc of the frame or region, with the scores of the discs drawn (by nearness)."""
    x0, y0, x1, y1 = region or (0, 0, WIDTH, HEIGHT)
    faces = []
    for x, y, radius in discs_in(np.ascontiguousarray(frame.image[y0:y1, x0:x1, 0])):
        disc = Disc(x + x0, y + y0, radius)
        points = disc.points()
        score = min(scores, key=lambda d: (d.x - disc.x) ** 2 + (d.y - disc.y) ** 2).score if scores else 0.9
        faces.append(Detection(matching.face_box(points), score, five_of(points)))
    faces.sort(key=lambda f: -f.score)
    return Detections(frame.sequence, frame.capture_time, tuple(faces), region)


class World:
    """Runs a tracker over frames given as lists of discs; `late` delays every detection by that many frames."""

    def __init__(self, settings: FaceSettings | None = None, *, late: int = 0, every: int = 1) -> None:
        self.tracker = Tracker(LandmarkModel(landmark_network, CONTRACT), settings or FaceSettings())
        self.late = late
        self.every = every
        self.sequence = 0
        self.detections = 0
        self.pending: list[Detections] = []
        self.observed: list[FaceObservation | None] = []

    def step(self, *discs: Disc, scene: int = 100, next_face: bool = False) -> FaceObservation | None:
        """One camera frame; returns what the tracker says of it (None, too, for frames it never got)."""
        frame = Frame(picture(*discs, scene=scene), self.sequence, self.sequence / 30)
        self.sequence += 1
        if self.tracker.try_claim_detection(frame.sequence):
            self.detections += 1
            self.pending.append(detect(frame, discs, self.tracker.region))
        if frame.sequence % self.every:
            return None
        ready = [d for d in self.pending if d.sequence <= frame.sequence - self.late]
        self.pending = [d for d in self.pending if d not in ready]
        seen = self.tracker.update(frame, ready[-1] if ready else None, next_face=next_face)
        self.observed.append(seen)
        return seen
