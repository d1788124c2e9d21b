"""session.json: when a session began, on both clocks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from realtime.session.metadata import session_metadata
from realtime.session.writer import SessionWriter, Start


def test_any_capture_time_can_be_told_as_date_and_time_without_a_marker(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    writer = SessionWriter(tmp_path, lambda: 512.25)
    writer.close()
    content = session_metadata([], [], writer, choices={}, sources=[], av_sync=None, summary=None)
    assert content["markers"] == 0
    assert content["started"]["capture_clock"] == 512.25
    assert before <= datetime.fromisoformat(content["started"]["utc"]) <= before + timedelta(seconds=60)
    assert content["started"]["utc"].endswith("+00:00")


def test_the_clocks_are_read_at_the_same_moment() -> None:
    readings = iter([10.0, 10.5])
    assert Start.now(lambda: next(readings)).clock == 10.25
