"""Where the panel of Action Units stands: in a corner that the face leaves free, or in a strip of its own beside the picture.

Beside a wide or square picture the strip is on the right, and a tall one gets it below, where it costs less of the picture.
The panel is there to be read beside the face, so it never covers one: a hidden eye is worse than a smaller picture.
"""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from realtime.render.au_panel import AuPanel, panel_scale
from realtime.render.status import status_height
from realtime.types import F32, U8, PanelMode, Sides

Place = Literal["left", "right", "lower left", "lower right", "strip"]
Edges = tuple[int, int, int, int]

_MARGIN = 12
_FOREHEAD = 0.45
"""The landmarks end at the brows: the head reaches above their box by this share of its height."""
_STAY = 90
"""Pictures for which a corner must have been free before the panel comes back to it from the strip."""
_WIDEST = 0.55
"""The panel's largest share of the width: on smaller pictures it would be half of what is seen, or not readable."""
_BACKGROUND = (34, 30, 28)


class PanelPlace:
    """Puts the panel on one picture after the other. One caller at a time.

    Args:
        mode: off; left or right, a corner whatever lies there; strip, beside the picture; auto, a free corner, else the strip.
        units: the Action Units that have a row.
        flipped: the picture is shown like a mirror.
    """

    def __init__(self, mode: PanelMode, units: Sequence[int], *, flipped: bool = False) -> None:
        self.mode = mode
        self._units = tuple(units)
        self._flipped = flipped
        self._panel: AuPanel | None = None
        self._size = (0, 0)
        self._place: Place = "right"
        self._free = 0

    @property
    def in_strip(self) -> bool:
        """Whether the panel has a strip of its own now."""
        return self.mode == "strip" or (self.mode == "auto" and self._place == "strip")

    def draw(self, canvas: U8, values: Sides[dict[int, float]], faces: Sequence[F32]) -> U8:
        """The picture with the panel: `canvas` itself, drawn on, or a new one of its size with a strip.

        Args:
            canvas: (H, W, 3) BGR.
            values: intensity 0..5 by Action Unit, of the patient's sides.
            faces: (4,) boxes that must stay free, in pixels of the canvas.
        """
        if self.mode == "off" or not self._units:
            return canvas
        height, width = canvas.shape[:2]
        if self._panel is None or self._size != (height, width):
            self._size = (height, width)
            self._panel = AuPanel(self._units, panel_scale(height, width), flipped=self._flipped)
        if not self._fits(height, width):
            return canvas
        panel = self._panel
        place = self.mode if self.mode != "auto" else self._choose(faces)
        if place != "strip":
            panel.draw(canvas, values, self._corner(place))
            return canvas
        beside = _shrunk(canvas, self._picture(height, width))
        panel.draw(beside, values, self._strip(height, width))
        return beside

    def picture_place(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge of the picture on a canvas: less than all of it beside a strip.

        Args:
            height: of the canvas, pixels.
            width: of the canvas, pixels.
        """
        if not self.in_strip or not self._units or not self._fits(height, width):
            return 0, 0, width, height
        return self._picture(height, width)

    def _fits(self, height: int, width: int) -> bool:
        panel = self._panel
        return (
            panel is not None
            and panel.height + status_height(height, width) <= height
            and panel.width <= _WIDEST * width
        )

    def _picture(self, height: int, width: int) -> Edges:
        """Left, top, right and bottom edge of the smaller picture beside or above the strip."""
        assert self._panel is not None
        if height > width:
            free = height - status_height(height, width) - self._panel.height
            small = round(width * free / height)
            left = (width - small) // 2
            return left, 0, left + small, free
        small_width = width - self._panel.width
        small_height = round(height * small_width / width)
        top = (height - small_height) // 2
        return 0, top, small_width, top + small_height

    def _strip(self, height: int, width: int) -> tuple[int, int]:
        """The panel's upper left in the strip."""
        assert self._panel is not None
        if height > width:
            return (width - self._panel.width) // 2, height - status_height(height, width) - self._panel.height
        return width - self._panel.width, max(0, (height - self._panel.height) // 2)

    def _corner(self, place: Place) -> tuple[int, int]:
        assert self._panel is not None
        height, width = self._size
        free = height - status_height(height, width) - self._panel.height
        margin = min(round(_MARGIN * self._panel.scale), free)
        x = margin if place.endswith("left") else width - self._panel.width - margin
        return x, free - margin if place.startswith("lower") else margin

    def _choose(self, faces: Sequence[F32]) -> Place:
        corners: tuple[Place, ...] = ("right", "left", "lower right", "lower left")
        boxes = [face.tolist() for face in faces]
        free = [place for place in corners if not any(self._covers(place, box) for box in boxes)]
        if self._place == "strip":
            self._free = self._free + 1 if free else 0
            if self._free < _STAY:
                return "strip"
        self._free = 0
        if self._place not in free:
            self._place = free[0] if free else "strip"
        return self._place

    def _covers(self, place: Place, face: Sequence[float]) -> bool:
        assert self._panel is not None
        x, y = self._corner(place)
        left, top, right, bottom = face
        top -= _FOREHEAD * (bottom - top)
        return left < x + self._panel.width and right > x and top < y + self._panel.height and bottom > y


def _shrunk(canvas: U8, place: Edges) -> U8:
    """A new picture of the same size with this one, smaller, at `place` and the background around it.

    Bilinear, as the picture hardly becomes smaller: at 720p a sixth of what averaging areas costs.
    """
    height, width = canvas.shape[:2]
    left, top, right, bottom = place
    out: U8 = np.empty_like(canvas)
    for x0, y0, x1, y1 in (
        (0, 0, width, top),
        (0, bottom, width, height),
        (0, top, left, bottom),
        (right, top, width, bottom),
    ):
        if x0 < x1 and y0 < y1:
            cv2.rectangle(out, (x0, y0), (x1 - 1, y1 - 1), _BACKGROUND, -1)
    method = cv2.INTER_LINEAR if 2 * (right - left) >= width else cv2.INTER_AREA
    cv2.resize(canvas, (right - left, bottom - top), dst=out[top:bottom, left:right], interpolation=method)
    return out
