"""What the measurements make of a run's summary and rows, and the plot of what grows."""

import math
import xml.etree.ElementTree as ET

import pytest

from tools.bench.clips import is_away
from tools.bench.growth import figures_of
from tools.bench.growth_plot import growth_svg
from tools.bench.people import analyses_a_second
from tools.bench.simulated_day import simulate_day


def row(number: int, place: int | None) -> dict[str, str]:
    """A row of one of two people, who stand side by side; None: no face on this frame."""
    box = {f"box_{axis}{end}": "" for axis in "xy" for end in (1, 2)}
    if place is not None:
        box = {"box_x1": str(250 + 640 * place), "box_x2": str(390 + 640 * place), "box_y1": "300", "box_y2": "500"}
    return {
        "sequence": str(number),
        "capture_time": f"{number / 30:.4f}",
        "face_id": "" if place is None else "7",
        **box,
    }


def test_analyses_are_counted_by_place_from_when_everybody_is_found() -> None:
    rows = [row(number, 0) for number in range(90)] + [row(number, 1) for number in range(30, 90, 2)]
    rates = analyses_a_second(sorted(rows, key=lambda one: int(one["sequence"])), 2)
    assert rates == pytest.approx({0: 30, 1: 15}, rel=1e-3)
    assert analyses_a_second([], 2) == {}


def test_frames_without_the_person_do_not_count() -> None:
    there = [number for number in range(600) if not is_away(0, number)]
    assert 500 < len(there) < 600
    rows = [row(number, 0) if number in there else row(number, None) for number in range(600)]
    assert analyses_a_second(rows, 2) == pytest.approx({0: 30}, rel=1e-3)


def test_figures_of_a_summary() -> None:
    summary = {
        "frames": {"captured": 200, "delivered": 150, "dropped_total": 50},
        "cores_running": 0.5,
        "cpu_seconds_running": 3.0,
        "age_ms": {"p99": None},
        "peak_rss_mb": 240.0,
    }
    figures = figures_of(summary)
    assert (figures["processor time a frame"], figures["dropped"], figures["memory"]) == (15.0, 25.0, 240.0)
    assert math.isnan(figures["age p99"])


def test_the_plot_is_readable_svg_with_a_point_for_each_value() -> None:
    panels = {"memory": {"size": [("720p", 240.0), ("2160p <4K>", None), ("1080p", 300.0)]}}
    tree = ET.fromstring(growth_svg("what & what", panels, {"memory": "MB"}))
    kinds = [element.tag.rpartition("}")[2] for element in tree.iter()]
    assert kinds.count("circle") == 2
    assert kinds.count("polyline") == 1
    texts = [element.text for element in tree.iter() if element.tag.endswith("text")]
    assert {"720p", "2160p <4K>", "240", "300"} <= set(texts)


def test_an_hour_of_the_simulated_day_balances() -> None:
    figures = {name: (value, met) for name, value, _, _, met in simulate_day(hours=0.5, every=600.0)}
    assert figures["captured"][0] == 90
    assert figures["captured and not accounted for"] == (0.0, True)
    assert figures["rows less captured"] == (0.0, True)
    assert figures["begin: memory"][0] > 10
