"""Pictures full of faces, with every face's box, as the detector's training material.

Each collage is decoded once into a pyramid of memory-mapped arrays and searched for faces by the official detector at
several scales. Training pictures and held-out pictures never share a source file (`held_out`).
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.scan import FaceScanner

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

LEVELS = 5
HELD_OUT_SHARE = 6
SCORE = 0.6


@dataclass(frozen=True)
class Source:
    """One picture: `levels[k]` (H/2^k, W/2^k, 3) uint8 BGR; boxes (N, 4) and points (N, 5, 2) in pixels of level 0."""

    name: str
    levels: tuple[U8, ...]
    boxes: F32
    points: F32

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of level 0."""
        return self.levels[0].shape[0], self.levels[0].shape[1]


def held_out(name: str) -> bool:
    """True for the sixth of the source files (chosen by a hash of the file name) that training never sees."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELD_OUT_SHARE == 0


def collages(shared: Path) -> list[Path]:
    """Every collage of the two SFHQ folders, in a fixed order."""
    return sorted(p for folder in ("sfhq", "sfhq_t2i") for p in (shared / "faces" / folder).glob("*.jpg"))


def prepare(pictures: list[Path], detector: Path, cache: Path, report: Callable[[str], None] = print) -> None:
    """Fill `cache` with each picture's pyramid and faces; what is already there is kept.

    detector: the official RetinaFace as ONNX. A broken picture raises ValueError.
    """
    scanner = FaceScanner(detector, SCORE)
    cache.mkdir(parents=True, exist_ok=True)
    for path in pictures:
        done = cache / f"{path.stem}.json"
        if done.exists():
            continue
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{path} is not a picture OpenCV can read.")
        longest = max(image.shape[:2])
        scales = (0.5, 0.25) if longest > 3000 else (1.0, 0.5)
        boxes, scores, points = scanner.scan(image, scales)
        level: U8 = image
        for k in range(LEVELS):
            np.save(cache / f"{path.stem}.{k}.npy", level)
            level = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        np.savez(cache / f"{path.stem}.npz", boxes=boxes, scores=scores, points=points)
        done.write_text(json.dumps({"name": path.name, "faces": len(boxes), "held_out": held_out(path.name)}))
        report(f"{path.name}: {len(boxes)} faces")


def read(cache: Path, *, held: bool) -> list[Source]:
    """The training sources (`held=False`) or the held-out ones, as memory maps, in a fixed order."""
    found = []
    for note in sorted(cache.glob("*.json")):
        facts = json.loads(note.read_text())
        if held_out(facts["name"]) != held:
            continue
        table = np.load(note.with_suffix(".npz"))
        levels = tuple(np.load(cache / f"{note.stem}.{k}.npy", mmap_mode="r") for k in range(LEVELS))
        found.append(
            Source(facts["name"], levels, table["boxes"].astype(np.float32), table["points"].astype(np.float32))
        )
    return found
