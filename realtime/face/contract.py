"""What a landmark network takes and gives. `realtime.models.contracts` reads it from a manifest entry."""

from dataclasses import dataclass, field
from typing import Literal

from realtime.face.visibility import VisibilityLimits

Layout = Literal["unit", "signed", "pixels"]
Covariance = Literal["none", "unit", "log_sigma"]
Square = Literal["longer", "shorter"]
Presence = Literal["none", "probability", "logit"]


@dataclass(frozen=True, slots=True)
class LandmarkContract:
    """A 98-point network.

    Attributes:
        size: side of its square input, pixels.
        rgb: channel order RGB, else BGR.
        mean: a pixel v enters as (v - mean) * scale.
        scale: likewise.
        layout: unit = points in 0..1 of the crop (0 and 1 its outer edges), signed = -1..1 likewise, pixels = crop pixels.
        box_scale: side of the square crop in sides of the detector's box (the longer one), and how far down the face its middle
            lies from the box's (in the same unit).
        box_shift: likewise.
        point_scale: side of the square around known points in sides of their bounds.
        upright: the crop is turned so that the face stands upright in it.
        covariance: unit = (xx, xy, yy) or (2, 2) per point in crop sides squared; log_sigma = natural logarithm of one standard
            deviation per point in crop sides; none.
        presence: probability or logit of the output `presence`, or none (estimated then).
        square: which side of a box the square crop is made from. shorter = as STAR was trained: from the detector's box, or, around
            known points, from the box a detector would draw around them. longer = as the other fields say.
        visibility: from which of its figures on a face counts as small, blurred or covered.
    """

    size: int
    rgb: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    layout: Layout = "unit"
    box_scale: float = 1.05
    box_shift: float = 0.12
    point_scale: float = 1.3
    upright: bool = True
    covariance: Covariance = "none"
    presence: Presence = "none"
    square: Square = "longer"
    visibility: VisibilityLimits = field(default_factory=VisibilityLimits)


_CENTRED = 127.5

PFLD_GHOST_ONE = LandmarkContract(
    size=112,
    rgb=True,
    mean=(_CENTRED, _CENTRED, _CENTRED),
    scale=(1 / _CENTRED, 1 / _CENTRED, 1 / _CENTRED),
    box_scale=1.1,
    box_shift=0.0,
    point_scale=1.2,
    upright=False,
)
"""PFLD-GhostOne (github.com/AnthonyF333/PFLD_GhostOne, Apache-2.0): the crop its authors' demo uses."""
