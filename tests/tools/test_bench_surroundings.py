"""What else took the processors, from two looks at /proc/stat."""

import pytest

from tools.bench.surroundings import Surroundings, Ticks, Watch

BEFORE = "cpu  100 20 30 1000 50 5 5 10 40 0\ncpu0 1 2 3\n"
AFTER = "cpu  250 40 60 1500 60 10 5 110 90 0\ncpu0 1 2 3\n"


def test_shares_of_others_and_of_the_host() -> None:
    before, after = Ticks.parse(BEFORE), Ticks.parse(AFTER)
    assert before == Ticks(busy=160, idle=1050, stolen=10)  # guest time is part of user time
    assert after is not None
    # busy 205, idle 510, stolen 100: 815 in all, of which the measurement itself took 150
    around = Surroundings.between(before, after, own=150)
    assert around.others == pytest.approx(55 / 815)
    assert around.stolen == pytest.approx(100 / 815)
    assert around.notable


def test_a_measurement_that_takes_more_than_was_busy_leaves_nothing_to_others() -> None:
    look = Ticks.parse(BEFORE)
    assert look is not None
    assert Surroundings.between(look, look, own=3) == Surroundings(0.0, 0.0)


@pytest.mark.parametrize("text", ["", "intr 1 2", "cpu 1 2 3 4", "cpu0 1 2 3 4 5 6 7 8 9 10"])
def test_another_system_tells_nothing(text: str) -> None:
    assert Ticks.parse(text) is None


def test_this_machine_is_looked_at_where_it_tells() -> None:
    around = Watch().so_far()
    assert around is None or (0 <= around.others <= 1 and 0 <= around.stolen <= 1)
