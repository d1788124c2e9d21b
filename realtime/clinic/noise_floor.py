"""The method's own asymmetry: a picture and its mirror image through the whole path must swap sides, and what does not is error."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields

import numpy as np

from realtime.clinic.types import Movement
from realtime.types import U8, Millimetres, Sides

Measure = Callable[[U8], Millimetres | None]
_AT_PEAK = {
    "brow_raise.elevation": ("brow_height", 1),
    "gentle_closure.gap": ("fissure_height", 0),
    "tight_closure.gap": ("fissure_height", 0),
    "open_smile.commissure": ("commissure", 1),
    "open_smile.dental_show": ("dental_show", 0),
    "open_smile.fissure": ("fissure_height", 0),
    "closed_smile.commissure": ("commissure", 1),
    "pucker.commissure": ("commissure", -1),
    "pucker.fissure": ("fissure_height", 0),
    "eee.lower_lip": ("lower_lip_height", -1),
}
"""By measure of `sheet_rows`: its length, and whether it is a rise from rest (1), a fall (-1) or taken as it is at the peak (0)."""


def mirror_error(straight: Millimetres, mirrored: Millimetres) -> dict[str, float]:
    """By how much left minus right is wrong, by length.

    The mirror image of a face has the opposite difference of its sides. Half of what both differences add up to is no property
    of the face.

    Args:
        straight: of a picture.
        mirrored: of its mirror image.

    Returns:
        Millimetres (degrees, mm2) with their sign: positive makes the left side look larger. Only lengths measured in both.
    """
    found = {}
    for field in fields(Millimetres):
        one, other = getattr(straight, field.name), getattr(mirrored, field.name)
        if isinstance(one, Sides):
            error = ((one.left - one.right) + (other.left - other.right)) / 2
            if math.isfinite(error):
                found[field.name] = error
    return found


def noise_floor(pictures: Iterable[U8], measure: Measure) -> Mapping[str, float]:
    """The median error over some pictures of a person.

    Args:
        pictures: (H, W, 3) BGR, of a face at rest.
        measure: the whole path: a picture in, lengths out; None: no face was found.

    Returns:
        By length; empty where no picture could be measured both ways.
    """
    errors: dict[str, list[float]] = {}
    for picture in pictures:
        straight, mirrored = measure(picture), measure(np.ascontiguousarray(picture[:, ::-1]))
        if straight is not None and mirrored is not None:
            for name, error in mirror_error(straight, mirrored).items():
                errors.setdefault(name, []).append(error)
    return {name: float(np.median(values)) for name, values in errors.items()}


def errors_at_peaks(rest: Mapping[str, float], peaks: Mapping[Movement, Mapping[str, float]]) -> dict[str, float]:
    """The method's own left minus right of what is measured at the peaks.

    Args:
        rest: the error at rest, by length.
        peaks: the same at each movement's peak.

    Returns:
        By measure, such as "pucker.commissure"; only what was measured both at rest and at the peak.
    """
    by_name = {str(movement): errors for movement, errors in peaks.items()}
    found = {}
    for measure, (name, sign) in _AT_PEAK.items():
        peak = by_name.get(measure.split(".")[0], {}).get(name)
        if peak is not None and (name in rest or not sign):
            found[measure] = sign * (peak - rest[name]) if sign else peak
    return found
