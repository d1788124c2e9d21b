"""Sessions from the command line, with the embedded models: kept, private, killed, replayed."""

import copy
import csv
import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.cli import main
from realtime.errors import DeviceError
from realtime.media.recorder import VideoRecorder
from realtime.session.verify import verify
from tests.live.waiting import eventually

FRAMES = 14


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short noisy picture without a face."""
    path = tmp_path_factory.mktemp("clips") / "noise.mkv"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(FRAMES):
            picture = rng.integers(0, 255, (240, 320, 3), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def run(clip: Path, *more: str) -> int:
    return main(["run", "--source", str(clip), "--speed", "max", "--headless", "--quiet", *more])


def test_nothing_is_stored_unless_asked(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    monkeypatch.chdir(here)
    for name in ("XDG_DATA_HOME", "HOME", "APPDATA"):
        monkeypatch.setenv(name, str(home))
    assert run(clip) == 0
    assert run(clip, "--person", "Ada") == 0
    assert list(here.rglob("*")) == []
    assert not list(home.rglob("*person*"))


def test_landmarks_only_stores_no_picture(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    assert run(clip, "--session", str(folder), "--landmarks-only", "--affected", "left") == 0
    assert json.loads((folder / "session.json").read_text())["affected_side"]["value"] == "left"
    assert {p.name for p in folder.iterdir()} == {
        "data_dictionary.json", "frames.csv", "manifest.json", "markers.csv", "session.json",
    }  # fmt: skip
    assert main(["verify", str(folder)]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--landmarks-only", "--record"], "stores no picture"),
        (["--landmarks-only", "--record", "raw"], "stores no picture"),
        (["--blur-face", "--record", "raw"], "blur-face"),
        (["--lsl"], "--speed max"),
        (["--osc", "nowhere"], "HOST:PORT"),
        (["--person", "a\tb"], "printable"),
    ],
)
def test_what_does_not_go_together_is_one_sentence_and_stores_nothing(
    clip: Path, tmp_path: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "session"
    assert run(clip, "--session", str(folder), *words) == 2
    err = capsys.readouterr().err.strip()
    assert sentence in err
    assert err.count("\n") == 0
    assert not list(folder.rglob("*.mp4"))


@pytest.mark.parametrize(("words", "files"), [([], set()), (["--no-record"], set()), (["--record"], {"video.mp4"})])
def test_recording_is_as_asked(clip: Path, tmp_path: Path, words: list[str], files: set[str]) -> None:
    folder = tmp_path / "session"
    assert run(clip, "--session", str(folder), *words) == 0
    assert {p.name for p in folder.iterdir() if p.suffix in (".mp4", ".mkv")} == files


def test_a_raw_session_is_replayed_byte_for_byte_and_a_changed_picture_is_noticed(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "session"
    assert run(clip, "--session", str(folder), "--record", "raw") == 0
    assert main(["verify", str(folder)]) == 0
    assert main(["replay", str(folder)]) == 0
    assert "byte for byte" in capsys.readouterr().out
    again = tmp_path / "session-replay" / "frames.csv"
    assert again.read_bytes() == (folder / "frames.csv").read_bytes()
    assert main(["verify", str(folder)]) == 0, "the replay wrote nothing into the session"
    rows = [line.rpartition(",") for line in (folder / "frames.csv").read_text().splitlines()]
    assert {last for _, _, last in rows} == {"hidden", ""}, "there is no face"
    # As an earlier version wrote them: the replay has no other columns than the session.
    changed = "".join(f"{before}\n" for before, _, _ in rows).replace("measured", "guessed!", 1)
    (folder / "frames.csv").write_text(changed)
    assert main(["replay", str(folder), "--out", str(tmp_path / "again")]) == 3
    assert "row 1 (first in status)" in capsys.readouterr().out


def test_a_replay_averages_over_crops_and_mirror_images_where_the_session_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tmp_path / "session", tmp_path / "session" / "session.json"
    words = [
        "--session",
        str(folder),
        "--record",
        "raw",
        "--duration",
        "0.4",
        "--mirror-average",
        "--crop-average",
        "2",
    ]
    assert main(["run", "--source", "demo", "--speed", "max", "--headless", "--quiet", *words]) == 0
    described = json.loads(file.read_text())
    setting = described["configuration"]["models.mirror_average"]
    assert setting == {"value": "every", "from": "command line"}
    assert main(["replay", str(folder), "--out", str(tmp_path / "again")]) == 0
    assert "byte for byte" in capsys.readouterr().out
    for name, value in (("models.mirror_average", False), ("models.crop_average", 1)):
        other = copy.deepcopy(described)
        other["configuration"][name]["value"] = value
        file.write_text(json.dumps(other))
        assert main(["replay", str(folder), "--out", str(tmp_path / name)]) == 3
        assert "(first in " in capsys.readouterr().out


def test_a_session_that_is_not_raw_or_was_made_with_other_models_is_one_sentence(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "session"
    assert run(clip, "--session", str(folder)) == 0
    assert main(["replay", str(folder)]) == 2
    assert "--record raw" in capsys.readouterr().err
    raw = tmp_path / "raw"
    assert run(clip, "--session", str(raw), "--record", "raw") == 0
    described = json.loads((raw / "session.json").read_text())
    described["models"][0]["sha256"] = "0" * 64
    (raw / "session.json").write_text(json.dumps(described))
    assert main(["replay", str(raw)]) == 3
    assert "another model" in capsys.readouterr().err


def test_people_are_listed_and_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from datetime import UTC, datetime

    from realtime.action_units.baseline import Baseline
    from realtime.session.calibration_store import CalibrationStore

    CalibrationStore(tmp_path).store(
        "Ada", Baseline(np.zeros((98, 2), np.float32)), 120, datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert main(["people", "--people", str(tmp_path), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["people"]
    assert found == {"name": "Ada", "calibrated": "2026-01-02T00:00:00+00:00", "frames": 120, "face": False}
    assert main(["people", "--people", str(tmp_path), "--delete", "Ada"]) == 0
    assert main(["people", "--people", str(tmp_path)]) == 0
    assert "No calibration" in capsys.readouterr().out
    assert main(["people", "--people", str(tmp_path), "--delete", "Ada"]) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_session_is_readable_to_its_last_second(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    words = ["run", "--source", "lavfi:testsrc=size=160x120:rate=15", "--headless", "--quiet"]
    words += ["--session", str(folder), "--record", "raw", "--max-age-ms", "60000"]
    program = subprocess.Popen([sys.executable, "-m", "realtime", *words], stderr=subprocess.PIPE)
    rows = folder / "frames.csv"
    try:
        eventually(
            lambda: program.poll() is not None or (rows.exists() and rows.read_bytes().count(b"\n") > 45), 50, "rows"
        )
        assert program.poll() is None, program.stderr.read()
    finally:
        program.send_signal(signal.SIGKILL)
        program.communicate()
    verdict = verify(folder)
    assert not verdict.finished
    assert {p.fault for p in verdict.problems} <= {"truncated"}, "cut short at most, never damaged"
    with rows.open(newline="") as file:
        whole = [row for row in csv.DictReader(file) if None not in row.values()]
    numbers = [int(row["sequence"]) for row in whole]
    assert numbers == list(range(len(numbers)))
    length = float(whole[-1]["capture_time"]) - float(whole[0]["capture_time"])
    for name in ("video.mp4", "raw.mkv"):
        last = float(verdict.contents[name].split()[-2])
        assert last > length - 1.0, f"{name} ends at {last:.2f} s, the rows at {length:.2f} s"
    assert main(["verify", str(folder)]) == 3


def test_a_trace_or_parquet_file_that_cannot_be_written_leaves_the_session_sealed_and_is_named_once(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise DeviceError("frames.parquet cannot be written (the disk is full).")

    folder, summary = tmp_path / "session", tmp_path / "summary.json"
    (tmp_path / "file").touch()
    monkeypatch.setattr("realtime.session.writer.write_parquet", full)
    words = ["--session", str(folder), "--parquet", "--trace", str(tmp_path / "file" / "trace.json")]
    assert run(clip, *words, "--summary", str(summary)) == 3
    errors = capsys.readouterr().err
    assert errors.count("frames.parquet cannot be written") == errors.count("trace.json cannot be written") == 1
    assert set(json.loads(summary.read_text())["failures"]) == {"trace", "frames.parquet"}
    assert json.loads(summary.read_text())["frames"]["captured"] == FRAMES
    assert [(p.file, p.fault) for p in verify(folder).problems] == [("frames.parquet", "incomplete")]


def test_a_recording_that_fails_ends_with_3_and_is_marked_in_the_manifest(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = tmp_path / "session"
    monkeypatch.setattr(VideoRecorder, "_start", full)
    assert run(clip, "--session", str(folder), "--record") == 3
    assert capsys.readouterr().err.count("disk is full") == 1
    assert ("video.mp4", "incomplete") in [(p.file, p.fault) for p in verify(folder).problems]
    assert (folder / "frames.csv").read_bytes().count(b"\n") == FRAMES + 1, "rows go on"


def test_a_folder_with_anything_in_it_is_refused_before_anything_is_opened(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "markers.csv").write_text("mine")
    assert run(clip, "--session", str(tmp_path), "--record", "raw") == 2
    assert "is not empty (markers.csv)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["markers.csv"]
    assert (tmp_path / "markers.csv").read_text() == "mine"
