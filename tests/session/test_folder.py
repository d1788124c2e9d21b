import json
import os
import stat
import threading
from datetime import datetime
from pathlib import Path

import pytest

from realtime.errors import DeviceError, UserInputError
from realtime.files import write_json
from realtime.session import folder as session_folder
from realtime.session.folder import create_session_folder, use_session_folder
from realtime.session.writer import SessionWriter
from tests.session.live_like import make_session

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


def test_a_claimed_folder_is_never_used_again(tmp_path: Path) -> None:
    folder = use_session_folder(tmp_path / "new" / "deep")
    assert json.loads((folder / "session.json").read_text())["format"] == 1
    with pytest.raises(UserInputError, match=r"holds a session already \(session\.json\)"):
        use_session_folder(folder)


def test_an_empty_folder_and_one_that_a_file_manager_has_shown_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / ".DS_Store").touch()
    for folder in (tmp_path / "empty", tmp_path / "shown"):
        assert use_session_folder(folder) == folder


@pytest.mark.parametrize(
    "name",
    [
        "markers.csv",
        "raw.mkv",
        "decisions.jsonl",
        "frames.parquet",
        "calibration.json",
        "video.mp4",
        "notes.txt",
        "old/",
    ],
)
def test_a_folder_that_holds_anything_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("mine")
    with pytest.raises(UserInputError, match=f"is not empty .{name.rstrip('/')}."):
        use_session_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name.rstrip("/")]
    assert name.endswith("/") or (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["session.json", "frames.csv", "manifest.json"])
@pytest.mark.parametrize("target_exists", [True, False])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str, target_exists: bool) -> None:
    folder, outside = tmp_path / "session", tmp_path / "outside"
    folder.mkdir()
    if target_exists:
        outside.write_text("mine")
    (folder / name).symlink_to(outside)
    with pytest.raises(UserInputError, match=name):
        use_session_folder(folder)
    assert [path.name for path in folder.iterdir()] == [name]
    assert outside.exists() == target_exists


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name, words in [("file", "a file"), ("dangling", "a link"), ("file/below", "not a folder")]:
        with pytest.raises(UserInputError, match=words):
            use_session_folder(tmp_path / name)


def test_a_start_that_comes_between_the_look_and_the_claim_keeps_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = session_folder._refuse_content

    def another_is_quicker(folder: Path, own: set[str]) -> None:
        look(folder, own)
        if not own:
            (folder / "session.json").write_text("theirs")

    monkeypatch.setattr(session_folder, "_refuse_content", another_is_quicker)
    with pytest.raises(UserInputError, match="holds a session already"):
        use_session_folder(tmp_path / "session")
    assert (tmp_path / "session" / "session.json").read_text() == "theirs"


def test_of_many_starts_on_one_folder_exactly_one_wins(tmp_path: Path) -> None:
    starts = 8
    for round_ in range(25):
        folder = tmp_path / str(round_)
        if round_ % 2:
            folder.mkdir()
        together = threading.Barrier(starts)
        outcomes: list[Path | None] = []

        def start(
            folder: Path = folder, together: threading.Barrier = together, outcomes: list[Path | None] = outcomes
        ) -> None:
            together.wait()
            try:
                outcomes.append(use_session_folder(folder))
            except UserInputError:
                outcomes.append(None)

        threads = [threading.Thread(target=start) for _ in range(starts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count(None) == starts - 1, f"round {round_}"
        assert [path.name for path in folder.iterdir()] == ["session.json"]


def test_the_files_of_a_session_never_replace_others(tmp_path: Path) -> None:
    for name in ("markers.csv", "decisions.jsonl", "frames.csv"):
        folder, outside = tmp_path / name.partition(".")[0], tmp_path / "outside"
        folder.mkdir()
        outside.write_text("mine")
        (folder / name).symlink_to(outside)
        with pytest.raises(DeviceError, match=name):
            SessionWriter(folder, lambda: 0.0, raw_pictures=True)
        assert outside.read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other access rights")
def test_a_session_can_be_read_by_its_user_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEMIRROR_UMASK", raising=False)
    before = os.umask(0)
    try:
        folder = use_session_folder(tmp_path / "session")
        made, _ = make_session(folder, 3, person="Ada", people=tmp_path / "people")
        made.seal()
    finally:
        os.umask(before)
    modes = {
        path: stat.S_IMODE(path.stat().st_mode) for root in (folder, tmp_path / "people") for path in root.rglob("*")
    }
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE((tmp_path / "people").stat().st_mode) == 0o700
    assert {path.name for path in modes} >= {"frames.csv", "markers.csv", "session.json", "calibration.json"}
    assert {path.name: mode for path, mode in modes.items() if mode != 0o600} == {}


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
