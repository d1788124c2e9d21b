"""How well a tracker keeps identities: IDF1 (Ristani et al. 2016) and identity switches (CLEAR MOT, Bernardin and Stiefelhagen 2008).

IDF1 joins whole paths: each true person with at most one number of the tracker, so that most boxes agree; it is the F1 of
those boxes. Both are computed as py-motmetrics does, which the tests compare with.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from realtime.face.geometry import iou

Boxes = Mapping[Hashable, NDArray[np.float32]]
"""(4,) box x1, y1, x2, y2 by identity, of one frame."""
OVERLAP = 0.5
"""IoU from which a box is the true one's."""


@dataclass(frozen=True, slots=True)
class IdentityScores:
    """idf1: 0..1, NaN without any box. switches: changes of the number on one true person. truth, found: boxes in all."""

    idf1: float
    switches: int
    truth: int
    found: int
    missed: int
    false: int


def identity_scores(truth: Sequence[Boxes], found: Sequence[Boxes], overlap: float = OVERLAP) -> IdentityScores:
    """Score a tracker's boxes.

    Args:
        truth: of each frame.
        found: of the same frames.
        overlap: IoU from which two boxes agree.
    """
    together: dict[tuple[Hashable, Hashable], int] = {}
    boxes = sum(map(len, truth)), sum(map(len, found))
    last: dict[Hashable, Hashable] = {}
    switches = matched = 0
    for there, here in zip(truth, found, strict=True):
        shares = {(a, b): share for a in there for b in here if (share := iou(there[a], here[b])) >= overlap}
        for pair in shares:
            together[pair] = together.get(pair, 0) + 1
        pairs = _frame_pairs(shares, last)
        switches += sum(1 for a, b in pairs if a in last and last[a] != b)
        last.update(pairs)
        matched += len(pairs)
    total = boxes[0] + boxes[1]
    true = _most_together(together)
    return IdentityScores(
        2 * true / total if total else float("nan"),
        switches,
        boxes[0],
        boxes[1],
        boxes[0] - matched,
        boxes[1] - matched,
    )


def _frame_pairs(
    shares: Mapping[tuple[Hashable, Hashable], float], last: Mapping[Hashable, Hashable]
) -> list[tuple[Hashable, Hashable]]:
    """One frame's true people with the numbers they carry: as before where that holds, the rest by the best overlap."""
    kept = [(a, b) for a, b in shares if last.get(a) == b]
    used = {a for a, _ in kept}, {b for _, b in kept}
    rest = {pair: share for pair, share in shares.items() if pair[0] not in used[0] and pair[1] not in used[1]}
    rows, columns = sorted({a for a, _ in rest}, key=str), sorted({b for _, b in rest}, key=str)
    cost = np.full((len(rows), len(columns)), 1e6)
    for (a, b), share in rest.items():
        cost[rows.index(a), columns.index(b)] = 1 - share
    best = zip(*linear_sum_assignment(cost), strict=True) if rest else ()
    return kept + [(rows[i], columns[j]) for i, j in best if cost[i, j] < 1e6]


def _most_together(together: Mapping[tuple[Hashable, Hashable], int]) -> int:
    """Boxes that agree when each true person has one number, and the other way round."""
    rows, columns = sorted({a for a, _ in together}, key=str), sorted({b for _, b in together}, key=str)
    counts = np.zeros((len(rows), len(columns)), int)
    for (a, b), count in together.items():
        counts[rows.index(a), columns.index(b)] = count
    return int(counts[linear_sum_assignment(counts, maximize=True)].sum()) if counts.size else 0
