"""The report's numbers and curves, and the Parquet file, against the CSV they come from."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from realtime.cli import main
from realtime.errors import UserInputError
from realtime.files import write_json
from realtime.session.parquet import write_parquet
from realtime.session.read_frames import Rows, read_rows
from realtime.session.report import report_page
from realtime.session.schema import AUS, column_names, data_dictionary
from realtime.session.svg_chart import Curve, Plot, thinned, tick
from tests.session.live_like import make_session


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "session"
    folder.mkdir()
    writer, _ = make_session(folder, 21)
    write_json(folder / "session.json", {"format": 1, "written": "2026-01-01", "summary": None})
    with (folder / "markers.csv").open("a", encoding="utf-8") as file:
        file.write("30,101.000000,2026-01-01T00:00:01.000+00:00,<script>alert(1)</script>,http\n")
    writer.seal()
    return folder


def rows(
    times: ArrayLike,
    left: ArrayLike,
    right: ArrayLike,
    face: ArrayLike | None = None,
) -> Rows:
    moments = np.array(times, float)
    nothing = {au: np.full(len(moments), np.nan) for au in AUS}
    seen = np.ones(len(moments), bool) if face is None else np.array(face)
    words = [""] * len(moments)
    return Rows(
        np.arange(len(moments)), moments, 0.0, seen, words, words,
        {**nothing, 12: np.array(left, float)}, {**nothing, 12: np.array(right, float)},
    )  # fmt: skip


def test_rows_come_back_as_they_stand_in_the_file(session: Path) -> None:
    found = read_rows(session / "frames.csv")
    with (session / "frames.csv").open(newline="") as file:
        plain = list(csv.DictReader(file))
    assert found.sequences.tolist() == [int(row["sequence"]) for row in plain]
    assert np.allclose(found.times + found.start, [float(row["capture_time"]) for row in plain])
    for au, side, values in ((1, "left", found.left[1]), (12, "right", found.right[12]), (45, "left", found.left[45])):
        expected = [float(row[f"AU{au:02d}_{side}"] or "nan") for row in plain]
        assert np.array_equal(values, expected, equal_nan=True)
    assert found.units() == [1, 12]
    assert found.face.tolist() == [row["face_id"] != "" for row in plain]


def test_symmetry_is_the_weaker_sides_share_and_nothing_at_rest() -> None:
    table = rows([0, 1, 2, 3, 4], [4, 1, 0.2, np.nan, 0], [2, 4, 0.3, 3, 3])
    assert np.array_equal(table.symmetry(12), [0.5, 0.25, np.nan, np.nan, 0.0], equal_nan=True)
    assert np.array_equal(table.overall_symmetry(), table.symmetry(12), equal_nan=True)


def test_gaps_are_stretches_without_a_face_also_at_the_ends() -> None:
    times = np.arange(0, 10, 0.1)
    face = (times > 1.95) & ~((times > 4.95) & (times < 6.95)) & ~((times > 7.05) & (times < 7.25))
    gaps = rows(times, times, times, face).gaps()
    assert np.allclose(gaps, [(0, 2.0), (4.9, 7.0)])
    assert rows([], [], []).gaps() == []


def test_thinning_keeps_every_peak_and_the_order() -> None:
    rng = np.random.default_rng(0)
    times, values = np.arange(20_000) / 30, rng.normal(size=20_000)
    values[777] = 50
    few, kept = thinned(times, values, 1000)
    assert len(few) <= 1002
    assert (np.diff(few) > 0).all()
    assert kept.max() == 50
    assert kept.min() == values.min()
    assert np.isin(few, times).all()
    assert thinned(times[:10], values[:10], 1000)[0] is not times


def test_a_curve_breaks_where_nothing_was_measured_and_stays_inside_its_frame() -> None:
    times = np.arange(0, 10, 0.1)
    values = np.where((times > 3) & (times < 6), np.nan, 9.0)
    svg = Plot(times, 9.9).svg("t", [Curve("c", values, "#fff")], 5.0)
    path = re.search(r'd="([^"]*)"', svg)
    assert path is not None
    assert path[1].count("M") == 2
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path[1])]
    assert len(heights) == int(np.isfinite(values).sum())
    assert set(heights) == {8.0}, "above the axis is drawn at its top"


def test_a_curve_is_interrupted_and_tinted_where_the_face_was_seen_without_this_part() -> None:
    times = np.arange(0, 10, 0.1)
    values = np.where((times > 3.05) & (times < 3.35), np.nan, 1.0)
    seen = np.ones(len(times), bool)
    plot = Plot(times, 9.9, seen=seen)
    svg = plot.svg("t", [Curve("the left", values, "#fff", expected=True)], 5.0)
    assert svg.count("M") == 2, "0.3 s are bridged only where nothing was analysed"
    (tint,) = re.findall(
        r'<rect class="missing" x="([\d.]+)"[^>]* width="([\d.]+)"[^>]*><title>the left: not measured', svg
    )
    scale = (920 - 40 - 10) / 9.9
    assert [float(one) for one in tint] == pytest.approx([40 + 3.1 * scale, 0.3 * scale], abs=0.11)
    for other in (
        Curve("c", values, "#fff"),
        Curve("c", np.where(np.isnan(values), np.nan, 1.0), "#fff", expected=False),
    ):
        assert plot.svg("t", [other], 5.0).count("M") == 1
    seen[:] = np.isfinite(values)
    assert plot.svg("t", [Curve("c", values, "#fff", expected=True)], 5.0).count("M") == 1, "those frames show no face"


def test_the_page_names_hidden_parts_with_their_stretches() -> None:
    times = np.arange(0, 10, 0.1)
    covered = (times > 3.05) & (times < 4.05)
    face = np.arange(len(times)) % 2 == 0  # every second frame was analysed
    table = rows(times, times, times, face)
    assert "an earlier version" in report_page("s", {}, table, [])
    told = replace(table, tells_hidden=True, hidden=[("mouth",) if one else () for one in covered & face])
    page = report_page("s", {}, told, [])
    assert "<li>mouth: 10.0 % of the measured frames (3.2 to 4.1 s)</li>" in page
    nobody = report_page("s", {}, rows(times, times, times, np.zeros(len(times), bool)), [])
    assert "No face was measured" in nobody
    assert "an earlier version" not in nobody
    assert "None was found" in report_page("s", {}, replace(told, hidden=[()] * len(times)), [])


@pytest.mark.parametrize("length", [0.0, 0.5, 7, 30, 61, 600, 7200])
def test_ticks_are_round_and_few(length: float) -> None:
    step = tick(length)
    assert length / step <= 8.01
    assert f"{step:.6e}"[0] in "125"


def test_the_page_tells_when_recording_began_and_how_it_ended() -> None:
    table = rows([0, 1], [1, 1], [1, 1])
    described = {
        "written": "2026-03-01T12:09:00+00:00",  # at the end of the run
        "started": {"utc": "2026-03-01T14:00:05.5+02:00", "capture_clock": 3.0},
        "summary": {"ended": "ended"},
    }
    page = report_page("s", described, table, [])
    assert "<dt>recorded</dt><dd>2026-03-01 12:00:05 UTC</dd>" in page
    assert "<dt>ended</dt><dd>with its source</dd>" in page
    assert "<dt>recorded</dt>" not in report_page("s", {"written": ""}, table, [])


def test_the_page_is_whole_safe_and_needs_no_network(session: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    before = sorted(session.iterdir())
    assert main(["report", str(session), "--out", str(target)]) == 0
    assert sorted(session.iterdir()) == before
    page = target.read_text(encoding="utf-8")
    assert "<h2>AU 1 " in page
    assert "<h2>AU 12 " in page
    assert page.count("<path") == 5, "two sides of two units, and the symmetry"
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.findall(r"""(?:src|href)=|https?://|url\(""", page)
    assert "#e69f00" in page
    assert "#56b4e9" in page
    assert page.count('class="gap"') == 3, "one gap on each of three plots"
    assert main(["verify", str(session)]) == 0


