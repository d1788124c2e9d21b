"""How well measured intensities agree with coded ones."""

from dataclasses import dataclass

import numpy as np

from realtime.types import F64

PRESENT = 2.0
"""Intensity from which an Action Unit counts as present, in codes and in measures (FACS B is 2)."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures are None where they are not defined (no variance, nothing present).

    Attributes:
        frames: coded and measured.
        icc: intraclass correlation ICC(3,1), two-way mixed, consistency, single measure (Shrout and Fleiss 1979).
        pearson: Pearson's r.
        f1: of presence at intensity 2 and above.
        present: coded frames at intensity 2 and above.
    """

    frames: int
    icc: float | None
    pearson: float | None
    f1: float | None
    present: int


def agreement(coded: F64, measured: F64) -> Agreement:
    """Agreement of two series of intensities.

    Args:
        coded: (N,).
        measured: likewise.
    """
    there, found = coded >= PRESENT, measured >= PRESENT
    hits, wrong = int((there & found).sum()), int((there != found).sum())
    f1 = 2 * hits / (2 * hits + wrong) if there.any() else None
    return Agreement(len(coded), icc(coded, measured), pearson(coded, measured), f1, int(there.sum()))


def pearson(a: F64, b: F64) -> float | None:
    """Pearson's r; None where one of the two does not vary.

    Args:
        a: (N,).
        b: likewise.
    """
    if len(a) < 3 or a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def icc(a: F64, b: F64) -> float | None:
    """ICC(3,1); None where neither of the two varies.

    Args:
        a: (N,).
        b: likewise.
    """
    if len(a) < 3:
        return None
    both = np.stack([a, b], axis=1)
    rows, judges = both.mean(axis=1, keepdims=True), both.mean(axis=0, keepdims=True)
    between = 2 * float(((rows - both.mean()) ** 2).sum()) / (len(a) - 1)
    error = float(((both - rows - judges + both.mean()) ** 2).sum()) / (len(a) - 1)
    return None if between + error == 0 else (between - error) / (between + error)
