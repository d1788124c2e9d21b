"""Which parts of a picture must be hidden, from what was found on it and on the pictures around it.

A detector misses a face now and then: in fast motion, half out of the picture, behind a hand. So a face is hidden where it
was found, and also

- for a second after it was last found and not found again near there, moved on as it moved, and growing;
- on the pictures before it was first found, as far as the window reaches ahead, moved back;
- on the whole way between the place where it was lost and the place where a face like it is found again.

Where even that is not sure, the answer is None: hide the whole picture.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime.face.geometry import iou
from realtime.types import F32

_HEAD = 1.0
"""From the middle of a face's box to the edge of what is hidden, in its longer sides: brows to crown is half of one."""
_HOLD = 30
"""Pictures for which a face stays hidden that is not found any more."""
_FOLLOWED = 0.2
"""Overlap (IoU) by which a box of the next picture is the same face."""
_MOST_GAP = 16
"""Pictures between two sightings that may be of one face."""
_ALIKE = 2.0
"""Ratio of sizes up to which they may."""
_EXTRAPOLATE = 10
"""Pictures for which a lost face is believed to go on moving."""
_GROWTH = 0.05
_MOST_GROWTH = 1.6
_CONFIRMED = 15
"""Pictures for which a tracked face is believed that the search does not find."""
_SPARED = 0.3
"""Overlap (IoU) with the tracked box from which a face that was found is the tracked one."""
_AGEING = 2.0
"""Growth of the tracked face's square per second of its result's age."""


class _Sighting:
    """One box of one picture. motion: (2,) pixels per picture. before, after: found near there on the next one.

    spared: it is the face that need not be hidden.
    """

    __slots__ = ("after", "before", "box", "motion", "spared", "successor")

    def __init__(self, box: F32) -> None:
        self.box = np.asarray(box, np.float32)
        self.motion = np.zeros(2, np.float32)
        self.before = self.after = self.spared = False
        self.successor: _Sighting | None = None

    @property
    def middle(self) -> F32:
        """(2,) its centre."""
        return np.asarray((self.box[:2] + self.box[2:]) / 2, np.float32)

    @property
    def size(self) -> float:
        """Longer side in pixels."""
        return float((self.box[2:] - self.box[:2]).max())

    def motion_ahead(self) -> F32:
        """(2,) how it moves on the pictures that follow, as far as they are known."""
        return self.motion if self.successor is None else self.successor.motion


@dataclass(slots=True)
class _Picture:
    sequence: int
    sightings: list[_Sighting] | None
    tracked: F32 | None
    age: float
    confirmed: bool
    cut: bool
    spare: bool


