"""`doctor --av-sync` through the whole graph and a null sink, and its result in the next session."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.null_sink import MISSING, null_sink

pytestmark = [
    pytest.mark.skipif(bool(MISSING) or sys.platform == "win32", reason=f"needs PulseAudio ({', '.join(MISSING)})"),
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes a minute; set LIVE_TESTS"),
    pytest.mark.timeout(400),
]


def test_sound_meets_the_picture_and_sessions_know_it(tmp_path: Path) -> None:
    with null_sink() as sink:
        environment = {**sink.environment, "XDG_DATA_HOME": str(tmp_path / "data")}

        def program(*words: str) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "realtime", *words],
                capture_output=True,
                text=True,
                env=environment,
                timeout=180,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        found = json.loads(program("doctor", "--av-sync", "--json"))
        print(found)
        assert abs(found["offset_ms"]) < 20
        assert found["beeps"] >= 5
        folder = tmp_path / "session"
        source = ["--source", "lavfi:testsrc=size=160x120:rate=15", "--duration", "2", "--headless", "--quiet"]
        program("run", *source, "--session", str(folder), "--record", "--sound")
        assert json.loads((folder / "session.json").read_text())["av_sync"] == found
