"""The Action Unit network and head pose, on rendered people that neither it nor the landmark network has seen.

Everything goes the live way: our landmark network's points on the picture, the person's neutral from ten pictures at rest.
Reads DATA/aus/held.npz (any pose to 60 degrees, several movements at once) and DATA/aus/seated_held.npz (before the camera,
one to three movements at any strength) of `tools.train.action_units.pictures --held-out`, without and with
--seated, and DATA/aus/shut_held.npz
(--shut: one eye or both shut, gently or squeezed).
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import Descriptor, describe
from realtime.action_units.model import FEATURES, ActionUnits
from realtime.action_units.rest_frame import RestFrame, Windows, flow_features, rest_picture
from realtime.analyze.models import action_units, landmark_model
from realtime.errors import UserInputError
from realtime.face.face_model import HEAD_3D
from realtime.face.landmarks import LandmarkModel
from realtime.face.pose import estimate_pose
from realtime.face.wflw import FLIP_ORDER
from realtime.models import Registry
from tools.evaluate.au_people import KnownPerson, known_people
from tools.evaluate.figures import Figure, Options, auc
from tools.synth.hidden import COVERED_BROWS, photograph_of
from tools.synth.make import read_shard
from tools.train.action_units.points import locate
from tools.train.action_units.table import UNITS, intensities

F32 = NDArray[np.float32]
MAIN_UNITS = (1, 2, 4, 12, 25, 26, 45)
BROW_UNITS = (1, 2, 4)
"""Judged on people of whom the picture shows both brows."""


def measure(options: Options) -> list[Figure]:
    """All figures of this part."""
    registry = Registry(options.weights)
    model = landmark_model(registry.open(registry.manifest.find("landmarks")))
    spec = registry.manifest.find("action-units")
    session = registry.open(spec)
    units = ActionUnits(session.run, UNITS, identity=spec.sha256)
    listed = set(action_units(session).units)
    figures = []
    for name, file, judged in (("any pose", "held.npz", False), ("seated", "seated_held.npz", True)):
        guess, swapped, truth, turns, brows = read(options.data / "aus" / file, model, units)
        for k, unit in enumerate(UNITS):
            seen = brows if unit in BROW_UNITS else np.ones_like(brows)
            figures.append(correlation(name, unit, guess[seen, :, k], truth[seen, :, k], unit in listed, judged=judged))
            if unit in BROW_UNITS:
                r = pearson(guess[..., k], truth[..., k])
                shown = f"{name}: AU{unit:02d}, r, also of people with a brow under hair or a frame"
                figures.append(Figure("aus", shown, r, cases=guess[..., k].size))
        figures += sides(name, guess, swapped, truth)
        figures += pose(name, turns)
    guess, _, truth, _, _ = read(options.data / "aus" / "shut_held.npz", model, units)
    figures += winks(guess, truth)
    rows = np.random.default_rng(0).normal(size=(2, FEATURES)).astype(np.float32)
    taken = median_ms(lambda: session.run(rows))
    figures.append(Figure("aus", "network, both sides", taken, "ms", at_most=0.2, cases=400))
    picture, turn, windows = an_example(options.data / "aus" / "rests_held.npz", model, units)
    taken = median_ms(lambda: flow_features(picture, turn, windows))
    figures.append(Figure("aus", "movement of the skin since rest, both sides", taken, "ms", cases=400))
    return figures


def median_ms(work: Callable[[], object], times: int = 400) -> float:
    """Milliseconds of one call."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1e3


def an_example(
    file: Path, model: LandmarkModel, units: ActionUnits
) -> tuple[RestFrame, tuple[float, float, float], Windows]:
    """A person at rest, and another picture of the same person."""
    shard, rng = read_shard(file), np.random.default_rng(5)
    images = [np.ascontiguousarray(shard["image"][i]) for i in (0, 1)]
    points = [locate(model, images[i], shard["points"][i].astype(np.float32), rng) for i in (0, 1)]
    first, second = (describe(p) for p in points)
    assert first is not None
    assert second is not None
    windows = [units.cut(image, p) for image, p in zip(images, points, strict=True)]
    return rest_picture(first, windows[0]), second.pose, windows[1]


