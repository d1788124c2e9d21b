"""Steady points with next to no lag.

Each frame the steady points are first moved with the picture (sparse flow); what is left between them and the raw points is
mostly the network's noise, so only a small share of it is taken over. A point that differs by more than noise (a blink, a word,
a fast turn) is taken over at once: the share rises with the size of the difference, point by point. Where no flow is at hand the
head's own motion is estimated from all 98 points together, which is far steadier than any one of them.

What is shown is the steady face with the head's motion of this frame half applied (a mean over two frames): cameras and video
codecs make the picture itself tremble from frame to frame, and that halves away. Deformation is not delayed. A fast head is hardly
delayed either: half of a fast motion would put the points beside the eyes, and what is measured there is no eye.
"""

import numpy as np

from realtime.face import wflw
from realtime.face.geometry import fit_similarity, transform
from realtime.face.point_flow import Moved
from realtime.face.settings import SmoothingSettings
from realtime.jit import njit
from realtime.types import F32, F64

_ONES = np.ones(wflw.POINTS, np.float32)


class Smoother:
    """Low-lag smoothing of one face's points.

    Args:
        settings: how much.
    """

    def __init__(self, settings: SmoothingSettings = SmoothingSettings()) -> None:  # noqa: B008  frozen
        self._settings = settings
        self._steady: F32 | None = None
        self._time = 0.0
        self._noise = np.full(wflw.POINTS, settings.noise, np.float32)
        self._noise[list(wflw.CONTOUR)] *= np.float32(settings.contour_noise)

    @property
    def steady(self) -> F32 | None:
        """(98, 2) the points without their noise and without any delay, as of the last frame: what flow should start from."""
        return self._steady

    def reset(self) -> None:
        """The next frame starts anew (another face, a cut)."""
        self._steady = None

    def update(self, raw: F32, time: float, *, moved: Moved | None = None, covariance: F32 | None = None) -> F32:
        """(98, 2) points to show.

        Args:
            raw: (98, 2) pixels of this frame.
            time: its capture time, seconds.
            moved: `steady` of the last frame, moved with the picture onto this one.
            covariance: (98, 2, 2) pixels squared; surer points are believed more.
        """
        last, self._steady = self._steady, raw
        gap, self._time = time - self._time, time
        settings = self._settings
        if last is None or not settings.enabled or not 0 < gap <= settings.reset_seconds:
            return raw
        if moved is None:
            rigid = fit_similarity(last, raw, _ONES)
            expected, rest = transform(rigid, last), settings.slow_gain
        else:
            expected, rigid, rest = moved.points, moved.rigid, settings.rest_gain
        interocular = wflw.interocular(raw)
        sigma = self._noise * np.float32(interocular)
        if covariance is not None:
            sigma *= relative_deviation(covariance)
        delay = min(0.5, settings.head_delay / gap)
        most = settings.head_delay_most * interocular
        self._steady, shown = _step(
            raw, last, expected, rigid, sigma, rest, settings.open_at, settings.full_at, delay, most
        )
        return shown


@njit(nogil=True)
def _step(
    raw: F32,
    last: F32,
    expected: F32,
    rigid: F64,
    sigma: F32,
    rest: float,
    open_at: float,
    full_at: float,
    delay: float,
    most: float,
) -> tuple[F32, F32]:
    """(steady, shown): the expected points drawn toward the raw ones; the same with a share of the head's motion taken back.

    most: pixels by which a point is taken back at most.
    """
    steady, shown = np.empty((raw.shape[0], 2), np.float32), np.empty((raw.shape[0], 2), np.float32)
    for i in range(raw.shape[0]):
        dx, dy = raw[i, 0] - expected[i, 0], raw[i, 1] - expected[i, 1]
        size = np.sqrt(dx * dx + dy * dy) / max(sigma[i], 1e-6)
        t = min(max((size - open_at) / (full_at - open_at), 0.0), 1.0)
        gain = rest + (1.0 - rest) * t * t * (3.0 - 2.0 * t)
        x, y = expected[i, 0] + gain * dx, expected[i, 1] + gain * dy
        steady[i, 0], steady[i, 1] = x, y
        px, py = last[i, 0], last[i, 1]
        bx = delay * (rigid[0, 0] * px + rigid[0, 1] * py + rigid[0, 2] - px)
        by = delay * (rigid[1, 0] * px + rigid[1, 1] * py + rigid[1, 2] - py)
        share = min(1.0, most / max(np.sqrt(bx * bx + by * by), 1e-6))
        shown[i, 0], shown[i, 1] = x - share * bx, y - share * by
    return steady, shown


def relative_deviation(covariance: F32) -> F32:
    """(98,) each point's standard deviation against the median point's, kept within a factor of two.

    Not compiled: Numba takes two seconds for a sort, and saves 7 us a frame.

    Args:
        covariance: (98, 2, 2).
    """
    own = np.sqrt((covariance[:, 0, 0] + covariance[:, 1, 1]) / np.float32(2))
    ordered, count = np.sort(own), len(own)
    own /= max((ordered[(count - 1) // 2] + ordered[count // 2]) / np.float32(2), np.float32(1e-6))
    np.maximum(own, np.float32(0.5), out=own)
    np.minimum(own, np.float32(2.0), out=own)
    result: F32 = own
    return result
