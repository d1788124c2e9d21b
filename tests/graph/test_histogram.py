import threading

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from realtime.graph.histogram import DurationHistogram, Histogram


@pytest.mark.parametrize("scale", [3.0, 900.0, 20_000.0, 5e6])
def test_percentiles_agree_with_hdrhistogram(scale: float) -> None:
    drawn = np.random.default_rng(7).lognormal(0.0, 1.0, 5000) * scale
    values = np.rint(drawn).astype(np.int64)
    reference = HdrHistogram(1, 3_600_000_000, 3)
    for value in values:
        reference.record_value(int(value))
    ours = Histogram()
    ours.add(values[:17])
    ours.add(values[17:])
    got = ours.percentiles()
    assert got.count == 5000
    for percent, value in ((50, got.p50), (95, got.p95), (99, got.p99)):
        assert value is not None
        assert value * 1e3 == pytest.approx(reference.get_value_at_percentile(percent), rel=1 / 400, abs=1.0)
    assert got.max is not None
    assert got.max * 1e3 == values.max()


@pytest.mark.parametrize("value", [0, 1, 511, 512, 1023, 1024, 1025, 2047, 2048, 10**6, 3_600_000_000])
def test_every_value_is_known_to_a_five_hundredth(value: int) -> None:
    histogram = Histogram()
    histogram.add(np.array([value, 3_600_000_000]))
    median = histogram.percentiles().p50
    assert median is not None
    assert value <= round(median * 1e3) <= value * (1 + 1 / 512)


def test_nothing_recorded_is_none_and_not_zero() -> None:
    got = DurationHistogram().percentiles()
    assert (got.count, got.p50, got.max) == (0, None, None)


def test_asking_while_another_thread_records_loses_nothing() -> None:
    recorder = DurationHistogram()
    total = 50_000
    thread = threading.Thread(target=lambda: [recorder.record(0.001) for _ in range(total)])
    thread.start()
    while thread.is_alive():
        recorder.percentiles()
    thread.join()
    got = recorder.percentiles()
    assert (got.count, got.p50, got.max) == (total, 1.0, 1.0)
