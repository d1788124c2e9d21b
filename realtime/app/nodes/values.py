"""What travels between the nodes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from realtime.media.frame import Frame
from realtime.openface3.multitask import Expression
from realtime.types import F32, Analysis

Status = Literal["measured", "held", "none"]


@dataclass(frozen=True, slots=True)
class Analysed:
    """An analysis and the frame it was made on (needed to move its points to a later picture)."""

    analysis: Analysis
    frame: Frame


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture ready to be shown.

    image: (H, W, 3) uint8 BGR, not written to any more. sequence, capture_time: of the frame it was drawn on.
    status: measured = the analysis is this very frame's, held = an older one, none = there is none young enough.
    result_age: seconds between the analysed and the shown frame's capture; None without an analysis.
    points: (98, 2) as drawn, in pixels of the captured frame (moved with the picture where the analysis is held).
    frame: the captured picture, with nothing drawn on it.
    expression, expression_age: OpenFace 3.0's values and the seconds between their frame and this one; None without them.
    """

    image: NDArray[np.uint8]
    sequence: int
    capture_time: float
    status: Status
    analysis: Analysis | None
    result_age: float | None
    points: F32 | None
    frame: Frame | None = None
    expression: Expression | None = None
    expression_age: float | None = None
