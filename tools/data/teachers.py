"""The teachers: three 98-point nets averaged over crops and mirror images, and MediaPipe's 478 points.

Every call works on one picture (BGR) and a first guess; the points come back in that picture's pixels.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from realtime.errors import UserInputError
from tools.data.points98 import MIRROR, crop_matrix, invert, roll_of, square_from_points, transform

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

PFLD_FILES = (
    "PFLD_GhostOne_112_1_opt_sim.onnx",
    "PFLD_GhostNet_112_1_opt_sim.onnx",
    "PFLD_GhostNet_Slim_112_1_opt_sim.onnx",
)
PFLD_GROWTH = 1.2
"""The nets were trained on squares 1.2 times the points' box."""


def one_thread_session(model: Path) -> ort.InferenceSession:
    """A CPU session with one thread that does not spin.

    Raises:
        UserInputError: the file is not there.
    """
    if not model.is_file():
        raise UserInputError(
            f"{model} is not there; a teacher comes with the development material, whose folder FACEMIRROR_SHARED names."
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class Pfld:
    """One PFLD-Ghost net: 112x112 RGB, (x / 255 - 0.5) / 0.5 -> 98 points."""

    def __init__(self, model: Path) -> None:
        self._session = one_thread_session(model)
        self._input = self._session.get_inputs()[0].name

    def crop_points(self, crop: U8) -> F32:
        """Crop-normalised points (98, 2), 0..1, of a 112x112 BGR crop."""
        blob = (crop[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        out = self._session.run(None, {self._input: np.ascontiguousarray(blob)})[0]
        result: F32 = out.reshape(98, 2).astype(np.float32)
        return result

    def points(self, picture: U8, centre: NDArray[np.float64], side: float, roll: float, mirrored: bool = False) -> F32:
        """Points (98, 2) in the picture's pixels, seen through the given square, mirrored or not."""
        matrix = crop_matrix(centre, side, roll, 112)
        crop = cv2.warpAffine(picture, matrix, (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        if mirrored:
            found = self.crop_points(np.ascontiguousarray(crop[:, ::-1]))[MIRROR]
            found[:, 0] = 1 - found[:, 0]
        else:
            found = self.crop_points(crop)
        return transform(found * 112 - 0.5, invert(matrix))


class PfldEnsemble:
    """The three nets, each averaged over jittered crops and their mirror images."""

    def __init__(self, folder: Path, crops: int = 4, seed: int = 0) -> None:
        self.nets = [Pfld(folder / name) for name in PFLD_FILES]
        self._crops = crops
        self._rng = np.random.default_rng(seed)

    def first_guess(self, picture: U8, box: F32, five: F32) -> F32:
        """Points (98, 2) from a detector's box and five points, refined once."""
        centre, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max())
        centre = centre + np.array((0, 0.06 * side))
        points = self.nets[0].points(picture, centre.astype(np.float64), 1.1 * side, roll_of(five))
        return self.nets[0].points(picture, *square_from_points(points, PFLD_GROWTH))

    def label(self, picture: U8, guess: F32) -> tuple[F32, F32]:
        """Each net's averaged points (3, 98, 2) and the spread (98,) over all its views, in pixels."""
        centre, side, roll = square_from_points(guess, PFLD_GROWTH)
        views: list[list[F32]] = [[] for _ in self.nets]
        for k in range(self._crops):
            shift = self._rng.normal(0, 0.02, 2) * side if k else np.zeros(2)
            grow = float(np.exp(self._rng.normal(0, 0.05))) if k else 1.0
            turn = float(self._rng.normal(0, 0.07)) if k else 0.0
            for net, seen in zip(self.nets, views, strict=True):
                seen += [net.points(picture, centre + shift, side * grow, roll + turn, m) for m in (False, True)]
        stack = np.array(views)
        spread = np.sqrt(stack.reshape(-1, 98, 2).var(0).sum(-1))
        return stack.mean(1), spread.astype(np.float32)


class MediaPipeMesh:
    """MediaPipe's face mesh with irises: 478 points and a face score."""

    def __init__(self, model: Path) -> None:
        self._session = one_thread_session(model)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [o.name for o in self._session.get_outputs()]

    def _once(self, picture: U8, centre: NDArray[np.float64], side: float, roll: float) -> tuple[F32, float]:
        matrix = crop_matrix(centre, side, roll, 256)
        crop = cv2.warpAffine(picture, matrix, (256, 256), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        blob = crop[None, :, :, ::-1].astype(np.float32) / 255
        mesh, score = self._session.run(self._outputs[:2], {self._input: np.ascontiguousarray(blob)})
        points = mesh.reshape(478, 3)[:, :2]
        return transform(points - 0.5, invert(matrix)), float(1 / (1 + np.exp(-score.reshape(-1)[0])))

    def points(self, picture: U8, guess: F32) -> tuple[F32, float]:
        """Points (478, 2) in pixels and the face score, from 98 points as a first guess; refined once."""
        centre, side, roll = square_from_points(guess, 1.0)
        up = np.array((np.sin(roll), -np.cos(roll)))
        points, _ = self._once(picture, centre + 0.12 * side * up, 1.75 * side, roll)
        c, s = np.cos(roll), np.sin(roll)
        upright = points @ np.array([[c, -s], [s, c]])
        low, high = upright.min(0), upright.max(0)
        centre = np.array([[c, -s], [s, c]]) @ ((low + high) / 2)
        return self._once(picture, centre, float(1.5 * (high - low).max()), roll)
