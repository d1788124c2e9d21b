"""What the Action Unit exams know of people before they judge them: rest, found in the live way."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.baseline import Baseline
from realtime.action_units.descriptor import Descriptor, describe, mirror_shape
from realtime.action_units.model import ActionUnits
from realtime.action_units.rest_frame import BestRestFrame, RestFrame, Windows
from realtime.face.landmarks import LandmarkModel
from tools.train.action_units.points import locate

F32 = NDArray[np.float32]


class KnownPerson(NamedTuple):
    """What is known of a person at rest: medians, and the picture nearest to them (None where none is near)."""

    rest: Baseline
    picture: RestFrame | None


def known_people(
    shards: Sequence[Mapping[str, NDArray[np.generic]]], model: LandmarkModel, units: ActionUnits
) -> dict[str, tuple[KnownPerson, KnownPerson]]:
    """Of every person in the files, from the pictures at rest: as they are, and of the mirror image."""
    rng = np.random.default_rng(1)
    seen: dict[str, list[tuple[Descriptor, Windows, F32]]] = {}
    for shard in shards:
        for i in np.flatnonzero(shard["rest"]):
            image = np.ascontiguousarray(shard["image"][i])
            points = locate(model, image, shard["points"][i].astype(np.float32), rng)
            found = describe(points)
            if found is None:
                continue
            windows = units.cut(image, points)
            units.measure(found, None, windows)
            assert units.embedding is not None
            seen.setdefault(str(shard["person"][i]), []).append((found, windows, units.embedding))
    return {name: with_rest(frames, units.identity) for name, frames in seen.items()}


def with_rest(frames: Sequence[tuple[Descriptor, Windows, F32]], network: str) -> tuple[KnownPerson, KnownPerson]:
    """From frames at rest (descriptor, windows, embedding of this network): what is known of the person, and of the mirror image."""
    shape = np.median([found.shape for found, _, _ in frames], axis=0).astype(np.float32)
    embedding = np.median([embedding for _, _, embedding in frames], axis=0).astype(np.float32)
    rest, mirror = Baseline(shape, embedding, network), Baseline(mirror_shape(shape), embedding[::-1], network)
    keeper, mirror_keeper = BestRestFrame(), BestRestFrame()
    for found, windows, _ in frames:
        keeper.offer(found, windows, rest.shape)
        mirror_keeper.offer(found.mirrored(), in_mirror(windows), mirror.shape)
    return KnownPerson(rest, keeper.picture), KnownPerson(mirror, mirror_keeper.picture)


def in_mirror(windows: Windows) -> Windows:
    """What the mirror image shows."""
    left, right, mouth, lower = (np.ascontiguousarray(window[:, ::-1]) for window in windows)
    return right, left, mouth, lower
