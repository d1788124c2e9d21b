"""An exported RetinaFace on whole pictures, without the program around it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tools.data.scan import suppress
from tools.networks import retinaface, retinaface_onnx

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass
class Faces:
    """boxes (N, 4), scores (N,), points (N, 5, 2), best first."""

    boxes: F32
    scores: F32
    points: F32

    def above(self, threshold: float) -> "Faces":
        """Those at least this sure."""
        chosen = self.scores >= threshold
        return Faces(self.boxes[chosen], self.scores[chosen], self.points[chosen])


class Detector:
    """An ONNX RetinaFace on whole pictures."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._priors = lru_cache(maxsize=16)(retinaface.priors)

    def __call__(self, picture: U8, least: float = 0.05) -> Faces:
        """Every face of a BGR picture (H, W, 3) scored at least `least`, overlaps above 0.4 suppressed."""
        height, width = picture.shape[:2]
        x = (picture.astype(np.float32) - np.array(retinaface.MEAN, np.float32)).transpose(2, 0, 1)[None]
        names = list(retinaface_onnx.OUTPUTS)
        loc, conf, marks = self._session.run(names, {retinaface_onnx.INPUT: np.ascontiguousarray(x)})
        likely = np.flatnonzero(conf[0, :, 1] >= least)
        anchors = self._priors(height, width)[likely]
        boxes, points = retinaface.decode(loc[0, likely], marks[0, likely], anchors, height, width)
        keep = suppress(boxes, conf[0, likely, 1])
        return Faces(boxes[keep], conf[0, likely, 1][keep], points[keep])
