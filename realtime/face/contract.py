"""What a network takes and gives, as data read from its manifest entry. Swapping a model changes no code."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from realtime.errors import ModelFileError
from realtime.face.detector import DetectorInput
from realtime.face.retinaface import Anchors
from realtime.face.settings import DetectorSettings
from realtime.face.visibility import VisibilityLimits
from realtime.models.manifest import ModelSpec

Layout = Literal["unit", "signed", "pixels"]
Covariance = Literal["none", "unit", "log_sigma"]
Square = Literal["longer", "shorter"]
Presence = Literal["none", "probability", "logit"]


@dataclass(frozen=True, slots=True)
class LandmarkContract:
    """A 98-point network.

    size: side of its square input, pixels. rgb: channel order RGB, else BGR. mean, scale: a pixel v enters as (v - mean) * scale.
    square: which side of a box the square crop is made from. shorter = as STAR was trained: from the detector's box, or, around
    known points, from the box a detector would draw around them. longer = as the other fields say.
    layout: unit = points in 0..1 of the crop (0 and 1 its outer edges), signed = -1..1 likewise, pixels = crop pixels.
    box_scale, box_shift: side of the square crop in sides of the detector's box (the longer one), and how far down the face its
    middle lies from the box's (in the same unit). point_scale: side of the square around known points in sides of their bounds.
    upright: the crop is turned so that the face stands upright in it.
    covariance: unit = (xx, xy, yy) or (2, 2) per point in crop sides squared; log_sigma = natural logarithm of one standard
    deviation per point in crop sides; none. presence: probability or logit of the output `presence`, or none (estimated then).
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


def landmark_contract(spec: ModelSpec) -> LandmarkContract:
    """The contract of a landmark model, from its manifest entry (parameters named as the contract's fields).

    Raises:
        ModelFileError: the entry says something no 98-point network of this program can mean.
    """
    if spec.input.height is None or spec.input.height != spec.input.width:
        raise ModelFileError(f"{spec.name}: the manifest should give its input one fixed, square size.")
    outputs = spec.outputs
    if "points" not in outputs:
        raise ModelFileError(f"{spec.name}: the manifest names no output 'points'.")
    default = LandmarkContract(size=spec.input.height)
    return LandmarkContract(
        size=spec.input.height,
        rgb=spec.input.order == "RGB",
        mean=spec.input.mean,
        scale=spec.input.scale,
        layout=_word(spec, "layout", get_args(Layout), default.layout),
        box_scale=spec.number("box_scale", default.box_scale),
        box_shift=spec.number("box_shift", default.box_shift),
        point_scale=spec.number("point_scale", default.point_scale),
        upright=bool(spec.parameters.get("upright", default.upright)),
        square=_word(spec, "square", get_args(Square), default.square),
        covariance=_word(spec, "covariance", get_args(Covariance), "unit" if "covariance" in outputs else "none"),
        presence=_word(spec, "presence", get_args(Presence), "probability" if "presence" in outputs else "none"),
        visibility=_visibility(spec),
    )


def _visibility(spec: ModelSpec) -> VisibilityLimits:
    default = VisibilityLimits()
    return VisibilityLimits(
        full_detail=spec.number("full_detail", default.full_detail),
        full_size=spec.number("full_size", default.full_size),
        presence=spec.number("covered_below_presence", default.presence),
        mouth=spec.number("covered_mouth", default.mouth),
        eye=spec.number("covered_eye", default.eye),
        brow=spec.number("covered_brow", default.brow),
    )


def anchors_of(spec: ModelSpec) -> Anchors:
    """The anchors a detector was trained with; the manifest's `min_sizes` and `steps`, or the original's.

    Raises:
        ModelFileError: they are not lists of positive numbers that belong together.
    """
    default = Anchors()
    sizes: Any = spec.parameters.get("min_sizes", default.min_sizes)
    steps: Any = spec.parameters.get("steps", default.steps)
    try:
        anchors = Anchors(tuple(tuple(int(s) for s in level) for level in sizes), tuple(int(s) for s in steps))
    except (TypeError, ValueError):
        raise ModelFileError(
            f"{spec.name}: min_sizes should be lists of numbers, one list for each of steps."
        ) from None
    if len(anchors.min_sizes) != len(anchors.steps) or min(anchors.steps, default=0) < 1:
        raise ModelFileError(f"{spec.name}: min_sizes should hold one list of sizes for each of steps.")
    return anchors


def detector_input(spec: ModelSpec, settings: DetectorSettings) -> DetectorInput:
    """How pictures are made ready for this detector."""
    return DetectorInput(settings, mean=spec.input.mean, scale=spec.input.scale, rgb=spec.input.order == "RGB")


def _word(spec: ModelSpec, key: str, allowed: tuple[Any, ...], default: Any) -> Any:
    value = spec.parameters.get(key, default)
    if value not in allowed:
        raise ModelFileError(f"{spec.name}: {key} should be one of {', '.join(allowed)}, not {value!r}.")
    return value
