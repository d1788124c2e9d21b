"""frames.csv: one row per captured frame, in order, whatever order the news comes in."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import DeviceError
from realtime.session.frames_csv import FramesCsv
from realtime.session.hidden_column import tells_hidden
from realtime.session.read_frames import read_rows
from realtime.session.row_assembler import RowSorter
from realtime.session.schema import AUS, FrameRow, RowFormat, column_names, data_dictionary
from realtime.types import Analysis, FaceObservation


def face(
    seed: int = 0, *, detected: bool = True, pose: tuple[float, float, float] | None = (1.5, -2.25, 0.0)
) -> FaceObservation:
    points = np.random.default_rng(seed).uniform(-5, 1280, (98, 2)).astype(np.float32)
    box = np.array([10.5, 20.25, 110, 220], np.float32)
    return FaceObservation(7, box, points, points, 0.98765, detected, None, pose)


def analysis(sequence: int, observed: FaceObservation | None, **more: Any) -> Analysis:
    return Analysis(sequence, sequence / 30, observed, **more)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, strict=True)
        rows = list(reader)
    assert reader.fieldnames == column_names()
    assert all(None not in row and None not in row.values() for row in rows)
    return rows


def test_the_columns_are_those_that_scripts_rely_on() -> None:
    names = column_names()
    assert names[:4] == ["sequence", "capture_time", "status", "cause"]
    assert names.index("wflw_y_0") - names.index("wflw_x_0") == 98
    assert [name for name in names if name.startswith("AU")][:4] == [
        "AU01_left",
        "AU01_right",
        "AU02_left",
        "AU02_right",
    ]
    assert len(names) == len(set(names)) == 16 + 196 + 2 * len(AUS) + 3
    assert names[-3:] == ["rest", "rest_share", "hidden"], "new columns come after those that scripts count on"
    more = column_names(several=True, millimetres=True)
    assert (more[-2:], more[:-2]) == (["person", "hidden"], column_names(millimetres=True, hidden=False))
    assert list(data_dictionary()) == names


def test_a_measured_row_holds_every_value_in_its_column(tmp_path: Path) -> None:
    observed = face()
    with_csv = FramesCsv(tmp_path / "frames.csv", lambda: 0.0)
    with_csv.captured(3, 12.3456789)
    with_csv.shown(3, 0.0125)
    with_csv.measured(analysis(3, observed, au_left={1: 0.5, 12: 4.9876}, au_right={1: float("nan"), 45: 0.0}))
    with_csv.close()
    (row,) = rows_of(tmp_path / "frames.csv")
    assert (row["sequence"], row["capture_time"], row["status"], row["cause"]) == ("3", "12.345679", "measured", "")
    assert (row["face_id"], row["confidence"], row["result_age_ms"]) == ("7", "0.9877", "12.50")
    assert (row["found_by"], row["box_x1"], row["box_y2"]) == ("detected", "10.50", "220.00")
    assert (row["yaw"], row["pitch"], row["roll"]) == ("1.50", "-2.25", "0.00")
    x = [float(row[f"wflw_x_{i}"]) for i in range(98)]
    y = [float(row[f"wflw_y_{i}"]) for i in range(98)]
    assert np.abs(np.stack([x, y], 1) - observed.points).max() < 0.0051
    assert (row["AU01_left"], row["AU12_left"], row["AU45_right"]) == ("0.500", "4.988", "0.000")
    assert (row["AU01_right"], row["AU12_right"], row["AU26_left"]) == ("", "", "")


def test_the_cause_says_where_another_face_is_measured(tmp_path: Path) -> None:
    writer = FramesCsv(tmp_path / "frames.csv", lambda: 0.0)
    for sequence, number in enumerate([7, None, 7, 3, 3, 7, 8]):
        writer.captured(sequence, sequence / 30)
        if sequence == 5:
            writer.dropped(sequence, "expired")  # on the picture path, before the analysis
        elif sequence != 6:  # of the last one it is never known
            writer.shown(sequence)
        writer.measured(analysis(sequence, None if number is None else replace(face(), face_id=number)))
    writer.close()
    causes = [row["cause"] for row in rows_of(tmp_path / "frames.csv")]
    assert causes[:5] == ["", "", "", "another face: 3 after 7", ""], "the first face is no change, nor is its return"
    assert causes[5:] == ["expired; another face: 7 after 3", "session ended; another face: 8 after 7"]


def test_what_was_not_measured_is_empty_never_zero(tmp_path: Path) -> None:
    writer = FramesCsv(tmp_path / "frames.csv", lambda: 0.0)
    for sequence in range(4):
        writer.captured(sequence, sequence / 30)
    writer.shown(0, 0.04)
    writer.dropped(1, "expired, at the edge")
    writer.shown(2)
    writer.shown(3)
    writer.measured(analysis(3, None))
    writer.close()
    rows = rows_of(tmp_path / "frames.csv")
    assert [row["status"] for row in rows] == ["held", "dropped", "held", "measured"]
    assert [row["cause"] for row in rows] == ["", "expired, at the edge", "", ""]
    leading = {"sequence", "capture_time", "status", "cause", "result_age_ms"}
    assert all(not value for row in rows for name, value in row.items() if name not in leading)
    assert [row["result_age_ms"] for row in rows] == ["40.00", "", "", ""]


def test_points_that_are_not_finite_are_empty_cells() -> None:
    observed = face(pose=None)
    observed.points[5] = np.nan
    row = FrameRow(1, 0.0, shown=True, analysis=analysis(1, observed))
    cells = dict(zip(column_names(), RowFormat().line(row).rstrip("\n").split(","), strict=True))
    assert (cells["wflw_x_5"], cells["wflw_y_5"], cells["yaw"], cells["roll"]) == ("", "", "", "")
    assert float(cells["wflw_x_6"]) == pytest.approx(float(observed.points[6, 0]), abs=0.006)


def test_a_late_result_comes_into_its_own_row_in_order() -> None:
    sorter = RowSorter()
    for sequence in range(4):
        sorter.captured(sequence, sequence / 30, sequence / 30)
        sorter.shown(sequence, 0.05)
    assert sorter.take_complete() == []
    sorter.measured(analysis(2, None))
    assert [(row.sequence, row.status) for row in sorter.take_complete()] == [(0, "held"), (1, "held"), (2, "measured")]
    sorter.advance_watermark(3)
    assert [(row.sequence, row.status) for row in sorter.take_complete()] == [(3, "held")]
    assert len(sorter) == 0


def test_however_late_a_result_is_it_gets_into_its_row(tmp_path: Path) -> None:
    """Meanwhile the file holds what is known, less than a second behind; at the end it is as if nothing had been late."""
    now, path = 0.0, tmp_path / "frames.csv"
    written: list[int] = []
    writer = FramesCsv(path, lambda: now, on_row=lambda row: written.append(row.sequence))
    for sequence in range(300):
        now = sequence / 30
        writer.captured(sequence, now)
        if sequence >= 60:
            writer.shown(sequence - 60)
        if sequence >= 150 and sequence % 50 == 0:
            writer.measured(analysis(sequence - 150, face(sequence), au_left={12: 1.5}))
    killed = rows_of(path)
    assert len(killed) >= 300 - 25
    assert [row["status"] for row in killed[::50]] == ["measured"] * 3 + ["held"] + ["dropped"] * 2
    assert [row["cause"] for row in killed[::50]] == [""] * 4 + ["pending"] * 2
    assert written == list(range(101))
    for sequence in range(300 - 60, 300):
        writer.shown(sequence)
    writer.measured(analysis(299, None))
    writer.close()
    rows = rows_of(path)
    assert [int(row["sequence"]) for row in rows] == list(range(300)) == written
    assert {row["cause"] for row in rows} == {""}
    measured = [int(row["sequence"]) for row in rows if row["status"] == "measured"]
    assert measured == [0, 50, 100, 299]
    assert [row["AU12_left"] for row in rows if row["face_id"]] == ["1.500"] * 3


def test_pictures_far_apart_lose_no_row() -> None:
    """With a queue before the analysis, the newest picture is several ahead of the one that is measured."""
    for period in (0.16, 0.2, 1.0, 60.0):
        sorter, out = RowSorter(), []
        for sequence in range(60):
            sorter.captured(sequence, sequence * period, sequence * 0.01)
            if sequence >= 5:
                sorter.shown(sequence - 5)
                sorter.measured(analysis(sequence - 5, None))
            out += sorter.take_complete()
        assert [(row.sequence, row.status, row.cause) for row in out] == [(n, "measured", "") for n in range(55)]


def test_a_part_that_never_comes_back_fills_no_memory_and_its_late_results_are_counted(tmp_path: Path) -> None:
    sorter, out = RowSorter(most_held=20), []
    for sequence in range(30):
        sorter.captured(sequence, sequence / 10, sequence / 10)
        sorter.shown(sequence)
        out += sorter.take_complete()
        assert len(sorter) <= 20
    assert [row.sequence for row in out] == list(range(10))
    sorter.measured(analysis(3, None))
    assert sorter.late == 1


def test_a_file_that_cannot_be_written_any_more_ends_with_a_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "frames.csv"
    writer = FramesCsv(path, lambda: 0.0)
    file, taken = writer._file, 0

    class Filling:
        """Takes 5,000 bytes more, then a part of a write and no other."""

        def write(self, content: bytes) -> int:
            nonlocal taken
            if taken >= 5000:
                raise OSError(28, "No space left on device")
            part = bytes(content[: 5000 - taken])
            taken += len(part)
            return file.write(part)

        def __getattr__(self, name: str) -> Any:
            return getattr(file, name)

    writer._file = cast("IO[bytes]", Filling())
    for sequence in range(20):
        writer.captured(sequence, sequence / 30)
        writer.shown(sequence)
        writer.measured(analysis(sequence, face(sequence)))
    writer.close()
    rows = rows_of(path)
    assert path.read_bytes().endswith(b"\n")
    assert 0 < len(rows) == writer.rows == 20 - writer.rows_lost
    assert len(writer.notices) == 1


def test_the_analysis_path_may_say_why_a_frame_was_not_measured() -> None:
    sorter = RowSorter()
    sorter.captured(0, 0.0, 0.0)
    sorter.not_measured(0, "superseded")
    assert sorter.take_complete() == []
    sorter.shown(0)
    (row,) = sorter.take_complete()
    assert (row.status, row.cause) == ("held", "superseded")


def test_at_the_end_every_row_goes_out() -> None:
    sorter = RowSorter()
    for sequence in (0, 1, 5):
        sorter.captured(sequence, sequence / 30, sequence / 30)
    sorter.shown(0)
    rest = sorter.take_all()
    assert [(r.sequence, r.status, r.cause) for r in rest] == [
        (0, "held", ""),
        (1, "dropped", "session ended"),
        (5, "dropped", "session ended"),
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_of_news_gives_one_row_per_frame_in_order_with_its_own_result(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25))
    fates = data.draw(st.lists(st.sampled_from(["shown", "dropped"]), min_size=count, max_size=count))
    analysed = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    delays = data.draw(st.lists(st.integers(0, 8), min_size=2 * count, max_size=2 * count))
    news = [(float(s), 0, s, "captured") for s in range(count)]
    news += [(s + delays[s] + 0.1, 1, s, fates[s]) for s in range(count)]
    ready = 0.0
    for s in range(count):
        if analysed[s]:
            ready = max(ready, s + delays[count + s] + 0.2)
            news.append((ready, 2, s, "measured"))
    sorter, out = RowSorter(), []
    for _, _, s, what in sorted(news):
        if what == "captured":
            sorter.captured(s, s / 30, s / 30)
        elif what == "shown":
            sorter.shown(s)
        elif what == "dropped":
            sorter.dropped(s, "late")
        else:
            sorter.measured(analysis(s, None))
        out += sorter.take_complete()
    out += sorter.take_all()
    assert [row.sequence for row in out] == list(range(count))
    expected = [
        "measured" if a else ("held" if f == "shown" else "dropped") for f, a in zip(fates, analysed, strict=True)
    ]
    assert [row.status for row in out] == expected
    assert sorter.late == 0


def test_rows_reach_the_disk_within_half_a_second(tmp_path: Path) -> None:
    now = 0.0
    path = tmp_path / "frames.csv"
    writer = FramesCsv(path, lambda: now)
    on_disk = []
    for sequence in range(40):
        now = sequence / 30
        writer.captured(sequence, now)
        writer.shown(sequence)
        writer.advance_watermark(sequence)
        on_disk.append(path.read_text(encoding="utf-8").count("\n") - 1)
    behind = [sequence + 1 - count for sequence, count in enumerate(on_disk)]
    assert max(behind) <= 16
    writer.close()
    assert len(rows_of(path)) == 40


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_is_full_from_the_start_is_one_sentence() -> None:
    with pytest.raises(DeviceError, match="the disk is full"):
        FramesCsv(Path("/dev/full"), lambda: 0.0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_later(tmp_path: Path) -> None:
    now = 0.0
    path = tmp_path / "frames.csv"
    writer = FramesCsv(path, lambda: now)
    assert writer._file is not None
    writer._file.close()
    writer._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - the writer closes it
    for sequence in range(20):
        now += 0.2
        writer.captured(sequence, now)
        writer.shown(sequence)
        writer.measured(analysis(sequence, face(sequence)))
    writer.close()
    assert writer.failed
    assert len(writer.notices) == 1
    assert "the disk is full" in writer.notices[0]
    assert writer.rows + writer.rows_lost == 20


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be written"):
        FramesCsv(tmp_path / "nowhere" / "frames.csv", lambda: 0.0)


@pytest.mark.parametrize("settled", [True, False])
def test_the_file_is_never_more_than_a_second_behind(tmp_path: Path, settled: bool) -> None:
    """What a kill at any moment leaves on disk, even while no frame's fate is ever settled."""
    now, path = 0.0, tmp_path / "frames.csv"
    writer = FramesCsv(path, lambda: now)
    for sequence in range(150):
        now = sequence / 30
        writer.captured(sequence, now)
        if settled:
            writer.shown(sequence)
            writer.measured(analysis(sequence, face(sequence)))
        lines = path.read_text().split("\n")[1:]
        whole = [line for line in lines[:-1] if line]
        on_disk = float(whole[-1].split(",")[1]) if whole else 0.0
        assert now - on_disk <= 1.0
    writer.close()


