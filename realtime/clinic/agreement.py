"""How well two series or two coders agree: intraclass correlation, Pearson's r, limits of agreement, Cohen's kappa.

The one place for this mathematics: reliability of repetitions, agreement with coded recordings and the comparison of sessions,
raters and programs use it. Sources: Shrout and Fleiss (1979) for ICC(2,1) and ICC(3,1), Bland and Altman (1986) for bias and
limits of agreement, Cohen (1960) for kappa.
"""

import math
from typing import NamedTuple

import numpy as np

from realtime.types import F64

_NORMAL_95 = 1.96


class MeanSquares(NamedTuple):
    """The mean squares of a table of targets and judges.

    Attributes:
        targets: between the rows.
        judges: between the columns.
        error: what is left.
        rows: how many targets.
        columns: how many judges.
    """

    targets: float
    judges: float
    error: float
    rows: int
    columns: int

    @property
    def icc_agreement(self) -> float:
        """ICC(2,1): two-way random effects, absolute agreement, one measurement; NaN where nothing varies."""
        more = (self.columns - 1) * self.error + self.columns * (self.judges - self.error) / self.rows
        total = self.targets + more
        return (self.targets - self.error) / total if total > 0 else math.nan

    @property
    def icc_consistency(self) -> float:
        """ICC(3,1): two-way mixed effects, consistency, one measurement; NaN where no target differs."""
        total = self.targets + (self.columns - 1) * self.error
        return (self.targets - self.error) / total if total > 0 else math.nan


def mean_squares(table: F64) -> MeanSquares:
    """Take a table apart by targets and judges.

    Args:
        table: (targets, judges), at least 2 x 2, finite.
    """
    rows, columns = table.shape
    mean = table.mean()
    by_row, by_column = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    targets = columns * ((by_row - mean) ** 2).sum() / (rows - 1)
    judges = rows * ((by_column - mean) ** 2).sum() / (columns - 1)
    error = ((table - by_row - by_column + mean) ** 2).sum() / ((rows - 1) * (columns - 1))
    return MeanSquares(float(targets), float(judges), float(error), rows, columns)


def pearson(a: F64, b: F64) -> float | None:
    """Pearson's r; None where one of the two does not vary, or there are fewer than three values.

    Args:
        a: (N,).
        b: likewise.
    """
    if len(a) < 3 or a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def icc_consistency(a: F64, b: F64) -> float | None:
    """ICC(3,1) of two series; None where neither varies, or there are fewer than three values.

    Args:
        a: (N,).
        b: likewise.
    """
    found = _of_two(a, b)
    return None if found is None else _defined(found.icc_consistency)


def icc_agreement(a: F64, b: F64) -> float | None:
    """ICC(2,1) of two series; None where nothing varies, or there are fewer than three values.

    Args:
        a: (N,).
        b: likewise.
    """
    found = _of_two(a, b)
    return None if found is None else _defined(found.icc_agreement)


def _of_two(a: F64, b: F64) -> MeanSquares | None:
    """Mean squares of two series; None where there are fewer than three values."""
    return mean_squares(np.stack([a, b], axis=1)) if len(a) >= 3 else None


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None


class Limits(NamedTuple):
    """Bland and Altman's limits of agreement of b with a.

    Attributes:
        bias: mean of b - a.
        sd: standard deviation of b - a (n - 1).
        lower: bias - 1.96 sd.
        upper: bias + 1.96 sd.
    """

    bias: float
    sd: float
    lower: float
    upper: float


def limits_of_agreement(a: F64, b: F64) -> Limits | None:
    """Bias and the limits within which 95 % of the differences lie; None where there are fewer than two values.

    Args:
        a: (N,).
        b: likewise.
    """
    if len(a) < 2:
        return None
    difference = b - a
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    return Limits(bias, sd, bias - _NORMAL_95 * sd, bias + _NORMAL_95 * sd)


def kappa(both: float, only_a: float, only_b: float, neither: float) -> float | None:
    """Cohen's kappa of two coders who say yes or no; None where chance alone would agree on everything.

    Args:
        both: how often, or how long, both say yes.
        only_a: the first alone.
        only_b: the second alone.
        neither: both say no.
    """
    total = both + only_a + only_b + neither
    if total <= 0:
        return None
    observed = (both + neither) / total
    a, b = (both + only_a) / total, (both + only_b) / total
    chance = a * b + (1 - a) * (1 - b)
    return (observed - chance) / (1 - chance) if chance < 1 else None
