"""A file that the user names for results replaces an earlier result, and nothing else."""

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.app.output_files import PARQUET, REPORT, SUMMARY, TRACE, check_output
from realtime.cli import main
from realtime.errors import UserInputError
from realtime.files import write_atomically, write_json
from realtime.session.verify import verify

SOURCE = ["run", "--headless", "--quiet", "--speed", "max", "--source"]


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's film in the working folder; what it holds does not matter."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a patient's film")
    return path


@pytest.mark.parametrize("option", ["--summary", "--trace"])
@pytest.mark.parametrize("name", ["clip.mp4", "link.json", "notes.txt", "settings.toml", "other/session.json"])
def test_a_run_overwrites_nothing_but_its_own_kind(
    film: Path, option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("link.json").symlink_to("clip.mp4")
    Path("notes.txt").write_text("mine")
    Path("settings.toml").write_text("fps = 10\n")
    Path("other").mkdir()
    Path("other/session.json").write_text(json.dumps({"format": 1, "summary": {"frames": {}, "failures": {}}}))
    before = {path: path.read_bytes() for path in film.parent.rglob("*") if path.is_file()}
    assert main([*SOURCE, "clip.mp4", "--config", "settings.toml", option, name]) == 2
    said = capsys.readouterr().err
    assert f"{option} {name}: this" in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in film.parent.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["frames.csv", "session.json", "Manifest.JSON", "video.mp4", "openface3.csv"])
def test_the_names_of_a_session_are_its_own(film: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SOURCE, str(film), "--session", "s", "--summary", f"./s/{name}"]) == 2
    assert "the session has a file of this name" in capsys.readouterr().err
    assert not Path("s").exists()


def test_summary_and_trace_are_two_files(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SOURCE, str(film), "--summary", "a.json", "--trace", "./a.json"]) == 2
    assert "the same file" in capsys.readouterr().err


def test_a_second_run_replaces_the_first_one_s_figures(tmp_path: Path) -> None:
    clip = "lavfi:testsrc=size=64x48:rate=10:duration=0.3"
    words = ["--summary", str(tmp_path / "a.json"), "--trace", str(tmp_path / "t.json")]
    for number in (1, 2):
        session = ["--session", str(tmp_path / f"s{number}")]
        assert main([*SOURCE, clip, *words, *session]) == 0
    assert json.loads((tmp_path / "a.json").read_text())["session"] == str(tmp_path / "s2")
    assert stat.S_IMODE((tmp_path / "t.json").stat().st_mode) == 0o600
    for command in (["report"], ["export", "--parquet"]):
        target = tmp_path / "s1" / "frames.csv"
        assert main([*command, str(tmp_path / "s1"), "--out", str(target)]) == 2
    assert verify(tmp_path / "s1").right
    page = tmp_path / "page.html"
    for _ in range(2):
        assert main(["report", str(tmp_path / "s1"), "--out", str(page)]) == 0
    assert main(["report", str(tmp_path / "s1"), "--out", str(tmp_path / "s1" / "page.html")]) == 0
    assert verify(tmp_path / "s1").right, "what was wanted in the session's folder is listed"
    page.write_text("<!doctype html>my own page")
    assert main(["report", str(tmp_path / "s1"), "--out", str(page)]) == 2


@pytest.mark.parametrize("is_earlier", [SUMMARY, TRACE, REPORT, PARQUET])
def test_an_empty_file_and_one_that_is_not_there_are_right(tmp_path: Path, is_earlier: Callable[[bytes], bool]) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", "new"):
        check_output(tmp_path / name, "--out", is_earlier)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserInputError, match="a folder"):
        check_output(tmp_path / "folder", "--out", is_earlier)
    with pytest.raises(UserInputError, match="read as well"):
        check_output(tmp_path / "empty", "--out", is_earlier, [tmp_path / "empty"])


@pytest.mark.skipif(os.name == "nt", reason="named pipes in folders")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """`--summary /dev/null` as root put a file in the place of the device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"), write_atomically(pipe):  # nobody reads it: not waited for
        raise AssertionError("not reached")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    written = False
    while not written:  # until the reader has opened it
        try:
            with write_atomically(pipe) as file:
                file.write(b"figures")
            written = True
        except OSError:
            reader.join(0.01)
    reader.join(10)
    assert heard == ["figures"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="a device of this name")
def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    device = tmp_path / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        write_json(device, {"a": 1})
    except (PermissionError, AttributeError) as error:
        pytest.skip(f"only root may make a device: {error}")
    except Exception as error:  # a container that has none
        if stat.S_ISCHR(device.stat().st_mode):
            pytest.skip(f"devices cannot be used here: {error}")
        raise
    assert stat.S_ISCHR(device.stat().st_mode)
