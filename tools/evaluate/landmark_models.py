"""The landmark networks that the evaluation compares, behind one signature: picture and square in, points out."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from tools.data.crops import SIZE
from tools.data.landmark_batches import FaceSet
from tools.data.points98 import (
    CROP_GROWTH,
    crop_matrix,
    invert,
    square_from_points,
    transform,
)
from tools.data.teachers import PFLD_GROWTH, Pfld, one_thread_session

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Square = tuple[NDArray[np.float64], float, float]
Model = Callable[[U8, Square], F32]


class Landmarks:
    """The shipped network behind its contract."""

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise ModelFileError(
                f"{model} is missing: train and export it with tools.train.landmarks.train and tools.train.landmarks.export"
            )
        self.session = one_thread_session(model)

    def crop(self, crop: U8) -> tuple[F32, F32, float]:
        """Points (98, 2) and covariance (98, 3) in crop units, and presence, of a 112x112 BGR crop."""
        blob = (crop[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        points, covariance, presence = self.session.run(None, {"crop": np.ascontiguousarray(blob)})
        return points[0], covariance[0], float(presence[0])

    def __call__(self, picture: U8, square: Square) -> F32:
        """Points (98, 2) in the picture's pixels, seen through the square."""
        matrix = crop_matrix(*square, SIZE)
        crop = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
        return transform(self.crop(crop)[0] * SIZE - 0.5, invert(matrix))


def ghost(net: Pfld) -> Model:
    """PFLD-GhostOne through the same squares, shrunk to the margin it was trained with."""

    def see(picture: U8, square: Square) -> F32:
        centre, side, roll = square
        return net.points(picture, centre, side * PFLD_GROWTH / CROP_GROWTH, roll)

    return see


def through_crops(model: Model, faces: FaceSet, shift: float, scale: float, turn: float, seed: int = 3) -> F32:
    """Points (N, 98, 2) seen through squares displaced uniformly: shift in sides, scale as a factor, turn in degrees."""
    rng = np.random.default_rng(seed)
    found = []
    for picture, points in zip(faces.pictures, faces.points, strict=True):
        centre, side, roll = square_from_points(points)
        moved = centre + rng.uniform(-shift, shift, 2) * side
        grown = side * np.exp(rng.uniform(-np.log(1 + scale), np.log(1 + scale)))
        found.append(model(picture, (moved, float(grown), roll + np.radians(rng.uniform(-turn, turn)))))
    return np.stack(found)