class Coverage:
    """A window of pictures; the newest `ahead` of them are only there to tell about the ones before.

    Args:
        ahead: pictures that are known before one is decided (0: decide at once).
    """

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead
        self._pictures: deque[_Picture] = deque(maxlen=_HOLD + ahead + 1)

    def clear(self) -> None:
        """Forget the window (another picture size, another source)."""
        self._pictures.clear()

    def add(
        self,
        sequence: int,
        boxes: Sequence[F32] | None,
        tracked: F32 | None,
        *,
        age: float = 0.0,
        cut: bool = False,
        spare: bool = False,
    ) -> None:
        """Take one picture in, in capture order.

        Args:
            sequence: the frame's number.
            boxes: every face that was found; None when the search failed.
            tracked: (4,) box of the tracked face, or None.
            age: seconds between the picture on which it was measured and this one.
            cut: the picture shows another scene than the one before.
            spare: the tracked face is for certain the one that need not be hidden.
        """
        sightings = None if boxes is None else [_Sighting(box) for box in boxes]
        before = self._pictures[-1] if self._pictures else None
        if sightings is not None and before is not None and before.sightings is not None:
            _link(before.sightings, sightings, sequence - before.sequence)
        confirmed = tracked is not None and any(_near(one, tracked) for one in sightings or ())
        for one in sightings or ():
            one.spared = spare and tracked is not None and _near(one, tracked) and iou(one.box, tracked) >= _SPARED
        self._pictures.append(_Picture(sequence, sightings, tracked, age, confirmed, cut, spare))

    def regions(self, behind: int) -> list[F32] | None:
        """What to hide on the picture that is `behind` the newest one, as (4,) boxes; None: all of it."""
        at = len(self._pictures) - 1 - behind
        here = self._pictures[at]
        if here.sightings is None or here.tracked is None or not self._confirmed(at):
            return None
        # What is known of the pictures to come may show that this one's face was taken for another.
        spare = here.spare and all(picture.spare for picture in list(self._pictures)[at + 1 :])
        lost: list[tuple[int, _Sighting]] = []
        for past in list(self._pictures)[:at]:
            gone = here.sequence - past.sequence
            if gone <= _HOLD:
                lost += [(gone, one) for one in past.sightings or () if not one.after and not one.spared]
        new = [
            (future.sequence - here.sequence, one)
            for future in list(self._pictures)[at + 1 :]
            for one in future.sightings or ()
            if not one.before and not one.spared
        ]
        own = [] if spare else [_head(here.tracked, 1.0 + _AGEING * here.age)]
        return _without_inner(
            *own,
            *(_head(one.box) for one in here.sightings if not (spare and one.spared)),
            *(_way(one.box, one.motion, gone) for gone, one in lost),
            *(_way(one.box, -one.motion_ahead(), ahead) for ahead, one in new),
            *(
                _hull(_head(one.box), _head(other.box))
                for gone, one in lost
                for ahead, other in new
                if gone + ahead <= _MOST_GAP and max(one.size, other.size) <= _ALIKE * min(one.size, other.size)
            ),
        )

    def _confirmed(self, at: int) -> bool:
        """Has the search found the tracked face here, or shortly before or after in the same scene?"""
        pictures = self._pictures
        for place in range(at, max(-1, at - _CONFIRMED), -1):
            if pictures[place].confirmed:
                return True
            if pictures[place].cut:
                break
        for place in range(at + 1, len(pictures)):
            if pictures[place].cut:
                break
            if pictures[place].confirmed:
                return True
        return False


def _link(before: list[_Sighting], after: list[_Sighting], step: int) -> None:
    """Join each face of a picture with its like of the next, the best overlap first; each is joined once."""
    pairs = [(iou(one.box, other.box), i, j) for i, one in enumerate(before) for j, other in enumerate(after)]
    for share, i, j in sorted(pairs, reverse=True):
        one, other = before[i], after[j]
        if share < _FOLLOWED:
            return
        if one.after or other.before:
            continue
        one.after = other.before = True
        one.successor = other
        moved = (other.middle - one.middle) / np.float32(max(1, step))
        other.motion = np.asarray((moved + one.motion) / 2 if one.before else moved, np.float32)


def _near(one: _Sighting, tracked: F32) -> bool:
    middle, half = (tracked[:2] + tracked[2:]) / 2, 0.5 * float((tracked[2:] - tracked[:2]).max())
    return bool((np.abs(one.middle - middle) < half).all()) and half < _ALIKE * one.size


def _head(box: F32, growth: float = 1.0) -> F32:
    """The square over the whole head of a face with this box."""
    middle, half = (box[:2] + box[2:]) / 2, _HEAD * growth * float((box[2:] - box[:2]).max())
    return np.concatenate([middle - half, middle + half])


def _way(box: F32, motion: F32, pictures: int) -> F32:
    """From a face's place to where it would be so many pictures later, the wider the longer ago it was seen."""
    growth = min(_MOST_GROWTH, 1.0 + _GROWTH * pictures)
    moved = box + np.tile(motion * min(pictures, _EXTRAPOLATE), 2)
    return _hull(_head(box, growth), _head(moved, growth))


def _without_inner(*boxes: F32) -> list[F32]:
    """The boxes that do not lie inside another one."""
    if not boxes:
        return []
    table = np.stack(boxes)
    inside = (table[:, None, :2] >= table[None, :, :2]).all(axis=2) & (table[:, None, 2:] <= table[None, :, 2:]).all(
        axis=2
    )
    # Of two that are the same, the first stays.
    same = inside & inside.T
    inside &= ~same | (np.arange(len(table))[:, None] > np.arange(len(table))[None, :])
    np.fill_diagonal(inside, val=False)
    return [table[i] for i in np.flatnonzero(~inside.any(axis=1))]


def _hull(one: F32, other: F32) -> F32:
    return np.concatenate([np.minimum(one[:2], other[:2]), np.maximum(one[2:], other[2:])])
