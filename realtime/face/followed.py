"""A person whose face is followed, and how the heads of two of them lie to each other."""

from dataclasses import dataclass

import numpy as np

from realtime.face import wflw
from realtime.face.follower import FaceFollower
from realtime.face.geometry import iou
from realtime.face.person import Person
from realtime.face.track import Track
from realtime.types import F32, FaceObservation

HEAD = 1.15
"""Size of a head, hair and ears included, in sizes of its face's box."""
COMING_INTO_VIEW = 1.5
"""The same where a face comes into view: hair and shoulders hide part of it for longer."""
_SAME_FACE = 0.3  # mean distance of two faces' points, in inter-ocular distances, below which they are one face
_TOUCHING = 0.02  # overlap (IoU) of two heads from which one may hide the other


@dataclass(slots=True, eq=False)
class Followed:
    """A person whose face is followed.

    Attributes:
        person: who it is taken for.
        follower: of this face.
        track: the face as of the last frame on which it was looked at.
        observation: likewise.
        pattern: (256,) of its crop there, see `Appearance`.
        sequence: number of that frame.
        since: capture time from which it is followed, seconds.
        mixed_until: capture time until which the identity is doubted, because another head touched it.
        mismatches: clear looks in a row at which it did not look like the person.
        turn: number of its last turn among those who are not the patient.
    """

    person: Person
    follower: FaceFollower
    track: Track
    observation: FaceObservation
    pattern: F32
    sequence: int
    since: float
    mixed_until: float = -1.0
    mismatches: int = 0
    turn: int = 0

    @property
    def box(self) -> F32:
        """(4,) of the face, as last seen."""
        return self.track.box


def heads_touch(box: F32, other: F32, size: float = HEAD) -> bool:
    """Whether one of two heads may hide the other.

    Args:
        box: (4,) of a face.
        other: likewise.
        size: of a head, in sizes of its face's box.
    """
    return iou(_grown(box, size), _grown(other, size)) > _TOUCHING


def same_face(points: F32, other: F32) -> bool:
    """Whether two sets of points lie on one face.

    Args:
        points: (98, 2).
        other: likewise.
    """
    scale = max(wflw.interocular(points), wflw.interocular(other), 1e-3)
    return bool(np.hypot(*(points - other).T).mean() < _SAME_FACE * scale)


def half_sizes_away(box: F32, x: float, y: float) -> float:
    """How far a point lies from a box's middle, in halves of the box's sides; up to 1 inside.

    Args:
        box: (4,).
        x: pixels from the left.
        y: pixels from the top.
    """
    width, height = max(float(box[2] - box[0]), 1.0), max(float(box[3] - box[1]), 1.0)
    return max(abs(2 * x - float(box[0] + box[2])) / width, abs(2 * y - float(box[1] + box[3])) / height)


def _grown(box: F32, size: float) -> F32:
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * np.float32(size / 2)
    return np.concatenate([middle - half, middle + half])
