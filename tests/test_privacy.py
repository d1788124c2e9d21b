"""What a process of ours leaves behind and whom it asks: nothing and nobody, unless the user asked for it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime.files import open_private, private_folder, write_atomically, write_json
from realtime.media.lossless import RawRecorder
from realtime.media.recorder import VideoRecorder
from realtime.privacy import umask
from realtime.types import Frame
from tests.conftest import ROOT

# Reports every file opened for writing and every name looked up, by Python or by a library that asks Python.
_WATCHED = """
import os, sys
def watch(event, arguments):
    if event == "open" and arguments[0] is not None and not isinstance(arguments[0], int):
        flags = arguments[2] or 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            print("WROTE", os.fsdecode(arguments[0]), file=sys.stderr, flush=True)
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect"):
        print("ASKED", event, arguments, file=sys.stderr, flush=True)
sys.addaudithook(watch)
from realtime.cli import main
sys.exit(main(sys.argv[1:]))
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_importing_any_room_switches_the_telemetry_off_before_onnx_runtime_is_loaded() -> None:
    program = (
        "import os, sys, realtime.types; assert 'onnxruntime' not in sys.modules; "
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "1"


@pytest.mark.timeout(240)  # the first start on a machine compiles
def test_a_run_without_a_session_writes_only_into_its_caches_and_resolves_no_name(tmp_path: Path) -> None:
    """ONNX Runtime 1.32 made ~/.cache/Microsoft/DeveloperTools/.onnxruntime when its telemetry was on."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        k: v
        for k, v in os.environ.items()
        if k != "ORT_DISABLE_TELEMETRY" and not k.startswith(("XDG_", "FACEMIRROR_"))
    }
    command = [sys.executable, "-c", _WATCHED, "run", "--source", "demo", "--headless", "--duration", "1", "--quiet"]
    ended = subprocess.run(
        command,
        env={**environment, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    wrote = [line.removeprefix("WROTE ") for line in ended.stderr.splitlines() if line.startswith("WROTE ")]
    assert [path for path in wrote if "__pycache__" not in path and path != os.devnull] == []
    assert "ASKED" not in ended.stderr
    # What a native library writes behind Python's back shows up in the home folder.
    left = [path for path in home.rglob("*") if path.is_file() and "facemirror-live" not in path.parts]
    assert left == []
    assert list(tmp_path.iterdir()) == [home]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
@pytest.mark.parametrize(
    ("chosen", "file", "folder"), [(None, 0o600, 0o700), ("027", 0o640, 0o750), ("x", 0o600, 0o700)]
)
def test_files_and_folders_are_this_users_alone_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chosen: str | None, file: int, folder: int
) -> None:
    monkeypatch.delenv("FACEMIRROR_UMASK", raising=False)
    if chosen is not None:
        monkeypatch.setenv("FACEMIRROR_UMASK", chosen)
    before = os.umask(0)
    try:
        inner = private_folder(tmp_path / "a" / "b")
        with open_private(inner / "text.csv", "w", newline="") as stream:
            stream.write("ä")
        write_json(inner / "x.json", {"a": 1})
        with write_atomically(inner / "y") as stream:
            stream.write(b"y")
    finally:
        os.umask(before)
    assert [mode(path) for path in (inner.parent, inner)] == [folder, folder]
    assert {mode(path) for path in inner.iterdir()} == {file}
    assert (inner / "text.csv").read_bytes() == "ä".encode()


def test_the_program_restricts_every_file_of_its_process(tmp_path: Path) -> None:
    """FFmpeg and other libraries open files without asking us."""
    program = "from realtime.privacy import restrict_new_files; restrict_new_files(); open('x', 'w').close()"
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    if os.name != "nt":
        assert mode(tmp_path / "x") == 0o666 & ~umask()


def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path) -> None:
    if not hasattr(os, "O_NOFOLLOW"):
        pytest.skip("this system opens links without telling")
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / "link").symlink_to(victim)
    with pytest.raises(OSError, match="link"):
        open_private(tmp_path / "link", "w")
    with write_atomically(tmp_path / "link") as file:
        file.write(b"new")
    assert victim.read_text() == "kept"
    assert (tmp_path / "link").read_text() == "new"


def test_a_folder_that_is_a_file_is_refused_and_an_existing_one_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path)
    assert mode(tmp_path) == 0o755 or os.name == "nt"
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        private_folder(tmp_path / "file")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_recordings_of_a_program_that_set_no_mask_are_private_too(tmp_path: Path) -> None:
    """A patient's video was readable by every local user. FFmpeg opens its files without asking us for a mode."""
    before = os.umask(0)
    try:
        video = VideoRecorder(tmp_path / "video.mp4")
        raw = RawRecorder(tmp_path / "raw.mkv", lambda _n, _t: None)
        for number in range(3):
            video.write(np.zeros((48, 64, 3), np.uint8), number / 30)
            raw.put(Frame(np.zeros((48, 64, 3), np.uint8), number, number / 30), wait=True)
        video.close()
        raw.close()
    finally:
        os.umask(before)
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {"video.mp4": 0o600, "raw.mkv": 0o600}
