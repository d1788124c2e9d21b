"""98 landmarks of one face: the crop a network sees, its pixels as the network wants them, its outputs as frame pixels.

What a network needs is a `LandmarkContract`: data, read from its manifest entry. Crop coordinates: pixel centres at integers;
a crop matrix is a similarity (2, 3) from frame pixels to crop pixels.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from realtime.face import wflw
from realtime.face.alignment import warp_float
from realtime.face.geometry import fit_similarity, invert, scale_of, transform
from realtime.face.template import FACE_2D

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Network = Callable[[F32], Mapping[str, F32]]


@dataclass(frozen=True, slots=True)
class LandmarkContract:
    """What a 98-point network takes and gives.

    size: side of its square input, pixels. order, mean, scale: a pixel v enters as (v - mean) * scale.
    layout: unit = points in 0..1 of the crop (0 and 1 its outer edges), signed = -1..1 likewise, pixels = crop pixels.
    box_scale, box_shift: side of the square crop in sides of the detector's box (the longer one), and how far its middle lies
    below the box's (in the same unit). point_scale, point_shift: the same for the square around known points' bounds.
    upright: the crop is turned so that the eyes lie level.
    covariance: how the output `covariance` is to be read: crop = crop pixels squared as (xx, xy, yy) or (2, 2) per point;
    log_sigma = natural logarithm of one standard deviation per point in crop sides; none.
    presence: how the output `presence` is to be read: probability, logit, or none (then it is estimated, see `presence`).
    """

    size: int
    order: Literal["RGB", "BGR"] = "BGR"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    layout: Literal["unit", "signed", "pixels"] = "unit"
    box_scale: float = 1.1
    box_shift: float = 0.0
    point_scale: float = 1.2
    point_shift: float = 0.0
    upright: bool = False
    covariance: Literal["none", "crop", "log_sigma"] = "none"
    presence: Literal["none", "probability", "logit"] = "none"


PFLD_GHOST_ONE = LandmarkContract(
    size=112,
    order="RGB",
    mean=(127.5, 127.5, 127.5),
    scale=(1 / 127.5, 1 / 127.5, 1 / 127.5),
    layout="unit",
)
"""PFLD-GhostOne (github.com/AnthonyF333/PFLD_GhostOne, Apache-2.0)."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """points: (98, 2) frame pixels. covariance: (98, 2, 2) pixels squared or None. presence: the network's own, or None.

    crop: (2, 3) frame to crop pixels. patch: (3, S, S) float32, what the network saw (a buffer: valid until the next call).
    """

    points: F32
    covariance: F32 | None
    presence: float | None
    crop: F64
    patch: F32


def crop_from_box(box: F32, contract: LandmarkContract, eyes: F32 | None = None) -> F64:
    """(2, 3) frame to crop for a detector's box (x1, y1, x2, y2); eyes: (2, 2) image left, right, used where `upright`."""
    side = max(float(box[2] - box[0]), float(box[3] - box[1]))
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    angle = 0.0
    if contract.upright and eyes is not None:
        angle = math.atan2(float(eyes[1, 1] - eyes[0, 1]), float(eyes[1, 0] - eyes[0, 0]))
    shift = contract.box_shift * side
    return square_crop(
        x - math.sin(angle) * shift, y + math.cos(angle) * shift, side * contract.box_scale, angle, contract.size
    )


def crop_from_points(points: F32, contract: LandmarkContract) -> F64:
    """(2, 3) frame to crop around known points (98, 2), turned with the face where `upright`.

    Turning and bounds come from the mean face fitted to the points, so that a moving jaw or brow does not move the crop.
    """
    fit = fit_similarity(_FACE_2D, points, _STEADY)
    angle = math.atan2(fit[1, 0], fit[0, 0]) if contract.upright else 0.0
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array(((cosine, sine, 0.0), (-sine, cosine, 0.0)))
    upright = transform(turn, points)
    x0, y0 = upright.min(axis=0)
    x1, y1 = upright.max(axis=0)
    side = max(float(x1 - x0), float(y1 - y0))
    x, y = float(x0 + x1) / 2, float(y0 + y1) / 2 + contract.point_shift * side
    return square_crop(cosine * x - sine * y, sine * x + cosine * y, side * contract.point_scale, angle, contract.size)


def square_crop(x: float, y: float, side: float, angle: float, size: int) -> F64:
    """(2, 3) map that takes the square of `side` around (x, y), turned by `angle` (radians, clockwise), to size x size pixels.

    The square's outer edges come to lie on the crop's outer edges (half a pixel outside its first and last pixel centres).
    """
    scale = size / max(side, 1e-3)
    cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
    middle = (size - 1) / 2
    return np.array(((cosine, sine, middle - cosine * x - sine * y), (-sine, cosine, middle + sine * x - cosine * y)))


class LandmarkModel:
    """A landmark network with its contract. One caller at a time: the crop's buffer is used again by the next call."""

    def __init__(self, network: Network, contract: LandmarkContract) -> None:
        self.contract = contract
        self._network = network
        self._blob = np.zeros((1, 3, contract.size, contract.size), np.float32)
        self._mean = np.array(contract.mean, np.float32)
        self._scale = np.array(contract.scale, np.float32)

    def locate(self, image: U8, crop: F64) -> Landmarks:
        """The face's points inside this crop of the (H, W, 3) BGR image.

        Raises:
            ModelFileError: the network's outputs are not what its contract says.
        """
        warp_float(image, crop, self._mean, self._scale, self.contract.order == "RGB", self._blob[0])
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
        size = self.contract.size
        if self.contract.layout == "unit":
            return points.astype(np.float32) * np.float32(size) - np.float32(0.5)
        if self.contract.layout == "signed":
            return (points.astype(np.float32) + np.float32(1)) * np.float32(size / 2) - np.float32(0.5)
        return points.astype(np.float32)

    def _covariance(self, outputs: Mapping[str, F32], back: F64) -> F32 | None:
        if self.contract.covariance == "none":
            return None
        values = outputs.get("covariance")
        if values is None:
            raise ModelFileError("The landmark network's manifest promises an output 'covariance'; there is none.")
        if self.contract.covariance == "log_sigma":
            sigma = np.exp(values.reshape(wflw.POINTS).astype(np.float64)) * self.contract.size * scale_of(back)
            return (sigma[:, None, None] ** 2 * np.eye(2)).astype(np.float32)
        if values.size == 3 * wflw.POINTS:
            matrices = values.reshape(wflw.POINTS, 3)[:, [0, 1, 1, 2]].reshape(wflw.POINTS, 2, 2)
        else:
            matrices = values.reshape(wflw.POINTS, 2, 2)
        turn = back[:, :2]
        return np.asarray(turn @ matrices.astype(np.float64) @ turn.T, np.float32)

    def _presence(self, outputs: Mapping[str, F32]) -> float | None:
        if self.contract.presence == "none":
            return None
        value = outputs.get("presence")
        if value is None:
            raise ModelFileError("The landmark network's manifest promises an output 'presence'; there is none.")
        number = float(value.reshape(-1)[0])
        return number if self.contract.presence == "probability" else 1 / (1 + math.exp(-max(-60.0, min(60.0, number))))


_FACE_2D = FACE_2D.astype(np.float32)
# brows, nose and eye corners: they say how the head lies; jaw and lips move on their own
_STEADY = np.zeros(wflw.POINTS, np.float32)
_STEADY[[*wflw.NOSE_BRIDGE, *wflw.NOSE_BASE, 60, 64, 68, 72]] = 1.0
_STEADY[[16]] = 0.2