def test_parquet_has_the_same_columns_and_values_and_the_dictionary(session: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    assert main(["export", str(session), "--parquet", "--out", str(tmp_path / "f.parquet")]) == 0
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.column_names == column_names()
    assert json.loads(table.schema.metadata[b"data_dictionary"]) == data_dictionary()
    with (session / "frames.csv").open(newline="") as file:
        plain = list(csv.DictReader(file))
    assert table.num_rows == len(plain)
    for name in column_names():
        cells = table.column(name).to_pylist()
        for cell, text in zip(cells, (row[name] for row in plain), strict=True):
            if isinstance(cell, str):
                assert cell == text, name
            elif text == "":
                assert cell is None, name
            else:
                assert cell == pytest.approx(float(text), rel=1e-6), name
    assert table.column("capture_time").to_pylist() == [float(row["capture_time"]) for row in plain]


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(UserInputError, match=r"no frames\.csv"):
        read_rows(tmp_path / "frames.csv")
    with pytest.raises(UserInputError, match=r"no frames\.csv"):
        write_parquet(tmp_path / "frames.csv")
    bad = tmp_path / "frames.csv"
    bad.write_text(",".join(column_names()) + "\n" + ",".join(["x"] * len(column_names())) + "\n")
    with pytest.raises(UserInputError, match="damaged after 0 rows"):
        read_rows(bad)
    with pytest.raises(UserInputError, match="cannot be read"):
        write_parquet(bad)
    assert main(["report", str(tmp_path)]) == 2
