"""Kernels are compiled by a child, once for a source, a Numba and a processor."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from realtime.face import kernel_cache
from realtime.face.geometry import fit_similarity
from realtime.face.kernel_cache import begin, cache_state, prepare_mirror
from realtime.face.scene_change import thumbnail
from realtime.jit import damaged_files, sealed

CHILD = (
    "import sys, pathlib; p = pathlib.Path(sys.argv[1]); "
    "p.joinpath('made').open('a').write('x'); p.joinpath('k.nbi').write_bytes(bytes.fromhex(sys.argv[2]))"
)


def command(folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", CHILD, str(folder), sealed(b"code").hex())


def prepare(progress: Callable[[str, float], None] | None = None, *, folder: Path, command: Sequence[str]) -> None:
    begin(folder=folder, commands=[command]).wait(progress)


def times(folder: Path) -> int:
    return len((folder / "made").read_text())


def until(reached: Callable[[], bool]) -> bool:
    """Whether a background thread or a process gets there in time."""
    end = time.monotonic() + 20
    while not reached() and time.monotonic() < end:
        time.sleep(0.01)
    return reached()


def test_the_child_runs_once(tmp_path: Path) -> None:
    for _ in range(3):
        prepare(folder=tmp_path, command=command(tmp_path))
    assert times(tmp_path) == 1


def test_the_child_runs_again_when_a_compiled_file_is_gone(tmp_path: Path) -> None:
    prepare(folder=tmp_path, command=command(tmp_path))
    (tmp_path / "k.nbi").unlink()
    prepare(folder=tmp_path, command=command(tmp_path))
    assert times(tmp_path) == 2


@pytest.mark.parametrize("content", [b"", b"code", sealed(b"code")[:-1], sealed(b"code").replace(b"c", b"k", 1)])
def test_the_child_runs_again_when_a_compiled_file_is_damaged(tmp_path: Path, content: bytes) -> None:
    """One emptied file stopped the program for good."""
    prepare(folder=tmp_path, command=command(tmp_path))
    (tmp_path / "k.nbi").write_bytes(content)
    prepare(folder=tmp_path, command=command(tmp_path))
    assert times(tmp_path) == 2
    assert damaged_files(tmp_path) == []


def test_doctor_names_damaged_files_and_deletes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "cache_path", lambda _kernel: tmp_path)
    (tmp_path / "whole.nbc").write_bytes(sealed(b"code"))
    assert not cache_state().advice
    (tmp_path / "k.nbi").touch()
    state = cache_state()
    assert "1 damaged files" in state.sentence
    assert "next start" in state.advice
    assert [path.name for path in tmp_path.iterdir()] == ["whole.nbc"]
    assert not cache_state().advice
    monkeypatch.setattr(kernel_cache, "cache_path", lambda _kernel: None)
    assert "FACEMIRROR_CACHE" in cache_state().advice


@pytest.mark.parametrize("note", ["", "{}", '{"made_for": "another processor", "files": []}'])
def test_the_child_runs_again_for_another_note(tmp_path: Path, note: str) -> None:
    prepare(folder=tmp_path, command=command(tmp_path))
    (tmp_path / "facemirror-kernels.json").write_text(note)
    prepare(folder=tmp_path, command=command(tmp_path))
    assert times(tmp_path) == 2


def test_a_changed_source_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "package" / "face"
    sources.mkdir(parents=True)
    (sources / "a.py").write_text("one")
    monkeypatch.setattr(kernel_cache, "_SOURCES", sources)
    prepare(folder=tmp_path, command=command(tmp_path))
    (sources / "a.py").write_text("two")
    prepare(folder=tmp_path, command=command(tmp_path))
    assert times(tmp_path) == 2


def test_a_child_that_fails_is_named_and_not_remembered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        prepare(folder=tmp_path, command=(sys.executable, "-c", "raise SystemExit(7)"))
    assert "exit code 7" in caplog.text
    prepare(folder=tmp_path, command=command(tmp_path))
    assert times(tmp_path) == 1


def test_a_child_that_cannot_be_started_is_no_reason_to_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No more processes for this user, or an interpreter that it may not start: the run ended with exit 3."""
    prepare(folder=tmp_path, command=[str(tmp_path / "no-such-interpreter")])
    assert "compiling here instead" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_what_is_compiled_is_told_while_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "_POLL_SECONDS", 0.01)
    heard: list[tuple[str, float]] = []
    waiting = (sys.executable, "-c", "import time; time.sleep(0.2)")
    prepare(lambda what, seconds: heard.append((what, seconds)), folder=tmp_path, command=waiting)
    assert heard
    assert all(what == "fast code" and seconds > 0 for what, seconds in heard)


