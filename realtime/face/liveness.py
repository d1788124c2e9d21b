"""Does this face move by itself? A poster, or a photograph on a phone, shows a face that never blinks and never speaks.

Only what a flat picture cannot do counts as life: lids and lips that part and close against the rest of the face. Motion of
the head does not count, as a photograph may be held in a hand. A video of a face is taken for a face.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from realtime.face import wflw
from realtime.types import F32, FacePart

_WINDOW = 4.0  # seconds over which openings are compared
_STEADY = 3  # looks whose median counts, so that one bad look is no blink
_LIDS = 0.045  # change of an eye's opening, in inter-ocular distances, that noise does not make
_LIPS = 0.06  # the same between the lips
_UPPER, _LOWER = [[61, 62, 63], [69, 70, 71]], [[67, 66, 65], [75, 74, 73]]
_UPPER_LIP, _LOWER_LIP = [89, 90, 91], [95, 94, 93]
_EYES: tuple[FacePart, ...] = ("right eye", "left eye")


class Liveness:
    """What one face has shown of its own motion."""

    def __init__(self) -> None:
        self.alive = False
        self._openings: deque[tuple[float, F32]] = deque()
        self._recent: deque[F32] = deque(maxlen=_STEADY)

    def update(self, points: F32, time: float, hidden: Sequence[FacePart] = ()) -> None:
        """Take in a frame.

        Lids of a hidden eye do not count, lips then still do: the eyes of a small or turned face are never measured. With anything else
        hidden the frame does not count: what lies in front of a poster moves.

        Args:
            points: (98, 2) pixels.
            time: of the frame, seconds.
            hidden: parts that are covered or too small on it.
        """
        if self.alive or set(hidden) - set(_EYES):
            return
        opened = openings(points)
        opened[:2][[eye in hidden for eye in _EYES]] = np.nan
        self._recent.append(opened)
        if len(self._recent) < _STEADY:
            return
        self._openings.append((time, np.median(np.stack(self._recent), axis=0).astype(np.float32)))
        while time - self._openings[0][0] > _WINDOW:
            self._openings.popleft()
        values = np.stack([value for _, value in self._openings])
        change = np.fmax.reduce(values) - np.fmin.reduce(values)  # of what is known
        self.alive = bool((change[:2] > _LIDS).any() or change[2] > _LIPS)


def openings(points: F32) -> F32:
    """(3,) how far the right eye, the left eye and the lips are open, in inter-ocular distances."""
    scale = max(float(wflw.interocular(points)), 1e-3)
    eyes = [np.hypot(*(points[upper] - points[lower]).T).mean() for upper, lower in zip(_UPPER, _LOWER, strict=True)]
    lips = np.hypot(*(points[_UPPER_LIP] - points[_LOWER_LIP]).T).mean()
    return np.array([*eyes, lips], np.float32) / np.float32(scale)
