"""Agreement of sessions, programs and coders, against other implementations and by counting."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from realtime.cli import main
from realtime.clinic.agreement import icc_agreement, icc_consistency, kappa, limits_of_agreement, mean_squares
from realtime.exchange import Annotations, Code, Exclusion, Label, Point, annotations_file, write_annotations
from realtime.exchange.raters import compare_raters
from realtime.exchange.series import paired, read_series
from tests.clinic.test_statistics import SHROUT_FLEISS
from tests.exchange.drawn import annotations
from tests.exchange.sessions import make_session, values
from tests.exchange.test_export_import import refused


def test_labels_about_two_faces_are_two_codes() -> None:
    a = Annotations("A", [Code("smile")], [Label(0, 100, "smile", face=1), Label(0, 100, "smile", face=2)])
    b = Annotations("B", [Code("smile")], [Label(0, 100, "smile", face=1), Label(0, 100, "smile")])
    found = {one.code: one.events for one in compare_raters(a, b, until=200).codes}
    assert found == {"smile": (0, 1, 0), "smile (face 1)": (1, 1, 1), "smile (face 2)": (1, 0, 0)}


def test_icc_is_that_of_shrout_and_fleiss() -> None:
    found = mean_squares(SHROUT_FLEISS)
    assert found.icc_agreement == pytest.approx(0.29, abs=0.005)
    assert found.icc_consistency == pytest.approx(0.71, abs=0.005)


def test_icc_and_limits_of_two_series() -> None:
    """ICC by pingouin 0.7.0, `intraclass_corr`, types ICC(A,1) and ICC(C,1)."""
    a, b = np.array([9, 6, 8, 7, 10, 6.0]), np.array([8, 2, 6, 1, 6, 4.0])
    assert icc_agreement(a, b) == pytest.approx(0.332756, abs=1e-6)
    assert icc_consistency(a, b) == pytest.approx(0.655290, abs=1e-6)
    limits = limits_of_agreement(a, b)
    assert limits is not None
    assert limits.bias == pytest.approx((b - a).mean())
    assert limits.upper - limits.lower == pytest.approx(2 * 1.96 * (b - a).std(ddof=1))


def test_kappa_is_cohens() -> None:
    """The table of two readers of 50 proposals: 20, 5, 10, 15; kappa 0.40."""
    assert kappa(20, 5, 10, 15) == pytest.approx(0.4)
    assert kappa(0, 0, 0, 10) is None


@settings(max_examples=25, deadline=None)
@given(a=annotations(), b=annotations())
def test_kappa_over_time_is_that_of_every_millisecond(a: Annotations, b: Annotations) -> None:
    until = 400
    code = Code("x")
    a, b = (
        Annotations(
            codes=[code],
            labels=[Label(one.start % 300, one.start % 300 + one.end % 90 + 1, "x") for one in made.labels]
            + [Label(0, 7, "x")],
            exclusions=[Exclusion(one.start % 350, one.start % 350 + 9) for one in made.exclusions],
        )
        for made in (a, b)
    )
    moments = [at for at in range(until) if not a.excluded(at) and not b.excluded(at)]
    said = [[any(label.start <= at < label.end for label in one.labels) for at in moments] for one in (a, b)]
    counts = [
        sum(pair == wanted for pair in zip(*said, strict=True)) for wanted in itertools.product((True, False), repeat=2)
    ]
    found = compare_raters(a, b, until)
    assert found.excluded == until - len(moments)
    for one in found.codes:
        assert one.seconds == pytest.approx([count / 1000 for count in counts])
        assert one.kappa == pytest.approx(kappa(*counts)) if kappa(*counts) is not None else one.kappa is None


def test_events_are_matched_once() -> None:
    a = Annotations("A", [Code("x")], [Label(0, 100, "x"), Label(200, 300, "x")], [Point(0, "cue"), Point(600, "cue")])
    b = Annotations(
        "B", [Code("x")], [Label(10, 110, "x"), Label(20, 95, "x"), Label(280, 400, "x")], [Point(400, "cue")]
    )
    found = {one.kind: one for one in compare_raters(a, b).codes}
    assert found["label"].events == (2, 3, 1)
    assert found["label"].f1 == pytest.approx(2 / 5)
    assert found["marker"].events == (2, 1, 1)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return make_session(tmp_path / "a")


def test_two_sessions_give_bias_table_and_page(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_session(tmp_path / "b", rate=15.0, bias=0.25)
    page = tmp_path / "out.html"
    assert main(["compare", str(session), str(other), "--out", str(page)]) == 0
    said = capsys.readouterr()
    assert "resampled to the rows of b" in said.err
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["au"], row["side"]): row for row in csv.DictReader(file)}
    assert float(rows["12", "left"]["bias"]) == pytest.approx(0.25, abs=0.03)
    assert float(rows["12", "right"]["bias"]) == pytest.approx(0.0, abs=0.03)
    assert float(rows["12", "left"]["icc_3_1"]) > 0.99
    text = page.read_text("utf-8")
    assert "Content-Security-Policy" in text
    assert text.count("<svg") == len(rows)
    assert "http" not in text.split("</style>")[1]
    refused(capsys, "exists already", "compare", session, other, "--out", page)


def test_what_somebody_excluded_is_left_out(session: Path) -> None:
    write_annotations(annotations_file(session), Annotations(exclusions=[Exclusion(0, 1000)]))
    found = paired(read_series(session, None), read_series(session, None))
    assert found.times[0] == pytest.approx(1.0)
    assert "exclude ranges" in found.notes[1]


def test_a_program_without_sides_is_compared_with_both_and_their_mean(session: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "openface.csv"
    lines = ["frame, face_id, timestamp, confidence, success, AU12_r, AU12_c"]
    for number in range(60):
        at = number / 30
        value = (values(at, 0.0)[12] + values(at, 0.5)[12]) / 2
        lines.append(f"{number + 1}, 0, {at:.3f}, 0.98, {int(number != 5)}, {value:.2f}, 1")
    theirs.write_text("\n".join(lines), encoding="utf-8")
    found = paired(read_series(session, "start"), read_series(theirs, "start"))
    assert list(found.pairs) == [(12, "left"), (12, "right"), (12, "whole")]
    first, second = found.pairs[12, "whole"]
    assert np.nanmax(np.abs(first - second)) < 0.01
    assert np.isnan(second[5])


def test_another_programs_rows_that_a_spreadsheet_saved_again(session: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "excel.csv"
    lines = ["timestamp;AU12_left", *(f"{number / 30:.3f};{values(number / 30, 0.0)[12]:.3f}" for number in range(60))]
    theirs.write_text("\r\n".join(lines).replace(".", ","), "utf-8-sig", newline="")
    found = paired(read_series(session, "start"), read_series(theirs, "start"))
    first, second = found.pairs[12, "left"]
    assert np.nanmax(np.abs(first - second)) < 0.01


def test_bad_comparisons_are_one_sentence(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = make_session(tmp_path / "later", start=5000.0)
    described = (later / "session.json").read_text().replace("T12:00:00", "T13:00:00")
    (later / "session.json").write_text(described)
    refused(capsys, "no time in common", "compare", session, later)
    assert main(["compare", str(session), str(later), "--by", "start"]) == 0
    empty = make_session(tmp_path / "empty", seconds=0)
    refused(capsys, "no rows", "compare", session, empty)
    refused(capsys, "There is no file", "compare", session, tmp_path / "none")
    write_annotations(annotations_file(session, "Ada"), Annotations("Ada"))
    coded = annotations_file(session, "Ada")
    refused(capsys, "cannot be compared", "compare", session, coded)
    other = tmp_path / "other.json"
    write_annotations(other, Annotations("Bea", [Code("x")], [Label(0, 9, "x")]))
    refused(capsys, "neither a label nor a marker", "compare", coded, other)


def test_two_coders_give_kappa_and_a_page(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [annotations_file(session, "Ada"), annotations_file(session, "Bea")]
    for path, shift in zip(paths, (0, 100), strict=True):
        labels = [Label(1000 + shift, 2000 + shift, "smile")]
        write_annotations(path, Annotations(path.stem[-3:], [Code("smile")], labels))
    page = tmp_path / "coders.html"
    assert main(["compare", *map(str, paths), "--out", str(page), "--until", "3"]) == 0
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["kappa"]) == pytest.approx(1 - 0.2 / (2 * 1 * 2 / 3), abs=1e-6)
    assert (row["both_s"], row["matched"]) == ("0.900", "1")
    assert "Ada" in page.read_text("utf-8")
