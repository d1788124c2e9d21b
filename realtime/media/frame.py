"""One captured picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as it came from the source, upright and not mirrored.

    image: (H, W, 3) uint8 BGR, C-contiguous, never written to after capture (draw on a copy).
    sequence: 0, 1, 2, ... in capture order, gaps mean frames the source itself lost.
    capture_time: seconds on the graph's clock when the picture was taken (or, for a paced file, was due).
    pts: the source's own presentation time in seconds from its first frame, or None where it has none.
    """

    image: NDArray[np.uint8]
    sequence: int
    capture_time: float
    pts: float | None = None
