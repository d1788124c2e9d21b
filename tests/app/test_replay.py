"""A replay gives the live run's rows byte for byte, and says so when it cannot."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from realtime.action_units.baseline import Baseline
from realtime.app.replay import Pictures, compare, rerun
from realtime.cli import main
from realtime.errors import UserInputError
from realtime.media.lossless import read_raw
from realtime.session.calibration_store import CalibrationStore
from realtime.session.decision_log import read_decisions
from realtime.session.schema import RowFormat, column_names
from tests.session.live_like import FRAMES, face_path, make_session


def replayed(folder: Path, stored_baseline: Baseline | None = None) -> bytes:
    decisions = list(read_decisions(folder / "decisions.jsonl"))
    pictures = Pictures(decisions, read_raw(folder / "raw.mkv"))
    rows = RowFormat()
    missing: list[int] = []
    lines = [rows.line(row) for row in rerun(decisions, pictures, face_path(stored_baseline), missing.append)]
    assert missing == []
    return (",".join(column_names()) + "\n" + "".join(lines)).encode()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A session never to be changed, and the frames that were analysed."""
    folder = tmp_path_factory.mktemp("session")
    return folder, make_session(folder, 4)[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_rows_byte_for_byte_whatever_was_dropped(tmp_path: Path, seed: int) -> None:
    _, analysed = make_session(tmp_path, seed)
    recorded = (tmp_path / "frames.csv").read_bytes()
    assert replayed(tmp_path) == recorded
    rows = list(csv.DictReader(recorded.decode().splitlines()))
    assert len(rows) == FRAMES
    assert 0 < len(analysed) < FRAMES
    assert {row["status"] for row in rows} == {"measured", "held", "dropped"}
    assert any(row["wflw_x_0"] for row in rows)
    assert any(float(row["AU01_left"] or 0) > 0 for row in rows), "there is something to reproduce"
    assert {row["neutral"] for row in rows} == {"", "none", "running", "calibrated"}


def test_frames_not_analysed_live_are_not_analysed_again(session: tuple[Path, list[int]]) -> None:
    folder, _ = session
    decisions = list(read_decisions(folder / "decisions.jsonl"))
    # One frame more analysed than live moves the tracker and the running neutral: the rows must differ.
    analysed = [d["n"] for d in decisions if d["kind"] == "track"]
    extra = next(n for n in range(30, FRAMES) if n not in analysed)
    at = next(i for i, d in enumerate(decisions) if d["kind"] == "track" and d["n"] > extra)
    changed = [*decisions[:at], {"kind": "track", "n": extra, "detections": None}, *decisions[at:]]
    rows = RowFormat()
    pictures = Pictures(changed, read_raw(folder / "raw.mkv"))
    lines = [rows.line(row) for row in rerun(changed, pictures, face_path(), lambda _n: None)]
    assert lines != (folder / "frames.csv").read_text().splitlines(keepends=True)[1:]


def test_a_stored_calibration_is_part_of_the_recording(tmp_path: Path, session: tuple[Path, list[int]]) -> None:
    people = tmp_path / "people"
    first, second = session[0], tmp_path / "second"
    second.mkdir()
    shape = np.random.default_rng(0).normal(0, 0.02, (98, 2)).astype(np.float32)
    CalibrationStore(people).store("Ada", Baseline(shape), 120, datetime(2026, 1, 2, tzinfo=UTC))
    writer, _ = make_session(second, 4, person="Ada", people=people)
    assert writer.stored_baseline is not None
    recorded = (second / "frames.csv").read_bytes()
    assert recorded != (first / "frames.csv").read_bytes()
    assert replayed(second, writer.stored_baseline) == recorded
    assert {row["neutral"] for row in csv.DictReader(recorded.decode().splitlines())} == {"", "calibrated"}
    # The session's own calibration took the stored one's place, and the session tells both.
    kept = json.loads((second / "calibration.json").read_text())["calibrations"]
    assert [entry["origin"] for entry in kept] == ["stored earlier", "made in this session"]
    assert np.array_equal(np.array(kept[0]["neutral"]["shape"], np.float32), shape)
    found = CalibrationStore(people).find("Ada")
    assert found is not None
    assert kept[1]["neutral"] == found.neutral.as_json()
    assert found.neutral.embedding is not None
    assert not np.array_equal(found.neutral.shape, shape)


def test_a_frame_missing_from_the_raw_recording_is_named(tmp_path: Path, session: tuple[Path, list[int]]) -> None:
    folder, analysed = session
    gone = analysed[len(analysed) // 2]
    decisions = list(read_decisions(folder / "decisions.jsonl"))
    pictures = list(read_raw(folder / "raw.mkv"))
    del pictures[gone]
    decisions = [d for d in decisions if not (d["kind"] == "raw" and d["n"] == gone)]
    missing: list[int] = []
    found = list(rerun(decisions, Pictures(decisions, iter(pictures)), face_path(), missing.append))
    assert missing == [gone]
    assert [row.sequence for row in found] == [d["n"] for d in decisions if d["kind"] == "row"], "it goes on behind it"
    assert any(row.analysis is not None for row in found if row.sequence > gone)
    rows = RowFormat()
    (tmp_path / "again.csv").write_text(",".join(column_names()) + "\n" + "".join(map(rows.line, found)))
    told = compare(folder / "frames.csv", tmp_path / "again.csv", len(found), missing)
    assert not told.same
    assert f"Frame {gone} was analysed live, but the raw recording does not hold it" in told.sentence


def test_a_raw_recording_that_breaks_off_ends_the_replay(session: tuple[Path, list[int]]) -> None:
    folder, _ = session
    decisions = list(read_decisions(folder / "decisions.jsonl"))
    pictures = list(read_raw(folder / "raw.mkv"))[:-20]
    missing: list[int] = []
    found = list(rerun(decisions, Pictures(decisions, iter(pictures)), face_path(), missing.append))
    assert missing == []
    assert 0 < len(found) < FRAMES


def test_decisions_cut_short_are_read_up_to_the_cut_and_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_text('{"kind":"reset"}\n{"kind":"tra')
    assert list(read_decisions(path)) == [{"kind": "reset"}]
    path.write_text('{"kind":"reset"}\nnonsense\n{"kind":"reset"}\n')
    with pytest.raises(UserInputError, match="line 2"):
        list(read_decisions(path))
    with pytest.raises(UserInputError, match="--record raw"):
        list(read_decisions(tmp_path / "nothing.jsonl"))


def test_a_replay_that_is_refused_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = tmp_path / "s"
    session.mkdir()
    (session / "session.json").write_text('{"format": 1, "configuration": {}}')
    assert main(["replay", str(session)]) == 2
    assert "--record raw" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_the_comparison_names_the_first_other_cell(tmp_path: Path) -> None:
    head = ",".join(column_names()) + "\n"
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    a.write_text(head + "0,1.0,measured\n1,2.0,held\n")
    b.write_text(head + "0,1.0,measured\n1,2.0,dropped\n")
    found = compare(a, b, 2)
    assert not found.same
    assert "row 2 (first in status)" in found.sentence
    a.write_text(head + "0,1.0,measured\n1,2")
    found = compare(a, b, 2)
    assert found.same
    assert "as far as both go (1 rows)" in found.sentence
    assert compare(b, b, 2).sentence.startswith("The replay gives the same 2 rows")


def test_every_decision_is_one_json_object(session: tuple[Path, list[int]]) -> None:
    kinds = {json.loads(line)["kind"] for line in (session[0] / "decisions.jsonl").read_text().splitlines()}
    assert kinds == {"raw", "detect", "track", "face", "measure", "reset", "row"}
