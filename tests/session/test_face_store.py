"""Stored faces: private, deleted by a command, never without the person's name, and what is damaged is said."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from realtime.action_units.baseline import Baseline
from realtime.app.stored_faces import StoredFaces
from realtime.cli import main
from realtime.config import Config
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import UserInputError
from realtime.face.face_embedding import SIZE, FaceMemory
from realtime.files import shell_word
from realtime.session.calibration_store import CalibrationStore
from realtime.session.face_store import FaceStore
from realtime.types import F32

WHEN = datetime(2026, 5, 4, 12, tzinfo=UTC)


def values(seed: int = 1) -> F32:
    found = np.random.default_rng(seed).random(SIZE).astype(np.float32)
    return np.asarray(found / np.sqrt(found @ found), np.float32)


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    store = FaceStore(tmp_path / "people")
    path = store.store("Ada Größe", values(), 42, WHEN)
    found = store.find("  Ada Größe ")
    np.testing.assert_array_equal(found.embedding, values())
    assert (found.name, found.looks, found.stored) == ("Ada Größe", 42, "2026-05-04T12:00:00+00:00")
    assert store.names() == ["Ada Größe"]
    store.store("Bo", values(2), 42, WHEN)
    assert found.sha256 != store.find("Bo").sha256
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"format": 1}',
        '{"format": 2, "name": "Ada"}',
        json.dumps({"format": 1, "name": "Ada", "embedding": "AAAA"}),
    ],
)
def test_a_damaged_file_is_said_and_deleted(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = FaceStore(tmp_path)
    store.path("Ada").write_text(content, "utf-8")
    with pytest.raises(UserInputError, match="damaged"):
        store.find("Ada")
    assert store.names() == []
    assert main(["people", "--people-folder", str(tmp_path), "--forget-face", "Ada"]) == 0
    assert not store.path("Ada").exists()
    capsys.readouterr()
    assert main(["people", "--people-folder", str(tmp_path), "--forget-face", "Ada"]) == 2
    assert "No face is stored for Ada" in capsys.readouterr().err


def test_the_command_that_is_advised_can_be_typed_as_it_stands(tmp_path: Path) -> None:
    for store, option in ((FaceStore(tmp_path), "--forget-face"), (CalibrationStore(tmp_path), "--delete")):
        (tmp_path / ("face-Ada B.json" if option == "--forget-face" else "person-Ada B.json")).write_text("{}")
        with pytest.raises(UserInputError) as caught:
            store.find("Ada B")
        assert f"`facemirror-live people {option} {shell_word('Ada B')}`" in str(caught.value)


def test_people_tells_whose_face_is_stored_and_delete_forgets_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces, calibrations = FaceStore(tmp_path), CalibrationStore(tmp_path)
    calibrations.store("Ada", Baseline(np.zeros((98, 2), np.float32), None, ""), 60, WHEN)
    faces.store("Ada", values(), 42, WHEN)
    faces.store("Bo", values(2), 42, WHEN)
    assert main(["people", "--people-folder", str(tmp_path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["people"]
    assert [(row["name"], row["face"], row["frames"]) for row in rows] == [("Ada", True, 60), ("Bo", True, 0)]
    assert main(["people", "--people-folder", str(tmp_path), "--delete", "Ada"]) == 0
    assert "what the face looks like" in capsys.readouterr().out
    assert faces.names() == ["Bo"]
    assert calibrations.names() == []
    assert main(["people", "--people-folder", str(tmp_path), "--delete", "Bo"]) == 0
    assert main(["people", "--people-folder", str(tmp_path), "--delete", "Bo"]) == 2


def test_a_run_stores_only_what_was_asked_for(tmp_path: Path) -> None:
    quiet = StoredFaces.open(Config(people_folder=tmp_path, person="Ada"))
    assert (quiet.memory, quiet.search, quiet.announcement, quiet.finish()) == (None, None, "", "")
    asked = StoredFaces.open(Config(people_folder=tmp_path, person="Ada", store_face=True))
    assert "biometric" in asked.announcement
    assert "Too little" in asked.finish()
    assert list(tmp_path.iterdir()) == []

    class Seen(FaceMemory):
        looks = 50
        embedding = values()

    asked.memory = Seen()
    assert "biometric" in asked.finish()
    assert asked.stored is not None
    assert asked.stored["person"] == "Ada"
    assert StoredFaces.open(Config(people_folder=tmp_path, person="Ada", people=2, patient_rule="person")).search


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"store_face": True}, "--person NAME"),
        ({"store_face": True, "person": "Ada", "au": "openface2"}, "openface2"),
        ({"patient_rule": "person", "person": "Ada"}, "--people 2"),
        ({"patient_rule": "person", "people": 2}, "--person NAME"),
    ],
)
def test_what_does_not_go_together_is_refused(words: dict[str, object], said: str) -> None:
    with pytest.raises(UserInputError, match=said):
        refuse_conflicts(Config.model_validate(words))


def test_an_unknown_person_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--source", "demo", "--headless", "--people", "2", "--patient", "person", "--person", "Ada"]
    assert main([*words, "--people-folder", str(tmp_path), "--session", str(tmp_path / "s")]) == 2
    assert "Ada's face looks like is not stored" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
