"""Dashboard, overlay, recording and sound at once at 720p: prints the rate, and how old pictures are when they are shown."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime.session.verify import verify
from tests.dashboard.chromium import PROGRAM, browser
from tests.live.null_sink import MISSING, RATE, NullSink, null_sink
from tests.live.program import program

pytestmark = [
    pytest.mark.skipif(bool(MISSING) or sys.platform == "win32", reason=f"needs PulseAudio ({', '.join(MISSING)})"),
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"),
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes half a minute; set LIVE_TESTS"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def sink() -> Iterator[NullSink]:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    with null_sink() as made, made.played(tone.astype(np.float32)):
        yield made


@pytest.mark.parametrize("record", ["on", "raw"])
def test_everything_at_once(sink: NullSink, tmp_path: Path, record: str) -> None:
    folder, summary = tmp_path / "session", tmp_path / "summary.json"
    words = ["run", "--source", "demo", "--headless", "--session", str(folder), "--summary", str(summary)]
    words += ["--record", *([record] if record == "raw" else []), "--sound", "--dashboard", "--port", "0"]

    async def whole() -> None:
        with program(*words, environment=sink.environment) as started:
            link, overlay_link = await asyncio.to_thread(started.link), started.link("OBS overlay")
            async with browser() as page, browser() as overlay:
                await page.open(link, 1280, 720)
                await overlay.open(f"{overlay_link}&au=12,25", 480, 160)
                assert await asyncio.to_thread(started.process.wait, 120) == 0

    asyncio.run(whole())
    told = json.loads(summary.read_text())
    frames, age = told["frames"], told["age_ms"]
    dropped = sum(sum(causes.values()) for causes in frames["dropped"].values())
    print(
        f"record {record}: {told['fps']:.1f} fps, age p50 {age['p50']:.1f} p95 {age['p95']:.1f} p99 {age['p99']:.1f} ms, "
        f"{frames['captured']} captured, {frames['delivered']} delivered, dropped {frames['dropped']} ({dropped}), "
        f"{told['cpu_seconds']:.1f} s of processor time, {told['peak_rss_mb']:.0f} MB"
    )
    assert frames["queued"] == 0
    assert verify(folder).right