def read(file: Path, model: LandmarkModel, units: ActionUnits) -> tuple[F32, F32, F32, F32, NDArray[np.bool_]]:
    """(guess, guess on the mirror image, truth), each (N, 2 sides, units) with left first, turns (N, 2, 3): found, true, and

    of whom the picture shows both brows (N,).
    """
    more = file.with_name("rests_held.npz")
    for needed in (file, more):
        if not needed.is_file():
            raise UserInputError(
                f"{needed} is not there; make it with python -m tools.train.action_units.pictures --held-out."
            )
    shard, rng = read_shard(file), np.random.default_rng(4)
    resting = known_people([shard, read_shard(more)], model, units)
    truth = intensities(shard["expression"].astype(np.float32))
    guess, swapped, kept, turns = [], [], [], []
    for i in np.flatnonzero(~shard["rest"].astype(bool)):
        image = np.ascontiguousarray(shard["image"][i])
        points = locate(model, image, shard["points"][i].astype(np.float32), rng)
        found, turned = describe(points), estimate_pose(points, model=np.asarray(HEAD_3D))
        known = resting.get(str(shard["person"][i]))
        if found is None or turned is None or known is None:
            continue
        guess.append(_values(units, found, known[0], units.cut(image, points)))
        others = (points * np.array([-1, 1], np.float32) + np.array([image.shape[1] - 1, 0], np.float32))[FLIP_ORDER]
        other = describe(others)
        assert other is not None
        flipped = np.ascontiguousarray(image[:, ::-1])
        swapped.append(_values(units, other, known[1], units.cut(flipped, others))[::-1])
        turns.append((turned.angles, tuple(shard["pose"][i])))
        kept.append(i)
    brows = np.array([photograph_of(str(shard["identity"][i])) not in COVERED_BROWS for i in kept])
    return np.asarray(guess), np.asarray(swapped), truth[kept], np.asarray(turns, np.float32), brows


def _values(units: ActionUnits, found: Descriptor, known: KnownPerson, windows: Windows) -> list[list[float]]:
    left, right = units.measure(found, known.rest, windows, known.picture)
    return [[left[u] for u in UNITS], [right[u] for u in UNITS]]


def pearson(guess: F32, truth: F32) -> float:
    """Pearson r over everything."""
    return float(np.corrcoef(guess.reshape(-1), truth.reshape(-1))[0, 1])


def correlation(where: str, unit: int, guess: F32, truth: F32, listed: bool, *, judged: bool) -> Figure:
    """Pearson r over both sides. judged: against the aims, if the unit is `listed` as observable."""
    r = pearson(guess, truth)
    name = f"{where}: AU{unit:02d}, r" + ("" if listed else " (not observable: stays empty)")
    aim = 0.85 if unit in MAIN_UNITS else 0.6 if listed else None
    return Figure("aus", name, r, at_least=aim if judged else None, cases=guess.size)


def sides(where: str, guess: F32, swapped: F32, truth: F32) -> list[Figure]:
    """One-sided smiles, and mirror images."""
    smile = UNITS.index(12)
    left, right = truth[:, 0, smile], truth[:, 1, smile]
    lopsided = (np.maximum(left, right) > 2.5) & (np.minimum(left, right) < 0.25)
    own = np.where(left > right, guess[:, 0, smile], guess[:, 1, smile])[lopsided]
    other = np.where(left > right, guess[:, 1, smile], guess[:, 0, smile])[lopsided]
    difference = np.abs(guess - swapped)
    ratio = float(own.mean() / max(other.mean(), 1e-6))
    smiles, all_values = int(lopsided.sum()), int(difference.size)
    return [
        Figure("aus", f"{where}: one-sided smile, its side over the other", ratio, "times", at_least=4, cases=smiles),
        Figure(
            "aus",
            f"{where}: mirror image, 95 % within",
            float(np.percentile(difference, 95)),
            at_most=0.2,
            cases=all_values,
        ),
    ]


def winks(guess: F32, truth: F32) -> list[Figure]:
    """One eye shut and the other open, gently or with brow and cheek: which reads higher, and by how much. (N, 2, units) each."""
    lid, brow, cheek = (UNITS.index(unit) for unit in (45, 4, 6))
    shut_side = truth[:, :, lid].argmax(axis=1)
    rows = np.arange(len(truth))
    shut, other = guess[rows, shut_side, lid], guess[rows, 1 - shut_side, lid]
    alone = (truth[rows, shut_side, lid] > 3.5) & (truth[rows, 1 - shut_side, lid] < 1.5)
    squeezed = np.minimum(truth[rows, shut_side, brow], truth[rows, shut_side, cheek]) > 1.5
    out = []
    for name, chosen in (("gently", alone & ~squeezed), ("squeezed", alone & squeezed)):
        right = 100 * float((shut[chosen] > other[chosen]).mean())
        times = float(shut[chosen].mean() / max(float(other[chosen].mean()), 1e-3))
        n = int(chosen.sum())
        out.append(Figure("aus", f"one eye shut {name}: it reads higher", right, "%", at_least=99, cases=n))
        out.append(Figure("aus", f"one eye shut {name}: AU45 over the other's", times, "times", at_least=3, cases=n))
    tight = guess[rows, shut_side, UNITS.index(7)]
    told = auc(tight[alone & squeezed], tight[alone & ~squeezed])
    name = "one eye shut: AU07 of squeezed against gentle, area under the curve"
    return [*out, Figure("aus", name, told, cases=int(alone.sum()))]


def pose(where: str, turns: F32) -> list[Figure]:
    """Mean errors within 40 degrees."""
    near = np.abs(turns[:, 1]).max(axis=1) <= 40
    error = np.abs(turns[near, 0] - turns[near, 1]).mean(axis=0)
    names = ("yaw", "pitch", "roll")
    cases = int(near.sum())
    return [
        Figure("pose", f"{where}: {n}, mean error within 40 degrees", float(e), "degrees", at_most=4, cases=cases)
        for n, e in zip(names, error, strict=True)
    ]
