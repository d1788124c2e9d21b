"""Left against right: one rule, for single values and for whole sessions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.action_units.names import NAMES, muscle_of, name_of
from realtime.action_units.symmetry import QUIET, balance, symmetry, symmetry_over_time
from realtime.session.schema import AUS

INTENSITY = st.floats(0, 5) | st.sampled_from([math.nan, 0.0, QUIET, 5.0])


@given(st.floats(0, 5), st.floats(0, 5))
def test_symmetry_favours_no_side(left: float, right: float) -> None:
    value = symmetry(left, right)
    assert value == symmetry(right, left)
    if max(left, right) < QUIET:
        assert value is None
    else:
        assert value == min(left, right) / max(left, right)


@given(st.lists(st.tuples(INTENSITY, INTENSITY), max_size=20))
def test_a_session_is_compared_by_the_same_rule_as_a_frame(pairs: list[tuple[float, float]]) -> None:
    left, right = np.array([pair[0] for pair in pairs], float), np.array([pair[1] for pair in pairs], float)
    singly = [symmetry(a, b) for a, b in pairs]
    expected = np.array([math.nan if value is None else value for value in singly])
    assert np.array_equal(symmetry_over_time(left, right), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (4, 0, 1),
        (0, 4, -1),
        (2, 2, 0),
        (4, 3, 0.25),
        (0.49, 0.1, None),
        (None, 5, None),
        (5, None, None),
        (math.nan, 5, None),
    ],
)
def test_the_balance_tells_which_side_moves_more(
    left: float | None, right: float | None, expected: float | None
) -> None:
    assert balance(left, right) == expected


def test_one_side_unmeasured_is_no_asymmetry() -> None:
    assert symmetry(None, 5.0) is None
    assert symmetry(5.0, None) is None


def test_every_unit_of_the_rows_has_a_name_and_a_muscle() -> None:
    assert all(name_of(unit) == NAMES[unit].name and muscle_of(unit) for unit in AUS)
    assert (name_of(99), muscle_of(99)) == ("Action Unit 99", "")
