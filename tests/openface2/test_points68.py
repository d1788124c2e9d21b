"""The 68 points from either source, and the doubled halves."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.errors import ModelFileError
from realtime.face.face_model import FACE_2D
from realtime.face.mirroring import midline
from realtime.openface2.mirrored_halves import half_points, midline_of_68, reflection
from realtime.openface2.pdm import ShapeModel
from realtime.openface2.pfld68 import open_pfld68
from realtime.openface2.points68 import FLIP_68, Pfld68, from_98, pfld68_crop, pfld68_decode

# iBUG 300-W left/right pairs, written down independently of the WFLW table
PAIRS = [
    *((i, 16 - i) for i in range(8)),
    *((17 + i, 26 - i) for i in range(5)),
    *((31, 35), (32, 34)),
    *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
    *((48, 54), (49, 53), (50, 52), (58, 56), (59, 55), (60, 64), (61, 63), (67, 65)),
]


def test_flip_order_is_ibugs() -> None:
    expected = np.arange(68)
    for a, b in PAIRS:
        expected[a], expected[b] = b, a
    np.testing.assert_array_equal(FLIP_68, expected)


def test_points_of_98_lie_where_their_names_say() -> None:
    points = from_98(FACE_2D)
    assert points.shape == (68, 2)
    np.testing.assert_array_equal(points[8], FACE_2D[16])
    np.testing.assert_array_equal(points[36], FACE_2D[60])
    np.testing.assert_array_equal(points[45], FACE_2D[72])
    np.testing.assert_array_equal(points[57], FACE_2D[85])
    with pytest.raises(ValueError, match="98, 2"):
        from_98(points)


def test_pfld_crop_and_decoding_are_inverse() -> None:
    box = np.array([100.0, 50.0, 200.0, 180.0])
    to_crop = pfld68_crop(box)
    corners = np.array([[150 - 71.5, 115 - 71.5, 1.0], [150 + 71.5, 115 + 71.5, 1.0]])
    np.testing.assert_allclose(corners @ to_crop.T, [[0, 0], [112, 112]], atol=1e-9)
    fractions = np.random.default_rng(0).uniform(0, 1, 136)
    points = pfld68_decode(fractions, to_crop)
    back = np.column_stack([points, np.ones(68)]) @ to_crop.T / 112
    np.testing.assert_allclose(back.ravel(), fractions, atol=1e-12)
    with pytest.raises(ValueError, match="136"):
        pfld68_decode(fractions[:98], to_crop)
    with pytest.raises(ValueError, match="no area"):
        pfld68_crop(np.array([5.0, 5.0, 5.0, 5.0]))


def test_pfld_sees_rgb_between_0_and_1() -> None:
    seen = []

    def run(blob: np.ndarray) -> np.ndarray:
        seen.append(blob)
        return np.full(136, 0.5, np.float32)

    image = np.zeros((300, 300, 3), np.uint8)
    image[:, :] = (10, 20, 255)
    points = Pfld68(run).points(image, np.array([100.0, 100.0, 200.0, 200.0]))
    np.testing.assert_allclose(points, 150.0)
    np.testing.assert_allclose(seen[0][0, :, 50, 50], [1.0, 20 / 255, 10 / 255], atol=1e-6)


def test_real_pfld_finds_the_face(shared: Path) -> None:
    source = open_pfld68(shared / "models" / "pfld68_cunjian" / "pfld.onnx")
    capture = cv2.VideoCapture(str(shared / "video" / "WolfgangLanger_Pexels.mp4"))
    ok, image = capture.read()
    assert ok
    points = source.points(image, np.array([319.0, 36.0, 549.0, 347.0]))
    assert 20 < points[45, 0] - points[36, 0] < 200, "eyes: the patient's left on the image's right"
    assert points[8, 1] > points[57, 1] > points[33, 1] > points[27, 1], "chin, lip, nose, bridge from bottom to top"


def test_another_network_is_refused(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no 68-point PFLD"):
        open_pfld68(shared / "models" / "pfld_ghostone_98" / "PFLD_GhostOne_112_1_opt_sim.onnx")
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="cannot be opened"):
        open_pfld68(tmp_path / "x.onnx")


def test_half_faces_are_symmetric_and_keep_their_side(model: ShapeModel) -> None:
    rng = np.random.default_rng(1)
    points = (model.mean[:2].T * 1.5) @ np.array([[0.96, 0.28], [-0.28, 0.96]]) + (200, 180) + rng.normal(size=(68, 2))
    line = midline_of_68(points)
    assert line is not None
    side = line.side(points)
    assert side[0] > 0 > side[16], "the patient's right is positive"
    for keep_right in (True, False):
        half = half_points(points, line, keep_right)
        np.testing.assert_allclose(half[FLIP_68], line.reflect(half), atol=1e-9)
        kept = [a for a, _ in PAIRS] if keep_right else [b for _, b in PAIRS]
        np.testing.assert_allclose(half[kept], points[kept], atol=1e-9)


def test_strayed_points_are_put_on_the_line(model: ShapeModel) -> None:
    points = np.add(model.mean[:2].T, (200, 180))
    points[50] = points[51] + (9.0, 0.0)  # the right half of the upper lip pulled across the midline
    line = midline_of_68(points)
    assert line is not None
    half = half_points(points, line, keep_right=True)
    assert line.side(half)[50] == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(half[50], half[52], atol=1e-9)


def test_reflection_matrix_is_the_midlines() -> None:
    line = midline(FACE_2D.astype(np.float32) * 100 + (40, 7))
    assert line is not None
    points = np.random.default_rng(2).uniform(0, 100, (20, 2))
    matrix = reflection(line)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], line.reflect(points), atol=1e-9)
    assert midline_of_68(np.zeros((68, 2))) is None
