"""Plug-in sinks: found by entry point, fed what is shown, never able to stop the picture path."""

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from realtime import entry_points
from realtime.app.plugins import PluginSink, plugin_sinks
from realtime.errors import UserInputError
from realtime.types import Analysis, Frame, RenderedFrame
from tests.conftest import ROOT

IMAGE = np.zeros((8, 8, 3), np.uint8)


def shown(time: float = 0.0) -> RenderedFrame:
    analysis = Analysis(0, time, None, {12: 1.5}, {12: 0.5})
    return RenderedFrame(IMAGE, 0, time, "measured", analysis, 0.0, None, Frame(IMAGE, 0, time))


class Failing:
    calls = 0

    def process(self, shown: RenderedFrame) -> None:
        Failing.calls += 1
        raise ValueError("no luck")

    def close(self) -> None:
        raise OSError("still none")


def test_what_a_sink_raises_is_told_once_and_goes_no_further() -> None:
    told: list[str] = []
    sink = PluginSink("unlucky", Failing, told.append)
    sink.open()
    for _ in range(100):
        sink.process(shown())
    assert Failing.calls == 30
    assert len(told) == 2
    assert "unlucky fails (ValueError: no luck)" in told[0]
    assert "cannot be closed (OSError: still none)" in told[1]


def test_a_sink_that_cannot_be_made_is_left_out() -> None:
    told: list[str] = []

    def broken() -> None:
        raise ImportError("no such module")

    sink = PluginSink("gone", broken, told.append)
    sink.open()
    sink.process(shown())
    sink.close()
    assert told == ["The plug-in sink gone cannot be opened (ImportError: no such module); going on without it."]


def test_a_sink_never_gets_the_captured_picture() -> None:
    """What is blurred stays blurred."""
    got: list[RenderedFrame] = []

    class Sink:
        process = staticmethod(got.append)

    sink = PluginSink("fine", Sink)
    sink.open()
    sink.process(shown(2.5))
    assert got[0].frame is None
    assert got[0].image is IMAGE
    assert got[0].capture_time == 2.5


def test_an_unknown_name_is_refused_with_those_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_points, "entry_points", lambda group: (EntryPoint("meter", "x:Y", group),))
    assert [sink.name for sink in plugin_sinks(("meter",))] == ["meter"]
    with pytest.raises(UserInputError, match=r"sinks = metre: .* \(installed: meter\)"):
        plugin_sinks(("metre",))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A distribution with the example's sink and one that fails, as pip would leave it."""
    info = tmp_path / "smile_meter-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: smile-meter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[realtime.sinks]\nsmile-meter = plugin_sink:SmileMeter\nfailing = failing_sink:Failing\n"
    )
    (tmp_path / "failing_sink.py").write_text(
        "class Failing:\n    def process(self, shown):\n        raise ZeroDivisionError\n"
    )
    return tmp_path


@pytest.mark.timeout(180)
def test_the_example_gets_pictures_and_a_failing_sink_stops_nothing(installed: Path, tmp_path: Path) -> None:
    paths = [str(ROOT), str(installed), str(ROOT / "docs" / "examples")]
    summary = tmp_path / "summary.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "realtime",
            "run",
            "--source",
            "demo",
            "--headless",
            "--speed",
            "max",
            "--duration",
            "2",
            "--set",
            "sinks=smile-meter,failing",
            "--summary",
            str(summary),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert " s  left " in done.stdout
    assert done.stderr.count("The plug-in sink failing fails (ZeroDivisionError)") == 1
    assert "Traceback" not in done.stderr
    figures = json.loads(summary.read_text())
    assert not figures["failures"]
