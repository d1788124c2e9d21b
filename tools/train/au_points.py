"""What our landmark network makes of rendered faces: its points, and how they differ from the exact ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.face import wflw
from realtime.face.crops import crop_from_points
from realtime.face.landmarks import LandmarkModel
from tools.synth.make import read_shard
from tools.train.au_data import People

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """found, exact: (N, 98, 2) px of one picture each. pose: (N, 3) degrees. people: the moving pictures, by person."""

    found: F32
    exact: F32
    pose: F32
    people: People


def locate(model: LandmarkModel, picture: NDArray[np.uint8], exact: F32, rng: np.random.Generator) -> F32:
    """(98, 2) as a tracker gets them: from a crop around points a little off, then once more from its own."""
    near = exact + rng.normal(0, 0.02, 2).astype(np.float32) * wflw.interocular(exact) * 2
    first = model.locate(picture, crop_from_points(near, model.contract)).points
    return model.locate(picture, crop_from_points(first, model.contract)).points


def seen_people(file: Path, model: LandmarkModel, seed: int = 5) -> Seen:
    """Run the landmark network on every picture of a file of `tools.train.au_pictures`."""
    shard, rng = read_shard(file), np.random.default_rng(seed)
    exact = shard["points"].astype(np.float32)
    found = np.stack([locate(model, p, e, rng) for p, e in zip(shard["image"], exact, strict=True)])
    person, rest = shard["person"], shard["rest"].astype(bool)
    rests = np.stack([found[rest & (person == number)] for number in range(int(person.max()) + 1)])
    moving = ~rest
    people = People(found[moving], shard["expression"][moving], shard["pose"][moving], person[moving], rests)
    return Seen(found, exact, shard["pose"].astype(np.float32), people)


class MeasuredNoise:
    """Adds to exact points the errors that the landmark network made on some rendered face of a similar pose."""

    def __init__(self, seen: Seen) -> None:
        self._yaw = np.asarray(seen.pose[:, 0])
        self._order = np.argsort(self._yaw)
        self._errors = np.stack([_upright(f - e, e) for f, e in zip(seen.found, seen.exact, strict=True)])

    def add(self, points: F32, yaw: float, rng: np.random.Generator) -> F32:
        """(98, 2) points with another face's errors; half of the time those of its mirror image."""
        flip = rng.random() < 0.5
        place = int(np.searchsorted(self._yaw[self._order], -yaw if flip else yaw))
        pick = int(np.clip(place + rng.integers(-60, 61), 0, len(self._order) - 1))
        error = self._errors[self._order[pick]]
        if flip:
            error = error[wflw.FLIP_ORDER] * np.array((-1, 1), np.float32)
        return points + _turned(error, points)


def _frame(points: F32) -> tuple[NDArray[np.float64], float]:
    across = points[72] - points[60]
    size = float(np.hypot(*across)) or 1.0
    x = across / size
    return np.array((x, (-x[1], x[0]))), wflw.interocular(points)


def _upright(error: F32, points: F32) -> F32:
    axes, size = _frame(points)
    return (error @ axes.T / size).astype(np.float32)


def _turned(error: F32, points: F32) -> F32:
    axes, size = _frame(points)
    return (error @ axes * size).astype(np.float32)
