"""The 4702 numbers an Action Unit is predicted from: 4464 of appearance (FHOG of the aligned face) and 238 of geometry.

Geometry: where the local parameters move the 68 points (basis . local, without the mean: 204 values, all x, all y, all
z, in mm), then the 34 local parameters themselves.
"""

import numpy as np
from numpy.typing import NDArray

from realtime.openface2.pdm import MODES, POINTS, ShapeModel
from realtime.openface2.running_median import GEOMETRY_BINS, HOG_BINS, RunningMedian
from realtime.types import F64

APPEARANCE = 12 * 12 * 31
GEOMETRY = 3 * POINTS + MODES
DESCRIPTOR = APPEARANCE + GEOMETRY


def describe(hog: NDArray[np.float32], local: F64, model: ShapeModel) -> F64:
    """The descriptor that the models take.

    Args:
        hog: (12, 12, 31) FHOG.
        local: (34,) of the fit.
        model: the shape model.

    Returns:
        (4702,).
    """
    if hog.size != APPEARANCE:
        raise ValueError(f"expected {APPEARANCE} values of FHOG, got {hog.size}")
    out = np.empty(DESCRIPTOR)
    out[:APPEARANCE] = hog.reshape(-1)
    np.matmul(model.basis, local, out=out[APPEARANCE : APPEARANCE + 3 * POINTS])
    out[APPEARANCE + 3 * POINTS :] = local
    return out


class Neutral:
    """The person's running neutral descriptor, updated on every second measured frame, from the first one on."""

    def __init__(self) -> None:
        self._hog = RunningMedian(APPEARANCE, HOG_BINS)
        self._geometry = RunningMedian(GEOMETRY, GEOMETRY_BINS)
        self._median: F64 = np.full(DESCRIPTOR, np.nan)
        self._frames = 0

    @property
    def median(self) -> F64:
        """(4702,) medians, appearance never below 0; NaN before the first frame. Valid until the next `update`."""
        return self._median

    @property
    def frames(self) -> int:
        """Measured frames seen, counted or not."""
        return self._frames

    def update(self, descriptor: F64) -> None:
        """Take one measured frame's descriptor (4702,)."""
        if self._frames % 2 == 0:
            self._hog.update(descriptor[:APPEARANCE])
            self._geometry.update(descriptor[APPEARANCE:])
            np.maximum(self._hog.median, 0.0, out=self._median[:APPEARANCE])
            self._median[APPEARANCE:] = self._geometry.median
        self._frames += 1

    def reset(self) -> None:
        """Forget the person."""
        self._hog.reset()
        self._geometry.reset()
        self._median[:] = np.nan
        self._frames = 0

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Flat named arrays, fit for `np.savez`."""
        parts = {"hog": self._hog.state(), "geometry": self._geometry.state()}
        flat = {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}
        return {**flat, "frames": np.array(self._frames)}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from `state()`.

        Raises:
            UserInputError: it does not fit.
        """

        def part(name: str) -> dict[str, NDArray[np.generic]]:
            return {key.removeprefix(name + "."): value for key, value in state.items() if key.startswith(name + ".")}

        self._hog.restore(part("hog"))
        self._geometry.restore(part("geometry"))
        self._frames = int(state["frames"])
        np.maximum(self._hog.median, 0.0, out=self._median[:APPEARANCE])
        self._median[APPEARANCE:] = self._geometry.median
