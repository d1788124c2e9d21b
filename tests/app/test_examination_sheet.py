"""Scores, sheet and course from session folders, as the command line makes them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.app.examination_outputs import without_pictures
from realtime.app.examination_sheet import write_sheet
from realtime.app.examinations import before, examinations_in, of_person, open_examination
from realtime.cli import main
from realtime.clinic import Examination, Repetition, Snapshot, write_examination
from realtime.face.face_model import HEAD_3D
from realtime.media.lossless import RawRecorder
from realtime.session.decision_log import DecisionLog
from realtime.session.folder import SESSION
from realtime.session.schema import FrameRow, RowFormat, column_names
from realtime.types import Analysis, FaceObservation, Frame
from tests.clinic.people import examination, peaks

REST, SMILE = 3, 7


def points() -> np.ndarray:
    return (HEAD_3D[:, :2] * (8.0, -8.0) + (96, 60)).astype(np.float32)


def examined(begun: str, gain: float = 0.5, overruled: Mapping[str, float] | None = None) -> Examination:
    found = examination("left", peaks("left", gain), noise=0.1, overruled=overruled)

    def placed(one: Repetition) -> Repetition:
        def at(snapshot: Snapshot | None, number: int) -> Snapshot | None:
            return None if snapshot is None else replace(snapshot, sequence=number)

        return replace(one, rest=at(one.rest, REST), at_peak=at(one.at_peak, SMILE))

    return replace(found, begun=begun, repetitions=tuple(placed(one) for one in found.repetitions))


def session(folder: Path, found: Examination, *, raw: bool = False) -> Path:
    """A session folder with the rows of a face, and raw frames if wished."""
    folder.mkdir()
    (folder / SESSION).write_text(json.dumps({"format": 1, "written": "2026-11-27"}), encoding="utf-8")
    face = FaceObservation(1, np.array((20, 0, 180, 140), np.float32), points(), points(), 1.0, True)
    rows = [RowFormat().line(FrameRow(n, n / 30, shown=True, analysis=Analysis(n, n / 30, face))) for n in range(10)]
    (folder / "frames.csv").write_text(",".join(column_names()) + "\n" + "".join(rows), encoding="utf-8")
    write_examination(folder, found)
    if raw:
        log = DecisionLog(folder / "decisions.jsonl", lambda: 0.0)
        recorder = RawRecorder(folder / "raw.mkv", log.raw)
        for n in range(10):
            picture = np.full((144, 192, 3), 10 * n, np.uint8)
            recorder.put(Frame(picture, n, n / 30), wait=True)
        recorder.close()
        log.close()
    return folder


def pictures(page: str) -> list[np.ndarray]:
    import base64

    data = [part.split('"')[0].split(",")[1] for part in page.split('src="data:image/')[1:]]
    shown = [cv2.imdecode(np.frombuffer(base64.b64decode(one), np.uint8), cv2.IMREAD_COLOR) for one in data]
    return [one for one in shown if one is not None]


def test_the_sheet_shows_the_raw_frames_of_rest_and_peaks(tmp_path: Path) -> None:
    kept = session(tmp_path / "a", examined("2026-11-27T10:00:00+00:00"), raw=True)
    page = write_sheet(kept, tmp_path / "sheet.html").read_text(encoding="utf-8")
    shown = pictures(page)
    assert [round(float(one[120, 120].mean())) for one in shown] == [10 * REST, *([10 * SMILE] * 8)]
    assert "There are no raw frames" not in page


@pytest.mark.parametrize("raw", [True, False])
def test_faces_are_drawn_where_no_picture_may_be_or_can_be_shown(raw: bool, tmp_path: Path) -> None:
    kept = session(tmp_path / "a", examined("2026-11-27T10:00:00+00:00"), raw=raw)
    page = write_sheet(kept, tmp_path / "sheet.html", landmarks_only=raw).read_text(encoding="utf-8")
    shown = pictures(page)
    assert len(shown) == 9
    for one in shown:
        assert (one == 255).all(axis=2).mean() > 0.8
        assert (one != 255).any()
    assert ("There are no raw frames" in page) is not raw


def test_the_scores_can_be_read_in_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    kept = session(tmp_path / "a", examined("2026-11-27T10:00:00+00:00"))
    for words in ([], ["--overrule", "sunnybrook.rest.cheek=1"]):
        assert main(["score", str(kept), *words]) == 0
        printed = capsys.readouterr().out
        assert "…" not in printed
        assert "zygomaticus" in printed
        assert len(printed.splitlines()) < 110


def test_a_clinicians_value_stands_beside_the_estimate_and_can_be_withdrawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = session(tmp_path / "a", examined("2026-11-27T10:00:00+00:00"))
    words = ["--overrule", "sunnybrook.rest.cheek=2", "--overrule", "sunnybrook.voluntary.snarl=1"]
    assert main(["score", str(kept), *words]) == 0
    file = tmp_path / "a-scores.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    snarl = content["scales"]["sunnybrook"]["items"]["sunnybrook.voluntary.snarl"]
    assert (snarl["value"], snarl["overruled"]) == (3, 1)
    composite = content["scales"]["sunnybrook"]["totals"]["sunnybrook.composite"]
    assert (composite["value"], composite["overruled"]) == (None, 4 * 13 - 5 * 2)
    assert content["scales"]["eface"]["items"]["eface.fold"]["value"] is None
    assert "nasolabial fold" in content["scales"]["eface"]["items"]["eface.fold"]["reason"]
    assert open_examination(kept).overruled == {"sunnybrook.rest.cheek": 2, "sunnybrook.voluntary.snarl": 1}
    assert main(["score", str(kept), "--withdraw", "sunnybrook.voluntary.snarl"]) == 0
    assert open_examination(kept).overruled == {"sunnybrook.rest.cheek": 2}
    capsys.readouterr()
    assert main(["score", str(kept), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["overruled"] == {"sunnybrook.rest.cheek": 2}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--overrule", "sunnybrook.rest.cheek=7"], "takes a whole number from 0 to 2"),
        (["--overrule", "eface.smile=70"], "There is no item 'eface.smile' to overrule"),
        (["--overrule", "nonsense"], "takes ITEM=VALUE"),
        (["--withdraw", "fngs.eye"], "Nothing is overruled in 'fngs.eye'"),
    ],
)
def test_wrong_words_are_one_sentence_and_change_nothing(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = session(tmp_path / "a", examined("2026-11-27T10:00:00+00:00"))
    assert main(["score", str(kept), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "a-scores.json").exists()


def test_a_damaged_score_file_is_one_sentence_and_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = session(tmp_path / "a", examined("2026-11-27T10:00:00+00:00"))
    (tmp_path / "a-scores.json").write_text("{", encoding="utf-8")
    assert main(["score", str(kept), "--overrule", "fngs.fold=2"]) == 2
    assert "a-scores.json is damaged" in capsys.readouterr().err
    assert (tmp_path / "a-scores.json").read_text(encoding="utf-8") == "{"


def test_report_writes_the_sheet_beside_the_page_only_where_there_is_an_examination(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = session(tmp_path / "a", examined("2026-11-27T10:00:00+00:00"))
    assert main(["report", str(kept)]) == 0
    assert (tmp_path / "a-examination.html").is_file()
    assert main(["report", str(kept), "--out", str(tmp_path / "own.html")]) == 0
    assert (tmp_path / "own-examination.html").is_file()
    (kept / "examination.json").unlink()
    (tmp_path / "a-examination.html").unlink()
    assert main(["report", str(kept)]) == 0
    assert not (tmp_path / "a-examination.html").exists()
    assert main(["score", str(kept)]) == 2
    assert "holds no examination" in capsys.readouterr().err


def test_an_examination_that_was_gone_on_with_counts_once(tmp_path: Path) -> None:
    whole = examined("2026-11-01T10:20:00+00:00")
    first = replace(whole, begun="2026-11-01T10:00:00+00:00", finished=False, repetitions=whole.repetitions[:9])
    other = replace(examined("2026-10-01T10:00:00+00:00", 0.7), finished=False)
    went_on = replace(whole, repetitions=(*without_pictures(first.repetitions), *whole.repetitions[9:]))
    for name, found in (("a", other), ("b", first), ("c", went_on)):
        session(tmp_path / name, found)
    kept, _ = examinations_in(tmp_path)
    assert [one.session.name for one in of_person(kept, "Ada")] == ["a", "c"]


def test_progress_takes_one_persons_examinations_in_order_of_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early, late = examined("2026-10-01T10:00:00+02:00", 0.2), examined("2026-11-01T10:00:00+00:00", 0.9)
    session(tmp_path / "z", early)
    kept = session(tmp_path / "a", late)
    session(tmp_path / "b", replace(late, person="Bo"))
    damaged = session(tmp_path / "c", late)
    (damaged / "examination.json").write_text("{}", encoding="utf-8")
    assert before(kept, late) == open_examination(tmp_path / "z")
    assert main(["progress", "--person", "Ada", "--sessions", str(tmp_path)]) == 0
    assert "c/examination.json is damaged" in capsys.readouterr().out
    rows = (tmp_path / "Ada-progress.csv").read_text(encoding="utf-8").splitlines()
    brow = [row.split(",") for row in rows if ",brow_raise.elevation,brow elevation,left," in row]
    assert [row[1] for row in brow] == ["z", "a"]
    assert brow[1][rows[0].split(",").index("since_last")] == "changed"
    assert "2 examinations, 2026-10-01 to 2026-11-01" in (tmp_path / "Ada-progress.html").read_text(encoding="utf-8")
    assert main(["progress", "--person", "Cy", "--sessions", str(tmp_path)]) == 2
    assert "there are examinations of Ada, Bo." in capsys.readouterr().err
    assert main(["progress", "--person", "Ada", "--sessions", str(tmp_path / "none")]) == 2
    assert "is not a folder" in capsys.readouterr().err
