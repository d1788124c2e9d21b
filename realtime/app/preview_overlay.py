"""What the preview window shows over the picture: a running calibration, and what has failed."""

import time
from collections.abc import Callable, Sequence

from realtime.action_units.calibration import CalibrationProgress
from realtime.render.guidance import Guidance, draw_warnings
from realtime.types import U8


class PreviewOverlay:
    """Draws on the window's thread, and only while there is something to draw.

    Args:
        progress: the calibration's course.
        warnings: sentences about what has failed.
        clock: seconds on any one clock.
    """

    def __init__(
        self,
        progress: Callable[[], CalibrationProgress],
        warnings: Callable[[], Sequence[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress = progress
        self._warnings = warnings
        self._clock = clock
        self._guidance = Guidance()

    def draw(self, image: U8) -> U8:
        """The (H, W, 3) picture itself, or a new one with what there is to read."""
        shown = self._guidance.draw(image, self._progress(), self._clock())
        return draw_warnings(shown, self._warnings())
