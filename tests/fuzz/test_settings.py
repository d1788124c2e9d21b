"""Settings that anybody may have written: they are read, or refused in one sentence, never else."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.config import Config, resolve
from realtime.config.conflicts import refuse_conflicts
from realtime.config.layers import descriptions
from realtime.errors import FacemirrorError
from tests.fuzz.mutations import bounded, changes, damaged

NAMES = list(descriptions())
VALUES = [
    "nan", "inf", "-inf", "0", "-0.0", "-1", "1e400", "1e-320", "9" * 30, "true", '""', '"x"', '"a\\nb"', '"\\u0000"',
    '"=1+1"', "[]", "[[]]", "{}", '["a", 1]', "{ a = 1 }", "1979-05-27", "[" * 90 + "]" * 90, '"' + "x" * 3000 + '"',
]  # fmt: skip
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["nan", "inf", "-1", "1e400", "9" * 5000, "٣", "\ud800", "a,b", "x" * 9000]
)
GOOD = """
fps = 25
view = "mirrored"
[models]
threads = 2
[latency]
stall_seconds = 3.5
[tone]
volume = 0.2
"""


def complaint_of(
    file: Path | None = None, environment: Mapping[str, str] | None = None, words: Mapping[str, Any] | None = None
) -> str:
    """What the settings are refused with; empty where they are read."""
    try:
        resolved = resolve(words or {}, file, environment or {})
        assert isinstance(resolved.config, Config)
        assert {name for name, _, _ in resolved.rows()} >= {"source", "fps"}
        refuse_conflicts(resolved.config)
    except FacemirrorError as error:
        return str(error) or "refused\nwithout a word"
    return ""


def check(complaint: str) -> None:
    assert len(complaint.splitlines()) <= 1
    assert len(complaint) < 900
    complaint.encode("utf-8", "surrogateescape")


@bounded(40)
@given(how=changes)
def test_a_file_with_changed_bytes(tmp_path: Path, how: list[tuple[str, float, int, int]]) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(damaged(GOOD.encode(), how))
    check(complaint_of(file))


@bounded(50)
@given(name=st.sampled_from(NAMES), value=st.sampled_from(VALUES))
def test_any_setting_with_a_value_of_another_kind(tmp_path: Path, name: str, value: str) -> None:
    file = tmp_path / "settings.toml"
    section, _, last = name.rpartition(".")
    file.write_text(f"[{section}]\n{last} = {value}\n" if section else f"{name} = {value}\n", "utf-8")
    check(complaint_of(file))


@bounded(50)
@given(name=st.sampled_from(NAMES) | st.text(max_size=12), value=TEXTS)
def test_any_words_in_the_environment_and_on_the_command_line(name: str, value: str) -> None:
    check(complaint_of(environment={"FACEMIRROR_" + name.replace(".", "__").upper(): value}))
    check(complaint_of(words={name: value}))


@pytest.mark.parametrize(
    "content",
    [
        b"a=" + b"[" * 100_000 + b"]" * 100_000,
        b"fps=" + b"9" * 5000,
        b"fps=\xf6",
        b"a." * 20_000 + b"b=1",
        b"x" * 2**21,
        b"fps=1\nfps=2",
        b'"models.threads.x"=1\nmodels=2',
        b'view="' + b"x" * 500_000 + b'"',
    ],
    ids=["deep", "digits", "Latin-1", "long name", "large", "twice", "dotted", "long text"],
)
def test_files_that_no_editor_writes(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    complaint = complaint_of(file)
    assert complaint
    check(complaint)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xef\xbb\xbffps = 10\n")
    assert resolve({}, file, {}).config.fps == 10


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither named pipes in folders nor /dev")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "settings.toml"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero" if kind == "device" else file.name)
    complaint = complaint_of(file)
    assert str(file) in complaint
    check(complaint)


@pytest.mark.parametrize("name", ["session", "summary", "trace", "weights", "people_folder"])
def test_a_script_s_empty_variable_is_no_file_and_no_folder(name: str) -> None:
    assert "a name is needed" in complaint_of(words={name: " "})
    assert complaint_of(words={name: "./x"}) == ""
