"""MediaPipe's face landmarker whole: 478 points with depth, the head's rotation and the 52 blend shapes."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.face_geometry import METADATA, FaceGeometry
from tools.data.points98 import crop_matrix, invert, square_from_points, transform
from tools.data.teachers import one_thread_session

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

_FOLDER = "models/mediapipe_face_landmarker/converted"

# The points that the blend shape network takes, in its order.
_SUBSET_TEXT = """0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87 88 91 93 95 103 105 107
    109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159 160 161 162 163 168 172 173 176 178 181 185 191 195
    197 234 246 249 251 263 267 269 270 276 282 283 284 285 288 291 293 295 296 297 300 308 310 311 312 314 317 318 321 323 324
    332 334 336 338 356 361 362 365 373 374 375 377 378 379 380 381 382 384 385 386 387 388 389 390 397 398 400 402 405 409 415
    454 466 468 469 470 471 472 473 474 475 476 477"""
_SUBSET = np.array(_SUBSET_TEXT.split(), np.int64)
_NAMES = """neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight
    eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight
    eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight
    mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft
    mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower
    mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight
    noseSneerLeft noseSneerRight"""
BLEND_SHAPES = tuple(_NAMES.split())
"""In the network's order; Left and Right are the person's own."""


class FaceLandmarker:
    """The three networks' parts that work on one face whose 98 points are roughly known."""

    def __init__(self, shared: Path) -> None:
        """Open the converted networks in the development material's folder."""
        self._mesh = one_thread_session(shared / _FOLDER / "face_landmarks_detector_noprelu.onnx")
        self._shapes = one_thread_session(shared / _FOLDER / "face_blendshapes.onnx")
        self._geometry = FaceGeometry(shared / METADATA)
        self._outputs = [output.name for output in self._mesh.get_outputs()]

    def points(self, picture: U8, guess: F32) -> F32:
        """(478, 3) pixels, z toward the back, from (98, 2) points as a first guess; refined once."""
        centre, side, roll = square_from_points(guess, 1.0)
        up = np.array((np.sin(roll), -np.cos(roll)))
        first = self._once(picture, centre + 0.12 * side * up, 1.75 * side, roll)[:, :2]
        turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        upright = first @ turn
        low, high = upright.min(axis=0), upright.max(axis=0)
        return self._once(picture, turn @ ((low + high) / 2), float(1.5 * (high - low).max()), roll)

    def blend_shapes(self, points: F32) -> dict[str, float]:
        """0..1 by name, of the points of `points`."""
        blob = {self._shapes.get_inputs()[0].name: points[None, _SUBSET, :2].astype(np.float32)}
        return dict(zip(BLEND_SHAPES, self._shapes.run(None, blob)[0].reshape(-1).tolist(), strict=True))

    def rotation(self, points: F32, picture: U8) -> NDArray[np.float64]:
        """(3, 3) of the head: x to the person's left, y up, z toward the camera."""
        return self._geometry.rotation(points, *picture.shape[:2])

    def _once(self, picture: U8, centre: NDArray[np.float64], side: float, roll: float) -> F32:
        matrix = crop_matrix(centre, side, roll, 256)
        crop = cv2.warpAffine(picture, matrix, (256, 256), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        blob = np.ascontiguousarray(crop[None, :, :, ::-1].astype(np.float32) / 255)
        mesh = self._mesh.run(self._outputs[:1], {self._mesh.get_inputs()[0].name: blob})[0].reshape(478, 3)
        flat = transform(mesh[:, :2] - 0.5, invert(matrix))
        return np.concatenate([flat, mesh[:, 2:] * np.float32(side / 256)], axis=1).astype(np.float32)
