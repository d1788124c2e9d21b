"""A program whose output nobody reads runs and exits as with a reader; what could not be written is told. Real processes and pipes."""

import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.cli.terminal import MessageHandler, Messages, messages

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX descriptors")
CONFIG = [sys.executable, "-m", "realtime", "config", "--json"]


def closed(number: int) -> Callable[[], None]:
    return lambda: os.close(number)


@pytest.mark.parametrize("number", [1, 2])
def test_closed_from_the_beginning(number: int) -> None:
    done = subprocess.run(CONFIG, capture_output=True, preexec_fn=closed(number), check=False, timeout=55)
    assert done.returncode == 0
    assert (b'"speed"' in done.stdout) == (number != 1)
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_full() -> None:
    said = b"facemirror-live: What was printed could not be written (the disk is full).\n"
    with Path("/dev/full").open("w") as full:
        for words in (CONFIG, [sys.executable, "-m", "realtime", "--version"]):
            done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False, timeout=55)
            assert (done.returncode, done.stderr) == (3, said)
        wrong = [sys.executable, "-m", "realtime", "verify", "nowhere"]
        assert subprocess.run(wrong, stdout=full, stderr=full, check=False, timeout=55).returncode == 2


def test_the_reader_of_a_pipe_goes_away() -> None:
    program = subprocess.Popen(CONFIG, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert program.stdout is not None
    program.stdout.close()
    assert program.wait(55) == 0
    assert program.stderr is not None
    assert program.stderr.read() == b""
    program.stderr.close()


def full_pipe() -> tuple[int, int]:
    """A pipe that takes nothing more: (end to read, end to write)."""
    reading, writing = os.pipe()
    flags = fcntl.fcntl(writing, fcntl.F_GETFL)
    fcntl.fcntl(writing, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    fcntl.fcntl(writing, fcntl.F_SETFL, flags)
    return reading, writing


def test_an_unread_stderr_never_stops_a_run(tmp_path: Path) -> None:
    reading, writing = full_pipe()
    words = ["run", "--source", "lavfi:testsrc=size=160x120:rate=30:duration=1", "--headless", "--record"]
    words += ["--session", str(tmp_path / "session")]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "realtime", *words], stdout=subprocess.PIPE, stderr=writing, check=False, timeout=55
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 0
    assert b"30 captured" in done.stdout
    assert (tmp_path / "session" / "manifest.json").is_file()


def test_messages_come_in_order_and_a_status_line_gives_way(capfd: pytest.CaptureFixture[str]) -> None:
    messages = Messages()
    messages.say("first")
    assert messages.flush(5)
    messages.status("12 fps")
    assert messages.flush(5)
    messages.say("second")
    messages.status("")
    assert messages.flush(5)
    assert capfd.readouterr().err == "facemirror-live: first\n12 fps\r\x1b[Kfacemirror-live: second\n"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            "source camera: DeviceError: camera 2 (Webcam) is gone (unplugged?).",
            "camera 2 (Webcam) is gone (unplugged?).",
        ),
        ("node track: ValueError: 3", "node track: ValueError: 3"),  # a fault of ours says where it is
        ("source camera: back", "The source gives pictures again."),
    ],
)
def test_a_sentence_for_the_user_names_no_part_of_the_graph(
    capfd: pytest.CaptureFixture[str], record: str, said: str
) -> None:
    MessageHandler().emit(logging.LogRecord("realtime.graph", logging.WARNING, "", 0, record, None, None))
    assert messages.flush(5)
    assert capfd.readouterr().err == f"facemirror-live: {said}\n"


def test_of_too_many_messages_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    messages, release, written = Messages(), os.pipe(), []

    def write(text: str, _status: str | None) -> None:
        os.read(release[0], 1)
        written.append(text)

    monkeypatch.setattr(messages, "_write", write)
    for number in range(5000):
        messages.say(str(number))
    assert not messages.flush(0.0)
    os.write(release[1], b"xx")
    assert messages.flush(5)
    lines = "".join(written).splitlines()
    assert len(lines) <= 1000 + 4000
    assert lines[-1].endswith("4999")
    for end in release:
        os.close(end)
