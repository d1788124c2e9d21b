"""examination.json is read as it was written, and a damaged one is one sentence."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from realtime.clinic.input_log import NAME as LOG
from realtime.clinic.input_log import Begin, InputLog, read_inputs
from realtime.clinic.protocol import Protocol
from realtime.clinic.score_file import read_overruled
from realtime.clinic.store import NAME, read_examination, write_examination
from realtime.clinic.types import Examination, Repetition, Snapshot
from realtime.errors import UserInputError
from realtime.types import Sides

REST = Snapshot(5, 100, {"fissure_height": Sides(9.25, 8.0)}, {"fai": 0.5}, {12: Sides(0.125, 0.0)}, 1.0, 2.0, -3.0)
PEAK = Snapshot(5, 130, {"fissure_height": Sides(9.0, float("nan"))}, {}, {12: Sides(3.0, 0.5)})
SMILE = Repetition("open_smile", 1, "counted", "", 1.5, 2.0, 3.0, 4.0, 4.25, REST, PEAK)
TURNED = Repetition("open_smile", 2, "rejected", "The head was turned.", 5.0, ended=6.0)
BOTH = Examination(
    "Ada", "left", "sunnybrook", "2026-11-27T19:00:00+00:00", "iris", "adult", True, (SMILE, TURNED),
    {"sunnybrook.rest.eye": 1.0}, {"facemirror-live": "0.3"},
)  # fmt: skip


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert write_examination(tmp_path, BOTH) == tmp_path / NAME
    read = read_examination(tmp_path)
    assert read.repetitions[1] == TURNED
    assert read.repetitions[0].rest == REST
    peak = read.repetitions[0].at_peak
    assert peak is not None
    assert peak.lengths["fissure_height"].left == 9.0
    assert math.isnan(peak.lengths["fissure_height"].right)
    assert math.isnan(peak.yaw)
    assert (read.affected, read.scale, read.finished, read.overruled, read.versions) == (
        "left", "iris", True, BOTH.overruled, BOTH.versions,
    )  # fmt: skip


def test_a_value_not_measured_is_null_in_the_file(tmp_path: Path) -> None:
    write_examination(tmp_path, BOTH)
    stored = json.loads((tmp_path / NAME).read_text("utf-8"))
    assert stored["repetitions"][0]["at_peak"]["lengths"]["fissure_height"] == {"left": 9.0, "right": None}


def test_a_session_without_an_examination_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="holds no examination"):
        read_examination(tmp_path)


def _changed(tmp_path: Path, **changes: Any) -> None:
    path = tmp_path / NAME
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema": 2}, "schema 2"),
        ({"affected": "nose"}, "'nose' is none of left, right"),
        ({"repetitions": [{}]}, "damaged"),
        ({"repetitions": 3}, "damaged"),
        ({"person": None}, "damaged"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    write_examination(tmp_path, BOTH)
    _changed(tmp_path, **changes)
    with pytest.raises(UserInputError, match=sentence) as caught:
        read_examination(tmp_path)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b"{"])
def test_a_file_that_is_no_examination_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(UserInputError, match="damaged"):
        read_examination(tmp_path)


ODD = ["1e400", "-1e308", "NaN", "-Infinity", "9" * 400, "[" * 100_000 + "]" * 100_000]


@pytest.mark.parametrize("odd", ODD, ids=lambda text: text[:9])
@pytest.mark.parametrize("number", ["9.25", "0.125", "-3.0", "4.25", "100"])
def test_a_number_that_no_examination_has_is_one_sentence(tmp_path: Path, number: str, odd: str) -> None:
    """Scores of such numbers ended in a traceback: squared they are infinite."""
    write_examination(tmp_path, BOTH)
    path = tmp_path / NAME
    text = path.read_text("utf-8")
    assert f" {number}" in text
    path.write_text(text.replace(f" {number}", f" {odd}", 1))
    with pytest.raises(UserInputError, match="damaged"):
        read_examination(tmp_path)


@pytest.mark.parametrize("odd", ODD, ids=lambda text: text[:9])
def test_an_overruled_value_that_is_no_number_is_one_sentence(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "scores.json"
    path.write_text(f'{{"format": 1, "overruled": {{"fngs.brow": {odd}}}}}')
    with pytest.raises(UserInputError, match="damaged"):
        read_overruled(path)


@pytest.mark.parametrize("odd", [*ODD, "null", "[]", '"x"'], ids=lambda text: text[:9])
@pytest.mark.parametrize(
    "place", ['"repetitions":1', '"height":360', '"earlier":0', '"first":3', '"n":4', '"light":100.0']
)
def test_a_damaged_input_log_is_one_sentence(tmp_path: Path, place: str, odd: str) -> None:
    log = InputLog(tmp_path / LOG, Begin(Protocol("smile", ("rest",), 1), "left", True, True, 360, 640, 0, 3))
    log.seen(3, 100.0, 1)
    log.command(4, "pause")
    log.close()
    path = tmp_path / LOG
    text = path.read_text("utf-8")
    assert place in text
    path.write_text(text.replace(place, f"{place.split(':')[0]}:{odd}"))
    if (place, odd) == ('"light":100.0', "null"):  # the face's grey was not known
        assert read_inputs(tmp_path)[1][0].light is None
        return
    with pytest.raises(UserInputError, match="damaged"):
        read_inputs(tmp_path)
