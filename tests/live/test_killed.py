"""kill -9 in the middle of a recording with sound: what is left, and what `verify` says of it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.live.null_sink import MISSING, RATE, null_sink
from tests.live.program import program
from tests.live.waiting import eventually

pytestmark = [
    pytest.mark.skipif(bool(MISSING) or sys.platform == "win32", reason=f"needs PulseAudio ({', '.join(MISSING)})"),
    pytest.mark.timeout(240),
]
HERTZ = 440.0


LONG = pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="set LIVE_TESTS")


@pytest.mark.parametrize(
    "away", [pytest.param(False, id="microphone there"), pytest.param(True, id="microphone away", marks=LONG)]
)
def test_a_killed_recording_with_sound_loses_at_most_its_last_second(tmp_path: Path, away: bool) -> None:
    folder = tmp_path / "session"
    words = ["run", "--source", "lavfi:testsrc=size=160x120:rate=15", "--headless", "--session", str(folder)]
    words += ["--record", "--sound", "--max-age-ms", "60000"]
    tone = 0.3 * np.sin(2 * np.pi * HERTZ * np.arange(RATE) / RATE)
    rows = folder / "frames.csv"

    def written(count: int) -> bool:
        return rows.exists() and rows.read_bytes().count(b"\n") > count

    with (
        null_sink() as sink,
        sink.played(tone.astype(np.float32)),
        program(*words, environment=sink.environment) as started,
    ):
        started.begun()
        eventually(lambda: started.running() and written(60), 120, "four seconds of rows")
        if away:
            subprocess.run(["pactl", "suspend-sink", "test", "1"], env=sink.environment, check=True)
            eventually(lambda: started.running() and written(90), 60, "two more seconds of rows")
        started.process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        started.process.wait(20)
    with rows.open(newline="") as file:
        whole = [row for row in csv.DictReader(file) if None not in row.values()]
    begun = float(whole[0]["capture_time"])  # the program's clock is the machine's
    length, rows_end = killed - begun, float(whole[-1]["capture_time"]) - begun
    pictures, sound, heard = _ends(folder / "video.mp4")
    ends = {"killed": length, "rows": rows_end, "pictures": pictures, "sound": sound, "tone": heard}
    print(" ".join(f"{name} {at:.2f} s" for name, at in ends.items()))
    assert rows_end > length - 1.0
    assert pictures > length - 1.0
    assert away or heard > length - 1.0
    told = verdict(folder)
    assert not told["finished"]
    assert {problem["fault"] for problem in told["problems"]} <= {"truncated"}
    assert f"the last at {pictures:.2f} s; sound to {sound:.2f} s" in told["files"]["video.mp4"]
    assert f"{len(whole):,} rows" in told["files"]["frames.csv"]


def verdict(folder: Path) -> dict[str, Any]:
    """What `verify --json` says of a session that was not finished."""
    words = [sys.executable, "-m", "realtime", "verify", "--json", str(folder)]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 3, said.stderr
    return dict(json.loads(said.stdout))


def _ends(path: Path) -> tuple[float, float, float]:
    """Seconds: the last picture, the end of the sound track, the last that is heard of the tone."""
    picture = sound = heard = 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0], container.streams.audio[0]):
            if isinstance(frame, av.AudioFrame):
                sound = float(frame.time) + frame.samples / frame.sample_rate
                if np.abs(frame.to_ndarray()).max() > 0.05:
                    heard = sound
            else:
                picture = float(frame.time)
    return picture, sound, heard
