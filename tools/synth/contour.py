"""The contour (points 0-32), after the annotators' habit: the jaw line in front of the ear while it can be seen.

Where the head's turn hides it, it slides along lines toward the middle of the face until it lies on the visible silhouette.
Along this outline the points stand in even steps.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit
from tools.synth.attachments import Attachments, FrontView
from tools.synth.kit import Kit

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

# How far the contour's lines run from the jaw (0) toward the middle of the face (1).
_STEPS = np.array([0, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.13, 0.17, 0.22, 0.28, 0.35, 0.43, 0.52, 0.62, 0.72])


def contour_lines(kit: Kit, view: FrontView, jaw_index: I32, jaw_weight: F32) -> Attachments:
    """Lines on the neutral skin from the jaw toward the middle of the face, found by looking along z."""
    index = np.repeat(jaw_index[:, None], len(_STEPS), 1).astype(np.int32)
    weight = np.repeat(jaw_weight[:, None], len(_STEPS), 1).astype(np.float32)
    for i, base in enumerate(Attachments(jaw_index, jaw_weight).on(kit.neutral)[:, :2]):
        middle = np.array([0.0, max(float(base[1]), -1.0)])
        for s in range(1, len(_STEPS)):
            index[i, s], weight[i, s] = view.at(base + _STEPS[s] * (middle - base))
    return Attachments(index, weight)


def silhouette(lines: Attachments, camera_vertices: F32, normals: F32, screen: F32) -> F32:
    """The contour (33, 2): each line's first place that faces the camera, interpolated where it starts to."""
    where = lines.on(camera_vertices)
    facing = -np.einsum("isc,isc->is", lines.on(normals), where) / np.linalg.norm(where, axis=2)
    return spaced_contour(_first_facing(facing.astype(np.float32), lines.on(screen), cast("float", np.float32(0.04))))


def spaced_contour(outline: F32) -> F32:
    """The outline (33, 2) from ear over chin to ear with its points set in even steps, as the annotators set them.

    The steps are even in the picture from either end to the chin. In a turned head the chin is marked a little toward the
    far side: by 8 % of what the near half is longer than the far one. Measured against the 98-point teachers on rendered heads
    at yaw 0, +-30 and 50 degrees: it takes the contour's mean distance at 30 degrees from 5.1 to 2.7 % of the eye distance.
    """
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(outline, axis=0), axis=1))])
    right, left = length[16], length[-1] - length[16]
    chin = right + 0.08 * (right - left)
    steps = np.concatenate([np.linspace(0, chin, 17), np.linspace(chin, length[-1], 17)[1:]])
    return np.stack([np.interp(steps, length, outline[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


@njit()
def _first_facing(facing: F32, places: F32, threshold: float) -> F32:
    count, steps = facing.shape
    out = np.empty((count, 2), np.float32)
    for i in range(count):
        s = 0
        while s < steps - 1 and facing[i, s] < threshold:
            s += 1
        out[i] = places[i, s]
        if s > 0 and facing[i, s] >= threshold:
            t = (threshold - facing[i, s - 1]) / (facing[i, s] - facing[i, s - 1])
            out[i] = places[i, s - 1] + t * (places[i, s] - places[i, s - 1])
    return out
