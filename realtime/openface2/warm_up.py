"""Compile (or load from Numba's cache) and touch everything before the first live frame."""

import numpy as np

from realtime.openface2.mirrored_halves import midline_of_68
from realtime.openface2.pipeline import OpenFace2
from realtime.openface2.running_median import prepare_wide_counts
from realtime.openface2.shape_fit import project


def warm_up(path: OpenFace2) -> None:
    """Run three frames of a made-up face through every channel, then forget them."""
    model = path.assets.shape
    points = project(model, np.array([1.5, 0.0, 0.0, 0.0, 160.0, 160.0]), np.zeros(model.eigenvalues.size))
    image = np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    for shift in (0.0, 0.5, 1.0):
        moved = points + shift
        path.update(image, moved, midline_of_68(moved))
    path.reset()
    prepare_wide_counts()
