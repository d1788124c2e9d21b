"""MediaPipe's head pose: its canonical face mesh laid on the 468 points of its landmark network.

The same arithmetic as MediaPipe's face geometry pipeline (Apache-2.0): a camera with a vertical field of view of 63 degrees, depth
scaled until mesh and points have one size, then a weighted orthogonal fit (Kabsch). The mesh and the weights come from the pipeline's
own metadata file.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Field = tuple[int, int | float | bytes]

METADATA = "models/mediapipe_face_landmarker/tflite/geometry_pipeline_metadata_landmarks.binarypb"
_POINTS = 468
_FIELD_OF_VIEW = np.radians(63.0)
_NEAR = 1.0


class FaceGeometry:
    """The canonical mesh and how much each of its points counts.

    Attributes:
        mesh: (468, 3) centimetres; x to the person's left, y up, z toward the camera.
        weights: (468,) of the points in the fit; 0 for most.
    """

    def __init__(self, metadata: Path) -> None:
        """Read MediaPipe's `geometry_pipeline_metadata_landmarks.binarypb`."""
        top = list(_fields(metadata.read_bytes()))
        parts = [value for _, value in top if isinstance(value, bytes)]
        vertices = [value for number, value in _fields(max(parts, key=len)) if number == 3]
        flat = [v for value in vertices for v in (np.frombuffer(value, "<f4") if isinstance(value, bytes) else [value])]
        self.mesh: F64 = np.array(flat, np.float64).reshape(-1, 5)[:, :3]
        self.weights: F64 = np.zeros(len(self.mesh))
        for part in parts:
            if len(part) < 20:
                entry = dict(_fields(part))
                self.weights[int(entry.get(1, 0))] = float(entry.get(2, 0.0))

    def rotation(self, points: NDArray[np.floating], height: int, width: int) -> F64:
        """(3, 3) rotation of the head.

        Args:
            points: (>= 468, 3) pixels; z toward the back, on the scale of x.
            height: of the picture, pixels.
            width: of the picture, pixels.
        """
        tall = 2 * _NEAR * np.tan(_FIELD_OF_VIEW / 2)
        wide = tall * width / height
        share = points[:_POINTS].astype(np.float64) / (width, height, width)
        screen = np.stack(
            [share[:, 0] * wide - wide / 2, (1 - share[:, 1]) * tall - tall / 2, share[:, 2] * wide], axis=1
        )
        first = self._fit(screen * (1, 1, -1))[0]
        second = self._fit(_unprojected(screen, first))[0]
        return self._fit(_unprojected(screen, first * second))[1]

    def _fit(self, seen: F64) -> tuple[float, F64]:
        """Scale and rotation that lay the mesh on the (468, 3) points seen."""
        weights = self.weights[:, None] / self.weights.sum()
        mesh, found = (p - (p * weights).sum(axis=0) for p in (self.mesh, seen))
        u, sizes, vt = np.linalg.svd((mesh * weights).T @ found)
        signs = np.array([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
        scale = float((sizes * signs).sum() / (mesh**2 * weights).sum())
        return scale, np.asarray(vt.T @ np.diag(signs) @ u.T, np.float64)


def _unprojected(screen: F64, scale: float) -> F64:
    out = screen.copy()
    out[:, 2] = (out[:, 2] - screen[:, 2].mean() + _NEAR) / scale
    out[:, :2] *= out[:, 2:] / _NEAR
    return out * (1, 1, -1)


def _fields(message: bytes) -> Iterator[Field]:
    """The fields of a protocol buffer message: number and value."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        value: int | float | bytes
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 5:
            value, at = struct.unpack_from("<f", message, at)[0], at + 4
        elif kind == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        else:
            raise ValueError(f"a field of wire type {kind} is not expected in the metadata")
        yield key >> 3, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at
