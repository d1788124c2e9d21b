"""What a face's mirror image says about its points, kept between the frames on which it is looked at.

A network that sees a face and its mirror image does not find exactly exchanged points. The mean of both answers favours no side, but
it takes twice as long. Most of the difference is the face's and the light's and changes slowly, so the mirror image is looked at
on every n-th frame only. On the frames between, the points are moved by what was found there, in the axes of the crop, which are the face's
own. A new finding is taken over bit by bit, so that no point ever steps.
"""

import numpy as np

from realtime.face.settings import MirrorSettings
from realtime.types import F32

_NONE = np.zeros((98, 2), np.float32)


class MirrorCorrection:
    """The correction of one followed face's points.

    Args:
        settings: how often the mirror image is looked at, and how fast a finding is taken over.
    """

    def __init__(self, settings: MirrorSettings = MirrorSettings()) -> None:  # noqa: B008  frozen
        self._every, self._share = settings.every, np.float32(settings.share)
        self.begin(None)

    @property
    def due(self) -> bool:
        """Whether the mirror image of the next frame is to be looked at."""
        return self._frames >= self._every

    def begin(self, offset: F32 | None) -> None:
        """Another face, or the same one found anew: nothing before counts.

        Args:
            offset: (98, 2) crop pixels to the mean with the mirror image's points; None: the mirror image was not looked at.
        """
        self._found = offset
        self._now = _NONE if offset is None else offset
        self._frames = 0 if offset is not None else self._every

    def next_frame(self) -> None:
        """A frame is about to be looked at."""
        self._frames += 1

    def now(self, offset: F32 | None) -> F32:
        """(98, 2) crop pixels by which this frame's points are moved.

        Args:
            offset: what this frame's own mirror image says; None: it was not looked at.
        """
        if offset is not None:
            first, self._found, self._frames = self._found is None, offset, 0
            if first:
                self._now = offset
        if self._found is not None and self._now is not self._found:
            self._now = self._now + self._share * (self._found - self._now)
        return self._now