def test_the_state_of_rest_is_in_its_columns() -> None:
    known = analysis(1, face(), rest="provisional", rest_share=0.5)
    for found, cells in ((known, "provisional,0.500"), (analysis(1, face()), ","), (analysis(1, None), ",")):
        line = RowFormat(hidden=False).line(FrameRow(1, 0.0, shown=True, analysis=found))
        assert line.endswith(f",{cells}\n")
        assert line.count(",") == len(column_names(hidden=False)) - 1


def test_the_last_column_names_hidden_parts_and_says_none_only_where_all_were_judged(tmp_path: Path) -> None:
    covered = replace(face(), hidden=("left eye", "mouth"), hidden_known=True)
    seen, unjudged = replace(face(), hidden_known=True), face()
    writer = FramesCsv(tmp_path / "frames.csv", lambda: 0.0)
    for sequence, found in enumerate((covered, seen, unjudged, None)):
        writer.captured(sequence, sequence / 30)
        writer.shown(sequence)
        writer.measured(analysis(sequence, found))
    writer.captured(4, 0.2)
    writer.close()
    cells = [row["hidden"] for row in rows_of(tmp_path / "frames.csv")]
    assert cells == ["left_eye mouth", "none", "", "", ""], "not judged, no face and not analysed are empty"
    read = read_rows(tmp_path / "frames.csv")
    assert (read.tells_hidden, read.hidden) == (True, [("left eye", "mouth"), (), (), (), ()])


