"""frames.csv as columns, against Python's own reader."""

import csv
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import UserInputError
from realtime.file_locks import hold, is_held
from realtime.session.columns import ColumnFile
from realtime.viewer.curves import curve
from tests.viewer.sessions import make_session


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows by the program's own writer."""
    folder = make_session(tmp_path_factory.mktemp("columns") / "rows", 60, shown=False, dropped=[7])
    return folder / "frames.csv"


def test_every_number_and_text_is_what_the_csv_reader_reads(frames: Path) -> None:
    with frames.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    opened = ColumnFile(frames)
    names = [name for name in opened.names if name.startswith(("AU", "box", "wflw", "yaw", "sequence", "confidence"))]
    cells = opened.read(names, ("status", "cause", "not there"))
    assert cells.odd == 0
    assert cells.times.tolist() == [float(row["capture_time"]) for row in rows]
    for name in names:
        wanted = np.array([float(row[name] or "nan") for row in rows], np.float32)
        np.testing.assert_array_equal(cells.numbers[name], wanted)
    for name in ("status", "cause"):
        assert [opened.text(span) for span in cells.texts[name]] == [row[name] for row in rows]
    one = opened.read(["AU12_left"], ("status",), int(cells.starts[40]), int(cells.starts[41]))
    assert one.times.tolist() == [cells.times[40]]
    assert (cells.texts["not there"] == 0).all()
    opened.close()
    opened.close()


def test_quotes_foreign_cells_and_a_cut_row(tmp_path: Path) -> None:
    path = tmp_path / "frames.csv"
    body = '0,0.5,"a, ""b""",-1.25\r\n1,1e3,plain,nan\r\n2,0.75,\n3,123456.789012,x,7\n4,9.0,cu'
    path.write_bytes(f"sequence,capture_time,cause,AU12_left\n{body}".encode())
    opened = ColumnFile(path)
    cells = opened.read(["AU12_left", "sequence"], ("cause",))
    assert cells.numbers["sequence"].tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(cells.times, [0.5, np.nan, 0.75, 123456.789012])
    np.testing.assert_array_equal(cells.numbers["AU12_left"], np.array([-1.25, np.nan, np.nan, 7], np.float32))
    assert [opened.text(span) for span in cells.texts["cause"]] == ['a, "b"', "plain", "", "x"]
    assert cells.odd == 1
    assert cells.starts[-1] < opened.size
    for content, sentence in ((b"", "cannot be read"), (b"a,b\n1,2\n", "no header")):
        path.write_bytes(content)
        with pytest.raises(UserInputError, match=sentence):
            ColumnFile(path)


def test_a_curve_keeps_every_peak_and_leaves_out_what_was_not_measured() -> None:
    times = np.arange(3000) / 30
    values = np.zeros(3000, np.float32)
    values[1234], values[2000] = 5, -3
    values[500:600] = np.nan
    t, low, high = curve(times, values, 0.0, 100.0, 200)
    assert len(t) == len(low) == len(high) <= 200
    assert (high.max(), low.min()) == (5, -3)
    assert not ((t > times[510]) & (t < times[590])).any()
    t, low, high = curve(times, values, 41.0, 41.3, 200)
    inside = (times >= 41.0) & (times <= 41.3)
    assert len(t) == inside.sum() + 2  # one more on either side
    np.testing.assert_array_equal(low, high)
    assert 5 in high.tolist()
    t, _, _ = curve(times, np.full(3000, np.nan, np.float32), 0, 50, 100)
    assert not len(t)


@pytest.mark.parametrize(("last", "steps"), [(100.0, 200), (3.0, 200)])
def test_a_curve_is_interrupted_where_the_face_was_seen_but_this_part_of_it_was_not(last: float, steps: int) -> None:
    times = np.arange(3000) / 30
    values = np.ones(3000, np.float32)
    values[30:36] = values[60:66] = np.nan
    seen = np.ones(3000, bool)
    seen[60:66] = False
    t, low, high = curve(times, values, 0.0, last, steps, seen)
    gone = np.isnan(low)
    np.testing.assert_array_equal(gone, np.isnan(high))
    covered = (t >= times[30]) & (t <= times[35]) if last == 3.0 else np.zeros(len(t), bool)
    np.testing.assert_array_equal(gone, covered)


def test_whether_a_file_is_being_written_is_seen_by_others(tmp_path: Path) -> None:
    path = tmp_path / "frames.csv"
    assert not is_held(path)
    with path.open("wb") as file:
        assert not is_held(path)
        hold(file)
        assert is_held(path)
    assert not is_held(path)
