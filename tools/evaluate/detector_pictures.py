"""Pictures the detector is judged on: windows of collages it never saw, pictures without a face, real clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train.detector.composites import Composer, carry, placement, warp
from tools.train.detector.scenery import scene, spoil
from tools.train.detector.sources import Source

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

SIDE = 640
ROWS = 360
THUMB = 32
FAMILIAR = 0.93


@dataclass(frozen=True)
class Window:
    """image: (360, 640, 3) uint8 BGR; seen_before: (N, 4) boxes of faces that also appear in a training picture;
    known: (M, 4) boxes of the other faces known to be in it, found by the official network in the unspoilt collage."""

    image: U8
    seen_before: F32
    known: F32


def thumbnails(sources: list[Source]) -> F32:
    """(N, 1024) grey, centred, unit-length pictures of every face, source after source."""
    rows = []
    for source in sources:
        for box in source.boxes:
            side = float((box[2:] - box[:2]).max())
            centre = (box[:2] + box[2:]) / 2
            scale = THUMB / side
            matrix = np.array(
                [[scale, 0, THUMB / 2 - scale * centre[0]], [0, scale, THUMB / 2 - scale * centre[1]]], np.float32
            )
            grey = (
                warp(source, matrix, scale, THUMB, cv2.BORDER_REPLICATE, (0, 0, 0))
                .astype(np.float32)
                .mean(axis=2)
                .ravel()
            )
            grey -= grey.mean()
            rows.append(grey / max(float(np.linalg.norm(grey)), 1e-6))
    return np.array(rows, np.float32)


def familiar(held: list[Source], trained: list[Source]) -> list[NDArray[np.bool_]]:
    """For each held-out source, which of its faces look like one of the training pictures' (correlation above 0.93)."""
    closest = (thumbnails(held) @ thumbnails(trained).T).max(axis=1) > FAMILIAR
    return np.split(closest, np.cumsum([len(s.boxes) for s in held])[:-1])


def windows(
    held: list[Source], known: list[NDArray[np.bool_]], count: int, seed: int, *, degraded: bool
) -> Iterator[Window]:
    """`count` windows of 640x360 around unfamiliar faces of 24 to 330 px, turned by up to some 20 degrees."""
    rng = np.random.default_rng(seed)
    choice = [(s, int(i)) for s in range(len(held)) for i in np.flatnonzero(~known[s])]
    top = (SIDE - ROWS) // 2
    for _ in range(count):
        which, index = choice[int(rng.integers(len(choice)))]
        source = held[which]
        target = float(np.exp(rng.uniform(np.log(24), np.log(330))))
        where = (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.35, 0.65)))
        mirror = bool(rng.random() < 0.5)
        matrix, scale = placement(rng, source.boxes[index], SIDE, target, where, float(rng.normal(0, 8)), mirror)
        image = warp(source, matrix, scale, SIDE, cv2.BORDER_CONSTANT, (90, 90, 90))[top : top + ROWS]
        boxes, _ = carry(source.boxes, source.points, matrix, mirror)
        boxes[:, 1::2] -= top
        shown = spoil(rng, image) if degraded else np.ascontiguousarray(image)
        inside = (boxes[:, :2].min(axis=1) >= 0) & (boxes[:, 2] <= SIDE) & (boxes[:, 3] <= ROWS)
        yield Window(shown, boxes[known[which]], boxes[inside & ~known[which]])


def faceless(held: list[Source], count: int, seed: int) -> Iterator[tuple[str, U8]]:
    """Pictures without a face and their kind: scenery with writing and hands, and the parts of collages between faces."""
    rng = np.random.default_rng(seed)
    composer = Composer(held)
    for k in range(count):
        part = composer.window(rng, SIDE) if k % 2 else None
        kind = "scenery" if part is None else "photograph"
        image = scene(rng, SIDE) if part is None else part
        yield kind, spoil(rng, np.ascontiguousarray(image[(SIDE - ROWS) // 2 :][:ROWS]))


def clip(path: Path) -> Iterator[U8]:
    """Every frame of a file, BGR uint8, scaled to at most 640 pixels a row."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            image = frame.to_ndarray(format="bgr24")
            share = SIDE / image.shape[1]
            if share < 1:
                image = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            yield image
