"""The graph's node with its files, and the offline pass over what it left behind."""

import asyncio
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from realtime.errors import UserInputError
from realtime.face.face_model import FACE_2D
from realtime.graph import Block, Graph, Item, RealClock, Side
from realtime.openface2 import Face
from realtime.openface2.node import OpenFace2Node
from realtime.openface2.parts_file import read_parts
from realtime.openface2.postprocess import offline_intensities
from realtime.openface2.reprocess import reprocess
from realtime.types import Analysis, FaceObservation, Frame

FRAMES = 40
LOST = (12, 13)


def face(i: int, face_id: int = 1) -> FaceObservation:
    points = (FACE_2D * 90 + (300 + i, 260)).astype(np.float32)
    points[76:96, 1] += 6 * np.sin(i / 4)
    box = np.array([*points.min(0), *points.max(0)], np.float32)
    return FaceObservation(face_id, box, points, points, 0.9, detected=True)


def frame(texture: np.ndarray, i: int) -> Frame:
    return Frame(np.roll(texture, i, axis=1), i, 100.0 + i / 30)


@pytest.fixture(scope="module")
def session(installation: Path, texture: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("session")
    node = OpenFace2Node(installation, folder)
    node.open()
    for i in range(FRAMES):
        analysis = Analysis(i, 100.0 + i / 30, None if i in LOST else face(i))
        result = node.process(frame(texture, i), analysis)
        assert result is not None
        if i in LOST:
            assert result.au_left == result.au_right == {}
        else:
            assert len(result.au_left) == len(result.au_right) == 17
            assert result.au_left == node.latest[Face.LEFT].intensity
    node.close()
    node.close()
    return folder


def test_three_live_files(session: Path) -> None:
    names = {path.name for path in session.iterdir() if path.suffix == ".csv" and "final" not in path.name}
    assert names == {"openface2.csv", "openface2_left.csv", "openface2_right.csv"}
    table = pd.read_csv(session / "openface2_left.csv")
    assert list(table["frame"]) == list(range(1, FRAMES + 1))
    assert list(table.index[table["success"] == 0]) == list(LOST)
    assert table["timestamp"].iloc[30] == 1.0
    assert not table.loc[table["success"] == 1].isna().any().any()


def test_offline_pass_side_by_side(session: Path) -> None:
    done = reprocess(session)
    assert {d.face for d in done} == set(Face)
    for d in done:
        assert (d.frames, d.measured) == (FRAMES, FRAMES - len(LOST))
        live = pd.read_csv(d.output.with_name(d.output.name.replace("_final", "")))
        final = pd.read_csv(d.output)
        assert list(final.columns[: len(live.columns)]) == list(live.columns)
        pd.testing.assert_series_equal(final["AU12_r_live"], live["AU12_r"], check_names=False)
        assert list(final["settled"]) == [0] * FRAMES, "forty frames settle nothing"
        parts = read_parts(d.output.with_name(d.output.name.replace("_final.csv", ".parts")))
        expected = offline_intensities(parts.intensity, parts.cutoffs)
        ok = final["success"] == 1
        for i, au in enumerate(parts.intensity_aus):
            np.testing.assert_allclose(final.loc[ok, f"AU{au:02d}_r"], expected[ok, i], atol=0.00501)
        assert (final.loc[ok, "AU25_r"] != live.loc[ok, "AU25_r"]).any()
        assert set(final.loc[ok, "AU28_c"]) <= {0.0, 1.0}


def test_parts_agree_with_the_live_predictions(session: Path, installation: Path, texture: np.ndarray) -> None:
    parts = read_parts(session / "openface2.parts")
    node = OpenFace2Node(installation, None, (Face.WHOLE,))
    node.open()
    for i in range(8):
        node.process(frame(texture, i), Analysis(i, 0.0, face(i)))
        raw = [node.latest[Face.WHOLE].raw[au] for au in parts.intensity_aus]
        np.testing.assert_allclose(parts.intensity.frame[i] - parts.intensity.neutral[i], raw, atol=1e-5)
    assert np.isnan(parts.intensity.frame[list(LOST)]).all()


def test_a_killed_session_can_still_be_reprocessed(session: Path, tmp_path: Path) -> None:
    whole = (session / "openface2.parts").read_bytes()
    (tmp_path / "openface2.parts").write_bytes(whole[:-17])
    (tmp_path / "openface2.csv").write_bytes((session / "openface2.csv").read_bytes() + b",")
    (done,) = reprocess(tmp_path)
    assert done.frames == FRAMES
    assert done.measured == FRAMES - len(LOST) - 1


def test_what_cannot_be_reprocessed(tmp_path: Path, session: Path) -> None:
    with pytest.raises(UserInputError, match="holds no openface2"):
        reprocess(tmp_path)
    with pytest.raises(UserInputError, match="holds no openface2"):
        reprocess(tmp_path / "nowhere")
    (tmp_path / "openface2.parts").write_bytes(b"something else\n")
    with pytest.raises(UserInputError, match="not a record"):
        reprocess(tmp_path)
    (tmp_path / "openface2.parts").write_bytes((session / "openface2.parts").read_bytes())
    with pytest.raises(UserInputError, match="cannot be read"):
        reprocess(tmp_path)
    (tmp_path / "openface2.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserInputError, match="no frame column"):
        reprocess(tmp_path)


@pytest.mark.parametrize(
    "header",
    ["[" * 100_000, '{"format": 1e400}', '{"format": "facemirror-live openface2 parts 1", "intensity": [1e400]}'],
)
def test_a_damaged_record_is_one_sentence(tmp_path: Path, header: str) -> None:
    (tmp_path / "openface2.parts").write_text(header + "\n")
    with pytest.raises(UserInputError, match="not a record"):
        reprocess(tmp_path)


def test_a_live_file_that_is_no_text_is_one_sentence_and_an_earlier_result_stays(tmp_path: Path, session: Path) -> None:
    (tmp_path / "openface2.parts").write_bytes((session / "openface2.parts").read_bytes())
    (tmp_path / "openface2.csv").write_bytes((session / "openface2.csv").read_bytes() + b"\xff\xfe\n")
    (tmp_path / "openface2_final.csv").write_text("earlier")
    with pytest.raises(UserInputError, match="damaged"):
        reprocess(tmp_path)
    assert (tmp_path / "openface2_final.csv").read_text() == "earlier"
    assert {path.name for path in tmp_path.iterdir()} == {"openface2.parts", "openface2.csv", "openface2_final.csv"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_in_place_of_a_record_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "openface2.parts")
    with pytest.raises(UserInputError, match="a named pipe, not a file"):
        reprocess(tmp_path)


def test_another_person_starts_with_a_new_baseline(installation: Path, texture: np.ndarray) -> None:
    node = OpenFace2Node(installation, None, (Face.WHOLE,))
    node.open()
    path = node._path
    assert path is not None
    neutral = path.channels[Face.WHOLE].neutral
    for i in range(3):
        node.process(frame(texture, i), Analysis(i, 0.0, face(i, face_id=1)))
    assert neutral.frames == 3
    node.process(frame(texture, 3), Analysis(3, 0.0, None))
    node.process(frame(texture, 4), Side(Analysis(4, 0.0, face(4, face_id=1)), 4, 0.0, 0.0, True))
    assert neutral.frames == 4, "the same person after a gap"
    node.reset("stall")
    assert neutral.frames == 4
    node.process(frame(texture, 5), Analysis(5, 0.0, face(5, face_id=2)))
    assert neutral.frames == 1


def test_no_analysis_gives_no_result(installation: Path, texture: np.ndarray) -> None:
    node = OpenFace2Node(installation)
    with pytest.raises(RuntimeError, match="open"):
        node.process(frame(texture, 0), Analysis(0, 0.0, None))
    node.open()
    assert node.process(frame(texture, 0), None) is None


def test_missing_models_are_reported_on_opening(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="no complete set"):
        OpenFace2Node(tmp_path).open()


def test_in_a_graph(installation: Path, texture: np.ndarray, tmp_path: Path) -> None:
    """As the analysis path uses it: opened, run and closed on the node's own thread, every frame in order."""
    node = OpenFace2Node(installation, tmp_path)
    seen: list[Analysis] = []

    class Camera:
        count = 0

        def read(self, stop: object) -> Item[Frame] | None:
            self.count += 1
            return Item(frame(texture, self.count - 1), self.count - 1, self.count / 30) if self.count <= 6 else None

    class Measure:
        def open(self) -> None:
            node.open()

        def process(self, payload: Frame) -> Analysis | None:
            return node.process(payload, Analysis(payload.sequence, payload.capture_time, face(payload.sequence)))

        def close(self) -> None:
            node.close()

    graph = Graph("measuring", clock=RealClock())
    camera = graph.source("camera", Camera())
    measure = graph.transform("measure", Measure(), run_on="thread")
    graph.connect(camera, measure, Block(2))
    graph.connect(measure, graph.sink("sink", seen.append), Block(2))
    asyncio.run(graph.run())
    assert [a.sequence for a in seen] == list(range(6))
    assert all(len(a.au_left) == 17 for a in seen)
    assert len(pd.read_csv(tmp_path / "openface2_right.csv")) == 6, "closed, so flushed"
