"""The landmark network's own averaged answers as labels: what it finds in a clear picture teaches what to find in a degraded one.

One answer of the network errs from crop to crop and from a picture to its mirror image; the mean over several crops and their mirror
images errs less. Photographs' labels come from other networks, whose habits differ from crop to crop too: a label half way to the
network's own mean is one that it can reach, from a blurred, covered or mirrored crop of the same face as well.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.points98 import MIRROR, crop_matrix, invert, square_from_points, transform
from tools.data.teachers import one_thread_session

Floats = NDArray[np.floating[Any]]
U8 = NDArray[np.uint8]

SIZE = 112
VIEWS = ((1.0, 0.0, 0.0), (1.07, 0.02, -0.015), (0.95, -0.02, 0.015))
"""Of each crop the answers are averaged over: its side as a multiple of the usual one, and its shift in sides."""
FARTHEST = 3.0
"""Pixels of the crop: where label and answer are farther apart than this, the answer is taken for wrong and the label stays."""
EYES = slice(60, 76)
"""Lids keep their labels: where they were shut by a warp these are exact, and the network's own habits must not be learnt again."""
BY_HAND_TRUST = 1.0
"""Points with more trust were placed by people: they stay as they are."""


class OwnAnswers:
    """Mean answers of an exported landmark network.

    Args:
        model: the .onnx file.
        share: of the way from the label to the answer, 0..1, that the label is moved.
    """

    def __init__(self, model: Path, share: float) -> None:
        self._session = one_thread_session(model)
        self._share = share

    def answer(self, picture: U8, near: Floats) -> Floats:
        """Points (98, 2) in the pixels of a BGR picture: the mean over three crops around `near` (98, 2) and their mirror images."""
        centre, side, roll = square_from_points(near)
        found = []
        for grown, right, down in VIEWS:
            matrix = crop_matrix(centre + np.array((right, down)) * side, side * grown, roll, SIZE)
            crop = cv2.warpAffine(
                picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            back = invert(matrix)
            found.append(transform(self._look(crop), back))
            mirrored = self._look(np.ascontiguousarray(crop[:, ::-1]))[MIRROR]
            mirrored[:, 0] = SIZE - 1 - mirrored[:, 0]
            found.append(transform(mirrored, back))
        result: Floats = np.mean(found, axis=0)
        return result

    def taught(self, picture: U8, points: Floats, trust: Floats) -> Floats:
        """The labels (98, 2), pixels of the clear crop `picture`, moved towards the network's own mean answer.

        Args:
            picture: (112, 112, 3) BGR, before anything covers or degrades it.
            points: (98, 2) its labels.
            trust: (98,) in each label; what people placed by hand stays.
        """
        answer = self.answer(picture, points)
        apart = np.linalg.norm(answer - points, axis=1)
        share = np.where((apart <= FARTHEST) & (trust <= BY_HAND_TRUST), self._share, 0.0)
        share[EYES] = 0.0
        result: Floats = points + share[:, None] * (answer - points)
        return result

    def _look(self, crop: U8) -> Floats:
        blob = (crop[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        points: Floats = self._session.run(["points"], {"crop": np.ascontiguousarray(blob)})[0][0]
        return points * SIZE - 0.5
