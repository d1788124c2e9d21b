"""98 landmarks of one face: the crop as the network wants it, its outputs as frame pixels."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

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


class _Answer(NamedTuple):
    """What the network says of one blob.

    Attributes:
        points: (98, 2) crop pixels.
        spread: rows of covariance (98, 3) xx, xy, yy or (98, 4) xx, xy, yx, yy, or (98, 1) log standard deviations, in crop
            sides; None: the contract promises none.
        presence: 0..1; None likewise.
    """

    points: F32
    spread: F32 | None
    presence: float | None


class LandmarkModel:
    """A landmark network with its contract. One caller at a time: the crop's buffer is used again by the next call.

    Args:
        network: blob (1, 3, S, S) float32 to named outputs.
        contract: what goes in and what comes out.
        mirror_average: the network is asked about the crop and about its mirror image, and both answers are averaged, the
            mirror image's with sides exchanged. A mirrored face then gives exchanged points, whatever the network does;
            it takes twice as long.
    """

    def __init__(self, network: Network, contract: LandmarkContract, *, mirror_average: bool = False) -> None:
        self.contract = contract
        self._network = network
        self._mirror_average = mirror_average
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
        found = self._ask(self._blob)
        if self._mirror_average:
            # Asked one after the other: the files take one picture, and a batch of two costs the processor as much.
            found = _average(found, self._exchanged(self._ask(np.ascontiguousarray(self._blob[..., ::-1]))))
        back = invert(crop)
        return Landmarks(
            points=transform(back, found.points),
            covariance=None if found.spread is None else self._covariance(found.spread, back),
            presence=found.presence,
            crop=crop,
            patch=self._blob[0],
        )

    def _ask(self, blob: F32) -> _Answer:
        outputs = self._network(blob)
        points = outputs.get("points")
        if points is None or points.size != 2 * wflw.POINTS:
            shape = "nothing" if points is None else f"shape {points.shape}"
            raise ModelFileError(f"The landmark network should give 98 points under 'points'; it gives {shape}.")
        return _Answer(
            self._to_crop(points.reshape(wflw.POINTS, 2)),
            self._spread(outputs),
            self._presence(outputs),
        )

    def _exchanged(self, found: _Answer) -> _Answer:
        """What was found on the mirror image of the crop, in the crop itself: sides exchanged."""
        points = found.points[wflw.FLIP_ORDER]
        points[:, 0] = np.float32(self.contract.size - 1) - points[:, 0]
        if found.spread is None:
            return found._replace(points=points)
        spread = found.spread[wflw.FLIP_ORDER]
        spread[:, 1:-1] *= np.float32(-1)  # xy and yx
        return _Answer(points, spread, found.presence)

    def _to_crop(self, points: F32) -> F32:
        points = np.asarray(points, np.float32)
        size = self.contract.size
        if self.contract.layout == "unit":
            return points * np.float32(size) - np.float32(0.5)
        if self.contract.layout == "signed":
            return (points + np.float32(1)) * np.float32(size / 2) - np.float32(0.5)
        return points

    def _spread(self, outputs: Mapping[str, F32]) -> F32 | None:
        if self.contract.covariance == "none":
            return None
        values = outputs.get("covariance")
        per_point = 1 if self.contract.covariance == "log_sigma" else 3
        if values is None or values.size not in (per_point * wflw.POINTS, 4 * wflw.POINTS):
            shape = "nothing" if values is None else f"shape {values.shape}"
            raise ModelFileError(f"The landmark network should give a covariance for 98 points; it gives {shape}.")
        return np.asarray(values, np.float32).reshape(wflw.POINTS, -1)

    def _covariance(self, rows: F32, back: F64) -> F32:
        """(98, 2, 2) pixels squared."""
        side = self.contract.size
        if self.contract.covariance == "log_sigma":
            sigma = np.exp(rows.reshape(wflw.POINTS).astype(np.float64)) * side * scale_of(back)
            return np.asarray(sigma[:, None, None] ** 2 * np.eye(2), np.float32)
        return _turned(rows, back * side)

    def _presence(self, outputs: Mapping[str, F32]) -> float | None:
        if self.contract.presence == "none":
            return None
        value = outputs.get("presence")
        if value is None:
            raise ModelFileError("The landmark network's manifest promises an output 'presence'; there is none.")
        number = float(value.reshape(-1)[0])
        return number if self.contract.presence == "probability" else 1 / (1 + math.exp(-max(-60.0, min(60.0, number))))


def _average(one: _Answer, other: _Answer) -> _Answer:
    """The mean of both. Both see the same picture, so the covariance is the mean of theirs and not a half of it."""
    half = np.float32(0.5)
    spread = None if one.spread is None or other.spread is None else (one.spread + other.spread) * half
    presence = None if one.presence is None or other.presence is None else (one.presence + other.presence) / 2
    return _Answer((one.points + other.points) * half, spread, presence)


def _turned(rows: F32, turn: F64) -> F32:
    """(98, 2, 2) T C T' for each covariance C, given as rows (xx, xy, yy) or (xx, xy, yx, yy); turn: (2, 3)."""
    (a, b, _), (c, d, _) = turn.tolist()
    across = (a * c, a * d + b * c, b * d)
    product = np.array(((a * a, 2 * a * b, b * b), across, across, (c * c, 2 * c * d, d * d)))
    distinct = rows if rows.shape[1] == 3 else rows[:, (0, 1, 3)]
    return np.asarray((distinct @ product.T).reshape(-1, 2, 2), np.float32)
