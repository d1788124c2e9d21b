"""The manifest, and what verify finds."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.cli import main
from realtime.errors import DeviceError, UserInputError
from realtime.files import write_json
from realtime.session.manifest import add_to_manifest, write_manifest
from realtime.session.verify import verify
from tests.session.live_like import FRAMES, make_session


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole session, never to be changed: take `session`."""
    folder = tmp_path_factory.mktemp("finished") / "session"
    folder.mkdir()
    writer, _ = make_session(folder, 11)
    write_json(folder / "session.json", {"format": 1, "configuration": {}, "models": []})
    writer.seal()
    return folder


@pytest.fixture
def session(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "session"))


def test_a_session_as_it_was_left_is_right(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = verify(session)
    assert verdict.right
    assert verdict.contents["raw.mkv"].startswith(f"{FRAMES} frames")
    assert verdict.contents["frames.csv"].startswith(f"{FRAMES} rows")
    assert main(["verify", str(session)]) == 0
    assert "is as the session left it" in capsys.readouterr().out
    listed = json.loads((session / "manifest.json").read_text())["files"]
    assert set(listed) == {p.name for p in session.iterdir()} - {"manifest.json"}


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


@pytest.mark.parametrize(
    "name", ["frames.csv", "raw.mkv", "decisions.jsonl", "markers.csv", "session.json", "calibration.json"]
)
@pytest.mark.parametrize(
    ("harm", "fault"), [(flip_a_byte, "changed"), (cut, "truncated"), (grow, "changed"), (Path.unlink, "missing")]
)
def test_any_harm_to_any_file_is_found_and_named(
    session: Path, name: str, harm: Callable[[Path], object], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(session / name)
    verdict = verify(session)
    assert not verdict.right
    assert [(p.file, p.fault) for p in verdict.problems if p.fault != "damaged"] == [(name, fault)]
    assert main(["verify", str(session)]) == 3
    out = capsys.readouterr().out
    assert f"{fault.upper()} {name}" in out


def test_what_a_command_added_is_listed_apart_and_watched_like_the_rest(session: Path) -> None:
    own = json.loads((session / "manifest.json").read_text())["files"]
    later = session / "openface2_final.csv"
    later.write_text("first\n")
    add_to_manifest(session, [later], "reprocess")
    assert verify(session).right
    later.write_text("again\n")
    assert [(p.file, p.fault) for p in verify(session).problems] == [(later.name, "changed")]
    add_to_manifest(session, [later, session / "frames.csv"], "reprocess")
    content = json.loads((session / "manifest.json").read_text())
    assert (content["files"], list(content["added"])) == (own, [later.name]), "what the session wrote keeps its entry"
    assert content["added"][later.name]["by"] == "reprocess"
    later.unlink()
    assert [(p.file, p.fault) for p in verify(session).problems] == [(later.name, "missing")]


def test_a_session_that_was_killed_gets_no_manifest_from_a_command(session: Path) -> None:
    (session / "manifest.json").unlink()
    add_to_manifest(session, [session / "frames.csv"], "reprocess")
    assert not (session / "manifest.json").exists()


def test_a_file_that_came_later_is_found_even_in_a_folder_below(session: Path) -> None:
    (session / "below").mkdir()
    (session / "below" / "notes.txt").write_text("mine")
    (problem,) = verify(session).problems
    assert (problem.file, problem.fault) == ("below/notes.txt", "extra")


def test_an_unfinished_session_says_so_and_what_can_be_read(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (session / "manifest.json").unlink()
    rows = (session / "frames.csv").read_bytes()
    cut_at = rows[: len(rows) * 2 // 3].rfind(b"\n") + 20
    (session / "frames.csv").write_bytes(rows[:cut_at])
    film = (session / "raw.mkv").read_bytes()
    (session / "raw.mkv").write_bytes(film[: len(film) // 2])
    verdict = verify(session)
    assert not verdict.finished
    assert [(p.file, p.fault) for p in verdict.problems] == [("frames.csv", "truncated")]
    whole = rows[:cut_at].count(b"\n") - 1
    assert verdict.contents["frames.csv"].startswith(f"{whole} rows, capture times 100.")
    read = int(verdict.contents["raw.mkv"].split()[0])
    assert 0.3 * FRAMES < read < 0.7 * FRAMES
    assert main(["verify", str(session), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["finished"] is False


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: shutil.rmtree(s), "not a folder"),
        (lambda s: (s / "session.json").unlink() or (s / "manifest.json").unlink(), "no session.json"),
        (lambda s: (s / "manifest.json").write_text('{"format": 9, "files": {}}'), "format 9"),
        (lambda s: (s / "manifest.json").write_text("{"), "no JSON"),
        (lambda s: (s / "manifest.json").write_text('{"format": 1, "files": [3]}'), "damaged"),
        (lambda s: write_json(s / "session.json", {"format": 2}) or write_manifest(s), "format 2"),
    ],
)
def test_no_session_or_one_of_another_version_is_one_sentence(
    session: Path, spoil: Callable[[Path], object], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(session)
    with pytest.raises(UserInputError, match=words):
        verify(session)
    assert main(["verify", str(session)]) == 2
    assert capsys.readouterr().err.strip().count("\n") == 0


def test_a_file_nobody_can_decode_is_damage_not_a_crash(session: Path) -> None:
    (session / "manifest.json").unlink()
    (session / "raw.mkv").write_bytes(b"no film at all" * 100)
    (session / "frames.csv").write_bytes(b"\xff\xfe\x00")
    faults = {p.file: p.fault for p in verify(session).problems}
    assert faults["raw.mkv"] == "damaged"
    assert faults["frames.csv"] == "damaged"


def named(session: Path) -> dict[str, tuple[str, str]]:
    return {problem.file: (problem.fault, problem.sentence) for problem in verify(session).problems}


def test_links_pipes_and_devices_are_named_and_never_waited_for(session: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (session / "dangling").symlink_to(tmp_path / "nowhere")
    (session / "folder").symlink_to(tmp_path / "elsewhere")
    (session / "zero").symlink_to("/dev/zero")
    os.mkfifo(session / "pipe")
    (session / "markers.csv").unlink()
    os.mkfifo(session / "markers.csv")
    assert named(session) == {
        "dangling": ("extra", "is a link that leads nowhere, and was not there when the session ended"),
        "folder": ("extra", "is a link to a folder, and was not there when the session ended"),
        "zero": ("extra", "is a link to a device, and was not there when the session ended"),
        "pipe": ("extra", "is a named pipe, and was not there when the session ended"),
        "markers.csv": ("changed", "is a named pipe instead of a file of 44 bytes"),
    }
    (session / "manifest.json").unlink()
    assert named(session)["dangling"] == ("damaged", "is a link that leads nowhere")


def test_what_a_file_manager_leaves_is_not_part_of_the_session(session: Path) -> None:
    (session / ".DS_Store").write_text("x")
    assert verify(session).right


def test_a_name_that_is_no_text_is_an_extra_file_like_others(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(os.fsdecode(os.fsencode(session) + b"/\xff")).write_text("x")
    assert named(session) == {"\\xff": ("extra", "was not there when the session ended")}
    assert main(["verify", str(session)]) == 3
    assert "EXTRA \\xff" in capsys.readouterr().out


def test_a_recording_that_failed_is_marked_in_the_manifest_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    writer, _ = make_session(folder, 11, frames=20)
    write_json(folder / "session.json", {"format": 1})
    writer.seal({"video.mp4": "The recording stopped after 126 frames (the disk is full)."})
    verdict = verify(folder)
    assert not verdict.right
    assert [tuple(problem) for problem in verdict.problems] == [
        ("video.mp4", "incomplete", "The recording stopped after 126 frames (the disk is full).")
    ]
    assert main(["verify", str(folder)]) == 3
    assert "INCOMPLETE video.mp4 The recording stopped after 126 frames" in capsys.readouterr().out


def test_a_parquet_file_that_cannot_be_written_does_not_leave_the_session_unsealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DeviceError("frames.parquet cannot be written (the disk is full).")

    folder = tmp_path / "session"
    folder.mkdir()
    writer, _ = make_session(folder, 11, frames=20)
    write_json(folder / "session.json", {"format": 1})
    monkeypatch.setattr("realtime.session.writer.write_parquet", full)
    writer.write_parquet()
    writer.seal()
    assert named(folder) == {"frames.parquet": ("incomplete", "frames.parquet cannot be written (the disk is full).")}


def test_another_user_s_session_is_not_called_missing(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of mode 0700 was said to hold no session. Root may read everything, so the refusal is made up here."""
    lstat = Path.lstat

    def refuse(path: Path) -> os.stat_result:
        if path.parent == session:
            raise PermissionError(13, "Permission denied", str(path))
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", refuse)
    with pytest.raises(UserInputError, match=r"session cannot be read \(Permission denied\)"):
        verify(session)


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_a_file_s_name_does_not_steer_the_terminal(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (session / "a\nEXTRA b").touch()
    (session / "\x1b[2J\x1b[Hall is well").touch()
    assert main(["verify", str(session)]) == 3
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert [line.split(" was")[0] for line in out.splitlines() if line.startswith("  EXTRA ")] == [
        r"  EXTRA \x1b[2J\x1b[Hall is well",
        r"  EXTRA a\nEXTRA b",
    ]
    write_manifest(session)
    assert verify(session).right, "such names are listed and found again"
