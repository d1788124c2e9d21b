"""Model folders that anybody may have damaged: a session that runs, or one sentence, never else."""

import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import FacemirrorError
from realtime.face.settings import DetectorSettings
from realtime.models import Registry, load_manifest, weights_folder
from realtime.models.contracts import anchors_of, detector_input, landmark_contract
from realtime.models.open_model import open_model
from tests.fuzz.mutations import bounded, changes, damaged
from tests.models.tiny_onnx import one_operator, write

SHAPE = (1, 3, 4, 4)
Changes = list[tuple[str, float, int, int]]
VALUES = [
    "0", "-1", "1e400", "nan", "9" * 30, "true", '""', '"x"', '"../x"', '"/etc/passwd"', '"\\u0000"', "[]", "[[]]", "{}",
    "[1, [2]]", '["a", 1]', "1979-05-27", "[" * 3000 + "]" * 3000, '{ a = 1 }',
]  # fmt: skip


def complaint_of(folder: Path) -> str:
    """Read the manifest and everything the program reads from its entries; the sentence where it is refused."""
    try:
        manifest = load_manifest(folder)
        for spec in manifest.models.values():
            if spec.role == "detector":
                anchors_of(spec)
                detector_input(spec, DetectorSettings())
            elif spec.role == "landmarks":
                landmark_contract(spec)
        Registry(folder).verify()
    except FacemirrorError as error:
        return str(error)
    return ""


def check(complaint: str) -> None:
    assert "\n" not in complaint
    assert len(complaint) < 1500
    complaint.encode()


@pytest.fixture(scope="module")
def manifest() -> str:
    return (weights_folder() / "manifest.toml").read_text("utf-8")


@bounded(60)
@given(how=changes)
def test_a_manifest_with_changed_bytes(manifest: str, tmp_path: Path, how: Changes) -> None:
    (tmp_path / "manifest.toml").write_bytes(damaged(manifest.encode(), how))
    check(complaint_of(tmp_path))


@bounded(80)
@given(line=st.integers(0, 10_000), value=st.sampled_from(VALUES), inner=st.booleans())
def test_a_manifest_with_a_value_of_another_kind(
    manifest: str, tmp_path: Path, line: int, value: str, *, inner: bool
) -> None:
    lines = manifest.splitlines()
    settings = [number for number, text in enumerate(lines) if " = " in text]
    at = settings[line % len(settings)]
    key, _, rest = lines[at].partition(" = ")
    if inner and "= {" in lines[at]:
        first, _, others = rest.partition(",")
        lines[at] = f"{key} = {first.partition('=')[0]} = {value}" + (f",{others}" if others else " }")
    else:
        lines[at] = f"{key} = {value}"
    (tmp_path / "manifest.toml").write_text("\n".join(lines), "utf-8")
    check(complaint_of(tmp_path))


@pytest.mark.parametrize("text", ["", "model = 3", "model = [3]", "[model]\nname = 'x'", "[[model]]", "x" * 100_000])
def test_a_manifest_that_holds_no_models_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    check(complaint_of(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither named pipes in folders nor /dev")
@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_a_manifest_that_is_no_file_is_not_waited_for_and_not_read_without_end(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "manifest.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path.name)
    complaint = complaint_of(tmp_path)
    assert "cannot be read" in complaint
    check(complaint)


@bounded(40)
@given(how=changes, operator=st.sampled_from(["Neg", "Abs", "Softmax", "Nonsense"]))
def test_a_damaged_model_whose_checksum_is_right(tmp_path: Path, how: Changes, operator: str) -> None:
    folder = tmp_path / "weights"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write(folder, damaged(one_operator(operator, SHAPE), how))
    complaint = ""
    try:
        registry = Registry(folder)
        session = open_model(registry, registry.manifest.find("landmarks"), shape=SHAPE)
        answer: dict[str, Any] = session.run(np.zeros(SHAPE, np.float32))
        assert all(isinstance(values, np.ndarray) for values in answer.values())
    except FacemirrorError as error:
        complaint = str(error)
    check(complaint)


def test_the_shipped_manifest_is_what_is_damaged_here(manifest: str) -> None:
    assert len(tomllib.loads(manifest)["model"]) > 2
