"""ICC, SEM and SDC against published and independently computed values; the rule of change keeps its word."""

import math

import numpy as np
import pytest

from realtime.clinic.agreement import icc_agreement
from realtime.clinic.statistics import (
    Spread,
    change,
    limit_of_change,
    pooled_sem,
    reliability,
    spread,
    student_95,
)
from realtime.types import F64

SHROUT_FLEISS: F64 = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], np.float64
)
"""Six people, four judges: table 2 of Shrout and Fleiss (1979), whose ICC(2,1) is .29 and whose MS_error is 1.02."""
REPEATED: F64 = np.array(
    [
        [13.93, 13.7, 13.47],
        [2.38, 2.9, 2.47],
        [10.62, 9.93, 10.06],
        [8.51, 7.91, 7.28],
        [7.76, 8.19, 9.03],
        [8.3, 8.31, 9.06],
        [3.42, 3.78, 4.48],
        [8.77, 8.48, 8.82],
        [5.14, 7.45, 6.26],
        [16.31, 17.47, 17.73],
        [9.3, 8.92, 9.58],
        [8.09, 8.96, 8.57],
    ]
)


@pytest.mark.parametrize(
    ("table", "icc", "ms_error"),
    [(SHROUT_FLEISS, 0.289764, 15.291667 / 15), (REPEATED, 0.979474, 6.698528 / 22)],
)
def test_icc_sem_and_sdc_are_those_of_pingouin(table: F64, icc: float, ms_error: float) -> None:
    """Closed values: pingouin 0.7.0, `intraclass_corr` type ICC(A,1) and `rm_anova`'s error mean square."""
    found = reliability(table)
    assert found is not None
    assert found.icc == pytest.approx(icc, abs=1e-6)
    assert found.sem == pytest.approx(math.sqrt(ms_error), abs=1e-6)
    assert found.sdc == pytest.approx(2.77 * found.sem)
    assert (found.people, found.repetitions) == table.shape


@pytest.mark.filterwarnings("ignore")  # pingouin calls what pandas deprecates
def test_icc_agrees_with_pingouin_itself() -> None:
    pingouin = pytest.importorskip("pingouin", reason="pingouin is not installed; its values are tested above")
    pandas = pytest.importorskip("pandas")
    rows = [(person, judge, value) for (person, judge), value in np.ndenumerate(REPEATED)]
    long = pandas.DataFrame(rows, columns=["person", "judge", "value"])
    result = pingouin.intraclass_corr(data=long, targets="person", raters="judge", ratings="value").set_index("Type")
    found = reliability(REPEATED)
    assert found is not None
    expected = result.loc["ICC(A,1)" if "ICC(A,1)" in result.index else "ICC2", "ICC"]
    assert found.icc == pytest.approx(float(expected), abs=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_agreement_of_two_raters_is_that_of_pingouin() -> None:
    """As the evaluation takes the program against the truth: one reads a fifth too little and 1 off. Closed value: pingouin 0.7.0."""
    truth, found = REPEATED[:, 0], 0.8 * REPEATED[:, 1] - 1.0
    assert icc_agreement(found, truth) == pytest.approx(0.763821, abs=1e-6)
    pingouin = pytest.importorskip("pingouin", reason="pingouin is not installed; its value is tested above")
    pandas = pytest.importorskip("pandas")
    rows = [(i, rater, value) for rater, each in enumerate((found, truth)) for i, value in enumerate(each)]
    long = pandas.DataFrame(rows, columns=["person", "judge", "value"])
    result = pingouin.intraclass_corr(data=long, targets="person", raters="judge", ratings="value").set_index("Type")
    expected = result.loc["ICC(A,1)" if "ICC(A,1)" in result.index else "ICC2", "ICC"]
    assert icc_agreement(found, truth) == pytest.approx(float(expected), abs=1e-9)


def test_a_person_with_a_missing_value_is_left_out() -> None:
    holed = np.vstack([REPEATED, [[1.0, math.nan, 2.0]]])
    assert reliability(holed) == reliability(REPEATED)
    assert reliability(REPEATED[:1]) is None
    assert reliability(REPEATED[:, :1]) is None


def test_spread_leaves_out_what_was_not_measured() -> None:
    found = spread([4.0, math.nan, 6.0])
    assert found is not None
    assert (found.mean, found.count) == (5.0, 2)
    assert found.sdc == pytest.approx(2.77 * math.sqrt(2))
    assert spread([math.nan]) is None
    alone = spread([3.0])
    assert alone is not None
    assert math.isnan(alone.sdc)


def test_sem_is_pooled_by_degrees_of_freedom() -> None:
    assert pooled_sem([Spread(0, 1.0, 3), Spread(0, 2.0, 5)]) == pytest.approx(math.sqrt((2 * 1 + 4 * 4) / 6))
    assert math.isnan(pooled_sem([Spread(0, math.nan, 1)]))


def test_the_mean_of_n_has_an_sdc_smaller_by_its_root() -> None:
    found = spread([4.0, 5.0, 7.0, 8.0])
    assert found is not None
    assert found.sdc_of_mean == pytest.approx(found.sdc / 2)
    alone = spread([3.0])
    assert alone is not None
    assert math.isnan(alone.sdc_of_mean)


def test_student_t_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for freedom in (*range(1, 41), 60, 200):
        assert student_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=0.005)


def test_change_beyond_the_limit_is_told_from_noise() -> None:
    """Two sittings of three repetitions with SEM 1: SDC95, which is more than t(4) = 2.776 times sqrt(2 / 3)."""
    before = Spread(5.0, 1.0, 3)
    grown = change(before, Spread(7.8, 1.0, 3))
    assert grown is not None
    assert grown[:2] == pytest.approx((2.8, 2.77))
    assert grown.verdict == "changed"
    still = change(before, Spread(7.7, 1.0, 3))
    assert still is not None
    assert still.verdict == "within noise"
    assert change(before, None) is None
    # Two repetitions tell their noise less well, by Student's t; more sittings tell it better, down to SDC95.
    two = Spread(5.0, 1.0, 2)
    assert limit_of_change(two, two, [two] * 2) == pytest.approx(4.303)
    assert limit_of_change(two, two, [two] * 5) == pytest.approx(2.77)


def test_what_would_be_printed_as_nothing_is_no_change() -> None:
    alike = change(Spread(2.0, 0.001, 3), Spread(2.04, 0.001, 3))
    assert alike is not None
    assert alike.verdict == "within noise"


def test_without_a_known_noise_nothing_is_called_a_change() -> None:
    """One repetition has no spread; values at the end of a clipped scale have none although they are noisy."""
    alone = change(Spread(5.0, math.nan, 1), Spread(9.0, math.nan, 1))
    clipped = change(Spread(100.0, 0.0, 3), Spread(97.0, 0.0, 3))
    assert alone is not None
    assert clipped is not None
    assert alone.verdict == clipped.verdict == "unknown"
    same = change(Spread(100.0, 0.0, 3), Spread(100.0, 0.0, 3))
    assert same is not None
    assert same.verdict == "within noise"


@pytest.mark.parametrize(("counts", "share"), [((3, 3), 0.027), ((3, 2), 0.05), ((1, 3), 0.05)])
def test_at_most_five_of_a_hundred_unchanged_people_are_called_changed(counts: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(7)
    verdicts = []
    for values in rng.normal(0, 1, (4000, sum(counts))):
        found = change(spread(values[: counts[0]]), spread(values[counts[0] :]))
        assert found is not None
        verdicts.append(found.verdict == "changed")
    assert np.mean(verdicts) == pytest.approx(share, abs=0.01)
