"""Eye windows of the London and Canada portraits, with the iris as people placed its ring."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.analyze import FaceAnalyzer
from realtime.errors import UserInputError
from tools.data.irises import EyeWindow, cut
from tools.data.london import IRIS_RINGS, LONGEST, for_training, read_template, ring_sides

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PortraitEye:
    """One eye of a neutral portrait. side: 0 right, 1 left. training: may be learnt from. pixels: diameter in the photograph."""

    person: str
    ethnicity: str
    side: int
    training: bool
    window: EyeWindow
    pixels: float


def portrait_eyes(folder: Path, ethnicity: dict[str, str] | None = None) -> list[PortraitEye]:
    """Both eyes of every labelled portrait, cut where the program's own landmark network sees the corners.

    Args:
        folder: of `tools.data.london`.
        ethnicity: by person; None: left empty.

    Raises:
        UserInputError: there is no portrait.
    """
    out = []
    with FaceAnalyzer() as analyze:
        for kind in ("neutral", "canada"):
            for path in sorted((folder / kind).glob("*.tem")):
                picture = cv2.imread(str(path.with_suffix(".jpg")))
                if picture is None:
                    continue
                scale = min(1.0, LONGEST / max(picture.shape[:2]))
                small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                faces = analyze(np.ascontiguousarray(small, np.uint8))
                if not faces:
                    continue
                points = ((faces[0].points + 0.5) / scale - 0.5).astype(np.float32)
                person = f"{'canada' if kind == 'canada' else 'london'}/{path.stem}"
                template = read_template(path)
                for side in (0, 1):
                    ring = template[list(IRIS_RINGS[side])]
                    centre, diameter = ring_sides(ring)
                    colour = _colour(picture, ring)
                    window = cut(np.asarray(picture, np.uint8), points, side, centre, diameter, colour)
                    group = (ethnicity or {}).get(person, "")
                    out.append(PortraitEye(person, group, side, for_training(person), window, diameter))
    if not out:
        raise UserInputError(f"{folder} holds no labelled portraits.")
    return out


def _colour(picture: NDArray[np.generic], ring: F32) -> F32:
    """Median BGR (3,) of the lower half of the iris, between pupil and rim."""
    centre, diameter = ring_sides(ring)
    x, y = np.meshgrid(np.arange(picture.shape[1]), np.arange(picture.shape[0]))
    away = np.hypot(x - centre[0], y - centre[1]) / (diameter / 2)
    chosen = (away > 0.5) & (away < 0.85) & (y > centre[1])
    result: F32 = np.median(picture[chosen], axis=0).astype(np.float32)
    return result