def test_an_interrupted_wait_leaves_no_child_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "_POLL_SECONDS", 0.01)
    children: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def kept(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        children.append(start(*words, **options))
        return children[-1]

    def interrupt(_what: str, _seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", kept)
    with pytest.raises(KeyboardInterrupt):
        prepare(interrupt, folder=tmp_path, command=(sys.executable, "-c", "import time; time.sleep(600)"))
    assert children[0].returncode is not None


def test_numba_keeps_all_kernels_in_the_folder_that_is_looked_at() -> None:
    compiled: list[Any] = [fit_similarity, thumbnail]
    assert len({kernel.stats.cache_path for kernel in compiled}) == 1
    sources = [source for source in kernel_cache._SOURCES.rglob("*.py") if "@njit" in source.read_text("utf-8")]
    assert len(sources) > 5
    assert {source.parent for source in sources} == {kernel_cache._SOURCES}


def test_all_parts_are_compiled_side_by_side_and_remembered_together(tmp_path: Path) -> None:
    """Nobody's note is written while one of them failed."""
    fails = (sys.executable, "-c", "raise SystemExit(1)")
    begin(folder=tmp_path, commands=[command(tmp_path), fails]).wait()
    assert not (tmp_path / "facemirror-kernels.json").exists()
    begin(folder=tmp_path, commands=[command(tmp_path), command(tmp_path)]).wait()
    assert times(tmp_path) == 3
    begin(folder=tmp_path, commands=[fails]).wait()
    assert times(tmp_path) == 3


def test_a_first_start_leaves_the_mirrored_views_to_a_child_of_low_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first picture does not wait for what it does not show; the child's note makes the next start load it."""
    started: list[tuple[tuple[str, ...], bool]] = []
    loaded: list[bool] = []
    waiting = subprocess.Popen((sys.executable, "-c", "import sys; sys.stdin.read()"), stdin=subprocess.PIPE)

    def start(words: tuple[str, ...], *, low: bool = False) -> "subprocess.Popen[bytes]":
        started.append((words, low))
        return waiting

    monkeypatch.setattr(kernel_cache, "cache_path", lambda _kernel: tmp_path)
    monkeypatch.setattr(kernel_cache, "is_temporary", lambda _folder: False)
    monkeypatch.setattr(kernel_cache, "_start", start)
    monkeypatch.setattr(kernel_cache, "warm_up_mirror", lambda: loaded.append(True))
    prepare_mirror(now=False)
    assert (loaded, started[0][0][-1], started[0][1]) == ([], "mirror", True)
    assert waiting.poll() is None
    assert waiting.stdin is not None
    waiting.stdin.close()
    assert until(lambda: waiting.returncode is not None)
    assert waiting.returncode == 0, "no zombie is left: it was waited for, though nobody asked"
    kernel_cache.write_note(tmp_path, "facemirror-kernels-mirror.json", kernel_cache.fingerprint())
    assert prepare_mirror(now=False).ready()
    assert (loaded, len(started)) == ([True], 1)


@pytest.mark.parametrize("code", [0, 1])
def test_a_mirrored_view_is_not_ready_before_its_code_is_compiled_and_loaded(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking never waits: drawing such a view meanwhile compiled it on the picture path, which stood still for 2.8 s."""
    loaded: list[str] = []
    words = (sys.executable, "-I", "-S", "-c", f"import sys; sys.stdin.read(); sys.exit({code})")
    child = subprocess.Popen(words, stdin=subprocess.PIPE)
    monkeypatch.setattr(kernel_cache, "cache_path", lambda _kernel: tmp_path)
    monkeypatch.setattr(kernel_cache, "is_temporary", lambda _folder: False)
    monkeypatch.setattr(kernel_cache, "_start", lambda _words, low: child)
    monkeypatch.setattr(kernel_cache, "warm_up_mirror", lambda: loaded.append(threading.current_thread().name))
    mirror = prepare_mirror(now=False)
    assert [mirror.ready() for _ in range(3)] == [False] * 3
    assert loaded == []
    assert child.stdin is not None
    child.stdin.close()
    assert until(mirror.ready)
    assert loaded == ["kernel-loader"], "once, and not on the thread that draws"


def test_where_no_process_can_compile_a_mirrored_view_a_thread_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_words: tuple[str, ...], low: bool) -> "subprocess.Popen[bytes]":
        raise OSError(11, "Resource temporarily unavailable")

    loaded: list[str] = []
    monkeypatch.setattr(kernel_cache, "cache_path", lambda _kernel: tmp_path)
    monkeypatch.setattr(kernel_cache, "is_temporary", lambda _folder: False)
    monkeypatch.setattr(kernel_cache, "_start", fails)
    monkeypatch.setattr(kernel_cache, "warm_up_mirror", lambda: loaded.append(threading.current_thread().name))
    mirror = prepare_mirror(now=False)
    assert loaded == []
    assert until(mirror.ready)
    assert loaded == ["kernel-loader"]


@pytest.mark.parametrize("folder", [None, "temporary"])
def test_where_no_code_can_be_kept_a_mirrored_view_is_compiled_before_the_first_picture(
    folder: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[bool] = []
    monkeypatch.setattr(kernel_cache, "cache_path", lambda _kernel: None if folder is None else tmp_path)
    monkeypatch.setattr(kernel_cache, "is_temporary", lambda _folder: True)
    monkeypatch.setattr(kernel_cache, "warm_up_mirror", lambda: loaded.append(True))
    prepare_mirror(now=False)
    assert loaded == []
    assert prepare_mirror(now=True).ready()
    assert loaded == [True]


GOING_LIVE = """
import sys
from numba.core.dispatcher import Dispatcher
from realtime.app import face_pipeline
from realtime.app.run import Run
from realtime.config import resolve

def signatures():
    modules = [m for name, m in sys.modules.items() if name.startswith("realtime.face.") and "mirror" not in name]
    kernels = {value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}
    return {(k.py_func.__module__, k.py_func.__name__, str(s)) for k in kernels for s in k.signatures}

warmed = set()
warm_up = face_pipeline.warm_up
face_pipeline.warm_up = lambda settings: (warm_up(settings), warmed.update(signatures()))
face_pipeline.prepare_mirror = lambda *_, now: face_pipeline.MirrorKernels()  # else it may load them, which this view has no use for
code, summary = Run(resolve({"source": "demo", "headless": True, "duration": 0.2, "speed": "max"})).execute()
print(sorted(signatures() - warmed), len(warmed) > 7, summary["face_frames"] > 0)
"""


def test_the_warm_up_that_the_child_runs_leaves_nothing_to_compile() -> None:
    done = subprocess.run([sys.executable, "-c", GOING_LIVE], capture_output=True, text=True, check=False, timeout=55)
    assert (done.returncode, done.stdout) == (0, "[] True True\n"), done.stderr
