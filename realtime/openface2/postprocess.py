"""From raw predictions to the numbers in the file: the correction for live use, and the full pass over a session.

Both undo that a person's neutral face is not predicted as 0. Live: the 10th percentile of all predictions so far is
taken as that person's 0. Offline: the first 3000 measured frames are predicted again with the session's final median;
from each dynamic Action Unit the percentile that its model names (its cutoff) is subtracted; the result is clipped to
0..5 and averaged over three frames. Occurrences are voted on over seven frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.openface2.svr import NO_CUTOFF
from realtime.types import F64

HIGHEST = 5.0
EARLY_FRAMES = 3000
SMOOTHING = 3
VOTING = 7


class OnlineCorrection:
    """Running 10th percentile per Action Unit by histogram: 200 bins over [-3, 5], in force from the 10th frame on."""

    bins = 200
    low = -3.0
    high = 5.0
    share = 0.10
    from_frame = 10

    def __init__(self, aus: int) -> None:
        self._histogram: NDArray[np.int64] = np.zeros((aus, self.bins), np.int64)
        self._rows = np.arange(aus)
        self.count = 0

    def update(self, predictions: F64) -> F64:
        """(aus,) corrected intensities, 0..5, of one measured frame's unclipped predictions. All must be finite."""
        place = ((predictions - self.low) * (self.bins / (self.high - self.low))).astype(np.int64)
        self._histogram[self._rows, np.clip(place, 0, self.bins - 1)] += 1
        self.count += 1
        corrected = predictions
        if self.count >= self.from_frame:
            reached = np.cumsum(self._histogram, axis=1) > int(self.share * self.count)
            neutral = self.low + np.argmax(reached, axis=1) * ((self.high - self.low) / self.bins)
            corrected = predictions - neutral
        return np.clip(corrected, 0.0, HIGHEST)

    def reset(self) -> None:
        """Forget the person."""
        self._histogram[:] = 0
        self.count = 0

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything that `restore` needs."""
        return {"histogram": self._histogram.copy(), "count": np.array(self.count)}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from `state()`."""
        self._histogram[:] = state["histogram"]
        self.count = int(state["count"])


@dataclass(frozen=True, slots=True)
class Session:
    """What one face left behind, frame by frame in order.

    Attributes:
        frame: (frames, aus) prediction before the neutral is subtracted; NaN rows: not measured.
        neutral: (frames, aus) what the running median took from it at that time, 0 for static models.
    """

    frame: F64
    neutral: F64

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(frames,) which were."""
        return np.asarray(np.isfinite(self.frame).all(axis=1))

    def repredicted(self) -> F64:
        """(frames, aus) predictions, the first 3000 measured frames with the last median; NaN where not measured."""
        neutral = self.neutral.copy()
        measured = np.flatnonzero(self.measured)
        if measured.size:
            neutral[measured[:EARLY_FRAMES]] = self.neutral[measured[-1]]
        out: F64 = np.where(self.measured[:, None], self.frame - neutral, np.nan)
        return out


def offline_intensities(session: Session, cutoffs: F64, missing_as_zero: bool = False) -> F64:
    """(frames, aus) final intensities, 0..5, NaN where not measured.

    Args:
        session: the frames' predictions.
        cutoffs: (aus,) share of frames without the Action Unit, or -1 to subtract nothing.
        missing_as_zero: let unmeasured neighbours pull the average down as zeros, as OpenFace does; otherwise the average is over
            the measured frames among the three.
    """
    predictions = session.repredicted()
    ok = session.measured
    offsets = np.zeros(predictions.shape[1])
    ordered = np.sort(predictions[ok], axis=0)
    for i, cutoff in enumerate(cutoffs):
        if cutoff != NO_CUTOFF and len(ordered):
            offsets[i] = ordered[int(len(ordered) * cutoff), i]
    clipped = np.clip(predictions - offsets, 0.0, HIGHEST)
    out = _windowed_mean(clipped, ok, SMOOTHING, missing_as_zero)
    out[~ok] = np.nan
    return out


def offline_occurrences(classes: F64, missing_as_zero: bool = False) -> F64:
    """Classes of a whole session by majority over seven frames, ties to 1.

    The first and last three frames keep their own class.

    Args:
        classes: (frames, aus) of the single frames.
        missing_as_zero: count unmeasured neighbours as zeros, as OpenFace does.

    Returns:
        (frames, aus) 0 or 1; NaN where not measured.
    """
    ok = np.asarray(np.isfinite(classes).all(axis=1))
    voted = _windowed_mean(classes, ok, VOTING, missing_as_zero)
    reach = (VOTING - 1) // 2
    inner = np.zeros(len(classes), bool)
    inner[reach : max(reach, len(classes) - reach)] = True
    out = np.where(inner[:, None], (voted >= 0.5).astype(np.float64), classes)
    out[~ok] = np.nan
    return out


def _windowed_mean(values: F64, ok: NDArray[np.bool_], window: int, missing_as_zero: bool) -> F64:
    """Centred mean over `window` frames; the outermost frames, which have no full window, keep their own value."""
    reach = (window - 1) // 2
    frames = len(values)
    out = values.copy()
    if frames <= 2 * reach:
        return out
    filled = np.where(ok[:, None], values, 0.0)
    total = np.zeros((frames - 2 * reach, values.shape[1]))
    count = np.zeros((frames - 2 * reach, 1))
    for shift in range(window):
        total += filled[shift : frames - 2 * reach + shift]
        count += ok[shift : frames - 2 * reach + shift, None]
    if missing_as_zero:
        count[:] = window
    inner = total / np.maximum(count, 1)
    out[reach : frames - reach] = inner
    return out
