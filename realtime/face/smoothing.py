"""Steady points without lag: what is shown follows the picture's motion and is drawn gently toward the raw points.

Each frame the last shown points are first moved with the picture (sparse flow); what is left between them and the raw points
is mostly the network's noise, so only a small share of it is taken over. A point that differs by more than noise (a blink, a
word, a fast turn) is taken over at once: the share rises with the size of the difference, point by point. Where no flow is at
hand the head's own motion is estimated from all 98 points together, which is far steadier than any one of them.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from realtime.face import wflw
from realtime.face.geometry import fit_similarity, transform
from realtime.face.settings import SmoothingSettings

F32 = NDArray[np.float32]

_ONES = np.ones(wflw.POINTS, np.float32)


class Smoother:
    """Low-lag smoothing of one face's points."""

    def __init__(self, settings: SmoothingSettings = SmoothingSettings()) -> None:  # noqa: B008  frozen
        self._settings = settings
        self._shown: F32 | None = None
        self._time = 0.0

    def reset(self) -> None:
        """The next frame starts anew (another face, a cut)."""
        self._shown = None

    def update(self, raw: F32, time: float, *, moved: F32 | None = None, covariance: F32 | None = None) -> F32:
        """(98, 2) points to show.

        raw: (98, 2) pixels of this frame. time: its capture time, seconds. moved: the points returned for the last frame,
        moved with the picture onto this one. covariance: (98, 2, 2) pixels squared; surer points are believed more.
        """
        last, self._shown = self._shown, raw
        gap, self._time = time - self._time, time
        if last is None or not self._settings.enabled or not 0 <= gap <= self._settings.reset_seconds:
            return raw
        if moved is None:
            expected = transform(fit_similarity(last, raw, _ONES), last)
            rest = self._settings.slow_gain
        else:
            expected, rest = moved, self._settings.rest_gain
        sigma = np.full(wflw.POINTS, self._settings.noise * wflw.interocular(raw), np.float32)
        if covariance is not None:
            own = np.sqrt(np.trace(covariance, axis1=1, axis2=2) / 2)
            sigma *= np.clip(own / max(float(np.median(own)), 1e-6), 0.5, 2.0)
        self._shown = _blend(raw, expected, sigma, rest, self._settings.open_at, self._settings.full_at)
        return self._shown


@njit(cache=True, nogil=True)
def _blend(raw: F32, expected: F32, sigma: F32, rest: float, open_at: float, full_at: float) -> F32:
    out = np.empty_like(raw)
    for i in range(raw.shape[0]):
        dx, dy = raw[i, 0] - expected[i, 0], raw[i, 1] - expected[i, 1]
        size = np.sqrt(dx * dx + dy * dy) / max(sigma[i], 1e-6)
        t = min(max((size - open_at) / (full_at - open_at), 0.0), 1.0)
        gain = rest + (1.0 - rest) * t * t * (3.0 - 2.0 * t)
        out[i, 0] = expected[i, 0] + gain * dx
        out[i, 1] = expected[i, 1] + gain * dy
    return out
