"""How much of a difference is noise: spread over repetitions, ICC(2,1), SEM and the smallest detectable change.

The definitions are those of COSMIN: SEM is the standard error of measurement of one value, SDC95 = 1.96 x sqrt(2) x SEM is
the change that two single values must exceed so that noise alone explains it in fewer than 5 of 100 cases. Means of n values have
an SDC95 smaller by sqrt(n). Where the SEM is itself estimated from a few repetitions, Student's t takes the place of 1.96.
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
_STUDENT_95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""Two-sided 95 % points of Student's t for 1 to 30 degrees of freedom."""
_NORMAL_95 = 1.96
LEAST_CHANGE = 0.05
"""A difference that would be printed as 0.0 is no change, however alike the repetitions are."""
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
        """SDC95 of one repetition: 2.77 SEM."""
        return SDC_OF_SEM * self.sd

    @property
    def sdc_of_mean(self) -> float:
        """SDC95 of `mean`: 2.77 SEM / sqrt(count)."""
        return self.sdc / math.sqrt(self.count)


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
    freedom = _freedom(known)
    if not freedom:
        return math.nan
    return math.sqrt(sum((one.count - 1) * one.sd**2 for one in known) / freedom)


def _freedom(spreads: Sequence[Spread]) -> int:
    """Degrees of freedom of `pooled_sem`."""
    return sum(one.count - 1 for one in spreads if one.count > 1 and math.isfinite(one.sd))


def student_95(freedom: int) -> float:
    """Two-sided 95 % point of Student's t, to 0.005.

    Args:
        freedom: degrees of freedom, at least 1.
    """
    if freedom <= len(_STUDENT_95):
        return _STUDENT_95[freedom - 1]
    return _NORMAL_95 + 2.4 / freedom  # the first terms of its expansion in 1 / freedom


def limit_of_change(before: Spread, after: Spread, pooled: Sequence[Spread]) -> float:
    """The difference of two means that noise alone exceeds in at most 5 of 100 cases.

    The SEM is that of all given sittings together. It is estimated from few repetitions, so Student's t takes the place of 1.96. The limit
    is never below SDC95 of one repetition: what differs between sittings only (light, distance, posture) is in no sitting's repetitions,
    and averaging more of them does not make it less.

    Args:
        before: the earlier mean and its count.
        after: the later one.
        pooled: the sittings that tell the noise, usually these two.

    Returns:
        NaN where no sitting has two repetitions.
    """
    sem = pooled_sem(pooled)
    if not math.isfinite(sem):
        return math.nan
    return sem * max(SDC_OF_SEM, student_95(_freedom(pooled)) * math.sqrt(1 / before.count + 1 / after.count))


class Change(NamedTuple):
    """What happened between two sittings.

    Args:
        difference: later minus earlier mean.
        limit: what noise alone exceeds in at most 5 of 100 cases (`limit_of_change` of both sittings); NaN: unknown.
        verdict: "unknown" where no sitting tells its noise, or where all repetitions of both are equal (as at the end of a
            clipped scale) and the sittings differ.
    """

    difference: float
    limit: float
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
    limit = limit_of_change(before, after, [before, after])
    if not math.isfinite(limit):
        return Change(difference, math.nan, "unknown")
    if abs(difference) <= max(limit, LEAST_CHANGE if limit > 0 else 0.0):
        return Change(difference, limit, "within noise")
    return Change(difference, limit, "changed" if limit > 0 else "unknown")
