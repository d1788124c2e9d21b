"""However a run ends, its session is sealed and its figures are true: signals at any moment, disks and files that fail."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from realtime.action_units.calibration import IDLE, CalibrationProgress
from realtime.app.interrupts import Interrupts, raise_interrupt
from realtime.app.notifier import Notifier
from realtime.app.preview_overlay import PreviewOverlay
from realtime.app.run import Run
from realtime.cli import main
from realtime.config import resolve
from realtime.errors import UserInputError
from realtime.media.video_source import VideoSource
from realtime.session.manifest import read_manifest
from realtime.session.verify import verify
from realtime.types import RenderedFrame
from tests.live.waiting import eventually

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")
NOISE = "lavfi:nullsrc=s=320x240:r=30,geq=random(1)*255:128:128"


class Program:
    """`facemirror-live run` as a process, with a session and a summary."""

    def __init__(self, folder: Path, *words: str, limit: Callable[[], None] | None = None) -> None:
        self.session, self.summary_file = folder / "session", folder / "summary.json"
        command = [sys.executable, "-m", "realtime", "run", "--headless", "--record", "--session", str(self.session)]
        self.process = subprocess.Popen(
            [*command, "--summary", str(self.summary_file), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit,
        )

    def line_with(self, words: str) -> str:
        """The next line of stderr that holds these words."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if words in line)

    def end(self) -> tuple[int, str]:
        """Exit code and the rest of stderr."""
        assert self.process.stderr is not None
        rest = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(30), rest

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads(self.summary_file.read_text())

    @property
    def rows(self) -> int:
        with (self.session / "frames.csv").open(newline="") as file:
            return sum(1 for _ in csv.DictReader(file))


@posix
def test_three_fast_signals_while_it_runs(tmp_path: Path) -> None:
    program = Program(tmp_path, "--source", "lavfi:testsrc=size=320x240:rate=30")
    program.line_with("running")
    for _ in range(3):
        program.process.send_signal(signal.SIGINT)
    code, rest = program.end()
    assert (code in (130, -signal.SIGINT), rest) == (True, "")
    assert program.summary["ended"] == "interrupted"
    assert program.rows == program.summary["frames"]["captured"]
    assert verify(program.session).right


@posix
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT], ids=["SIGHUP", "SIGINT"])
def test_a_signal_while_models_are_opened(tmp_path: Path, number: signal.Signals) -> None:
    program = Program(tmp_path, "--source", "lavfi:testsrc=size=320x240:rate=30")
    described = program.session / "data_dictionary.json"  # the session's files are there, the models come next
    eventually(lambda: described.exists() or program.process.poll() is not None, 50, "the session's files")
    assert program.process.poll() is None
    program.process.send_signal(number)
    assert program.end()[0] in (130, -signal.SIGINT)
    assert program.summary["ended"] in ("before the start", "interrupted")
    assert verify(program.session).right


@posix
def test_a_recording_that_cannot_grow_is_told_at_once_and_the_rows_go_on(tmp_path: Path) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    program = Program(tmp_path, "--source", f"{NOISE},trim=duration=4", limit=limit)
    said = program.line_with("Recording stopped")
    assert program.process.poll() is None, "while it runs"
    code, rest = program.end()
    assert code == 3
    sentence = said.strip().removeprefix("facemirror-live: ")
    assert sentence not in rest, "once"
    frames = program.summary["frames"]
    assert program.rows == frames["captured"] == 120
    assert program.summary["failures"] == {"video.mp4": f"DeviceError: {sentence}"}
    manifest = read_manifest(program.session)
    assert manifest is not None
    assert dict(manifest.incomplete) == {"video.mp4": sentence}
    assert [(p.file, p.fault) for p in verify(program.session).problems] == [("video.mp4", "incomplete")]


