"""Sessions that anybody may have damaged: verify, report, export and replay end in a result or in one sentence, never else.

The suite runs a few of each kind; FACEMIRROR_FUZZ=5000 pytest tests/fuzz runs that many of each kind.
"""

import json
import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from realtime.app import replay
from realtime.errors import FacemirrorError
from realtime.files import write_json
from realtime.session.calibration_store import CalibrationStore
from realtime.session.parquet import write_parquet
from realtime.session.report import write_report
from realtime.session.verify import Verdict, verify
from tests.fuzz.mutations import put_cell
from tests.session import live_like

EXAMPLES = int(os.environ.get("FACEMIRROR_FUZZ", "0"))
BOUNDED = settings(
    max_examples=EXAMPLES or 25,
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
FILES = ["session.json", "manifest.json", "markers.csv", "decisions.jsonl", "frames.csv", "raw.mkv"]
LINES = ["markers.csv", "decisions.jsonl", "frames.csv"]
DEEP = "[" * 100_000 + "]" * 100_000
ODD = [
    "1e400", "-1e400", "NaN", "1e308", "-1", "0", "9" * 400, "2147483648", "1e18", "null", "true", "{}", "[]", '""',
    '"\\ud800"', '"\\u0000"', '"=1+1"', '"x"', "[[[]]]", '{"value": 3}', '[1, "a", null]', DEEP,
]  # fmt: skip
ODD_CELLS = ["", "x", "-1", "1e400", "nan", "9" * 400, "\x00", "\xff", '"', "=1+1", "1e308", "-1e308", "3.5", "٣"]

Harm = Callable[[Path], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "session"
    folder.mkdir()
    writer, _ = live_like.make_session(folder, 11, frames=20)
    with (folder / "markers.csv").open("a", encoding="utf-8") as file:
        file.write('3,100.100000,2026-01-01T00:00:01.000+00:00,"a\nb",http\n4,100.2,2026-01-01,smile,key\n')
    choice = {"value": "left", "changes": [{"value": "left", "sequence": 3, "capture_time": 100.1}]}
    write_json(
        folder / "session.json",
        {
            "format": 1,
            "written": "2026-01-01",
            "configuration": {"view": {"value": "raw", "from": "default"}, "latency.adapt": {"value": True}},
            "models": [{"name": "retinaface", "sha256": "00"}],
            "affected_side": choice,
            "summary": {"ended": "stopped by the user"},
        },
    )
    writer.seal()
    return folder


def commands(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What is done with a session, in this process; the replay's networks are those of the world of discs."""
    monkeypatch.setattr(replay, "open_for_program", lambda *_, **__: live_like.face_path())
    return [
        lambda: verify(folder),
        lambda: write_report(folder, out / "report.html"),
        lambda: write_parquet(folder / "frames.csv", out / "frames.parquet") if find_spec("pyarrow") else None,
        lambda: replay.replay_session(folder, out / "replay"),
    ]


def holds(harm: Harm, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command gives a result, or one sentence of ours."""
    place = tmp_path / "case"
    shutil.rmtree(place, ignore_errors=True)
    folder = Path(shutil.copytree(whole, place / "session"))
    harm(folder)
    for command in commands(folder, place, monkeypatch):
        sentence = outcome(command)
        assert sentence is None or (sentence and "\n" not in sentence and len(sentence) < 600)
        (sentence or "").encode("utf-8")


def outcome(command: Callable[[], object]) -> str | None:
    """None, or the sentence with which it was refused."""
    try:
        result = command()
        if isinstance(result, Verdict):
            texts = [text for problem in result.problems for text in problem] + list(result.contents.values())
            "".join(texts).encode("utf-8")
    except FacemirrorError as error:
        return str(error)
    return None


@pytest.fixture
def check(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Harm], None]:
    return lambda harm: holds(harm, whole, tmp_path, monkeypatch)


def test_the_whole_session_is_right_and_replays(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict, _, _, replayed = [command() for command in commands(whole, tmp_path, monkeypatch)]
    assert isinstance(verdict, Verdict)
    assert verdict.right
    assert isinstance(replayed, replay.Replayed)
    assert replayed.same


def spoiled(name: str, position: float, kind: str, data: bytes) -> Harm:
    def harm(folder: Path) -> None:
        path = folder / name
        content = path.read_bytes()
        at = int(position * len(content))
        parts = {"cut": content[:at], "insert": content[:at] + data + content[at:], "put": content[:at] + data}
        parts["over"] = content[:at] + data + content[at + len(data) :]
        path.write_bytes(parts[kind])

    return harm


@BOUNDED
@given(
    st.sampled_from(FILES),
    st.floats(0, 1),
    st.sampled_from(["cut", "insert", "put", "over"]),
    st.binary(max_size=8) | st.sampled_from([b"\x00", b"\xe4", b"\xff\xfe", b'"', b"\r", b"\n\n", b",", b"1e400"]),
)
def test_bytes_in_any_file(check: Callable[[Harm], None], name: str, position: float, kind: str, data: bytes) -> None:
    check(spoiled(name, position, kind, data))


def reordered(name: str, kind: str, a: float, b: float) -> Harm:
    def harm(folder: Path) -> None:
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        i, j = int(a * (len(lines) - 1)), int(b * (len(lines) - 1))
        if kind == "missing":
            del lines[i]
        elif kind == "doubled":
            lines.insert(j, lines[i])
        elif kind == "swapped":
            lines[i], lines[j] = lines[j], lines[i]
        else:
            lines = lines[:i]
        (folder / name).write_bytes(b"".join(lines))

    return harm


@BOUNDED
@given(
    st.sampled_from(LINES), st.sampled_from(["missing", "doubled", "swapped", "cut"]), st.floats(0, 1), st.floats(0, 1)
)
def test_lines_missing_doubled_and_swapped(
    check: Callable[[Harm], None], name: str, kind: str, a: float, b: float
) -> None:
    check(reordered(name, kind, a, b))


def replaced(name: str, line: float, steps: list[float], odd: str) -> Harm:
    """Another value somewhere in a JSON file, or in a line of decisions."""

    def change(content: Any) -> Any:
        place: Any = content
        for step in steps:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = keys[int(step * (len(keys) - 1))]
            if step == steps[-1] or not isinstance(place[key], dict | list):
                place[key] = "@@"
                break
            place = place[key]
        return content

    def harm(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines() if name.endswith("l") else [(folder / name).read_text()]
        at = int(line * (len(lines) - 1))
        lines[at] = json.dumps(change(json.loads(lines[at]))).replace('"@@"', odd)
        (folder / name).write_text("\n".join([*lines, ""]))

    return harm


@BOUNDED
@given(
    st.sampled_from(["session.json", "manifest.json", "decisions.jsonl"]),
    st.floats(0, 1),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.sampled_from(ODD),
)
def test_odd_values_in_json(
    check: Callable[[Harm], None], name: str, line: float, steps: list[float], odd: str
) -> None:
    check(replaced(name, line, steps, odd))


@pytest.mark.parametrize("odd", ODD, ids=[odd[:12] for odd in ODD])
@pytest.mark.parametrize("key", ["affected_side", "summary", "written", "models", "configuration", "format"])
def test_odd_values_in_what_is_read_of_session_json(check: Callable[[Harm], None], key: str, odd: str) -> None:
    def harm(folder: Path) -> None:
        content = json.loads((folder / "session.json").read_text())
        (folder / "session.json").write_text(json.dumps({**content, key: "@@"}).replace('"@@"', odd))
        (folder / "manifest.json").unlink()

    check(harm)


@BOUNDED
@given(st.sampled_from(["markers.csv", "frames.csv"]), st.floats(0, 1), st.floats(0, 1), st.sampled_from(ODD_CELLS))
@example("frames.csv", 0.0, 0.0, "\xff")
def test_odd_cells(check: Callable[[Harm], None], name: str, line: float, column: float, cell: str) -> None:
    check(lambda folder: put_cell(folder / name, line, column, cell))


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither named pipes in folders nor /dev")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "dangling", "loop", "unreadable"])
def test_what_is_no_file(check: Callable[[Harm], None], name: str, kind: str) -> None:
    def harm(folder: Path) -> None:
        path = folder / name
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "unreadable":
            path.touch(0o000)
        else:
            path.symlink_to({"device": "/dev/zero", "dangling": "nowhere", "loop": name}[kind])

    check(harm)


@BOUNDED
@example("ß" * 80)
@example("x" * 80)
@example("\U0001f9d1" * 80)
@given(st.text(max_size=82))
def test_any_name_of_a_person(tmp_path: Path, name: str) -> None:
    store = CalibrationStore(tmp_path)
    refused = outcome(lambda: store.store(name, live_like.NEUTRAL, 1, live_like.WHEN))
    if refused is not None:
        assert "name" in refused
        assert outcome(lambda: store.find(name)) == refused
    else:
        assert store.find(name).name == name.strip()
        store.delete(name)
        assert store.find(name) is None
    assert store.all() == []


@BOUNDED
@given(st.floats(0, 1), st.binary(max_size=8) | st.sampled_from([DEEP.encode(), b"1e400", b"NaN"]))
def test_a_damaged_calibration(tmp_path: Path, position: float, data: bytes) -> None:
    store = CalibrationStore(tmp_path)
    path = store.store("Ada", live_like.NEUTRAL, 1, live_like.WHEN)
    spoiled(path.name, position, "over", data)(tmp_path)
    assert "damaged" in (outcome(lambda: store.find("Ada")) or "damaged")
    assert len(store.all()) <= 1
