"""The whole program from its command line, on clips made here, with the embedded models."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.cli import main

FRAMES = 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short moving picture without a face."""
    path = tmp_path_factory.mktemp("clips") / "moving.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i in range(FRAMES):
            picture = np.full((240, 320, 3), 40, np.uint8)
            picture[60 : 60 + 5 * i, 40 : 40 + 10 * i] = (200, 120, 30)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def offline(clip: Path, tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """Run the clip as fast as possible into a session folder; gives the exit code and the folder."""

    def run(*more: str, name: str = "session") -> tuple[int, Path]:
        folder = tmp_path / name
        words = ["run", "--source", str(clip), "--speed", "max", "--headless", "--quiet", "--session", str(folder)]
        return main([*words, *more]), folder

    return run


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "frames.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_session_holds_a_row_per_frame_the_picture_and_the_figures(
    offline: Callable[..., tuple[int, Path]], tmp_path: Path
) -> None:
    summary_file = tmp_path / "summary.json"
    code, folder = offline("--record", "--summary", str(summary_file))
    assert code == 0
    rows = rows_of(folder)
    assert [int(row["sequence"]) for row in rows] == list(range(FRAMES))
    assert {row["status"] for row in rows} == {"measured"}
    assert {row["wflw_x_0"] for row in rows} == {""}, "nobody is there, so nothing is measured"
    with av.open(str(folder / "video.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == FRAMES
    summary = json.loads(summary_file.read_text())
    frames = summary["frames"]
    assert frames["captured"] == FRAMES
    assert frames["captured"] == frames["delivered"] + frames["dropped_total"]
    assert frames["queued"] == 0
    assert summary["negotiated"]["width"] == 320
    assert len(summary["models"]) >= 2
    for edge in summary["edges"].values():
        assert edge["put"] == edge["delivered"] + sum(edge["dropped"].values()) + edge["queued"]
    session = json.loads((folder / "session.json").read_text())
    assert session["summary"]["frames"] == frames
    assert session["configuration"]["speed"] == {"value": "max", "from": "command line"}


def test_the_same_file_gives_the_same_rows(offline: Callable[..., tuple[int, Path]]) -> None:
    first, second = (offline(name=name)[1] / "frames.csv" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def test_a_session_is_never_overwritten(
    offline: Callable[..., tuple[int, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = offline()
    before = (folder / "frames.csv").read_bytes()
    code, _ = offline()
    assert code == 2
    assert "holds a session already" in capsys.readouterr().err
    assert (folder / "frames.csv").read_bytes() == before


@pytest.mark.parametrize("view", ["overlay", "mirrored", "split", "raw"])
def test_every_view_runs(clip: Path, view: str) -> None:
    words = ["run", "--source", str(clip), "--speed", "max", "--headless", "--quiet", "--view", view, "--selfie"]
    assert main(words) == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--source", "nowhere.mp4"], 2, "nowhere.mp4"),
        (["--source", "camera:77"], 3, "camera"),
        (["--source", "demo", "--set", "sped=max"], 2, "no setting 'sped'"),
        (["--source", "demo", "--set", "sped"], 2, "NAME=VALUE"),
        (["--source", "demo", "--size", "big"], 2, "WIDTHxHEIGHT"),
        (["--source", "lavfi:testsrc", "--weights", "nowhere"], 3, "no model manifest"),
    ],
)
def test_wrong_words_and_missing_things_get_one_sentence(
    words: list[str], code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.json"
    assert main(["run", "--headless", "--quiet", "--summary", str(summary), *words]) == code
    err = capsys.readouterr().err.strip()
    assert sentence in err
    assert err.count("\n") == 0, "one sentence, no traceback"
    assert summary.exists() == (code != 2)
    if code != 2:
        assert json.loads(summary.read_text())["failures"]


def test_a_text_file_is_no_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.mp4"
    file.write_text("not a video, just words\n" * 50)
    assert main(["run", "--source", str(file), "--headless", "--quiet"]) == 2
    assert "notes.mp4" in capsys.readouterr().err


def test_ctrl_c_ends_a_live_run_in_order(tmp_path: Path) -> None:
    """A real signal to a real process; it is sent when the program says that it is running."""
    summary, session = tmp_path / "summary.json", tmp_path / "session"
    words = ["run", "--source", "lavfi:testsrc=size=320x240:rate=30", "--headless", "--session", str(session)]
    program = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words, "--summary", str(summary)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr is not None
    for line in program.stderr:
        if "running" in line:
            break
    program.send_signal(signal.SIGINT)
    program.stderr.read()
    assert program.wait(20) == 130
    program.stderr.close()
    figures = json.loads(summary.read_text())
    assert figures["ended"] == "interrupted"
    assert figures["stuck"] == []
    assert len(rows_of(session)) == figures["frames"]["captured"]
