"""The latency controller in closed loop with a modelled pipeline on the virtual clock."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from realtime.graph import Envelope, Graph, LatencyController, LatencyControllerSettings, Latest, VirtualClock
from realtime.types import F64
from tests.graph.modelled import Script, frames, run

PERIOD = 1 / 30
LADDER = ("detect every 8th", "small landmarks", "half resolution", "half rate")


def simulate(
    budget: LatencyController, load: Callable[[float], float], gains: dict[str, float], seconds: float = 60.0
) -> F64:
    """Ages at the sink, for a stage whose service time is load(t) * the product of the active steps' gains."""
    clock = VirtualClock()
    graph = Graph("simulator", clock=clock)
    ages = []

    def service(job: object) -> float:
        factor = 1.0
        for name in budget.active:
            factor *= gains[name]
        return load(clock.now()) * factor

    def screen(envelope: Envelope[int]) -> None:
        age = clock.now() - envelope.capture_time
        ages.append((clock.now(), age))
        budget.update(age, clock.now())

    camera = graph.source("camera", Script(frames(int(seconds / PERIOD), PERIOD)))
    stage = graph.transform("stage", lambda payload: payload, service_time=service)
    sink = graph.sink("screen", screen, pass_envelope=True)
    graph.connect(camera, stage, Latest())
    graph.connect(stage, sink, Latest())
    run(graph)
    return np.array(ages)


def p95(ages: F64, start: float, end: float) -> float:
    chosen = ages[(ages[:, 0] >= start) & (ages[:, 0] < end), 1]
    return np.percentile(chosen, 95)


GAINS = dict(zip(LADDER, (0.7, 0.6, 0.5, 0.6), strict=True))


@pytest.mark.parametrize("heavy", [0.045, 0.06, 0.1])
def test_a_load_step_settles_under_the_bound_in_few_switches(heavy: float) -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    ages = simulate(budget, lambda t: 0.02 if t < 10 else heavy, GAINS)
    assert p95(ages, 5, 10) < 0.05
    assert p95(ages, 10, 11) > 0.05
    assert p95(ages, 25, 60) < 0.05
    assert 1 <= budget.switches < 6


def test_it_settles_within_two_judgements_per_step() -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    ages = simulate(budget, lambda t: 0.02 if t < 10 else 0.06, GAINS)
    assert p95(ages, 10 + 2 * 2 * 1.5 + 1.0, 60) < 0.05


def test_quality_comes_back_when_the_load_goes() -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    simulate(budget, lambda t: 0.06 if 10 <= t < 20 else 0.01, GAINS, seconds=60.0)
    assert budget.active == ()


def test_nothing_happens_below_the_bound() -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    simulate(budget, lambda t: 0.02, GAINS)
    assert (budget.switches, budget.active) == (0, ())


def test_a_step_that_does_not_help_is_undone_and_the_next_one_taken() -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    gains = GAINS | {"detect every 8th": 1.0, "half resolution": 1.02}
    ages = simulate(budget, lambda t: 0.02 if t < 5 else 0.06, gains, seconds=40.0)
    assert "detect every 8th" not in budget.active
    assert "small landmarks" in budget.active
    assert p95(ages, 20, 40) < 0.05
    assert budget.switches < 6


@pytest.mark.parametrize("heavy", [0.19, 0.215, 0.31])
def test_hopeless_load_gives_up_nothing_for_nothing(heavy: float) -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05, retry_after=1000.0))
    simulate(budget, lambda t: heavy, dict.fromkeys(LADDER, 1.0))
    assert budget.active == ()
    assert budget.switches <= len(LADDER) + 1


def test_a_load_at_the_border_does_not_make_it_oscillate() -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    simulate(budget, lambda t: 0.0505, GAINS, seconds=300.0)
    assert budget.switches < 6


def test_a_wrong_return_is_taken_back_and_waits_twice_as_long() -> None:
    budget = LatencyController(("smaller",), LatencyControllerSettings(limit=0.05, restore_after=5.0))
    now, changes = 0.0, list[float]()
    active: tuple[str, ...] = ()
    while now < 200.0:
        # the step's measured gain is small at first, so its return looks safe; without it the age is always too high
        age = 0.06 if "smaller" not in active else (0.04 if now < 3.2 else 0.02)
        active_now = budget.update(age, now)
        if active_now != active:
            changes.append(now)
            active = active_now
        now += 0.02
    gaps = [b - a for a, b in zip(changes[1::2], changes[2::2], strict=False)]
    away = [b - a for a, b in zip(changes[0::2], changes[1::2], strict=False)]
    assert all(gap < 3.0 for gap in gaps)
    assert away[2] > 1.8 * away[1]
    assert len(changes) < 14


def test_names_differ() -> None:
    with pytest.raises(ValueError, match="different names"):
        LatencyController(("a", "a"), LatencyControllerSettings(limit=1.0))


def test_steps_taken_in_vain_are_undone_even_if_their_trials_looked_good() -> None:
    """The load sinks a little during every trial, as if each step had helped; then it stays too high whatever is taken."""
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    active = []
    for number in range(600 * 30):
        now = number / 30
        budget.update(max(0.06, 0.1 - 0.015 * budget.switches) if now < 30 else 0.06, now)
        active.append(budget.active)
    assert max(map(len, active)) >= 2
    assert active[-1] == ()


def test_a_step_that_helps_is_kept_under_a_load_that_stays_too_high() -> None:
    budget = LatencyController(LADDER, LatencyControllerSettings(limit=0.05))
    without = 0
    for number in range(600 * 30):
        budget.update(0.2 * math.prod(GAINS[name] for name in budget.active) + 0.04, number / 30)
        without += number > 60 * 30 and len(budget.active) < len(LADDER)
    assert budget.active == LADDER
    assert without < 600 * 30 * 0.05
