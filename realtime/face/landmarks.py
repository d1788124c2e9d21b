"""98 landmarks of one face: the crop as the network wants it, its outputs as frame pixels."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from realtime.errors import ModelFileError
from realtime.face import wflw
from realtime.face.alignment import warp_float
from realtime.face.contract import LandmarkContract
from realtime.face.geometry import invert, scale_of, transform
from realtime.types import F32, F64, U8

Network = Callable[[F32], Mapping[str, F32]]
"""Takes (1, 3, S, S) float32, gives arrays by the program's words; `realtime.models` sessions' `run` is one."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What a landmark network says of one crop.

    Attributes:
        points: (98, 2) frame pixels.
        covariance: (98, 2, 2) pixels squared or None.
        presence: the network's own, or None.
        crop: (2, 3) frame to crop pixels.
        patch: (3, S, S) float32, what the network saw (a buffer: valid until the next call).
    """

    points: F32
    covariance: F32 | None
    presence: float | None
    crop: F64
    patch: F32


class LandmarkModel:
    """A landmark network with its contract. One caller at a time: the crop's buffer is used again by the next call.

    Args:
        network: blob (1, 3, S, S) float32 to named outputs.
        contract: what goes in and what comes out.
    """

    def __init__(self, network: Network, contract: LandmarkContract) -> None:
        self.contract = contract
        self._network = network
        self._blob = np.zeros((1, 3, contract.size, contract.size), np.float32)
        self._mean = np.array(contract.mean, np.float32)
        self._scale = np.array(contract.scale, np.float32)

    def locate(self, image: U8, crop: F64) -> Landmarks:
        """The face's points inside one crop.

        Args:
            image: (H, W, 3) uint8 BGR.
            crop: (2, 3) frame to crop pixels.

        Raises:
            ModelFileError: the network's outputs are not what its contract says.
        """
        warp_float(image, crop, self._mean, self._scale, self.contract.rgb, self._blob[0])
        outputs = self._network(self._blob)
        points = outputs.get("points")
        if points is None or points.size != 2 * wflw.POINTS:
            shape = "nothing" if points is None else f"shape {points.shape}"
            raise ModelFileError(f"The landmark network should give 98 points under 'points'; it gives {shape}.")
        back = invert(crop)
        return Landmarks(
            points=transform(back, self._to_crop(points.reshape(wflw.POINTS, 2))),
            covariance=self._covariance(outputs, back),
            presence=self._presence(outputs),
            crop=crop,
            patch=self._blob[0],
        )

    def _to_crop(self, points: F32) -> F32:
        points = np.asarray(points, np.float32)
        size = self.contract.size
        if self.contract.layout == "unit":
            return points * np.float32(size) - np.float32(0.5)
        if self.contract.layout == "signed":
            return (points + np.float32(1)) * np.float32(size / 2) - np.float32(0.5)
        return points

    def _covariance(self, outputs: Mapping[str, F32], back: F64) -> F32 | None:
        if self.contract.covariance == "none":
            return None
        values = outputs.get("covariance")
        per_point = 1 if self.contract.covariance == "log_sigma" else 3
        if values is None or values.size not in (per_point * wflw.POINTS, 4 * wflw.POINTS):
            shape = "nothing" if values is None else f"shape {values.shape}"
            raise ModelFileError(f"The landmark network should give a covariance for 98 points; it gives {shape}.")
        side = self.contract.size
        if per_point == 1:
            sigma = np.exp(values.reshape(wflw.POINTS).astype(np.float64)) * side * scale_of(back)
            return np.asarray(sigma[:, None, None] ** 2 * np.eye(2), np.float32)
        rows = np.asarray(values, np.float32).reshape(wflw.POINTS, -1)
        return _turned(rows, back * side)

    def _presence(self, outputs: Mapping[str, F32]) -> float | None:
        if self.contract.presence == "none":
            return None
        value = outputs.get("presence")
        if value is None:
            raise ModelFileError("The landmark network's manifest promises an output 'presence'; there is none.")
        number = float(value.reshape(-1)[0])
        return number if self.contract.presence == "probability" else 1 / (1 + math.exp(-max(-60.0, min(60.0, number))))


def _turned(rows: F32, turn: F64) -> F32:
    """(98, 2, 2) T C T' for each covariance C, given as rows (xx, xy, yy) or (xx, xy, yx, yy); turn: (2, 3)."""
    (a, b, _), (c, d, _) = turn.tolist()
    across = (a * c, a * d + b * c, b * d)
    product = np.array(((a * a, 2 * a * b, b * b), across, across, (c * c, 2 * c * d, d * d)))
    distinct = rows if rows.shape[1] == 3 else rows[:, (0, 1, 3)]
    return np.asarray((distinct @ product.T).reshape(-1, 2, 2), np.float32)
