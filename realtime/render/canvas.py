"""Copies of large frames to draw on, in memory that is used again once nobody holds the picture.

At 4K a picture is 25 MB: the system gives such memory back and forth, and writing to fresh pages costs more than the copy.
"""

import sys

import cv2
import numpy as np

from realtime.types import U8

_LEAST_BYTES = 4_000_000
"""Smaller pictures are left to the allocator, which keeps their memory by itself."""
_MOST = 3
_probe = [object()]
_ALONE = sys.getrefcount(_probe[0])
"""What `getrefcount` says of an object that only a list holds."""


class Canvases:
    """Gives copies. One caller at a time; whoever gets a copy may hold it, or views of it, as long as they like, on any thread."""

    def __init__(self) -> None:
        self._kept: list[U8] = []

    def copy_of(self, frame: U8, *, flipped: bool = False) -> U8:
        """A picture like this one, to be drawn on.

        Args:
            frame: (H, W, 3) uint8; it stays as it is.
            flipped: left and right change places.
        """
        if frame.nbytes < _LEAST_BYTES:
            return cv2.flip(frame, 1) if flipped else frame.copy()
        canvas = self._free(frame.shape)
        if flipped:
            cv2.flip(frame, 1, dst=canvas)
        else:
            np.copyto(canvas, frame)
        return canvas

    def _free(self, shape: tuple[int, ...]) -> U8:
        """One that nobody holds, or a new one."""
        for index in range(len(self._kept)):
            if sys.getrefcount(self._kept[index]) == _ALONE and self._kept[index].shape == shape:
                self._kept[index].flags.writeable = True
                return self._kept[index]
        fresh: U8 = np.empty(shape, np.uint8)
        # Those of another size are let go of, once the size has changed.
        self._kept = [*(one for one in self._kept if one.shape == shape), fresh][-_MOST:]
        return fresh
