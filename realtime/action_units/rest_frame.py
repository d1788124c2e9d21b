"""A person's picture at rest, against which movements of the skin are measured, and the choice of the best one seen so far.

The shape at rest can be stored; a picture is the person's face and is not: it is held in memory only, and is chosen in every session
from the frames in which the face comes nearest to its shape at rest.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import Descriptor
from realtime.face.skin_flow import SkinFlow, Template
from realtime.types import F32, U8

Angles = tuple[float, float, float]
Windows = tuple[U8, U8, U8, U8]
"""Grey windows of the patient's left eye, right eye, the mouth, and the lower face with chin and wings of the nose."""

EYE = (52, 48)
MOUTH = (40, 60)
LOWER = (56, 52)
EYE_FLOW = SkinFlow(EYE, cells=(7, 6), fine=(11, 10), coarse=(6, 5))
MOUTH_FLOW = SkinFlow(MOUTH, cells=(5, 6), fine=(6, 8), coarse=(4, 6))
FLOW_FEATURES = 2 * (7 * 6 + 5 * 6) + 4
ANGLE = 30.0
"""Degrees that count as one in the network's input."""

# distance from the shape at rest (inter-ocular distances): 97 of 100 pictures of rendered people at rest lie below
NEAR = 0.02
_BETTER = 0.9
MOST_TURNED = 12.0
_OTHER_WAY = np.array([-1, 1], np.float32)
_INNER = slice(33, 98)
"""The contour is left out: it is the least exact, and says nothing of rest."""


class RestFrame(NamedTuple):
    """What `flow_features` compares with.

    Attributes:
        left, right, mouth: windows at rest.
        pose: yaw, pitch, roll it was seen at, degrees in the head model's axes.
        shape: (98, 2) descriptor.
    """

    left: Template
    right: Template
    mouth: Template
    pose: Angles
    shape: F32


def rest_picture(found: Descriptor, windows: Windows) -> RestFrame:
    """The picture at rest, of a frame at rest.

    Args:
        found: the face on it.
        windows: cut from it.
    """
    left, right, mouth, _ = windows
    return RestFrame(
        EYE_FLOW.template(left), EYE_FLOW.template(right), MOUTH_FLOW.template(mouth), found.pose, found.shape
    )


def flow_features(rest: RestFrame | None, pose: Angles, windows: Windows, out: F32 | None = None) -> F32:
    """(2, FLOW_FEATURES): of the left side, and what the mirror image would show of the right.

    Per row: displacements of the cells of the eye's window and of the mouth's (pixels, x and y), what the head has turned since
    in units of 30 degrees, and whether there is a picture at rest; all zero without.

    Args:
        rest: the picture at rest, or None.
        pose: yaw, pitch, roll now, degrees.
        windows: of this frame.
        out: where to put the result.
    """
    out = np.empty((2, FLOW_FEATURES), np.float32) if out is None else out
    if rest is None:
        out[:] = 0
        return out
    left, right = EYE_FLOW.moved(rest.left, windows[0]), EYE_FLOW.moved(rest.right, windows[1])
    mouth = MOUTH_FLOW.moved(rest.mouth, windows[2])
    yaw, pitch, roll = ((now - then) / ANGLE for now, then in zip(pose, rest.pose, strict=True))
    flow_row(left, mouth, (yaw, pitch, roll), out[0])
    flow_row(in_mirror(right), in_mirror(mouth), (-yaw, pitch, -roll), out[1])
    return out


def flow_row(eye: F32, mouth: F32, turned: Sequence[float] | NDArray[np.floating], out: F32 | None = None) -> F32:
    """(FLOW_FEATURES,) of one side.

    Args:
        eye: displacements of the cells.
        mouth: likewise.
        turned: (3,) in units of 30 degrees.
        out: where to put the result.
    """
    out = np.empty(FLOW_FEATURES, np.float32) if out is None else out
    out[: eye.size] = eye.reshape(-1)
    out[eye.size : eye.size + mouth.size] = mouth.reshape(-1)
    out[-4:-1] = turned
    out[-1] = 1
    return out


def in_mirror(field: F32) -> F32:
    """Displacements (..., columns, 2) as the mirror image shows them.

    Args:
        field: (..., columns, 2).
    """
    return field[..., ::-1, :] * _OTHER_WAY


class BestRestFrame:
    """Keeps the picture of the frame that came nearest to the shape at rest.

    Attributes:
        picture: None while no frame came near.
    """

    def __init__(self) -> None:
        self.picture: RestFrame | None = None

    def offer(self, found: Descriptor, windows: Windows, rest: F32 | None) -> None:
        """Take the frame's picture where it is nearer to rest than the one kept.

        Args:
            found: the frame's descriptor.
            windows: the frame's windows.
            rest: (98, 2) the person's shape at rest as far as is known now (it may have changed); None: unknown.
        """
        if rest is None:
            self.picture = None
            return
        kept = NEAR if self.picture is None else rms_distance(self.picture.shape, rest)
        if kept > NEAR:  # the baseline has moved: this picture does not show rest
            self.picture, kept = None, NEAR
        limit = kept if self.picture is None else _BETTER * kept
        if rms_distance(found.shape, rest) < limit and max(map(abs, found.facing[:2])) <= MOST_TURNED:
            self.picture = rest_picture(found, windows)

    def forget(self) -> None:
        """Start again for another person."""
        self.picture = None


def rms_distance(shape: F32, other: F32) -> float:
    """Root mean square distance of two descriptors' (98, 2) points without the contour, inter-ocular distances.

    Args:
        shape: (98, 2).
        other: likewise.
    """
    apart = (shape[_INNER] - other[_INNER]).reshape(-1)
    return math.sqrt(float(apart @ apart) * 2 / len(apart))
