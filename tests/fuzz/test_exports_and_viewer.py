"""Sessions that anybody may have damaged, opened in the viewer and handed to other programs: a result or one sentence, never else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.exchange import Annotations, Code, Label, elan, openface_csv, write_annotations
from realtime.exchange.bids import Entities, Recording, write_bids
from realtime.exchange.series import paired, read_series
from realtime.exchange.store import annotation_files, annotations_file, read_annotations
from realtime.exchange.timeline import timeline_of
from realtime.session.folder import FRAMES
from realtime.session.manifest import session_of
from realtime.session.verify import verify
from realtime.viewer.viewed_session import ViewedSession
from tests.exchange.sessions import make_session
from tests.fuzz.mutations import bounded, put_cell, sentence_of
from tests.fuzz.test_sessions import ODD, ODD_CELLS, Harm, reordered, replaced, spoiled
from tests.media.clips import quadrants, write_clip

ANNOTATIONS = "../session-annotations.json"
FILES = ["session.json", "manifest.json", "markers.csv", "frames.csv", "video.mp4", ANNOTATIONS]
MADE = Annotations("", [Code("smile")], [Label(100, 900, "smile", "weak")])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_session(tmp_path_factory.mktemp("fuzz") / "session", seconds=0.7)
    write_clip(folder / "video.mp4", [quadrants()] * 20)
    write_annotations(annotations_file(folder), MADE)
    (folder / "markers.csv").write_text(
        "number,capture_time,utc,text,source\n1,1000.3,2026-01-01T00:00:00+00:00,smile,key\n"
    )
    described = json.loads((folder / "session.json").read_text())
    described |= {
        "batch": {"input": {"sha256": "00", "path": "nowhere.mp4"}},
        "rotate": 0,
        "models": [{"name": "a", "sha256": "00"}],
    }
    (folder / "session.json").write_text(json.dumps(described))
    return folder


def view(folder: Path) -> None:
    """All that the page asks for."""
    session = ViewedSession.open(folder)
    try:
        described = session.describe()
        json.dumps(described, allow_nan=False)
        for notice in [*described["notices"], *session.differences]:
            assert "\n" not in notice
            assert len(notice) < 900
        session.index()
        session.stretch(0, 30) if session.rows is not None else None
        names = [name for name in (*(["confidence"]), "AU12_left") if session.rows and name in session.rows.curves()]
        session.curves(names, 0.0, 1.0, 7) if session.rows is not None else None
        for film in session.films:
            film.pictures.jpeg(0, 32)
            _ = film.mp4
    finally:
        session.close()


def to_bids(folder: Path, out: Path) -> None:
    described, times = session_of(folder), timeline_of(folder)
    made = read_annotations(annotation_files(folder)[0]).annotations if annotation_files(folder) else Annotations()
    recording = Recording(folder / FRAMES, described, times.start, times.film, times.film_start, made)
    write_bids(recording, out / "bids", Entities("01"))
    assert times.film_offset is not None
    elan.write_eaf(made, film=times.film)


def holds(harm: Harm, whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "case"
    shutil.rmtree(place, ignore_errors=True)
    folder = Path(shutil.copytree(whole.parent, place)) / "session"
    harm(folder)
    out = place / "out"
    out.mkdir()
    commands: list[Callable[[], object]] = [
        lambda: verify(folder),
        lambda: view(folder),
        lambda: to_bids(folder, out),
        lambda: openface_csv.export_csv(folder, out / "openface.csv"),
        lambda: paired(read_series(folder, "start"), read_series(whole, "start")),
    ]
    for command in commands:
        sentence = sentence_of(command)
        assert "\n" not in sentence
        assert len(sentence) < 600


@bounded(7)
@given(
    st.sampled_from(FILES),
    st.floats(0, 1),
    st.sampled_from(["cut", "insert", "put", "over"]),
    st.binary(max_size=8) | st.sampled_from([b"\x00", b"\xe4", b"\xff\xfe", b'"', b"\r", b"\n\n", b",", b"1e400"]),
)
def test_bytes_in_any_file(whole: Path, tmp_path: Path, name: str, position: float, kind: str, data: bytes) -> None:
    holds(spoiled(name, position, kind, data), whole, tmp_path)


@bounded(4)
@given(st.sampled_from(["missing", "doubled", "swapped", "cut"]), st.floats(0, 1), st.floats(0, 1))
def test_rows_missing_doubled_and_swapped(whole: Path, tmp_path: Path, kind: str, a: float, b: float) -> None:
    holds(reordered("frames.csv", kind, a, b), whole, tmp_path)


@bounded(7)
@given(
    st.sampled_from(["session.json", "manifest.json", ANNOTATIONS]),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.sampled_from(ODD),
)
def test_odd_values_in_json(whole: Path, tmp_path: Path, name: str, steps: list[float], odd: str) -> None:
    holds(replaced(name, 0.0, steps, odd), whole, tmp_path)


@bounded(7)
@given(st.sampled_from(["markers.csv", "frames.csv"]), st.floats(0, 1), st.floats(0, 1), st.sampled_from(ODD_CELLS))
@example("frames.csv", 0.06, 0.004, "nan")
@example("frames.csv", 0.06, 0.004, "1e400")
@example("frames.csv", 0.4, 0.004, "x")
@example("frames.csv", 0.0, 0.004, "x")
@example("frames.csv", 0.4, 0.9, "\x00")
@example("frames.csv", 0.4, 0.9, "\xff")
def test_odd_cells(whole: Path, tmp_path: Path, name: str, line: float, column: float, cell: str) -> None:
    holds(lambda folder: put_cell(folder / name, line, column, cell), whole, tmp_path)


@pytest.mark.parametrize("key", ["batch", "started", "configuration", "models"])
@pytest.mark.parametrize(
    "odd", ["3", "[]", "null", '"x"', '{"input": 3}', '{"utc": 3}', '{"utc": "2026", "capture_clock": 1e300}']
)
def test_odd_values_in_what_is_read_of_session_json(whole: Path, tmp_path: Path, key: str, odd: str) -> None:
    def harm(folder: Path) -> None:
        content = json.loads((folder / "session.json").read_text())
        (folder / "session.json").write_text(json.dumps({**content, key: "@@"}).replace('"@@"', odd))

    holds(harm, whole, tmp_path)


@pytest.mark.parametrize("name", ["participants.tsv", "sub-01/sub-01_scans.tsv", "dataset_description.json"])
@pytest.mark.parametrize(
    "content", [b"", b"\xff\n", b"participant_id\tage\n\nsub-2\n", b"filename\tx\na\n", b"[]", b"\x00"]
)
def test_a_damaged_bids_dataset(whole: Path, tmp_path: Path, name: str, content: bytes) -> None:
    times = timeline_of(whole)
    recording = Recording(whole / FRAMES, session_of(whole), times.start, None, times.film_start, MADE)
    write_bids(recording, tmp_path / "bids", Entities("01"))
    (tmp_path / "bids" / name).write_bytes(content)
    assert "\n" not in sentence_of(lambda: write_bids(recording, tmp_path / "bids", Entities("01", "other")))


def test_a_film_of_an_unknown_codec_is_a_notice(whole: Path, tmp_path: Path) -> None:
    def harm(folder: Path) -> None:
        path = folder / "video.mp4"
        content = path.read_bytes()
        assert content.count(b"mp4v") == 1
        path.write_bytes(content.replace(b"mp4v", b"zzzz").replace(b"esds", b"zzzz"))

    holds(harm, whole, tmp_path)
    assert timeline_of(tmp_path / "case" / "session").film is None


def test_the_whole_session_is_viewed_and_exported(whole: Path, tmp_path: Path) -> None:
    view(whole)
    to_bids(whole, tmp_path)
    assert len((tmp_path / "bids/sub-01/beh/sub-01_task-face_beh.tsv").read_text().splitlines()) == 22
    assert np.isfinite(timeline_of(whole).start)
