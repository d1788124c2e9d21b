import json
from datetime import datetime
from pathlib import Path

import pytest

from realtime.errors import DeviceError, UserInputError
from realtime.files import write_json
from realtime.session.folder import create_session_folder, use_session_folder

WHEN = datetime(2026, 3, 9, 14, 5, 7)  # noqa: DTZ001 - folders are named by local time


def test_folders_are_named_by_time_and_never_shared(tmp_path: Path) -> None:
    root = tmp_path / "sessions" / "deep"
    folders = [create_session_folder(root, WHEN) for _ in range(3)]
    assert [folder.name for folder in folders] == [
        "2026-03-09_14-05-07",
        "2026-03-09_14-05-07-2",
        "2026-03-09_14-05-07-3",
    ]
    assert all(folder.is_dir() for folder in folders)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceError, match="--session"):
        create_session_folder(tmp_path / "file", WHEN)


def test_a_folder_that_holds_a_session_is_never_used_again(tmp_path: Path) -> None:
    folder = use_session_folder(tmp_path / "new" / "deep")
    assert folder.is_dir()
    (folder / "notes.txt").touch()
    assert use_session_folder(folder) == folder
    (folder / "frames.csv").touch()
    with pytest.raises(UserInputError, match=r"frames\.csv"):
        use_session_folder(folder)
    with pytest.raises(UserInputError, match="not a folder"):
        use_session_folder(folder / "notes.txt")


def test_json_is_replaced_whole_and_leaves_no_scratch_file(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2, "ü": [1.5, None]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 2, "ü": [1.5, None]}
    assert [entry.name for entry in tmp_path.iterdir()] == ["session.json"]


def test_what_is_no_json_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    write_json(path, {"a": 1})
    for bad in ({"a": float("nan")}, {"a": object()}):
        with pytest.raises((TypeError, ValueError)):
            write_json(path, bad)
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["session.json"]


def test_a_json_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be written"):
        write_json(tmp_path / "nowhere" / "session.json", {})
