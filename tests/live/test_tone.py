"""The tone as it is heard: its pitch against the rows that the same run wrote."""

import csv
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.action_units.symmetry import balance
from realtime.media.audio.tone import ToneSettings
from tests.live.clip import make_clip
from tests.live.null_sink import MISSING, RATE, null_sink
from tests.live.program import program
from tests.live.waiting import eventually

pytestmark = [
    pytest.mark.skipif(bool(MISSING) or sys.platform == "win32", reason=f"needs PulseAudio ({', '.join(MISSING)})"),
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes a minute; set LIVE_TESTS"),
    pytest.mark.timeout(400),
]
STEP = 0.05
WINDOW = 0.1
FLOOR = 0.01
F64 = NDArray[np.float64]


def test_the_tone_follows_the_balance_and_is_silent_when_alike(tmp_path: Path) -> None:
    clip, folder, sound = make_clip(tmp_path), tmp_path / "session", tmp_path / "heard.f32"
    words = ["run", "--source", clip.source, "--headless", "--session", str(folder), "--tone", "12"]
    words += ["--max-age-ms", "5000", "--set", "tone.volume=0.2"]
    rows = folder / "frames.csv"
    with null_sink() as sink, sink.heard(sound), program(*words, environment=sink.environment) as started:
        started.begun()
        eventually(
            lambda: started.running() and rows.exists() and rows.read_bytes().count(b"\n") > clip.frames + 60,
            200,
            "the clip has been played once",
        )
    heard = pitches(np.fromfile(sound, "<f4"))
    times, wanted = wishes(rows)
    lag, expected = aligned(times, wanted, heard)
    loud = ~np.isnan(heard)
    due = ~np.isnan(expected)
    steady = due & loud & (np.abs(np.log2(expected / _beside(expected))) < 0.05)
    error = np.abs(np.log2(heard[steady] / expected[steady]))
    print(
        f"lag {lag:.2f} s; heard {loud.sum() * STEP:.1f} s of {due.sum() * STEP:.1f} s due, {steady.sum()} steady moments"
    )
    print(f"agreement {np.mean(loud == due):.3f}; pitch error (median) {100 * (2 ** np.median(error) - 1):.1f} %")
    print(f"{np.nanmin(heard):.0f} to {np.nanmax(heard):.0f} Hz")
    assert np.mean(loud == due) > 0.85
    assert steady.sum() > 5
    assert np.median(error) < math.log2(1.03)
    middle = math.sqrt(220 * 880)
    assert np.nanmax(heard) > 1.2 * middle, "the left side alone was heard"
    assert np.nanmin(heard) < middle / 1.2, "the right side alone was heard"


def pitches(samples: NDArray[np.float32]) -> F64:
    """(N,) Hz, one every STEP seconds; NaN: silence. By zero crossings upwards, between samples."""
    size, hop = int(WINDOW * RATE), int(STEP * RATE)
    found = []
    for begin in range(0, len(samples) - size, hop):
        part = samples[begin : begin + size].astype(np.float64)
        if np.sqrt(np.mean(part**2)) < FLOOR:
            found.append(math.nan)
            continue
        up = np.flatnonzero((part[:-1] < 0) & (part[1:] >= 0))
        at = up + part[up] / (part[up] - part[up + 1])
        found.append(RATE / float(np.median(np.diff(at))) if len(at) > 2 else math.nan)
    return np.array(found)


def wishes(path: Path) -> tuple[F64, F64]:
    """Of every measured row: (N,) capture times, (N,) the pitch that its balance asks for (NaN: silence)."""
    settings = ToneSettings()
    times, found = [], []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["status"] != "measured" or None in row.values():
                continue
            left, right = (float(row[f"AU12_{side}"]) if row[f"AU12_{side}"] else None for side in ("left", "right"))
            value = balance(left, right)
            times.append(float(row["capture_time"]))
            quiet = value is None or abs(value) <= settings.dead_band
            share = 0.0 if value is None else (value + 1) / 2
            found.append(math.nan if quiet else settings.low * (settings.high / settings.low) ** share)
    return np.array(times), np.array(found)


def aligned(times: F64, wanted: F64, heard: F64) -> tuple[float, F64]:
    """Where in the recording the rows begin (seconds), and what should be heard at each of its moments.

    The recording does not know the program's clock, so the shift that fits best is taken.
    """
    best, found = (-1.0, 0.0), np.full(len(heard), math.nan)
    moments = np.arange(len(heard)) * STEP + WINDOW / 2
    for lag in np.arange(0.0, moments[-1], STEP):
        since = moments - lag + times[0]
        index = np.searchsorted(times, since, side="right") - 1
        known = (index >= 0) & (since <= times[-1])
        expected = np.where(known, wanted[np.clip(index, 0, len(wanted) - 1)], math.nan)
        same = np.isnan(expected) == np.isnan(heard)
        near = np.abs(np.log2(np.where(np.isnan(expected) | np.isnan(heard), 1.0, expected / heard))) < 0.1
        score = float(np.mean(same & near)) if known.mean() > 0.3 else -1.0
        if score > best[0]:
            best, found = (score, float(lag)), expected
    return best[1], found


def _beside(values: F64) -> F64:
    """The value one step before."""
    return np.concatenate([values[:1], values[:-1]])
