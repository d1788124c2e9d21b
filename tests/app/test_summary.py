"""Figures of a run that come from the system."""

import subprocess
import sys

import numpy as np
import pytest

from realtime.app.summary import Usage, summarise
from realtime.graph import Percentiles, Report
from realtime.graph.report import NodeReport, PathReport


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux counts")
def test_the_peak_of_memory_is_the_programs_own_whoever_started_it() -> None:
    heavy = np.ones(400_000_000, np.uint8)  # the starting program holds 400 MB
    words = [sys.executable, "-c", "from realtime.app.summary import peak_rss_mb; print(peak_rss_mb())"]
    said = float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert heavy.sum() == 400_000_000
    assert 20 < said < 350


def report_of(path: PathReport) -> Report:
    nothing = Percentiles(0, None, None, None, None)
    node = NodeReport("transform", 0, 0, 0, 0, 0, 0, None, *[nothing] * 6)
    return Report("graph", 10.0, "ended", {}, {"compose": node}, {}, {}, {"compose": path}, [], {}, None)


def test_every_captured_frame_is_delivered_dropped_or_queued() -> None:
    """A frame for which a node gave no result counts as dropped."""
    path = PathReport(100, 90, {("camera→compose", "overflow"): 5}, withheld=3, queued=2)
    summary = summarise(
        report_of(path),
        output="compose",
        started=Usage.now(),
        cpu_running=1.0,
        detections=0,
        face_frames=0,
        tracked_frames=0,
        models={},
        negotiated=None,
        notices=[],
    )
    frames = summary["frames"]
    assert frames["dropped_total"] == 8
    assert frames["captured"] == frames["delivered"] + frames["dropped_total"] + frames["queued"]