@pytest.fixture
def offline(tmp_path: Path) -> Callable[..., int]:
    """A second of film as fast as possible, into a session."""

    def run(*words: str) -> int:
        base = ["run", "--source", "lavfi:testsrc=size=160x120:rate=10:duration=1", "--speed", "max", "--headless"]
        return main([*base, "--session", str(tmp_path / "session"), *words])

    return run


def test_a_session_that_the_program_named_is_told_also_quietly_and_a_duration_is_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--source", "lavfi:testsrc=size=160x120:rate=10", "--speed", "max", "--headless", "--quiet"]
    assert main(["run", *words, "--record", "--duration", "0.3"]) == 0
    (made,) = (tmp_path / "sessions").iterdir()
    summary = json.loads((made / "session.json").read_text())["summary"]
    assert (summary["frames"]["captured"], summary["ended"]) == (3, "duration")
    assert capsys.readouterr().out == f"session: sessions/{made.name}\n"


def test_a_trace_that_cannot_be_written_leaves_the_session_sealed(
    offline: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.json"
    (tmp_path / "file").touch()
    trace = tmp_path / "file" / "trace.json"
    assert offline("--trace", str(trace), "--summary", str(summary)) == 3
    assert f"The trace {trace} cannot be written" in capsys.readouterr().err
    found = json.loads(summary.read_text())
    assert list(found["failures"]) == ["trace"]
    assert found["frames"]["captured"] == 10
    assert verify(tmp_path / "session").right


def test_parquet_that_cannot_be_written_leaves_the_session_sealed(
    offline: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_csv: Path) -> Path:
        raise MemoryError("no room")

    monkeypatch.setattr("realtime.session.writer.write_parquet", full)
    assert offline("--parquet") == 3
    assert "no room" in capsys.readouterr().err
    manifest = read_manifest(tmp_path / "session")
    assert manifest is not None
    assert list(manifest.incomplete) == ["frames.parquet"]


def test_a_run_that_cannot_start_leaves_no_claimed_folder(
    offline: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        assert (tmp_path / "session" / "frames.csv").exists()
        raise UserInputError("--tone 45: this Action Unit is not measured.")

    with monkeypatch.context() as patch:
        patch.setattr("realtime.app.run.build", refuse)
        assert offline("--tone", "45") == 2
        assert not (tmp_path / "session").exists()
        (tmp_path / "session").mkdir()
        assert offline("--tone", "45") == 2
        assert list((tmp_path / "session").iterdir()) == [], "the user's own folder stays, as it was"
    with monkeypatch.context() as patch:
        patch.setattr("realtime.app.outputs.plugin_sinks", refuse)
        assert offline() == 2
        assert list((tmp_path / "session").iterdir()) == []
    assert offline() == 0, "the same words work once the fault is gone"
    assert verify(tmp_path / "session").right


@pytest.mark.parametrize(("words", "begun"), [([], 1), (["--rotate", "auto"], 0)])
@pytest.mark.parametrize("by_itself", [False, True])
def test_kernels_begin_to_compile_before_the_source_is_opened_and_end_with_the_run(
    words: list[str], begun: int, by_itself: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding the rotation compiles on its own: two compilations of the same would take the processors from each other."""
    events: list[str] = []

    def begin() -> SimpleNamespace:
        events.append("begin")
        return SimpleNamespace(end=lambda: events.append("end"))

    def refuse(self: VideoSource) -> None:
        events.append("open")
        raise UserInputError("demo: it cannot be opened.")

    for place in ("realtime.app.run.begin", "realtime.cli.live.begin"):
        monkeypatch.setattr(place, begin)
    monkeypatch.setattr(VideoSource, "open", refuse)
    if by_itself:
        settings = resolve({"source": "demo", "headless": True, **({"rotate": "auto"} if words else {})})
        with pytest.raises(UserInputError):
            Run(settings).execute()
    else:
        assert main(["run", "--source", "demo", "--headless", "--quiet", *words]) == 2
    assert events == ["begin"] * begun + ["open"] + ["end"] * begun


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(24, "Too many open files", "libfoo.so"), "libfoo.so cannot be used (Too many open files)."),
        (MemoryError(), "There is not enough memory; close other programs, or choose a smaller picture."),
        (RuntimeError("a fault of ours"), None),
    ],
    ids=["descriptors", "memory", "fault"],
)
def test_whatever_a_start_meets_the_session_is_sealed(
    offline: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    sentence: str | None,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("realtime.app.run.build", refuse)
    summary = tmp_path / "summary.json"
    if sentence is None:
        with pytest.raises(RuntimeError, match="a fault of ours"):
            offline("--summary", str(summary))
    else:
        assert offline("--summary", str(summary)) == 3
        assert sentence in capsys.readouterr().err
        assert json.loads(summary.read_text())["failures"] == {"start": sentence}
    assert verify(tmp_path / "session").right


def test_frames_that_a_part_lost_are_said_and_are_a_failure(
    offline: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_self: object, shown: RenderedFrame) -> None:
        if shown.sequence == 3:
            raise ValueError("odd")

    monkeypatch.setattr("realtime.app.nodes.sinks.Record.process", fail)
    assert offline("--record") == 3
    assert "a frame was lost in recorder" in capsys.readouterr().err
    assert verify(tmp_path / "session").finished


def test_a_dashboard_that_stopped_is_said_and_is_a_failure(
    offline: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_pages(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("realtime.dashboard.service.Server", no_pages)
    assert offline("--dashboard", "--port", "0") == 3
    assert capsys.readouterr().err.count("The dashboard stopped (OSError: Too many open files)") == 1
    assert verify(tmp_path / "session").right


def test_a_session_that_cannot_be_sealed_still_has_its_figures(
    offline: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("realtime.session.writer.write_manifest", full)
    summary = tmp_path / "summary.json"
    assert offline("--summary", str(summary)) == 3
    found = json.loads(summary.read_text())
    assert found["frames"]["captured"] == 10
    assert list(found["failures"]) == ["manifest.json"]


@posix
def test_signals_are_counted_passed_on_and_never_lost() -> None:
    before = signal.getsignal(signal.SIGINT)
    heard: list[int] = []
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.count == 1, "in between it only counts"
        with interrupts.calling(heard.append):
            assert heard == [1], "one that came before is passed on at once"
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGINT)
        assert heard == [1, 2, 3]
        with pytest.raises(KeyboardInterrupt), interrupts.calling(raise_interrupt):
            raise AssertionError("not reached")
        interrupts.count = 0
    assert signal.getsignal(signal.SIGINT) is before


@posix
def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGHUP)
            assert interrupts.count == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_warning_is_said_once_and_stays_in_the_picture() -> None:
    said: list[str] = []
    notifier = Notifier(said.append)
    progress = SimpleNamespace(now=IDLE)
    image = np.full((480, 640, 3), 200, np.uint8)
    image.flags.writeable = False
    overlay = PreviewOverlay(lambda: progress.now, lambda: notifier.warnings, lambda: 1.0)
    assert overlay.draw(image) is image
    for _ in range(3):
        notifier.warn("Recording stopped after 17 frames: the disk is full.")
    assert said == ["Recording stopped after 17 frames: the disk is full."]
    drawn = overlay.draw(image)
    assert drawn[:40].mean() < 100, "a dark band at the top"
    assert (drawn[200:] == image[200:]).all()
    progress.now = CalibrationProgress("collecting", 0.5, "Keep still.")
    both = overlay.draw(image)
    assert (both[:40] == drawn[:40]).all()
    assert (both[200:] != image[200:]).any()


def test_sentences_that_repeat_are_said_once() -> None:
    said: list[str] = []
    notifier = Notifier(said.append)
    for seconds in (0.5, 1.0, 4.9, 5.0, 9.0):
        notifier.compiling("retinaface", seconds)
    notifier.calibration(IDLE)
    assert [sentence.split()[-2:] for sentence in said] == [["0", "s"], ["5", "s"]]
