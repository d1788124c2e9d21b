"""The soak's figures: growth is visible, and makes the command fail."""

import pytest

from tools.bench.soak import Minute, report_of
from tools.bench.timing import Report

FRAMES = {"captured": 9000, "delivered": 8990, "dropped_total": 8, "queued": 2}


def minutes(**last: float) -> list[Minute]:
    """Five minutes, every second one loaded; the last one as `last` says."""
    found = []
    for number in range(5):
        loaded = number % 2 == 1
        memory = 300.0 if number == 0 else 240.0  # before the first minute's caches are let go
        found.append(
            Minute(loaded, [memory + 50 * loaded] * 3, [30 + 9 * loaded] * 3, [25] * 3, [15.0 + 90 * loaded], [0.6] * 3)
        )
    end = found[-1]
    end.rss = [last.get("rss", 245.0)] * 3
    end.descriptors, end.threads = [int(last.get("descriptors", 30))], [int(last.get("threads", 25))]
    end.ages = [last["age"]] if "age" in last else end.ages
    return found


def report(summary: dict[str, int] = FRAMES, rows: int = 9000, **last: float) -> Report:
    return report_of(minutes(**last), {"frames": summary}, rows, 130, 0)


def test_a_run_that_stays_as_it_was_is_right() -> None:
    found = report()
    assert found.missed == []
    figures = {name: value for name, value, *_ in found.rows}
    assert [figures[f"{when}: memory"] for when in ("begin", "end")] == [240.0, 245.0]
    assert [figures[f"{when}: age p50"] for when in ("begin", "end")] == [15.0, 15.0]
    assert (figures["end: threads"], figures["end: descriptors"]) == (25.0, 30.0)


@pytest.mark.parametrize(
    ("grown", "name"),
    [
        ({"rss": 265.0}, "end: memory"),
        ({"descriptors": 31}, "end: descriptors"),
        ({"threads": 26}, "end: threads"),
        ({"age": 44.0}, "end: age p50"),
        ({"age": float("nan")}, "end: age p50"),
        ({"rows": 8999}, "rows less captured"),
    ],
)
def test_growth_and_lost_rows_are_named(grown: dict[str, float], name: str) -> None:
    found = report(**grown)  # type: ignore[arg-type]
    assert found.missed == [name]
    assert f"{name}" in found.table()
    assert "MISSED" in found.table()
    assert found.as_dict()["missed"] == [name]


@pytest.mark.parametrize(
    ("step", "leak", "missed"),
    [
        (0.0, 0.0, []),
        (50.0, 0.0, []),  # the pools, once; of 240 MB it is more than a tenth
        (60.0, 0.0, ["end: memory"]),
        (20.0, 0.3, ["second half: growth of memory"]),
    ],
)
def test_in_a_long_run_a_step_of_the_pools_passes_and_a_leak_is_named(
    step: float, leak: float, missed: list[str]
) -> None:
    """Queues fill once under load (at minute 8), and keep it; a leak of 0.3 MB a minute goes on."""
    long = [
        Minute(bool(number % 2), [240 + step * (number >= 8) + leak * number] * 3, [30], [25], [15.0], [0.6])
        for number in range(40)
    ]
    found = report_of(long, {"frames": FRAMES}, 9000, 130, 0)
    assert found.missed == missed
    figures = {name: value for name, value, *_ in found.rows}
    assert figures["second half: growth of memory"] == pytest.approx(60 * leak)


def test_age_is_not_judged_where_other_programs_were_busy() -> None:
    busy = minutes(age=300.0)
    busy[-1].idle = [0.05] * 3
    found = report_of(busy, {"frames": FRAMES}, 9000, 130, 0)
    assert found.missed == []
    assert "not judged" in found.table()


def test_frames_without_a_fate_are_named() -> None:
    assert report({**FRAMES, "queued": 0}).missed == ["captured and not accounted for"]