def test_of_several_people_each_row_has_its_own_hidden_parts() -> None:
    others = (
        analysis(1, replace(face(), face_id=8, hidden=("mouth",))),
        analysis(1, replace(face(), hidden_known=True)),
    )
    found = analysis(1, replace(face(), hidden=("right brow",)), others=others)
    rows = RowFormat(several=True).line(FrameRow(1, 0.0, shown=True, analysis=found)).splitlines()
    assert [row.split(",")[-2:] for row in rows] == [["patient", "right_brow"], ["other", "mouth"], ["other", "none"]]
    nobody = RowFormat(several=True).line(FrameRow(1, 0.0, shown=True, analysis=analysis(1, None)))
    assert nobody.count(",") == len(column_names(several=True)) - 1


def test_a_file_of_an_earlier_version_is_read_without_hidden_parts(tmp_path: Path) -> None:
    old = ",".join(column_names(hidden=False))
    line = RowFormat(hidden=False).line(FrameRow(1, 0.0, shown=True, analysis=analysis(1, face())))
    (tmp_path / "frames.csv").write_text(f"{old}\n{line}", encoding="utf-8")
    read = read_rows(tmp_path / "frames.csv")
    assert (len(read.times), read.tells_hidden, read.hidden) == (1, False, [()])
    assert not tells_hidden(tmp_path / "frames.csv")
