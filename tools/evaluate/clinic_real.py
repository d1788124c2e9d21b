"""Clinical measures on real people: neutral and smiling photographs, and half smiles whose one-sidedness is exact.

The people are those of `tools.data.london` whom no training saw. Millimetres come from the iris rings that people placed by hand. A
half smile is the smiling photograph's one half on the neutral one, blended at the midline: the other half has not moved.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.clinic import Affected, Examination, HeadSize, Repetition, Snapshot, score_examination
from realtime.clinic.excursion import share
from realtime.clinic.trials import Trial, View, length
from realtime.types import U8
from tools.data.half_smiles import half_smile
from tools.data.london_labels import Labelled, labelled
from tools.evaluate.au_people import KnownPerson, with_rest
from tools.evaluate.clinic_people import Networks, Seen, look, snapshot_of
from tools.evaluate.figures import Figure
from tools.train.action_units.points import locate

F32 = NDArray[np.float32]
LOOKS = 3
"""Times that a photograph is looked at, from crops a little unlike each other."""
_EFACE_ITEMS = ("brow", "fissure", "commissure", "smile")
_PUBLISHED = "published for healthy people, all ten items: 93.8 ± 4.4"


def real_figures(networks: Networks, shared: Path, weights: Path) -> list[Figure]:
    """All figures on real people.

    Args:
        networks: of the program.
        shared: the development material's folder.
        weights: the folder of the shipped models, for the detector.
    """
    faces = labelled(shared / "faces" / "london_ccby", shared, weights / "retinaface.onnx", training=False)
    calm = {f.portrait.person: f for f in faces if not f.portrait.smiling and f.portrait.mm is not None}
    smiling = {f.portrait.person: f for f in faces if f.portrait.smiling}
    people = [_Person(networks, calm[name], smiling[name]) for name in sorted(calm.keys() & smiling.keys())]
    return [*_healthy(people), *_half_smiles(people)]


class _Person:
    """One person's two photographs."""

    def __init__(self, networks: Networks, calm: Labelled, smiling: Labelled) -> None:
        assert calm.portrait.mm is not None
        self.calm, self.smiling = calm, smiling
        self._networks = networks
        # Hand-placed pupils and iris rings give this person's pupil distance.
        self._pupils_mm = float(np.linalg.norm(calm.points[96] - calm.points[97])) * calm.portrait.mm
        self._known: KnownPerson | None = None
        seen = self._look(calm.portrait.picture, calm.points)
        units, frames = networks.units, []
        for one in seen:
            units.measure(one.found, None, one.windows)
            assert units.embedding is not None
            frames.append((one.found, one.windows, units.embedding))
        self._known = with_rest(frames, units.identity)[0]
        self.rest = snapshot_of(units, seen, self._known)

    def _look(self, picture: U8, near: F32) -> list[Seen]:
        assert self._networks.landmarks is not None
        rng, head = np.random.default_rng(11), HeadSize("pupil distance")
        points = [locate(self._networks.landmarks, picture, near, rng) for _ in range(LOOKS)]
        return [look(self._networks, head, picture, one, self._pupils_mm) for one in points]

    def snapshot(self, picture: U8, near: F32) -> Snapshot:
        """What is measured on a picture of this person."""
        return snapshot_of(self._networks.units, self._look(picture, near), self._known)


def _healthy(people: Sequence[_Person]) -> Iterator[Figure]:
    values: dict[str, list[float]] = {name: [] for name in _EFACE_ITEMS}
    sides: list[float] = []
    for person in people:
        peak = person.snapshot(person.smiling.portrait.picture, person.smiling.points)
        score = score_examination(_examined("none", person.rest, peak)).eface
        for name in _EFACE_ITEMS:
            value = score.item(f"eface.{name}").value
            values[name].append(np.nan if value is None else value)
        left, right = (length(peak, "commissure", s) - length(person.rest, "commissure", s) for s in ("left", "right"))
        sides.append(left - right)
    for name, found in values.items():
        known = int(np.isfinite(found).sum())
        yield Figure("clinic", f"real, auto-eFACE {name}: mean", float(np.nanmean(found)), "points", cases=known)
        yield Figure("clinic", f"real, auto-eFACE {name}: empty", float(len(found) - known), "people")
        yield Figure("clinic", f"real, auto-eFACE {name}: standard deviation", float(np.nanstd(found)), "points")
    every = np.nanmean(np.array(list(values.values())), axis=0)
    yield Figure("clinic", f"real, mean of these items ({_PUBLISHED})", float(every.mean()), "points", cases=len(every))
    yield Figure("clinic", "real, mean of these items: standard deviation", float(every.std()), "points")
    yield Figure("clinic", "real, smile: commissure excursion, left minus right", float(np.nanmean(sides)), "mm")
    yield Figure("clinic", "real, smile: the same, mean absolute", float(np.nanmean(np.abs(sides))), "mm")


def _examined(affected: Affected, rest: Snapshot, peak: Snapshot) -> Examination:
    tries = (
        Repetition("rest", 1, "counted", rest=rest),
        Repetition("open_smile", 1, "counted", rest=rest, at_peak=peak),
    )
    return Examination("", affected, "photographs", "2026-01-01T00:00:00+00:00", "iris", repetitions=tries)


def _half_smiles(people: Sequence[_Person]) -> Iterator[Figure]:
    for side, view in ((0, View("right", "left")), (1, View("left", "right"))):
        # The still side is called affected: its share of the moving side's excursion should be nothing.
        moving: list[float] = []
        still: list[float] = []
        along: list[float] = []
        for person in people:
            picture, points = half_smile(person.calm, person.smiling, side)
            trial = Trial(person.rest, person.snapshot(picture, points))
            for values, which in ((still, view.affected), (moving, view.healthy)):
                values.append(length(trial.peak, "commissure", which) - length(trial.rest, "commissure", which))
            along.append(share(trial, "open_smile", view))
        name = f"real, half smile on the {view.healthy}"
        ways = [100 * value for value in (np.nanmean(still) / np.nanmean(moving), np.nanmean(np.abs(along)))]
        yield Figure("clinic", f"{name}: moving commissure", float(np.nanmean(moving)), "mm", cases=len(moving))
        yield Figure("clinic", f"{name}: still commissure, of the moving one", float(ways[0]), "%", at_most=10)
        median = 100 * float(np.nanmedian(np.array(still) / np.array(moving)))
        yield Figure("clinic", f"{name}: still commissure, of the moving one, median", median, "%")
        yield Figure("clinic", f"{name}: still corner's way along the moving one's, size", float(ways[1]), "%")
        yield Figure("clinic", f"{name}: still corner's way, mean", 100 * float(np.nanmean(along)), "%", at_most=10)
