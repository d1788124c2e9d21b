"""Comparing models: measures against hand-made cases, the crop's geometry, and the command with its verdict."""

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import ArrayLike

from realtime.errors import ModelFileError, UserInputError
from tools import pictures
from tools.compare import __main__ as command
from tools.compare import measures, models

pytestmark = pytest.mark.timeout(240)


def landmarks(shift: ArrayLike, eyes: float = 40.0, count: int = 98) -> measures.Pair:
    points = np.random.default_rng(0).uniform(0, 100, (count, 2))
    points[60], points[72] = (10, 20), (10 + eyes, 20)
    first = {"points": points}
    return measures.Pair(first, {"points": points + np.array(shift)}, np.array((0, 0, 128, 200), np.float32))


def by_name(figures: Iterable[measures.Figure]) -> dict[tuple[str, str], measures.Figure]:
    return {(f.name, f.unit): f for f in figures}


def test_landmark_distances_in_three_units() -> None:
    found = by_name(measures.figures("landmarks", [landmarks((0.6, 0.8))]))
    assert found["mean distance", "px of the picture"].value == pytest.approx(1.0)
    crop = found["mean distance", "px of a 256 crop"]
    assert crop.value == pytest.approx(256 / (1.05 * 128))
    assert crop.within
    eyes = found["mean distance", "% of the inter-ocular distance"]
    assert eyes.value == pytest.approx(100 / 40)
    assert not eyes.within


def test_different_points_cannot_be_compared() -> None:
    pair = landmarks(0.0)
    odd = measures.Pair(pair.first, {"points": np.zeros((68, 2))}, pair.box)
    with pytest.raises(UserInputError, match="68 points and the other 98"):
        measures.figures("landmarks", [odd])


def test_action_units_gaze_and_emotion() -> None:
    one = {"au": np.array([0.49, 0.2]), "emotion": np.array([1.0, 0.0]), "gaze": np.array([0.0, 0.0])}
    two = {"au": np.array([0.51, 0.2]), "emotion": np.array([0.0, 1.0]), "gaze": np.array([np.radians(3), 0.0])}
    found = {f.name: f for f in measures.figures("multitask", [measures.Pair(one, two, np.zeros(4, np.float32))])}
    assert found["mean AU difference"].value == pytest.approx(1.0)
    assert found["mean AU difference"].within
    assert found["AU decisions changed"].value == pytest.approx(50)
    assert not found["AU decisions changed"].within
    assert found["emotions changed"].value == 100
    assert found["mean gaze difference"].value == pytest.approx(3, abs=1e-4)


def test_detections_are_matched_once_each() -> None:
    box = [0.0, 0, 100, 100]
    one = {"boxes": np.array([box, [200, 0, 300, 100]]), "scores": np.array([0.9, 0.8])}
    two = {"boxes": np.array([[2.0, 2, 102, 102], [500, 0, 600, 100]]), "scores": np.array([0.85, 0.7])}
    found = {
        f.name: f.value for f in measures.figures("detections", [measures.Pair(one, two, np.zeros(4, np.float32))])
    }
    assert found["missed by the second"] == 50
    assert found["found by the second only"] == 50
    assert found["mean shift of a box side"] == pytest.approx(2 * 2.56)
    assert found["mean difference of scores"] == pytest.approx(5)
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0)}
    missed = measures.figures("detections", [measures.Pair(one, nothing, np.zeros(4, np.float32))])
    assert not {f.name: f for f in missed}["mean shift of a box side"].within  # not a number is no agreement
    with pytest.raises(UserInputError, match="finds no face"):
        measures.figures("detections", [measures.Pair(nothing, one, np.zeros(4, np.float32))])


def test_overlap() -> None:
    box = np.array([0.0, 0, 10, 10])
    assert measures.overlap(box, box) == 1
    assert measures.overlap(box, box + np.array((5.0, 0, 5, 0))) == pytest.approx(1 / 3)
    assert measures.overlap(box, box + 10) == 0


