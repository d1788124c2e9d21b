"""How much of a difference is noise: spread over repetitions, ICC(2,1), SEM and the smallest detectable change.

The definitions are those of COSMIN: SEM is the standard error of measurement of one value, SDC95 = 1.96 x sqrt(2) x SEM is
the change that two single values must exceed so that noise alone explains it in fewer than 5 of 100 cases.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from realtime.clinic.agreement import mean_squares
from realtime.types import F64

SDC_OF_SEM = 2.77
"""1.96 x sqrt(2), as it is printed in the literature."""
Verdict = Literal["changed", "within noise", "unknown"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated values of one measure.

    Attributes:
        mean: their mean.
        sd: their standard deviation (n - 1); NaN: there is only one.
        count: how many there are.
    """

    mean: float
    sd: float
    count: int

    @property
    def sem(self) -> float:
        """Standard error of measurement of one repetition: the standard deviation within the person."""
        return self.sd

    @property
    def sdc(self) -> float:
        """SDC95 = 2.77 SEM. It is not divided by sqrt(n).

        The repetitions of one sitting do not hold what changes between sittings (light, seat, distance), and with three of
        them the standard deviation itself is uncertain. Undivided, fewer than 5 of 100 unchanged people are called changed.
        """
        return SDC_OF_SEM * self.sd


def spread(values: Iterable[float]) -> Spread | None:
    """Take repeated values together; those that were not measured (NaN) are left out.

    Returns:
        None where no value is left.
    """
    known = [float(value) for value in values if math.isfinite(value)]
    if not known:
        return None
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else math.nan
    return Spread(float(np.mean(known)), sd, len(known))


class Reliability(NamedTuple):
    """How reliable repeated measures of several people are.

    Args:
        icc: ICC(2,1): two-way random effects, absolute agreement, one measurement (Shrout and Fleiss 1979; ICC(A,1) of
            McGraw and Wong 1996).
        sem: sqrt(MS_error).
        sdc: 2.77 SEM.
        people, repetitions: the size of the table.
    """

    icc: float
    sem: float
    sdc: float
    people: int
    repetitions: int


def reliability(table: F64) -> Reliability | None:
    """Judge repeated measures.

    Args:
        table: (people, repetitions). People with a value that was not measured (NaN) are left out.

    Returns:
        None where fewer than two people or two repetitions are left.
    """
    whole = np.asarray(table, np.float64)
    whole = whole[np.isfinite(whole).all(axis=1)]
    people, repetitions = whole.shape
    if people < 2 or repetitions < 2:
        return None
    found = mean_squares(whole)
    sem = math.sqrt(found.error)
    return Reliability(found.icc_agreement, sem, SDC_OF_SEM * sem, people, repetitions)


def pooled_sem(spreads: Sequence[Spread]) -> float:
    """Take the SEM of several sittings together, weighted by their degrees of freedom.

    Returns:
        NaN where no sitting has two repetitions.
    """
    known = [one for one in spreads if one.count > 1 and math.isfinite(one.sd)]
    freedom = sum(one.count - 1 for one in known)
    if not freedom:
        return math.nan
    return math.sqrt(sum((one.count - 1) * one.sd**2 for one in known) / freedom)


class Change(NamedTuple):
    """What happened between two sittings.

    Args:
        difference: later minus earlier mean.
        sdc: the smallest detectable change, from the spread of both sittings together; NaN: unknown.
        verdict: "unknown" where no sitting tells its noise, or where all repetitions of both are equal (as at the end of a
            clipped scale) and the sittings differ.
    """

    difference: float
    sdc: float
    verdict: Verdict


def change(before: Spread | None, after: Spread | None) -> Change | None:
    """Compare two sittings of one person.

    Args:
        before: of the sittings.
        after: likewise.

    Returns:
        None where a sitting has no value.
    """
    if before is None or after is None:
        return None
    difference = after.mean - before.mean
    sdc = SDC_OF_SEM * pooled_sem([before, after])
    if not math.isfinite(sdc):
        return Change(difference, math.nan, "unknown")
    if abs(difference) <= sdc:
        return Change(difference, sdc, "within noise")
    return Change(difference, sdc, "changed" if sdc > 0 else "unknown")
