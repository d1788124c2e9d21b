"""Rows, recording and figures of a live run agree under any load: the real wiring and nodes, with modelled times, on the virtual clock."""

import csv
import tempfile
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.app.pipeline import Outputs, build
from realtime.config import Config
from realtime.graph import RealClock, Report, StopToken, VirtualClock
from realtime.media.stream_info import StreamInfo
from realtime.media.video_source import VideoSource
from realtime.session.frames_csv import FramesCsv
from realtime.types import U8, Frame, TrackedFrame
from tests.face.world import HEIGHT, WIDTH, Disc, picture
from tests.session.live_like import face_path

pytestmark = pytest.mark.timeout(300)  # the first test may compile the face's kernels

PICTURES = [picture(Disc(300 + 4 * n, 170, 60)) for n in range(4)]


class FakeSource:
    """A live camera: `count` frames, one every `period` seconds, each announced when it is read."""

    def __init__(self, count: int, period: float) -> None:
        self.stream_info = StreamInfo("fake", "fake", "raw", "bgr24", WIDTH, HEIGHT, 1 / period, 0, True, None)
        self.frames = iter([Frame(PICTURES[n % 4].copy(), n, n * period) for n in range(count)])

    def read(self, stop: StopToken) -> Frame | None:
        return next(self.frames, None)

    def close(self) -> None:
        pass


class FakeRecorder:
    """Remembers the capture times of what it got."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def write(self, image: U8, capture_time: float) -> bool:
        self.times.append(capture_time)
        return True

    def close(self) -> None:
        pass


def live_run(
    folder: Path,
    config: Config,
    count: int,
    period: float,
    times: dict[str, list[float]],
    duration: float | None,
    drain_timeout: float,
) -> tuple[list[dict[str, str]], list[float], list[int], Report]:
    """Rows, capture times in the recording, sequences that were measured, and the report."""
    clock, recorder = VirtualClock(rounds=500_000), FakeRecorder()
    rows = FramesCsv(folder / "frames.csv", clock.now)
    outputs = Outputs(
        recorder=recorder, csv=rows, captured=[lambda frame: rows.captured(frame.sequence, frame.capture_time)]
    )
    app = build(
        config,
        cast("VideoSource", FakeSource(count, period)),
        outputs,
        cast("RealClock", clock),
        open_path=lambda *_sizes, **_more: face_path(),
    )
    for name, services in times.items():
        app.graph.nodes[name].service_time = lambda job, s=services: s[job.primary.envelope.sequence % len(s)]
    measured = []
    process = app.graph.nodes["measure"].node.process

    def measure(tracked: TrackedFrame) -> TrackedFrame:
        result = process(tracked)
        measured.append(tracked.analysis.sequence)
        return result

    app.graph.nodes["measure"].node.process = measure
    report = clock.run(app.graph.run(duration=duration, drain_timeout=drain_timeout))
    rows.close()
    with (folder / "frames.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    if found and int(found[-1]["sequence"]) >= report.sources["camera"].captured:
        found.pop()  # on the virtual clock a frame is read, and so announced, before its capture time has come
    else:
        assert rows.counts["not_shown"] == sum(report.paths["compose"].dropped.values())
    return found, recorder.times, measured, report


TIMES = st.lists(st.sampled_from([0.0, 0.002, 0.01, 0.03, 0.08, 0.5, 1.5]), min_size=1, max_size=9)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries(
        dict.fromkeys(("detect", "track", "measure", "compose", "recorder", "rows", "shown-rows"), TIMES)
    ),
    st.sampled_from([20.0, 60.0, 400.0]),
    st.sampled_from([1 / 30, 1 / 5]),
    st.sampled_from([0.2, 5.0]),
    st.one_of(st.none(), st.floats(0.01, 3.0)),
    st.sampled_from([0.01, 1.0]),
)
def test_rows_recording_and_figures_agree_under_any_load(
    times: dict[str, list[float]], max_age: float, period: float, stall: float, duration: float | None, drain: float
) -> None:
    config = Config(source="camera:0", headless=True, view="raw", max_age_ms=max_age, latency={"stall_seconds": stall})
    with tempfile.TemporaryDirectory() as folder:
        rows, recorded, measured, report = live_run(Path(folder), config, 30, period, times, duration, drain)
    path, edges = report.paths["compose"], report.edges
    assert report.balanced
    assert [int(row["sequence"]) for row in rows] == list(range(path.captured))
    assert [int(row["sequence"]) for row in rows if row["status"] == "measured"] == measured
    # A frame that was measured, but not shown, says why it was not.
    lost = [row for row in rows if row["status"] == "dropped" or (row["status"] == "measured" and row["cause"])]
    causes = {cause for _, cause in path.dropped}
    assert len(lost) == sum(path.dropped.values())
    assert {row["cause"] for row in lost} <= causes
    shown = {float(row["capture_time"]) for row in rows if row not in lost}
    assert {round(time, 6) for time in recorded} <= shown
    assert len(shown) - len(recorded) == sum(edges["compose→recorder"].dropped.values())
    assert set(edges["compose→recorder"].dropped) <= {"overflow", "stopping", "stalled"}
    assert all("expired" not in edges[name].dropped for name in ("compose→shown-rows", "measure→rows", "track→measure"))


def test_a_late_picture_is_recorded_and_its_row_says_that_it_was_shown(tmp_path: Path) -> None:
    """Composing takes the frame just over its deadline; a row that is not written in time is written all the same."""
    times = {"compose": [0.021], "track": [0.015], "measure": [0.012], "rows": [0.004], "shown-rows": [0.002]}
    config = Config(source="camera:0", headless=True, view="raw", max_age_ms=20)
    rows, recorded, measured, report = live_run(tmp_path, config, 30, 1 / 30, times, None, 2.0)
    assert [row["status"] for row in rows] == ["measured"] * 30
    assert {row["cause"] for row in rows} == {""}
    assert (len(recorded), len(measured)) == (30, 30)
    assert report.edges["compose→shown-rows"].dropped == report.edges["measure→rows"].dropped == {}


def test_what_is_finished_after_the_stop_is_written(tmp_path: Path) -> None:
    """The run ends while a picture is composed and another frame measured: both count as made, and both are in the rows."""
    times = {"compose": [0.9], "track": [0.3], "measure": [0.9]}
    config = Config(source="camera:0", headless=True, view="raw")
    rows, _, measured, report = live_run(tmp_path, config, 30, 1 / 30, times, 0.5, 0.01)
    assert report.edges["compose→shown-rows"].dropped == report.edges["measure→rows"].dropped == {"stopping": 1}
    assert measured == [0]
    assert (rows[0]["status"], rows[0]["cause"]) == ("measured", "")
    assert sum(row["status"] == "dropped" for row in rows) == sum(report.paths["compose"].dropped.values()) > 0


def test_a_slow_camera_loses_no_measurement_to_the_quality_ladder(tmp_path: Path) -> None:
    """Each result is drawn on the next picture, a fifth of a second later: no reason to analyse every second frame only."""
    config = Config(source="camera:0", headless=True, view="raw")
    rows, _, measured, _ = live_run(tmp_path, config, 150, 1 / 5, {"track": [0.03], "detect": [0.05]}, None, 2.0)
    assert measured == list(range(150))
    assert {row["status"] for row in rows} == {"measured"}
