"""Where a face is going: a Kalman filter of its box's middle and size with a velocity that dies away.

It says where a face will be that is hidden for a moment: behind another head, or out of the detector's reach.
"""

import math

import numpy as np

from realtime.types import F32

_ACCELERATION = 4.0  # of a head, its own sizes per second squared, one standard deviation
_NOISE = 0.02  # of a measured box, its own sizes
_GROWTH = 1.0  # change of the logarithm of the size, per second squared
_DIES = 0.7  # seconds in which a hidden head's velocity falls to 1/e: people who are not seen have mostly stopped


class _Axis:
    """Position and velocity in one dimension, with their covariance."""

    __slots__ = ("_position", "_pp", "_pv", "_velocity", "_vv")

    def __init__(self, position: float, noise: float, speed: float) -> None:
        self._position, self._velocity = position, 0.0
        self._pp, self._pv, self._vv = noise * noise, 0.0, speed * speed

    def at(self, seconds: float) -> float:
        """The position after so many seconds without a measurement."""
        return self._position + _DIES * (1 - math.exp(-seconds / _DIES)) * self._velocity

    def update(self, seconds: float, measured: float, noise: float, acceleration: float) -> None:
        """Move on by so many seconds, then take in a measured position."""
        pp = self._pp + 2 * seconds * self._pv + seconds * seconds * self._vv
        pv, vv = self._pv + seconds * self._vv, self._vv
        shaken = acceleration * acceleration * seconds
        pp, pv, vv = pp + shaken * seconds**3 / 3, pv + shaken * seconds**2 / 2, vv + shaken * seconds
        position, velocity = self._position + seconds * self._velocity, self._velocity
        total = pp + noise * noise
        gain_p, gain_v = pp / total, pv / total
        miss = measured - position
        self._position, self._velocity = position + gain_p * miss, velocity + gain_v * miss
        self._pp, self._pv, self._vv = (1 - gain_p) * pp, (1 - gain_p) * pv, vv - gain_v * pv


class BoxMotion:
    """The motion of one face's box.

    Args:
        box: (4,) x1, y1, x2, y2, pixels.
        time: capture time, seconds.
    """

    def __init__(self, box: F32, time: float) -> None:
        x, y, size = _parts(box)
        self.time = time
        self._shape = self._shape_of(box, size)
        self._x, self._y = (_Axis(value, _NOISE * size, size) for value in (x, y))
        self._size = _Axis(math.log(size), _NOISE, 0.3)

    def update(self, box: F32, time: float) -> None:
        """The face was measured here.

        Args:
            box: (4,).
            time: capture time, seconds, later than the last one.
        """
        seconds = time - self.time
        if seconds <= 0:
            return
        x, y, size = _parts(box)
        self._x.update(seconds, x, _NOISE * size, _ACCELERATION * size)
        self._y.update(seconds, y, _NOISE * size, _ACCELERATION * size)
        self._size.update(seconds, math.log(size), _NOISE, _GROWTH)
        self._shape, self.time = self._shape_of(box, size), time

    def at(self, time: float) -> F32:
        """(4,) where the box should be at this capture time (seconds)."""
        seconds = max(0.0, time - self.time)
        size = math.exp(min(20.0, self._size.at(min(seconds, _DIES))))
        middle = np.array([self._x.at(seconds), self._y.at(seconds)], np.float32)
        half = np.asarray(self._shape * np.float32(size / 2), np.float32)
        return np.concatenate([middle - half, middle + half])

    @staticmethod
    def _shape_of(box: F32, size: float) -> F32:
        return np.asarray((box[2:] - box[:2]) / np.float32(size), np.float32)


def _parts(box: F32) -> tuple[float, float, float]:
    """Middle x, middle y and size (geometric mean of the sides)."""
    x1, y1, x2, y2 = (float(value) for value in box)
    return (x1 + x2) / 2, (y1 + y2) / 2, math.sqrt(max((x2 - x1) * (y2 - y1), 1.0))
