"""Cells of text: nothing runs in a spreadsheet, everything is read back as it was typed."""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.session.markers import SessionMarkers, read_markers
from realtime.session.schema import FrameRow, RowFormat
from realtime.spreadsheet import as_typed, guarded

WHEN = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
TEXT = st.text(alphabet="='+-@\t\r\n; ,\"aé＝＠|1", max_size=16) | st.text(max_size=16)


@settings(max_examples=500, deadline=None)
@given(TEXT)
def test_no_cell_begins_a_formula_however_columns_are_separated_and_the_text_comes_back(text: str) -> None:
    cell = guarded(text)
    assert as_typed(cell) == text
    assert not [part for part in re.split(r"[;\t\r\n]", cell) if FORMULA.match(part)]
    assert cell[:1] not in ("\t", "\r", "\n")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("a;=cmd|' /c calc'!A1", "a;'=cmd|' /c calc'!A1"),
        ("'=1", "''=1"),
        ("smile - big", "smile - big"),
        ("it's 'fine'", "it's 'fine'"),
        ("", ""),
    ],
)
def test_the_cell_of_a_text(text: str, cell: str) -> None:
    assert guarded(text) == cell


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet="=+-@'\t\n;,\"a ", max_size=12), max_size=5))
def test_markers_come_back_as_typed_and_their_file_runs_nowhere(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "markers.csv"
    path.unlink(missing_ok=True)
    markers = SessionMarkers(path, lambda: 12.5, lambda: WHEN)
    for text in texts:
        markers.add(text, "http")
    markers.close()
    assert [mark.text for mark in read_markers(path)] == [text.strip() for text in texts]
    with path.open(encoding="utf-8", newline="") as file:
        assert not [row["text"] for row in csv.DictReader(file) if FORMULA.match(row["text"])]


def test_a_marker_of_an_earlier_version_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    path.write_text(
        "sequence,capture_time,wall_time,text,source\n3,1.5,2026-03-01,=1+1,key\n4,1.6,2026-03-01,'quoted',key\n"
    )
    assert [mark.text for mark in read_markers(path)] == ["=1+1", "'quoted'"]


def test_a_cause_is_text_for_spreadsheets_too() -> None:
    cells = next(csv.reader([RowFormat().line(FrameRow(1, 0.0, shown=False, cause='=1,"2"'))]))
    assert cells[3] == '\'=1,"2"'
