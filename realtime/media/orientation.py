"""How a file wants its pictures turned and mirrored: the display matrix that cameras and editors write beside them."""

from typing import NamedTuple

import cv2
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

from realtime.types import U8

# (transposed, flipped_x, flipped_y) -> degrees counter-clockwise; the second four after exchanging left and right.
_DEGREES = {
    (False, False, False): 0,
    (True, False, True): 90,
    (False, True, True): 180,
    (True, True, False): 270,
    (False, True, False): 0,
    (True, False, False): 90,
    (False, False, True): 180,
    (True, True, True): 270,
}
_TURNS = {90: (True, False, True), 180: (False, True, True), 270: (True, True, False)}


class Orientation(NamedTuple):
    """The turn by right angles and mirroring that is nearest to a display matrix.

    Attributes:
        transposed: rows and columns are exchanged, before anything else.
        flipped_x: the columns are then reversed.
        flipped_y: the rows are then reversed.
    """

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> "Orientation":
        """What the frame's own matrix says; upright where it has none.

        The matrix (3, 3), read by rows (a b u; c d v; x y w), puts a pixel at (x, y) to (a x + c y, b x + d y).
        """
        try:
            found = frame.side_data.get("DISPLAYMATRIX")
        except ValueError:  # PyAV does not know another kind of side data of this frame, and then shows none
            return cls(*_TURNS.get(round(frame.rotation) % 360, (False, False, False)))
        matrix = bytes(memoryview(found)) if isinstance(found, SideData) else b""
        if len(matrix) < 36:
            return cls()
        a, b, _, c, d = np.frombuffer(matrix, np.int32, 5).astype(np.int64)
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, bool(a < 0), bool(d < 0))
        return cls(True, bool(c < 0), bool(b < 0))

    @property
    def mirrored(self) -> bool:
        """Left and right are exchanged, whatever the turn."""
        return self.transposed ^ self.flipped_x ^ self.flipped_y

    @property
    def degrees(self) -> int:
        """The turn counter-clockwise, after left and right were exchanged where `mirrored` says so."""
        return _DEGREES[self]

    def apply(self, image: U8) -> U8:
        """The picture as players show it: (H, W, 3) to (H, W, 3) or (W, H, 3), C-contiguous.

        Args:
            image: (H, W, 3).
        """
        if self.transposed:
            image = cv2.transpose(image)
        if self.flipped_x or self.flipped_y:
            image = cv2.flip(image, -1 if self.flipped_x and self.flipped_y else int(self.flipped_x))
        return np.ascontiguousarray(image)
