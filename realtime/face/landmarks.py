"""98 landmarks of one face: the crop as the network wants it, its outputs as frame pixels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from realtime.errors import ModelFileError
from realtime.face import wflw
from realtime.face.alignment import warp_float
from realtime.face.contract import LandmarkContract
from realtime.face.geometry import invert, scale_of, transform
from realtime.face.mirror_correction import MirrorCorrection
from realtime.face.settings import MirrorAverage
from realtime.types import F32, F64, U8

CROP_SCALES: Mapping[int, tuple[float, ...]] = {1: (1.0,), 2: (0.9, 1.1), 3: (1.0, 0.9, 1.1)}
"""By the number of crops of a face: how much each is enlarged. Their middle is the same, so a mirrored face gives mirrored crops."""
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
        mirror_offset: (98, 2) crop pixels from the network's points to their mean with those of the mirror image; None where the
            mirror image was not looked at, or is looked at on every frame.
    """

    points: F32
    covariance: F32 | None
    presence: float | None
    crop: F64
    patch: F32
    mirror_offset: F32 | None = None


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
        mirror_average: "every": the network is asked about the crop and about its mirror image, and both answers are averaged,
            the mirror image's with sides exchanged. A mirrored face then gives exchanged points, whatever the network does;
            it takes twice as long. "some": so it is where no correction is given, and where the correction given is due;
            between those frames the correction is added to the network's points.
        crop_average: the answers on this many crops, enlarged by `CROP_SCALES`, are averaged: what a network makes of a face
            depends a little on where its pixels fall. Each crop costs one more look (two with `mirror_average`).

    Attributes:
        contract: as given.
        mirror_average: as given.
    """

    def __init__(
        self,
        network: Network,
        contract: LandmarkContract,
        *,
        mirror_average: MirrorAverage = "off",
        crop_average: int = 1,
    ) -> None:
        self.contract = contract
        self.mirror_average = mirror_average
        self._network = network
        self._scales = CROP_SCALES[crop_average]
        self._blob = np.zeros((1, 3, contract.size, contract.size), np.float32)
        self._scaled = np.zeros_like(self._blob)
        self._mean = np.array(contract.mean, np.float32)
        self._scale = np.array(contract.scale, np.float32)

    def locate(
        self, image: U8, crop: F64, correction: MirrorCorrection | None = None, *, rough: bool = False
    ) -> Landmarks:
        """The face's points inside one crop.

        Args:
            image: (H, W, 3) uint8 BGR.
            crop: (2, 3) frame to crop pixels.
            correction: of the face that is followed there; only `mirror_average` "some" takes it into account.
            rough: a crop will be made of these points, to look again: one crop is enough.

        Raises:
            ModelFileError: the network's outputs are not what its contract says.
        """
        self._cut(image, crop, self._blob)
        mirrored = self._looks_at_mirror_image(correction, rough=rough)
        scales = CROP_SCALES[1] if rough else self._scales
        answers = [answer for scale in scales for answer in self._look(image, crop, scale, mirrored=mirrored)]
        found = _average(answers)
        offset = None
        if self.mirror_average == "some":
            straight = _average(answers[::2]) if mirrored else found
            offset = found.points - straight.points if mirrored else None
            if correction is not None:
                found = straight._replace(points=straight.points + correction.now(offset))
        back = invert(crop)
        return Landmarks(
            points=transform(back, found.points),
            covariance=None if found.spread is None else self._covariance(found.spread, back),
            presence=found.presence,
            crop=crop,
            patch=self._blob[0],
            mirror_offset=offset,
        )

    def _looks_at_mirror_image(self, correction: MirrorCorrection | None, *, rough: bool) -> bool:
        """Whether this crop's mirror image is looked at as well."""
        if self.mirror_average == "some":
            return not rough if correction is None else correction.due
        return self.mirror_average == "every"

    def _cut(self, image: U8, crop: F64, blob: F32) -> None:
        warp_float(image, crop, self._mean, self._scale, self.contract.rgb, blob[0])

    def _look(self, image: U8, crop: F64, scale: float, *, mirrored: bool) -> list[_Answer]:
        """The answers on the crop enlarged by `scale`, and on its mirror image if `mirrored`, as places in the crop itself."""
        blob = self._blob
        if scale != 1:
            blob = self._scaled
            self._cut(image, _enlarged(crop, scale, self.contract.size), blob)
        found = [self._ask(blob)]
        if mirrored:
            # Asked one after the other: the files take one picture, and a batch of two costs the processor as much.
            found.append(self._exchanged(self._ask(np.ascontiguousarray(blob[..., ::-1]))))
        return found if scale == 1 else [self._reduced(one, scale) for one in found]

    def _reduced(self, found: _Answer, scale: float) -> _Answer:
        """What was found in the enlarged crop, in the crop itself."""
        middle = np.float32((self.contract.size - 1) / 2)
        points = (found.points - middle) / np.float32(scale) + middle
        if found.spread is None:
            return found._replace(points=points)
        if self.contract.covariance == "log_sigma":
            return found._replace(points=points, spread=found.spread - np.float32(math.log(scale)))
        return found._replace(points=points, spread=found.spread / np.float32(scale**2))

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


def _average(answers: Sequence[_Answer]) -> _Answer:
    """The mean of all. All see the same picture, so the covariance is the mean of theirs and not a part of it."""
    first, *others = answers
    if not others:
        return first
    share = np.float32(1 / len(answers))
    points, spread, presence = first
    for one in others:
        points = points + one.points
        spread = None if spread is None or one.spread is None else spread + one.spread
        presence = None if presence is None or one.presence is None else presence + one.presence
    return _Answer(
        points * share,
        None if spread is None else spread * share,
        None if presence is None else presence / len(answers),
    )


def _enlarged(crop: F64, scale: float, size: int) -> F64:
    """The crop (2, 3) whose content is that of `crop`, enlarged about its middle."""
    middle = (size - 1) / 2
    wider = crop * scale
    wider[:, 2] += middle * (1 - scale)
    return wider


def _turned(rows: F32, turn: F64) -> F32:
    """(98, 2, 2) T C T' for each covariance C, given as rows (xx, xy, yy) or (xx, xy, yx, yy); turn: (2, 3)."""
    (a, b, _), (c, d, _) = turn.tolist()
    across = (a * c, a * d + b * c, b * d)
    product = np.array(((a * a, 2 * a * b, b * b), across, across, (c * c, 2 * c * d, d * d)))
    distinct = rows if rows.shape[1] == 3 else rows[:, (0, 1, 3)]
    return np.asarray((distinct @ product.T).reshape(-1, 2, 2), np.float32)
