"""A detector that gives no numbers: one sentence and another in its place, never a traceback for each frame."""

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime import FaceTracker
from realtime.face.detector import FaceDetector
from realtime.face.retinaface import decode, priors
from realtime.files import file_sha256
from realtime.models import weights_folder
from realtime.types import F32, Frame
from tests.conftest import ROOT

IMAGE = np.full((180, 320, 3), 90, np.uint8)


def network(blob: F32, *, spoil: str = "", value: float = np.nan) -> dict[str, F32]:
    count = len(priors(blob.shape[2], blob.shape[3]))
    outputs = {
        "loc": np.zeros((1, count, 4), np.float32),
        "conf": np.zeros((1, count, 2), np.float32),
        "landmarks": np.zeros((1, count, 10), np.float32),
    }
    outputs["conf"][0, count // 2, 1] = 0.9
    if spoil:
        outputs[spoil][0, count // 2] = value
        if spoil != "conf":
            outputs["conf"][0, count // 2, 1] = 0.9
    return outputs


@pytest.mark.parametrize("spoil", ["loc", "conf", "landmarks"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_told_once_and_see_no_face(
    spoil: str, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    detector = FaceDetector(lambda blob: network(blob, spoil=spoil, value=value), name="mine")
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            assert detector.detect(Frame(IMAGE, number, number / 30)).faces == ()
    assert len(caplog.records) == 1
    assert detector.problem is not None
    assert "mine gives values that are no numbers" in detector.problem
    assert detector.failed


def test_scores_that_are_no_numbers_write_nothing_past_the_faces_counted() -> None:
    """They once passed the second comparison with the threshold, but not the first: memory was overwritten."""
    count = len(priors(64, 64))
    conf = np.full((1, count, 2), np.nan, np.float32)
    faces = decode(np.zeros((1, count, 4), np.float32), conf, np.zeros((1, count, 10), np.float32), height=64, width=64)
    assert faces == ()


def test_another_detector_takes_its_place_and_is_opened_once(caplog: pytest.LogCaptureFixture) -> None:
    opened = []

    def other() -> FaceDetector:
        opened.append(FaceDetector(network))
        return opened[-1]

    detector = FaceDetector(lambda blob: network(blob, spoil="loc"), fallback=other)
    for number in range(3):
        assert len(detector.detect(Frame(IMAGE, number, 0.0)).faces) == 1
    assert len(opened) == 1
    assert not detector.failed
    assert detector.problem is not None
    assert "another detector takes its place" in detector.problem


def test_a_sound_detector_has_no_problem() -> None:
    detector = FaceDetector(network)
    assert len(detector.detect(Frame(IMAGE, 0, 0.0)).faces) == 1
    assert detector.problem is None


@pytest.fixture(scope="module")
def broken_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded models, with a detector whose first weight is no number."""
    onnx = pytest.importorskip("onnx", reason="a network is damaged with the tools extra")
    numpy_helper = pytest.importorskip("onnx.numpy_helper")
    folder = tmp_path_factory.mktemp("broken") / "weights"
    shutil.copytree(weights_folder(), folder)
    path = folder / "retinaface.onnx"
    before = file_sha256(path), path.stat().st_size
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if numpy_helper.to_array(t).dtype == np.float32)
    values = numpy_helper.to_array(tensor).copy()
    values.reshape(-1)[0] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(model, path)
    manifest = folder / "manifest.toml"
    text = manifest.read_text().replace(before[0], file_sha256(path))
    manifest.write_text(text.replace(f"bytes = {before[1]}", f"bytes = {path.stat().st_size}"))
    return folder


@pytest.mark.timeout(180)
def test_the_public_face_goes_on_with_the_embedded_detector(
    broken_weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FaceTracker("demo", weights=broken_weights) as tracker:
        faces = [face for (_, face), _ in zip(tracker, range(10), strict=False)]
    assert faces[-1] is not None
    assert sum("no numbers" in record.message for record in caplog.records) == 1


@pytest.mark.timeout(240)
def test_the_program_says_one_sentence_and_follows_the_face(broken_weights: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    command = [sys.executable, "-m", "realtime", "run", "--source", "demo", "--headless", "--duration", "3"]
    done = subprocess.run(
        [*command, "--weights", broken_weights, "--summary", summary],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    # When it is found out, and among the notices of the end.
    assert 1 <= done.stderr.count("no numbers") <= 2
    figures = json.loads(summary.read_text())
    assert figures["face_frames"] > 0
    assert any("no numbers" in notice for notice in figures["notices"])