def test_stars_crop_maps_the_boxs_centre_to_the_crops() -> None:
    picture = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(picture, (220, 130), 2, (255, 255, 255), -1)
    box = np.array((170, 60, 270, 200), np.float32)
    crop, matrix = pictures.crop("star", picture, box, (256, 256))
    np.testing.assert_allclose(matrix @ (220, 130, 1), (127.5, 127.5))
    assert matrix[0, 0] == pytest.approx(256 / 105)
    rows, columns = np.nonzero(crop[..., 0] > 128)
    assert abs(rows.mean() - 127.5) < 1
    assert abs(columns.mean() - 127.5) < 1


def test_the_multitask_crop_grows_by_15_percent_and_stops_at_the_border() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:, 185:] = 255
    _, matrix = pictures.crop("multitask", picture, np.array((50, 50, 150, 150), np.float32), (224, 224))
    assert matrix[0, 0] == pytest.approx(224 / 130)
    np.testing.assert_allclose(matrix @ (35 - 0.5, 35 - 0.5, 1), (-0.5, -0.5))
    _, matrix = pictures.crop("multitask", picture, np.array((100, 50, 200, 150), np.float32), (224, 224))
    assert matrix[0, 0] == pytest.approx(224 / 115)


@pytest.mark.tools
def test_a_tier_against_itself_and_against_a_damaged_one(
    star_tier1: Path, face_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx = pytest.importorskip("onnx")
    out = tmp_path / "verdict.json"
    command.main([str(star_tier1), str(star_tier1), "--images", str(face_folder), "--central", "--json", str(out)])
    assert "within the limits" in capsys.readouterr().out
    values = json.loads(out.read_text())
    assert values["pictures"] == 2
    assert values["figures"][0]["value"] == 0
    damaged = onnx.load(str(star_tier1))
    grid = next(t for t in damaged.graph.initializer if t.name.endswith("grid"))
    table = onnx.numpy_helper.to_array(grid).copy()
    table[:, :2] += 0.1  # every landmark moves by 0.1 of half the crop
    grid.CopyFrom(onnx.numpy_helper.from_array(table, grid.name))
    other = tmp_path / "damaged.onnx"
    onnx.save(damaged, str(other))
    with pytest.raises(SystemExit) as stopped:
        command.main([str(star_tier1), str(other), "--images", str(face_folder), "--central", "--json", str(out)])
    assert stopped.value.code == 1
    assert "BEYOND" in capsys.readouterr().out
    crop = next(f for f in json.loads(out.read_text())["figures"] if f["limit"] == 2 and "256" in f["unit"])
    assert crop["value"] == pytest.approx(12.8 * 2**0.5, rel=1e-3)


def test_the_real_detector_against_itself(shared: Path, tmp_path: Path, face_folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("torch")
    from onnx import helper

    other = helper.make_model(
        helper.make_graph(
            [helper.make_node("Relu", ["x"], ["q"])],
            "g",
            [helper.make_tensor_value_info("x", 1, [1, 3, 8, 8])],
            [helper.make_tensor_value_info("q", 1, [1, 3, 8, 8])],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    path = tmp_path / "other.onnx"
    onnx.save(other, str(path))
    with pytest.raises(ModelFileError, match="none of retinaface, multitask, star has these outputs"):
        models.of(str(path))
    detector = models.of(str(shared / "models/retinaface_mnet025/mobilenet0.25_Final.pth"))
    assert detector.kind == "detections"
    collage = cv2.imread(str(shared / "faces/sfhq/SFHQ_sample_1x2.jpg"))
    small = cv2.resize(collage, (320, 160), interpolation=cv2.INTER_AREA)
    found = detector.call(small, pictures.central_face(small))
    assert len(found["boxes"]) == 2


def test_bad_words(tmp_path: Path, face_folder: Path) -> None:
    with pytest.raises(UserInputError, match="not a folder"):
        list(pictures.read_all(tmp_path / "absent"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserInputError, match="no picture"):
        list(pictures.read_all(tmp_path / "empty"))
    (tmp_path / "noise.onnx").write_bytes(b"noise")
    with pytest.raises(ModelFileError, match="truncated or not an ONNX model"):
        models.of(str(tmp_path / "noise.onnx"))
    with pytest.raises(ModelFileError, match="not a file"):
        models.of(str(tmp_path / "absent.onnx"))
    landmark = models.Model("a", "landmarks", lambda *_: {})
    detector = models.Model("b", "detections", lambda *_: {})
    with pytest.raises(UserInputError, match="cannot be compared"):
        command.run(landmark, detector, face_folder, None, None)
