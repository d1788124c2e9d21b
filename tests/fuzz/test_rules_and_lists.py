"""What people write by hand for OBS, examinations and batches: rules, protocols, lists; they are read or refused in one sentence."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.app.nodes.obs import check_rules, read_rules
from realtime.batch.inputs import Input, find_inputs
from realtime.clinic.protocol import Protocol, load_protocol
from realtime.clinic.types import MOVEMENTS
from realtime.config import resolve
from realtime.obs.rules import RuleEngine
from realtime.types import Analysis, FaceObservation
from tests.fuzz.mutations import Change, bounded, changes, damaged, sentence_of

POINTS = np.zeros((98, 2), np.float32)
FACE = FaceObservation(1, np.zeros(4, np.float32), POINTS, POINTS, 0.9, True, pose=(12.0, -3.0, 1.0))
NUMBERS = [0.0, 3.0, 5.0, float("nan"), 1.0]

RULES = """
[obs]
url = "ws://127.0.0.1:4455"
rules = [
  { name = "smile", when = "AU12.left > 2.5 for 0.4 s", then = { scene = "Smile" }, otherwise = { scene = "Talk" } },
  { when = "AU12.symmetry < 0.6 and AU12.larger > 1", then = [{ filter = "Blur", source = "Cam", on = true }] },
  { when = "face lost for 20 ms", until = "face found", then = { source = "Cam", on = false, scene = "S" } },
  { when = 'marker "x"', then = { replay_buffer = "save" }, at_most_every = 0.1 },
  { then = { text = "Text", value = "AU12.mean", template = "{} mm", decimals = 2 }, release_seconds = 1 },
  { when = "calibration done", then = { request = "SetInputSettings", data = { inputName = "a", list = [1, 2.5] } } },
]
"""
PROTOCOL = 'name = "smiles"\nmovements = ["rest", "open_smile", "eee"]\nrepetitions = 2\n'
TABLE = "person;path;condition;calibration_start;calibration_end\nAda;v/a.mp4;rest, first;1,5;4\nBo;v/b.mp4;smile;;\n"
VALUES = [
    "nan", "inf", "0", "-1", "1e400", "9" * 30, "0x" + "F" * 5000, "true", '""', '"x"', '"\\u0000"', '"=1+1"', "[]", "[[]]",
    "{}", '["a", 1]', "{ a = 1 }", "1979-05-27", "07:32:00", "[" * 90 + "]" * 90, '"' + "x" * 3000 + '"', '"{}{}"', '"a\\nb"',
    '"AU12.left > ' + "9" * 400 + '"', '"AU12.left > ' + "9" * 400 + ' for 1 s"', '"face lost for ' + "9" * 450 + ' s"',
    '"AU99.left < 0"', '"AU12.left > ٣"', '"marker"', '"mm.fai > 1"', '"yaw > 1 and roll < 2 and pitch >= 0 for 3 ms"',
    "{ x = 1979-05-27 }", "{ x = [inf] }", "{ scene = [] }", '{ scene = "a", source = 1 }', "{ replay_buffer = {} }",
    '{ request = "Sleep", data = [] }', '{ request = "GetVersion", data = { a = { b = nan } } }', '{ text = "a", value = "yaw" }',
]  # fmt: skip
CELLS = [
    "",
    "x",
    "-1",
    "1e400",
    "nan",
    "9" * 400,
    "\0",
    "ÿ",
    '"',
    "=1+1",
    "..",
    "/",
    "~",
    "~nobody/a.mp4",
    "a" * 300,
    "a\\b",
    "٣",
]
CELLS += ["v/c.mp4", "\u202e.mp4", "con", "*", "path"]


def check(complaint: str) -> None:
    assert len(complaint.splitlines()) <= 1
    assert len(complaint) < 900
    complaint.encode("utf-8", "surrogateescape")


def with_other_value(content: str, place: int, value: str) -> str:
    """One value of a TOML file is another."""
    parts = content.split(" = ")
    at = 1 + place % (len(parts) - 1)
    rest = parts[at]
    quoted = rest[0] in "'\""
    end = rest.index(rest[0], 1) + 1 if quoted else min((rest.find(c) for c in " ,\n" if c in rest), default=len(rest))
    parts[at] = value + rest[end:]
    return " = ".join(parts)


def steer(path: Path) -> None:
    """Read the rules as a run does, and let them see a second of a face that comes and goes."""
    config = resolve({}, path, {}).config
    rules = read_rules(config)
    check_rules(rules, range(1, 30), millimetres=True)
    engine = RuleEngine(rules)
    for number in range(30):
        engine.event("marker", "x")
        engine.event("calibration done")
        value = NUMBERS[number % len(NUMBERS)]
        seen = Analysis(number, number / 30, FACE if number % 7 else None, {12: value}, {12: 1.0})
        for fired in [*engine.update(seen), *engine.standing(number / 30)]:
            json.dumps(fired.request.data, allow_nan=False)


def load(path: Path) -> None:
    found = load_protocol(str(path))
    assert isinstance(found, Protocol)
    assert set(found.movements) <= set(MOVEMENTS)


def list_up(path: Path) -> None:
    found = find_inputs([str(path)])
    for one in found.found:
        assert Input.from_json(json.loads(json.dumps(one.as_json(), allow_nan=False))) == one
    for problem in found.problems:
        check(problem)


KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "rules.toml": (RULES, steer),
    "protocol.toml": (PROTOCOL, load),
    "people.csv": (TABLE, list_up),
    "people.tsv": (TABLE.replace(";", "\t"), list_up),
    "people.txt": ("# mine\nv/a.mp4\n~/b.mp4\n", list_up),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_whole_files_are_read(tmp_path: Path, name: str) -> None:
    content, read = KINDS[name]
    (tmp_path / name).write_text(content, "utf-8")
    read(tmp_path / name)


@bounded(10)
@pytest.mark.parametrize("name", KINDS)
@given(how=changes)
def test_changed_bytes(tmp_path: Path, name: str, how: Sequence[Change]) -> None:
    content, read = KINDS[name]
    path = tmp_path / name
    path.write_bytes(damaged(content.encode(), how))
    check(sentence_of(lambda: read(path)))


@bounded(25)
@pytest.mark.parametrize("name", ["rules.toml", "protocol.toml"])
@given(place=st.integers(0, 40), value=st.sampled_from(VALUES), more=st.sampled_from([None, *VALUES]))
@example(place=11, value="[]", more=None)
def test_values_of_another_kind(tmp_path: Path, name: str, place: int, value: str, more: str | None) -> None:
    content, read = KINDS[name]
    text = with_other_value(content, place, value)
    if more is not None:
        text = with_other_value(text, place * 7 + 3, more)
    path = tmp_path / name
    path.write_text(text, "utf-8")
    check(sentence_of(lambda: read(path)))


@pytest.mark.parametrize(
    ("name", "action", "sentence"),
    [
        ("a list", "{ replay_buffer = [] }", "replay_buffer is one of"),
        ("a date", '{ request = "Sleep", data = { a = [1979-05-27] } }', "go to OBS"),
        ("no number", '{ request = "Sleep", data = { a = { b = inf } } }', "go to OBS"),
        ("digits", "{ scene = 0x" + "F" * 5000 + " }", "64 bits"),
    ],
)
def test_actions_that_no_request_can_hold(tmp_path: Path, name: str, action: str, sentence: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f'[obs]\nurl = "ws://x"\nrules = [{{ when = "face lost", then = {action} }}]\n')
    complaint = sentence_of(lambda: steer(path))
    check(complaint)
    assert sentence in complaint, name


@bounded(25)
@given(
    line=st.integers(0, 3),
    column=st.integers(0, 5),
    cell=st.sampled_from(CELLS),
    cut=st.booleans(),
    suffix=st.booleans(),
)
def test_odd_cells_in_a_list(tmp_path: Path, *, line: int, column: int, cell: str, cut: bool, suffix: bool) -> None:
    rows = [row.split(";") for row in TABLE.splitlines()]
    row = rows[line % len(rows)]
    if column < len(row):
        row[column] = cell
    else:
        row.append(cell)
    text = "\n".join(";".join(row) for row in rows) + ("" if cut else "\n")
    path = tmp_path / ("people.csv" if suffix else "people.lst")
    path.write_text(text, "utf-8")
    check(sentence_of(lambda: list_up(path)))
