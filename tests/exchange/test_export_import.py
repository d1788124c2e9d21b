"""`export` and `import` as a user calls them."""

import csv
import json
from pathlib import Path

import pytest

from realtime.cli import main
from realtime.exchange import (
    Annotations,
    Code,
    Exclusion,
    Label,
    Point,
    annotations_file,
    read_annotations,
    write_annotations,
)
from tests.exchange.sessions import START, make_session

MADE = Annotations(
    "Ada",
    [Code("smile", "voluntary"), Code("blink")],
    [Label(100, 900, "smile", "weak"), Label(500, 1500, "smile")],
    [Point(50, "cue")],
    [Exclusion(0, 40, "hand")],
)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    folder = make_session(tmp_path / "s1")
    write_annotations(annotations_file(folder, "Ada"), MADE)
    return folder


def refused(capsys: pytest.CaptureFixture[str], words: str, *command: object, code: int = 2) -> None:
    """The command ends in one sentence that holds these words."""
    capsys.readouterr()
    assert main([str(word) for word in command]) == code
    said = capsys.readouterr().err.strip()
    assert words in said
    assert said.count("\n") == 0


@pytest.mark.parametrize("form", ["elan", "boris", "boris-tsv", "bids"])
def test_annotations_go_out_and_come_back_and_the_session_stays_as_it_was(
    session: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / {"elan": "a.eaf", "boris": "a.boris", "boris-tsv": "a.tsv", "bids": "data"}[form]
    assert main(["export", str(session), "--to", form, "--out", str(out)]) == 0
    file = out / "sub-01/beh/sub-01_task-face_events.tsv" if form == "bids" else out
    assert main(["import", str(session), str(file), "--coder", "Ada", "--replace"]) == 0
    found = read_annotations(annotations_file(session, "Ada")).annotations
    codes = [Code("smile")] if form == "boris-tsv" else MADE.codes
    assert found == Annotations("Ada", codes, MADE.labels, MADE.points, MADE.exclusions)
    assert main(["verify", str(session)]) == 0
    refused(capsys, "exists already", "export", session, "--to", form, "--out", out)
    refused(capsys, "exists already", "import", session, file, "--coder", "Ada")


def test_a_bids_dataset_has_names_units_and_start_times_and_takes_a_second_person(
    session: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    words = ["export", str(session), "--to", "bids", "--out", str(data), "--bids-session", "pre", "--task", "smile"]
    assert main([*words, "--subject", "A1"]) == 0
    assert main([*words, "--subject", "B2"]) == 0
    begin = data / "sub-A1/ses-pre/beh/sub-A1_ses-pre_task-smile"
    columns = json.loads(Path(f"{begin}_beh.json").read_text())
    assert columns["capture_time"]["Units"] == "s"
    assert columns["wflw_x_0"]["Units"] == "pixel"
    with Path(f"{begin}_beh.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 90
    assert rows[3]["time"] == "0.100000"
    assert rows[9]["AU12_left"] == rows[0]["AU07_left"] == "n/a"
    assert set(columns) - {"TaskName"} == set(rows[0])
    scans = (data / "sub-A1/ses-pre/sub-A1_ses-pre_scans.tsv").read_text().splitlines()
    assert scans[1] == "beh/sub-A1_ses-pre_task-smile_beh.tsv\t2026-03-01T12:00:01.000000Z"
    assert (data / "participants.tsv").read_text().split() == ["participant_id", "sub-A1", "sub-B2"]
    levels = json.loads(Path(f"{begin}_events.json").read_text())["trial_type"]["Levels"]
    assert levels == {"cue": "a marker", "smile": "voluntary", "blink": ""}


BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><ANNOTATION_DOCUMENT>&c;</ANNOTATION_DOCUMENT>'
EAF = '<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds"/>{}</ANNOTATION_DOCUMENT>'
DOUBLES = EAF.format(
    '<CONTROLLED_VOCABULARY CV_ID="x"><CV_ENTRY>Smile</CV_ENTRY><CV_ENTRY>smile</CV_ENTRY></CONTROLLED_VOCABULARY>'
)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.eaf", "<ANNOTATION_DOCUMENT>", "broken XML"),
        ("a.eaf", BOMB, "document type"),
        ("a.eaf", "<a>" * 60 + "</a>" * 60, "nested"),
        ("a.eaf", "<html/>", "no ELAN file"),
        ("a.eaf", EAF.replace("milliseconds", "PAL-frames").format(""), "PAL-frames"),
        ("a.eaf", EAF.format('<TIER TIER_ID="x"/>'), "lacks 'LINGUISTIC_TYPE_REF'"),
        ("a.eaf", DOUBLES, "twice"),
        ("a.boris", "{", "no JSON"),
        ("a.boris", '{"observations": {"x": {}, "y": {}}, "behaviors_conf": {}}', "--observation"),
        ("a.boris", '{"observations": {"x": {"events": [["soon"]]}}, "behaviors_conf": {}}', "damaged"),
        ("a.tsv", "Behavior\tTime\n1\t2\n", "lacks"),
        ("a.tsv", "Behavior\tBehavior type\tTime\nx\tPOINT\tsoon\n", "no readable time"),
        ("a.tsv", "onset\tx\n1\t2\n", "lacks the columns"),
        ("a.tsv", "onset\tduration\nnever\t2\n", "no readable onset"),
        ("a.tsv", "onset\tduration\n-2\t0\n", "2 s before"),
        ("a.csv", "frame, timestamp, AU12_r\n1, soon, 2\n", "no CSV of OpenFace"),
        ("a.csv", "frame, timestamp, AU12_r\n1, 900, 2\n", "no time in common"),
        ("a.csv", "x,y\n", "is none of"),
        ("a.xlsx", "PK", "save the sheet as CSV UTF-8"),
    ],
)
def test_a_bad_file_is_one_sentence_and_nothing_is_written(
    session: Path, tmp_path: Path, name: str, content: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    refused(capsys, words, "import", session, tmp_path / name, "--coder", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_other_bad_input_is_one_sentence(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = make_session(tmp_path / "empty", seconds=0)
    refused(capsys, "no rows", "export", empty, "--to", "elan")
    refused(capsys, "no rows", "export", empty, "--to", "openface")
    refused(capsys, "There is no file", "import", session, tmp_path / "none.eaf")
    refused(capsys, "has made no annotations", "export", session, "--to", "elan", "--coder", "Eve")
    refused(capsys, "letters and digits", "export", session, "--to", "bids", "--subject", "a-b")
    refused(capsys, "no BIDS dataset", "export", session, "--to", "bids", "--out", session)
    write_annotations(annotations_file(session, "Eve"), MADE)
    refused(capsys, "--coder NAME", "export", session, "--to", "elan")


def test_somebody_elses_events_keep_their_columns_in_the_comment(session: Path, tmp_path: Path) -> None:
    file = tmp_path / "theirs_events.tsv"
    file.write_text("onset\tduration\ttrial_type\tresponse_time\n0.5\t0.2504\tgo\t0.3\n1\tn/a\tn/a\tn/a\n", "utf-8")
    assert main(["import", str(session), str(file), "--coder", "B"]) == 0
    found = read_annotations(annotations_file(session, "B")).annotations
    assert found.labels == (Label(500, 750, "go", "response_time=0.3"),)
    assert found.points == (Point(1000, ""),)


@pytest.mark.parametrize(("between", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16")])
def test_tables_that_a_spreadsheet_saved_with_decimal_commas(
    session: Path, tmp_path: Path, between: str, encoding: str
) -> None:
    events, boris = tmp_path / "theirs_events.tsv", tmp_path / "boris.csv"
    rows = [("onset", "duration", "trial_type"), ("0,5", "0,25", "go, now"), ("1", "0", "1,5")]
    events.write_text("".join(between.join(row) + "\r\n" for row in rows), encoding, newline="")
    states = [("Observation id", "Behavior", "Behavior type", "Time"), ("o", "smile", "START", "0,1")]
    states += [("o", "smile", "STOP", "0,375")]
    boris.write_text("".join(between.join(row) + "\r\n" for row in states), encoding, newline="")
    assert main(["import", str(session), str(events), "--coder", "B"]) == 0
    assert main(["import", str(session), str(boris), "--coder", "C"]) == 0
    found = read_annotations(annotations_file(session, "B")).annotations
    assert (found.labels, found.points) == ((Label(500, 750, "go, now"),), (Point(1000, "1,5"),))
    assert read_annotations(annotations_file(session, "C")).annotations.labels == (Label(100, 375, "smile"),)


def test_boris_pairs_of_several_subjects_keep_the_subject(session: Path, tmp_path: Path) -> None:
    file = tmp_path / "theirs.tsv"
    file.write_text(
        "Observation id\tSubject\tBehavior\tBehavior type\tTime\tComment\n"
        "o\tmother\tsmile\tSTART\t0.1\tfirst\no\tchild\tsmile\tSTART\t0.2\t\no\tmother\tsmile\tSTOP\t0.3\tlast\n"
        "o\tchild\tsmile\tSTOP\t0.4\t\no\tchild\tcry\tSTART\t0.5\t\n",
        "utf-8",
    )
    assert main(["import", str(session), str(file), "--coder", "B"]) == 0
    found = read_annotations(annotations_file(session, "B")).annotations
    assert found.labels == (Label(100, 300, "mother: smile", "first / last"), Label(200, 400, "child: smile"))
    assert found.points == (Point(500, "cry"),)


def test_start_is_the_first_rows_capture_time(session: Path) -> None:
    from realtime.exchange.timeline import timeline_of

    assert timeline_of(session).start == START


def test_markers_of_the_run_are_taken_as_points(session: Path) -> None:
    marks = session / "markers.csv"
    marks.write_text(
        "sequence,capture_time,wall_time,text,source\n"
        f'7,{START + 0.25:.6f},2026-03-01T12:00:01,"two\nlines",key\n9,{START + 0.3:.6f},2026-03-01T12:00:01,,http\n',
        encoding="utf-8",
    )
    assert main(["import", str(session), str(marks), "--coder", "run"]) == 0
    found = read_annotations(annotations_file(session, "run")).annotations
    assert found.points == (Point(250, "two lines", "set by key"), Point(300, "", "set by http"))
