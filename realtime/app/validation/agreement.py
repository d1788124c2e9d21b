"""How well measured intensities agree with coded ones."""

from dataclasses import dataclass

from realtime.clinic.agreement import icc_consistency, pearson
from realtime.types import F64

PRESENT = 2.0
"""Intensity from which an Action Unit counts as present, in codes and in measures (FACS B is 2)."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures are None where they are not defined (no variance, nothing present).

    Attributes:
        frames: coded and measured.
        icc: intraclass correlation ICC(3,1), two-way mixed, consistency, single measure (Shrout and Fleiss 1979). It would be 0
            where one of the two never changes, which tells nothing.
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
    r = pearson(coded, measured)
    icc = None if r is None else icc_consistency(coded, measured)
    return Agreement(len(coded), icc, r, f1, int(there.sum()))
