"""The method's own asymmetry: a picture and its mirror image through the whole path must swap sides, and what does not is error."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields

import numpy as np

from realtime.types import U8, Millimetres, Sides

Measure = Callable[[U8], Millimetres | None]


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
