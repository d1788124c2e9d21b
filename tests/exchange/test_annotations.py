"""Annotations and their file."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.errors import DeviceError, UserInputError
from realtime.exchange import (
    Annotations,
    Code,
    Exclusion,
    Label,
    Point,
    annotation_files,
    annotations_file,
    as_json,
    read_annotations,
    write_annotations,
)

MADE = Annotations(
    "Ada",
    [Code("smile", "voluntary"), Code("blink")],
    [Label(2000, 2500, "blink"), Label(100, 900, "smile", "weak on the left")],
    [Point(50, "cue", "by hand")],
    [Exclusion(0, 40, "hand before the face")],
)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    folder = tmp_path / "s1"
    folder.mkdir()
    return folder


def test_annotations_are_read_back_sorted_and_lie_beside_the_session(session: Path) -> None:
    path = annotations_file(session, "Ada")
    state = write_annotations(path, MADE)
    assert path == session.parent / "s1-annotations-Ada.json"
    assert read_annotations(path) == (MADE, state)
    assert [label.start for label in MADE.labels] == [100, 2000]
    assert not list(session.iterdir())
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_label_about_a_face_makes_the_file_one_of_format_2_and_older_files_are_read(session: Path) -> None:
    path = annotations_file(session)
    write_annotations(path, MADE)
    content = json.loads(path.read_text("utf-8"))
    assert content["format"] == 1
    assert not any("face" in label for label in content["labels"]), "as earlier versions wrote and read it"
    made = Annotations("Ada", MADE.codes, [*MADE.labels, Label(150, 950, "smile", face=2)])
    write_annotations(path, made)
    assert json.loads(path.read_text("utf-8"))["format"] == 2
    assert read_annotations(path).annotations == made
    assert [label.face for label in made.labels] == [0, 2, 0]


def test_every_coder_has_a_file_and_no_other_session_lends_its(session: Path) -> None:
    for coder in ("", "Zoë/../x", "ada", "y" * 80):
        write_annotations(annotations_file(session, coder), Annotations(coder))
    write_annotations(annotations_file(session.with_name("s1-b")), Annotations())
    found = annotation_files(session)
    assert [read_annotations(path).annotations.coder for path in found] == ["", "ada", "y" * 80, "Zoë/../x"]
    assert {path.parent for path in found} == {session.parent}


def test_a_coder_who_has_no_file_yet_begins_empty(session: Path) -> None:
    found = read_annotations(annotations_file(session, "Ada"), "Ada")
    assert found == (Annotations("Ada"), "")
    assert found.annotations.empty


def test_who_has_read_an_older_state_does_not_undo_another_windows_work(session: Path) -> None:
    path = annotations_file(session)
    first = write_annotations(path, Annotations(), replaces="")
    second = write_annotations(path, MADE, replaces=first)
    with pytest.raises(UserInputError, match="read it again"):
        write_annotations(path, Annotations("Eve"), replaces=first)
    assert read_annotations(path) == (MADE, second)


def changed(key: str, value: object) -> str:
    return json.dumps(as_json(MADE) | {key: value})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        (changed("format", 3), "format 3"),
        (changed("labels", [{"start": 1, "end": 6, "code": "smile", "face": -2}]), "about face -2"),
        (changed("labels", [{"start": 1, "end": 6, "code": "smile", "face": "2"}]), "whole number"),
        (changed("codes", [{"name": "a"}, {"name": "A"}]), "twice"),
        (changed("codes", []), "not in the code list"),
        (changed("codes", {}), "list of objects"),
        (changed("labels", [{"start": 5, "end": 5, "code": "smile"}]), "not after its start"),
        (changed("labels", [{"start": 5.5, "end": 6, "code": "smile"}]), "whole number"),
        (changed("labels", [{"start": True, "end": 6, "code": "smile"}]), "whole number"),
        (changed("labels", [{"start": -1, "end": 6, "code": "smile"}]), "times run from 0"),
        (changed("points", [{"at": 10**12}]), "times run from 0"),
        (changed("points", [{"at": 1, "text": "a\tb"}]), "one line"),
        (changed("exclusions", [{"start": 1, "end": 2, "reason": "x" * 501}]), "500 characters"),
        (changed("coder", 7), "a text"),
    ],
)
def test_a_damaged_file_is_one_sentence(session: Path, content: str, words: str) -> None:
    path = annotations_file(session)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserInputError, match=words) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Annotations(codes=[Code(" ")]),
        lambda: Annotations("a\nb"),
        lambda: Annotations(codes=[Code("a\ud800")]),
        lambda: Annotations(codes=[Code("a\uffff")]),
        lambda: Annotations(points=[Point(1, "a\u2028b")]),
    ],
)
def test_what_some_format_cannot_hold_is_no_annotation(make: Callable[[], Annotations]) -> None:
    with pytest.raises(UserInputError):
        make()


def test_what_cannot_be_written_leaves_what_was_there(session: Path) -> None:
    path = annotations_file(session)
    path.mkdir()
    with pytest.raises(DeviceError, match="cannot be"):
        write_annotations(path, MADE)
    assert path.is_dir()


def test_an_excluded_moment_is_known() -> None:
    assert [MADE.excluded(at) for at in (0, 39, 40)] == [True, True, False]
