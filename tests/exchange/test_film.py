"""Times of a film that begins later than the rows."""

import json
from pathlib import Path

import numpy as np
import pytest

from realtime.cli import main
from realtime.exchange import Annotations, Code, Label, Point, annotations_file, read_annotations, write_annotations
from realtime.exchange.elan import read_eaf
from realtime.media.recorder import VideoRecorder
from tests.exchange.sessions import START, make_session
from tests.exchange.test_export_import import refused

OFFSET = 400
"""Milliseconds from the first row to the film's first picture."""


@pytest.fixture
def session(tmp_path: Path) -> Path:
    folder = make_session(tmp_path / "s1")
    recorder = VideoRecorder(folder / "video.mp4")
    for number in range(30):
        picture = np.full((64, 64, 3), 8 * number, np.uint8)
        assert recorder.write(picture, START + OFFSET / 1000 + number / 30)
    recorder.close()
    return folder


def test_other_programs_count_from_the_films_start_and_we_from_the_first_row(session: Path, tmp_path: Path) -> None:
    made = Annotations("", [Code("smile")], [Label(500, 900, "smile")])
    write_annotations(annotations_file(session), made)
    for form, name in (("elan", "a.eaf"), ("boris", "a.boris"), ("boris-tsv", "a.tsv")):
        assert main(["export", str(session), "--to", form, "--out", str(tmp_path / name), "--coder", ""]) == 0
        assert main(["import", str(session), str(tmp_path / name), "--coder", form]) == 0
        found = read_annotations(annotations_file(session, form)).annotations
        assert (found.codes, found.labels) == (made.codes, made.labels)
    assert read_eaf(tmp_path / "a.eaf").annotations.labels[0].start == 500 - OFFSET
    assert "./video.mp4" in (tmp_path / "a.eaf").read_text("utf-8")
    (observation,) = json.loads((tmp_path / "a.boris").read_text("utf-8"))["observations"].values()
    assert observation["media_info"]["fps"]["video.mp4"] == pytest.approx(30.0, abs=0.1)


def test_what_lies_before_the_film_is_refused_or_counted_from_the_first_row(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Annotations(points=[Point(100, "cue")])
    write_annotations(annotations_file(session), made)
    out = tmp_path / "a.eaf"
    refused(capsys, "--from-first-row", "export", session, "--to", "elan", "--out", out)
    assert main(["export", str(session), "--to", "elan", "--out", str(out), "--from-first-row"]) == 0
    assert main(["import", str(session), str(out), "--replace", "--from-first-row"]) == 0
    assert read_annotations(annotations_file(session)).annotations == made


def test_bids_has_the_film_with_its_facts_and_its_own_start(session: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert main(["export", str(session), "--to", "bids", "--out", str(data)]) == 0
    begin = data / "sub-01/beh/sub-01_task-face"
    facts = json.loads(Path(f"{begin}_video.json").read_text("utf-8"))
    assert (facts["ImageWidth"], facts["ImageHeight"], facts["VideoFrameCount"]) == (64, 64, 30)
    assert facts["VideoCodec"] == "h264"
    assert Path(f"{begin}_video.mp4").read_bytes() == (session / "video.mp4").read_bytes()
    starts = dict(line.split("\t") for line in (data / "sub-01/sub-01_scans.tsv").read_text("utf-8").splitlines())
    assert starts["beh/sub-01_task-face_video.mp4"] == "2026-03-01T12:00:01.400000Z"
    assert starts["beh/sub-01_task-face_beh.tsv"] == "2026-03-01T12:00:01.000000Z"
