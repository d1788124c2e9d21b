"""Lengths in a session's files: columns only where a run measures them, empty cells where nothing was, and in the report."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest

from realtime.clinic.measures import MIDLINE, SIDED, every_length, length_names, share_of_healthy
from realtime.session.frames_csv import FramesCsv
from realtime.session.length_columns import columns_in, length_cells, length_columns, wanted_columns
from realtime.session.read_frames import read_rows
from realtime.session.report import report_page
from realtime.session.schema import FrameRow, RowFormat, column_names, data_dictionary
from realtime.types import Analysis, FaceObservation, Millimetres, Sides

POINTS = np.zeros((98, 2), np.float32)
FACE = FaceObservation(1, np.zeros(4, np.float32), POINTS, POINTS, 0.9, detected=True, pose=(0.0, 0.0, 0.0))
FOUND = Millimetres(
    0.41, "iris", scale_state="held", commissure=Sides(31.25, 20.0), fissure_height=Sides(9.0, 8.0), fai=-1.5
)


def row(lengths: Millimetres | None, number: int = 3) -> FrameRow:
    """A measured frame."""
    return FrameRow(number, number / 30, shown=True, analysis=Analysis(number, number / 30, FACE, millimetres=lengths))


def cells(lengths: Millimetres | None) -> dict[str, str]:
    """The frame's cells by column."""
    line = RowFormat(millimetres=True).line(row(lengths))
    return dict(zip(column_names(millimetres=True), next(csv.reader(io.StringIO(line))), strict=True))


def test_a_run_without_lengths_writes_todays_columns() -> None:
    assert not [name for name in column_names() if name.startswith("mm_")]
    assert RowFormat().line(row(FOUND)) == RowFormat().line(row(None))
    *before, hidden = column_names()
    assert hidden == "hidden", "the last one, also behind the lengths"
    assert column_names(millimetres=True)[: len(before)] == before


def test_every_length_has_a_column_and_every_column_a_meaning() -> None:
    names = [name for name in column_names(millimetres=True) if name.startswith("mm_")]
    assert names == list(length_columns())
    assert names[4:] == [f"mm_{name}" for name in length_names()]
    assert list(data_dictionary(millimetres=True)) == column_names(millimetres=True)
    assert len(length_names()) == len(every_length(FOUND)) == 2 * len(SIDED) + len(MIDLINE)


def test_a_row_holds_what_was_measured() -> None:
    found = cells(FOUND)
    assert (found["mm_scale"], found["mm_source"], found["mm_state"], found["mm_withheld"]) == (
        *("0.41000", "iris", "held"),
        "",
    )
    assert (found["mm_commissure_left"], found["mm_commissure_right"], found["mm_fai"]) == (
        "31.250",
        "20.000",
        "-1.500",
    )
    assert found["mm_brow_height_left"] == ""


def test_a_withheld_frame_says_why_and_an_unmeasured_one_is_empty() -> None:
    withheld = cells(Millimetres(math.nan, "iris", "no scale yet: the eyes are shut"))
    assert withheld["mm_withheld"] == "no scale yet: the eyes are shut"
    assert withheld["mm_scale"] == withheld["mm_state"] == withheld["mm_commissure_left"] == ""
    empty = cells(None)
    assert not any(value for name, value in empty.items() if name.startswith("mm_"))
    assert length_cells(None).count(",") == len(length_columns())
    dropped = RowFormat(millimetres=True).line(FrameRow(1, 0.0, shown=False, cause="full"))
    assert dropped.count(",") == len(column_names(millimetres=True)) - 1


def written(folder: Path, *, millimetres: bool) -> Path:
    """A session of six frames."""
    rows = FramesCsv(folder / "frames.csv", lambda: 0.0, millimetres=millimetres)
    for number in range(6):
        rows.captured(number, number / 30)
        rows.shown(number, 0.01)
        rows.measured(Analysis(number, number / 30, FACE, {12: 1.0}, {12: 2.0}, millimetres=FOUND))
    rows.close()
    return folder / "frames.csv"


def test_rows_are_read_back_and_the_report_tells_them(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, millimetres=True))
    assert rows.scale_source == "iris"
    assert rows.lengths["commissure_left"].tolist() == [31.25] * 6
    assert np.isnan(rows.lengths["brow_height_left"]).all()
    described = {
        "affected_side": {"value": "right", "changes": [{"value": "right", "sequence": 0, "capture_time": 0.0}]}
    }
    page = report_page("s", described, rows, [])
    assert "Millimetres from the iris" in page
    assert "31.2" in page
    assert "<td>64 %" in page
    assert "a guess" not in page


def test_a_session_without_lengths_has_no_such_section(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, millimetres=False))
    assert rows.lengths == {}
    assert "Lengths" not in report_page("s", {}, rows, [])


def test_parquet_keeps_the_columns(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    from realtime.session.parquet import write_parquet

    table = parquet.read_table(write_parquet(written(tmp_path, millimetres=True)))
    assert table.column_names == column_names(millimetres=True)
    assert table.column("mm_source").to_pylist() == ["iris"] * 6
    assert table.column("mm_commissure_left").to_pylist() == [31.25] * 6


def test_the_share_of_the_healthy_side() -> None:
    assert share_of_healthy(Sides(12.0, 8.0), "right") == pytest.approx(2 / 3)
    assert share_of_healthy(Sides(12.0, 8.0), "left") == pytest.approx(1.5)
    assert math.isnan(share_of_healthy(Sides(12.0, 0.1), "left"))
    assert math.isnan(share_of_healthy(Sides(math.nan, 8.0), "left"))


def test_a_named_affected_side_gives_its_share_of_the_healthy_one() -> None:
    wanted = wanted_columns("iris", "right")
    names = column_names(millimetres=wanted)
    line = RowFormat(millimetres=wanted).line(row(FOUND))
    found = dict(zip(names, next(csv.reader(io.StringIO(line))), strict=True))
    assert found["mm_commissure_share"] == f"{20 / 31.25:.3f}"
    assert found["mm_fissure_height_share"] == "0.889"
    assert found["mm_brow_height_share"] == ""
    assert "mm_smile_angle_share" not in found  # an angle's share says nothing
    assert list(data_dictionary(millimetres=wanted)) == names
    *before, _ = column_names(millimetres=True)
    assert names[: len(before)] == before
    for empty in (None, Millimetres(math.nan, "iris", "the eyes are shut")):
        assert RowFormat(millimetres=wanted).line(row(empty)).count(",") == len(names) - 1
    assert wanted_columns("off", "left") is False
    assert wanted_columns("iris", "both") is True
    assert columns_in(",".join(names), "right") == "right"
    assert columns_in(",".join(column_names(millimetres=True)), "right") is True
    assert columns_in(",".join(column_names())) is False
