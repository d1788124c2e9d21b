"""Examinations, scores and input logs that anybody may have damaged: a sheet, a course and scores, or one sentence, never else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.app.examination_sheet import write_sheet
from realtime.app.examinations import examinations_in, of_person, open_examination
from realtime.app.reexamine import Reexamination
from realtime.clinic.course import course, course_csv, course_page
from realtime.clinic.course_remarks import course_remarks
from realtime.clinic.input_log import NAME as LOG
from realtime.clinic.input_log import Begin, InputLog
from realtime.clinic.protocol import Protocol
from realtime.clinic.score_file import as_json, score_file, write_scores
from realtime.clinic.scores import score_examination
from realtime.clinic.sheet_rows import measures
from realtime.clinic.store import NAME, write_examination
from realtime.clinic.types import Examination
from realtime.files import write_json
from realtime.types import Analysis
from tests.clinic.people import examination, peaks
from tests.fuzz.mutations import Change, bounded, changes, damaged, sentence_of
from tests.fuzz.test_sessions import DEEP, ODD

FILES = [NAME, LOG, "../s-scores.json"]
MORE = [
    '"inf"',
    '"nan"',
    '"-1e400"',
    '"1"',
    "1e18",
    "-1e18",
    "1e-320",
    "2.5",
    "-3",
    '"' + "x" * 900 + '"',
    '"a\\nb"',
    '"left"',
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "sessions" / "s"
    folder.mkdir(parents=True)
    found = examination("left", peaks("left", 0.5), noise=0.1, overruled={"sunnybrook.rest.eye": 1.0})
    write_examination(folder, found)
    write_json(folder / "session.json", {"format": 1, "written": "2026-11-27"})
    log = InputLog(
        folder / LOG, Begin(Protocol("smile", ("rest", "open_smile"), 1), "left", True, True, 360, 640, 0, 1)
    )
    log.seen(1, 100.0, 1)
    log.command(4, "pause")
    log.close()
    write_scores(score_file(folder), found, score_examination(found), measures(found))
    return folder


def show(folder: Path) -> None:
    """What report, score and progress do."""
    found = open_examination(folder)
    json.dumps(as_json(found, score_examination(found), measures(found)), allow_nan=False)
    write_sheet(folder, folder.parent / "sheet.html")
    person_s_course(folder, found)


def person_s_course(folder: Path, found: Examination) -> None:
    kept, troubles = examinations_in(folder.parent)
    assert troubles == []
    visits = [(one.session.name, one.examination) for one in of_person(kept, found.person)]
    series = course(visits)
    course_csv(series).encode("utf-8", "replace")
    course_page(found.person, series, course_remarks(visits))


def again(folder: Path) -> None:
    """What replay does."""
    machine = Reexamination(folder)
    for number in range(6):
        machine.seen(Analysis(number, number / 30, None))
    machine.write(folder.parent)


def holds(harm: Callable[[Path], None], whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "case"
    shutil.rmtree(place, ignore_errors=True)
    folder = Path(shutil.copytree(whole.parent, place)) / "s"
    harm(folder)
    for command in (show, again):
        sentence = sentence_of(lambda command=command: command(folder))  # type: ignore[misc]
        assert len(sentence.splitlines()) <= 1
        assert len(sentence) < 600


def with_odd_value(content: Any, steps: list[float]) -> None:
    place = content
    for number, step in enumerate(steps):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = keys[int(step * len(keys))]
        if number == len(steps) - 1 or not isinstance(place[key], dict | list):
            place[key] = "@@"
            return
        place = place[key]


@bounded(20)
@given(
    name=st.sampled_from(FILES),
    line=st.floats(0, 1, exclude_max=True),
    steps=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=7),
    odd=st.sampled_from([*ODD, *MORE]),
)
@example(NAME, 0.0, [0.7, 0.1, 0.85, 0.2, 0.1, 0.1], '"inf"')
@example("../s-scores.json", 0.0, [0.99, 0.1], DEEP)
def test_odd_values(whole: Path, tmp_path: Path, name: str, line: float, steps: list[float], odd: str) -> None:
    def harm(folder: Path) -> None:
        path = folder / name
        text = path.read_text("utf-8")
        lines = text.splitlines() if name == LOG else [text]
        at = int(line * len(lines))
        content = json.loads(lines[at])
        with_odd_value(content, steps)
        lines[at] = json.dumps(content).replace('"@@"', odd)
        path.write_text("\n".join(lines) + "\n", "utf-8")

    holds(harm, whole, tmp_path)


@bounded(12)
@given(name=st.sampled_from(FILES), how=changes)
def test_changed_bytes(whole: Path, tmp_path: Path, name: str, how: list[Change]) -> None:
    def harm(folder: Path) -> None:
        (folder / name).write_bytes(damaged((folder / name).read_bytes(), how))

    holds(harm, whole, tmp_path)


def test_the_whole_examination_is_shown_and_computed_again(whole: Path) -> None:
    show(whole)
    again(whole)
