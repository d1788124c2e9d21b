"""The whole path on a real talking face, with a real landmark network: steady, and never lost."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tools.bench import face as bench
from tools.bench.timing import Report, interleaved


@pytest.mark.shared
def test_talking_face_is_steady_and_never_lost(shared: Path) -> None:
    report = Report("clip")
    bench._tracking(report, shared, most=120)
    figures = {name: value for name, value, *_ in report.rows}
    # the whole clip's figure is the bench's; this is its liveliest part
    assert figures["frames with a face"] == 120
    assert figures["jitter, shown points"] < 0.5 * figures["jitter, raw points"]


def test_jitter_by_hand() -> None:
    """A face that goes to and fro by one pixel has a second difference of two pixels."""
    points = np.zeros((5, 98, 2), np.float32)
    points[:, 72, 0] = 100
    points[1::2] += (1, 0)
    assert bench.jitter(points) == pytest.approx(2 / 100)


def test_interleaving_runs_everybody_equally_often() -> None:
    calls = {"a": 0, "b": 0}

    def count(name: str) -> None:
        calls[name] += 1

    timings = interleaved({n: partial(count, n) for n in calls}, rounds=7, calls=2, warm=1)
    assert calls == {"a": 15, "b": 15}
    assert all(t.best <= t.median <= t.p95 for t in timings.values())


def test_report_as_table_and_json() -> None:
    report = Report("title")
    report.add("a thing", 1.25, "ms", "<= 2")
    assert report.table().splitlines() == ["title", "  a thing        1.25 ms           <= 2"]
    assert report.as_dict()["figures"] == {"a thing": {"value": 1.25, "unit": "ms", "bound": "<= 2"}}
