"""Figures of a run that come from the system."""

import subprocess
import sys

import numpy as np
import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux counts")
def test_the_peak_of_memory_is_the_programs_own_whoever_started_it() -> None:
    heavy = np.ones(400_000_000, np.uint8)  # the starting program holds 400 MB
    words = [sys.executable, "-c", "from realtime.app.summary import peak_rss_mb; print(peak_rss_mb())"]
    said = float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert heavy.sum() == 400_000_000
    assert 20 < said < 350
