"""How strongly a face makes a movement: the change of its own measures since rest, in units of what is surely more than noise.

Action Units and, where there are any, millimetres count alike; the side that moves more decides, so that a face of which one
side does not move is followed by the other.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from realtime.clinic.observation import Observation
from realtime.clinic.types import Movement, Snapshot
from realtime.types import Sides

_NAN = float("nan")
_NOISE = 4.0
"""Standard deviations of a measure at rest that count as movement, where its floor is lower."""
_UNIT_FLOOR = 0.6
_MOST_UNIT, _MOST_LENGTH = 1.5, 3.0
"""A restless face raises the threshold to here at most: intensity, millimetres."""


@dataclass(frozen=True, slots=True)
class Driver:
    """One measure by which a movement is followed.

    Attributes:
        key: an Action Unit, or a field of `Millimetres`.
        sign: +1: the movement raises it; -1: it lowers it.
        floor: the least change that counts as movement, intensity or millimetres.
    """

    key: int | str
    sign: float = 1.0
    floor: float = _UNIT_FLOOR

    @property
    def most(self) -> float:
        """The largest threshold."""
        return _MOST_UNIT if isinstance(self.key, int) else _MOST_LENGTH


# The lids are told by their fissure and by AU 45, and a smile by its corners: AU 6 comes with both and is no driver.
DRIVERS: Mapping[Movement, tuple[Driver, ...]] = {
    "rest": (),
    "brow_raise": (Driver(1), Driver(2), Driver("brow_height", 1, 1.5)),
    "gentle_closure": (Driver(45, 1, 1.0), Driver("fissure_height", -1, 2.5)),
    "tight_closure": (Driver(45, 1, 1.0), Driver("fissure_height", -1, 2.5)),
    "open_smile": (Driver(12), Driver("commissure", 1, 1.5)),
    "closed_smile": (Driver(12), Driver("commissure", 1, 1.5)),
    "snarl": (Driver(9), Driver(10)),
    "pucker": (Driver(18), Driver("commissure", -1, 1.5)),
    "eee": (Driver(20), Driver(25), Driver(12), Driver("commissure", 1, 1.5)),
}
CLOSURES: frozenset[Movement] = frozenset({"gentle_closure", "tight_closure"})
_WATCHED: tuple[Driver, ...] = (
    *(Driver(unit, 1, 0.9) for unit in (1, 2, 4, 9, 12, 18, 20, 25)),
    Driver("commissure", 1, 2.0),
    Driver("brow_height", 1, 2.0),
)
"""What must keep still in a face at rest; lids blink and are left out."""
_LIDS_DOWN = 1.5


def value_of(observation: Observation, key: int | str) -> Sides[float]:
    """One measure of one frame; NaN where it was not taken.

    Args:
        observation: of the frame.
        key: number of an Action Unit, or name of a length.
    """
    found = observation.units.get(key) if isinstance(key, int) else observation.lengths.get(key)
    return found if found is not None else Sides(_NAN, _NAN)


class RestLevel:
    """A movement's drivers at rest: medians, and the thresholds that their noise asks for.

    Take the observations of a short span at rest.

    Args:
        movement: whose drivers.
        at_rest: the observations at rest.
    """

    def __init__(self, movement: Movement, at_rest: Sequence[Observation]) -> None:
        self._known: list[tuple[Driver, int, float, float]] = []
        for driver in DRIVERS[movement]:
            for side in (0, 1):
                values = np.array([value_of(one, driver.key)[side] for one in at_rest], np.float64)
                values = values[np.isfinite(values)]
                if len(values):
                    middle = float(np.median(values))
                    spread = 1.4826 * float(np.median(np.abs(values - middle)))
                    limit = min(max(driver.floor, _NOISE * spread), max(driver.most, driver.floor))
                    self._known.append((driver, side, middle, limit))

    def activity(self, observation: Observation) -> float:
        """How far the movement is made: from 1 on it is movement. NaN: nothing that drives it was measured."""
        most = -math.inf
        for driver, side, middle, limit in self._known:
            value = value_of(observation, driver.key)[side]
            if math.isfinite(value):
                most = max(most, driver.sign * (value - middle) / limit)
        return most if most > -math.inf else _NAN


def at_rest(window: Sequence[Observation], level: Snapshot | None) -> bool:
    """Whether a face kept still over a short span.

    Args:
        window: the span's frames with a face.
        level: the examination's own rest; None: not known yet, then stillness is enough.
    """
    watched = np.array([[value_of(one, driver.key) for driver in _WATCHED] for one in window], np.float64)
    table = np.sort(watched.reshape(len(window), -1), axis=0)  # NaN comes last
    count = np.isfinite(table).sum(axis=0)
    low, middle, high = (
        np.take_along_axis(table, np.maximum(0, np.rint(share * (count - 1)).astype(np.intp))[None], axis=0)[0]
        for share in (0.1, 0.5, 0.9)
    )
    floor = np.repeat([driver.floor for driver in _WATCHED], 2)
    known = np.array([_known(level, driver.key, side) for driver in _WATCHED for side in (0, 1)])
    # Comparisons with NaN are false: what was not measured does not disturb.
    moves = (count >= 3) & ((high - low > floor) | (np.abs(middle - known) > 1.5 * floor))
    return not moves.any() and not _lids_down(window, level)


def _lids_down(window: Sequence[Observation], level: Snapshot | None) -> bool:
    """A blink is short; lids that are down in the middle of the span are closed eyes."""
    for side in (0, 1):
        values = [value for one in window if math.isfinite(value := value_of(one, 45)[side])]
        known = _known(level, 45, side)
        if values and median(values) - (known if math.isfinite(known) else 0.0) > _LIDS_DOWN:
            return True
    return False


def _known(level: Snapshot | None, key: int | str, side: int) -> float:
    if level is None:
        return _NAN
    found = level.units.get(key) if isinstance(key, int) else level.lengths.get(key)
    return found[side] if found is not None else _NAN


def snapshot(window: Sequence[Observation]) -> Snapshot:
    """Medians over a span.

    Args:
        window: the frames with a face; at least one.
    """
    middle = window[len(window) // 2]
    units = {
        unit: _sides([one.units.get(unit) for one in window])
        for unit in sorted({u for one in window for u in one.units})
    }
    names = sorted({name for one in window for name in one.lengths})
    lengths = {name: _sides([one.lengths.get(name) for one in window]) for name in names}
    middles = sorted({name for one in window for name in one.midline})
    midline = {name: _median(one.midline.get(name, _NAN) for one in window) for name in middles}
    return Snapshot(
        len(window),
        middle.sequence,
        lengths,
        midline,
        units,
        _median(one.yaw for one in window),
        _median(one.pitch for one in window),
        _median(one.roll for one in window),
    )


def _sides(values: Sequence[Sides[float] | None]) -> Sides[float]:
    found = [value if value is not None else Sides(_NAN, _NAN) for value in values]
    return Sides(_median(value.left for value in found), _median(value.right for value in found))


def _median(values: Iterable[float]) -> float:
    """NaN unless at least half of the frames have the measure: a value of few frames is no median of the span."""
    every = list(values)
    known = [value for value in every if math.isfinite(value)]
    return median(known) if known and 2 * len(known) >= len(every) else _NAN
