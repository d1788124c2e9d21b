"""What our landmark network makes of a rendered face."""

import numpy as np
from numpy.typing import NDArray

from realtime.face import wflw
from realtime.face.crops import crop_from_points
from realtime.face.landmarks import LandmarkModel

F32 = NDArray[np.float32]


def beside(exact: F32, rng: np.random.Generator) -> F32:
    """(98, 2) points a little off, where a tracker would begin to look."""
    return exact + rng.normal(0, 0.02, 2).astype(np.float32) * wflw.interocular(exact) * 2


def locate(model: LandmarkModel, picture: NDArray[np.uint8], exact: F32, rng: np.random.Generator) -> F32:
    """(98, 2) as a tracker gets them: from a crop around points a little off, then once more from its own."""
    return locate_near(model, picture, beside(exact, rng))


def locate_near(model: LandmarkModel, picture: NDArray[np.uint8], near: F32) -> F32:
    """(98, 2) as a tracker gets them: from a crop around these points, then once more from its own."""
    first = model.locate(picture, crop_from_points(near, model.contract)).points
    return model.locate(picture, crop_from_points(first, model.contract)).points
