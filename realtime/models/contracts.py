"""Contracts of the face networks, read from their manifest entries: swapping a model changes no code."""

from typing import Any, get_args

from realtime.errors import ModelFileError
from realtime.face.contract import Covariance, LandmarkContract, Layout, Presence, Square
from realtime.face.detector import DetectorInput
from realtime.face.retinaface import Anchors
from realtime.face.settings import DetectorSettings
from realtime.face.visibility import VisibilityLimits
from realtime.models.manifest import ModelSpec


def landmark_contract(spec: ModelSpec) -> LandmarkContract:
    """The contract of a landmark model, from its manifest entry (parameters named as the contract's fields).

    Args:
        spec: the entry.

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
        half_mouth=spec.number("covered_half_mouth", default.half_mouth),
        half_presence=spec.number("covered_half_below_presence", default.half_presence),
        seen_presence=spec.number("covered_until_presence", default.seen_presence),
        least_eye=spec.number("least_eye", default.least_eye),
    )


def anchors_of(spec: ModelSpec) -> Anchors:
    """The anchors a detector was trained with; the manifest's `min_sizes` and `steps`, or the original's.

    Args:
        spec: the entry.

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
    """How pictures are made ready for this detector.

    Args:
        spec: its entry.
        settings: the sizes.
    """
    return DetectorInput(settings, mean=spec.input.mean, scale=spec.input.scale, rgb=spec.input.order == "RGB")


def _word(spec: ModelSpec, key: str, allowed: tuple[Any, ...], default: Any) -> Any:
    value = spec.parameters.get(key, default)
    if value not in allowed:
        raise ModelFileError(f"{spec.name}: {key} should be one of {', '.join(allowed)}, not {value!r}.")
    return value
