"""IDF1 and identity switches against py-motmetrics, and on stories whose answer is plain."""

from collections.abc import Hashable

import numpy as np
import pytest

pytest.importorskip("scipy")
from tools.evaluate.identity_scores import Boxes, identity_scores

F32 = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def box(x: float) -> F32:
    return np.array([x, 0, x + 40, 50], np.float32)


def test_perfect_whatever_the_numbers() -> None:
    truth: list[Boxes] = [{"a": box(0), "b": box(100)}] * 10
    scores = identity_scores(truth, [{7: box(1), 3: box(99)}] * 10)
    assert (scores.idf1, scores.switches, scores.missed, scores.false) == (1.0, 0, 0, 0)


def test_numbers_that_change_places_halfway() -> None:
    truth: list[Boxes] = [{"a": box(0), "b": box(100)}] * 10
    before: Boxes = {1: box(0), 2: box(100)}
    after: Boxes = {2: box(0), 1: box(100)}
    found = [before] * 5 + [after] * 5
    scores = identity_scores(truth, found)
    assert scores.idf1 == pytest.approx(0.5)
    assert scores.switches == 2


def overlap(a: F32, b: F32) -> float:
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


def random_story(seed: int) -> tuple[list[Boxes], list[Boxes]]:
    rng = np.random.default_rng(seed)
    truth: list[Boxes] = []
    found: list[Boxes] = []
    names = dict(enumerate(rng.permutation(6).tolist()))
    for frame in range(60):
        there: dict[Hashable, F32] = {
            n: box(90 * n + 30 * np.sin(frame / 9 + n)) for n in range(5) if rng.random() > 0.1
        }
        if rng.random() < 0.05:
            a, b = rng.choice(5, 2, replace=False).tolist()
            names[a], names[b] = names[b], names[a]
        here: dict[Hashable, F32] = {
            names[int(str(n))]: one + np.float32(rng.normal(0, 5)) for n, one in there.items() if rng.random() > 0.1
        }
        if rng.random() < 0.2:
            here[99] = box(float(rng.uniform(0, 500)))
        truth.append(there)
        found.append(here)
    return truth, found


@pytest.mark.parametrize("seed", range(3))
def test_the_same_as_py_motmetrics(seed: int) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    truth, found = random_story(seed)
    table = motmetrics.MOTAccumulator(auto_id=True)
    for there, here in zip(truth, found, strict=True):
        apart = np.array([[1 - overlap(a, b) for b in here.values()] for a in there.values()])
        table.update(list(there), list(here), np.where(apart > 0.5, np.nan, apart).reshape(len(there), len(here)))
    row = motmetrics.metrics.create().compute(
        table, metrics=["idf1", "num_switches", "num_misses", "num_false_positives"]
    )
    ours = identity_scores(truth, found)
    assert ours.idf1 == pytest.approx(float(row["idf1"].iloc[0]))
    assert (ours.switches, ours.missed, ours.false) == tuple(int(row[name].iloc[0]) for name in row.columns[1:])
