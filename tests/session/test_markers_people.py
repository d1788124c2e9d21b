"""Markers and stored calibrations."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.calibration import Calibration
from realtime.errors import DeviceError, UserInputError
from realtime.files import data_folder
from realtime.session.calibration_store import CalibrationStore
from realtime.session.markers import COLUMNS, LONGEST, Mark, SessionMarkers, read_markers
from realtime.session.writer import SessionWriter
from realtime.types import Analysis

WHEN = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


def markers(path: Path | None) -> SessionMarkers:
    return SessionMarkers(path, lambda: 12.5, lambda: WHEN)


def test_a_marker_is_on_disk_at_once_with_its_frame_and_both_times(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    kept = markers(path)
    kept.captured(41)
    kept.add('smile, "big"\nsecond line', "key")
    kept.mark("", capture_time=11.25, sequence=40, origin="dashboard")
    before_closing = path.read_bytes()
    kept.close()
    assert path.read_bytes() == before_closing
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0] == {
        "sequence": "41",
        "capture_time": "12.500000",
        "wall_time": "2026-03-01T12:30:15.250+00:00",
        "text": 'smile, "big"\nsecond line',
        "source": "key",
    }
    assert (rows[1]["sequence"], rows[1]["capture_time"], rows[1]["text"]) == ("40", "11.250000", "")
    found = read_markers(path)
    assert [(mark.sequence, mark.text) for mark in found] == [(41, 'smile, "big"\nsecond line'), (40, "")]


@pytest.mark.parametrize(
    ("text", "words"),
    [("x" * (LONGEST + 1), f"{LONGEST + 1:,}"), ("x" * 1_000_000, "1,000,000"), ("a\x00b", "control")],
)
def test_a_marker_too_long_or_unprintable_is_refused_and_nothing_is_written(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "markers.csv"
    kept = markers(path)
    before = path.read_bytes()
    with pytest.raises(UserInputError, match=words):
        kept.add(text, "http")
    assert path.read_bytes() == before
    assert kept.count == 0
    kept.add("x" * LONGEST, "http")
    assert kept.count == 1
    kept.close()


def test_listeners_hear_of_markers_even_without_a_file() -> None:
    kept = markers(None)
    heard: list[Mark] = []
    kept.listeners.append(heard.append)
    kept.add("now", "key")
    assert [(mark.text, mark.capture_time) for mark in heard] == [("now", 12.5)]


def test_a_marker_after_the_end_is_an_error_not_a_loss(tmp_path: Path) -> None:
    kept = markers(tmp_path / "markers.csv")
    kept.close()
    kept.close()
    with pytest.raises(DeviceError, match="ended"):
        kept.add("late", "http")


SHAPE = np.random.default_rng(1).normal(0, 0.05, (98, 2)).astype(np.float32)
LOOKS = np.random.default_rng(2).uniform(-0.8, 0.8, (2, EMBEDDING_SIZE)).astype(np.float32)
NEUTRAL = Baseline(SHAPE, LOOKS, "abc")


def test_a_calibration_comes_back_bit_for_bit_and_can_be_replaced_and_deleted(tmp_path: Path) -> None:
    people = CalibrationStore(tmp_path / "people")
    assert people.find("Ada") is None
    assert not (tmp_path / "people").exists(), "looking makes nothing"
    people.store("Ada", NEUTRAL, 120, WHEN)
    people.store("Bo", NEUTRAL, 90, WHEN)
    found = people.find("Ada")
    assert found is not None
    assert found.neutral.embedding is not None
    assert np.array_equal(found.neutral.shape, SHAPE)
    assert np.array_equal(found.neutral.embedding, LOOKS)
    assert found.neutral.shape.dtype == found.neutral.embedding.dtype == np.float32
    assert (found.frames, found.calibrated) == (120, "2026-03-01T12:30:15+00:00")
    people.store(" Ada ", Baseline(2 * SHAPE), 60, WHEN)
    assert people.names() == ["Ada", "Bo"]
    assert np.array_equal(people.find("Ada").neutral.shape, 2 * SHAPE)
    assert people.find("Ada").neutral.embedding is None
    people.delete("Ada")
    assert people.names() == ["Bo"]
    with pytest.raises(UserInputError, match="Ada"):
        people.delete("Ada")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c", "CON", ".hidden", "Zoë Müller", "x" * 80, "50% off*?"])
def test_no_name_leaves_the_folder_and_every_name_comes_back(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "people"
    people = CalibrationStore(folder)
    path = people.store(name, NEUTRAL, 1, WHEN)
    assert path.parent == folder
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    assert people.names() == [name]
    assert people.find(name).name == name


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "tab\there", "nul\x00"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserInputError, match="printable"):
        CalibrationStore(tmp_path).store(name, NEUTRAL, 1, WHEN)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"format": 2}',
        '{"format": 9}',
        '{"format":1,"name":"Ada","calibrated":"","frames":1,"neutral":[[1,2]]}',
    ],
)
def test_a_damaged_file_is_told_not_used(tmp_path: Path, content: str) -> None:
    people = CalibrationStore(tmp_path)
    people.store("Ada", NEUTRAL, 1, WHEN).write_text(content)
    assert people.names() == []
    with pytest.raises(UserInputError, match="damaged"):
        people.find("Ada")


def test_a_calibration_of_the_first_format_is_still_read(tmp_path: Path) -> None:
    content = {"format": 1, "name": "Ada", "calibrated": "2026-01-01", "frames": 7, "neutral": SHAPE.tolist()}
    people = CalibrationStore(tmp_path)
    people.store("Ada", NEUTRAL, 1, WHEN).write_text(json.dumps(content))
    found = people.find("Ada")
    assert found is not None
    assert np.array_equal(found.neutral.shape, SHAPE)
    assert found.neutral.embedding is None


def test_the_users_folder_follows_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "facemirror-live"


def test_a_calibration_made_in_the_session_takes_back_that_there_was_none(tmp_path: Path) -> None:
    writer = SessionWriter(None, lambda: 0.0, person="Ada", people=tmp_path / "people")
    assert ["No calibration is stored for Ada" in one for one in writer.all_notices()] == [True]
    analysis = cast("Analysis", SimpleNamespace(sequence=7, capture_time=0.5))
    writer.calibrated(analysis, Calibration(neutral=NEUTRAL, frames=60))
    writer.close()
    assert writer.all_notices() == []
