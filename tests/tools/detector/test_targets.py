"""What each anchor is taught: the teacher's word, the truth where the teacher fails, silence where nothing is."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from tools.networks import retinaface
from tools.train.detector import targets as detector_targets
from tools.train.detector.targets import Targets, build, encode, overlaps

pytestmark = pytest.mark.tools

SIZE = 128
FACE = np.array([[40, 36, 88, 100]], np.float32)
POINTS = np.array([[[52, 60], [76, 60], [64, 74], [54, 86], [74, 86]]], np.float32)
NOBODY = (np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32))


def anchors() -> np.ndarray:
    return retinaface.priors(SIZE, SIZE) * SIZE


def corners(table: np.ndarray) -> np.ndarray:
    return np.concatenate([table[:, :2] - table[:, 2:] / 2, table[:, :2] + table[:, 2:] / 2], axis=1)


def taught(score: np.ndarray, truth: tuple[np.ndarray, np.ndarray], complete: bool) -> Targets:
    table = anchors()
    count = len(table)
    loc, marks = np.zeros((count, 4), np.float32), np.zeros((count, 10), np.float32)
    return build(score, loc, marks, table, corners(table), *truth, complete)


def silence() -> np.ndarray:
    return np.full(len(anchors()), 0.01, np.float32)


def test_encode_is_undone_by_the_networks_decode() -> None:
    table = anchors()
    loc, marks = encode(np.repeat(FACE, len(table), 0), np.repeat(POINTS, len(table), 0), table)
    boxes, points = retinaface.decode(loc, marks, (table / SIZE).astype(np.float32), SIZE, SIZE)
    np.testing.assert_allclose(boxes, np.repeat(FACE, len(table), 0), atol=0.05)
    np.testing.assert_allclose(points, np.repeat(POINTS, len(table), 0), atol=0.05)


def test_overlaps_by_hand() -> None:
    a = np.array([[0, 0, 10, 10]], np.float32)
    b = np.array([[5, 0, 15, 10], [0, 0, 10, 10], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(overlaps(a, b), [[1 / 3, 1, 0]], atol=1e-6)


def test_a_face_the_teacher_misses_is_taught_from_the_truth() -> None:
    made = taught(silence(), (FACE, POINTS), complete=False)
    near = overlaps(corners(anchors()), FACE)[:, 0]
    chosen = near >= detector_targets.MATCH_IOU
    assert chosen.sum() > 1
    assert (made.score[chosen] == np.float32(detector_targets.TAUGHT)).all()
    boxes, points = retinaface.decode(
        made.loc[chosen], made.marks[chosen], (anchors()[chosen] / SIZE).astype(np.float32), SIZE, SIZE
    )
    np.testing.assert_allclose(boxes, np.repeat(FACE, len(boxes), 0), atol=0.05)
    np.testing.assert_allclose(points, np.repeat(POINTS, len(points), 0), atol=0.05)
    far = near < 0.1
    assert (made.score[far] == np.float32(0.01)).all()
    assert (made.regress[~chosen] == 0).all()
    between = (near >= 0.25) & (near < detector_targets.MATCH_IOU)
    assert between.any()
    assert (made.weight[between] == 0).all()


def test_a_face_too_small_for_every_anchor_still_gets_the_nearest() -> None:
    tiny = np.array([[61, 60, 66, 66]], np.float32)
    made = taught(silence(), (tiny, np.full((1, 5, 2), 63, np.float32)), complete=False)
    assert (made.regress > 0).sum() == 1


def test_where_the_teacher_is_sure_its_word_stands() -> None:
    near = overlaps(corners(anchors()), FACE)[:, 0]
    score = np.where(near >= 0.45, 0.97, 0.01).astype(np.float32)
    for complete in (False, True):
        made = taught(score, (FACE, POINTS), complete)
        np.testing.assert_array_equal(made.score, score)
        np.testing.assert_array_equal(made.regress > 0, score > 0.5)
        assert (made.loc == 0).all()
        assert (made.weight == 1).all()


def test_a_false_alarm_is_silenced_only_where_the_truth_is_complete() -> None:
    score = silence()
    score[[3, 200]] = 0.8
    silenced = taught(score, NOBODY, complete=True)
    assert silenced.score.max() == pytest.approx(0.01)
    assert (silenced.regress == 0).all()
    kept = taught(score, NOBODY, complete=False)
    np.testing.assert_array_equal(kept.score, score)
    assert (kept.regress > 0).sum() == 2


def test_the_teachers_arrays_are_left_alone() -> None:
    score = silence()
    score[3] = 0.8
    before = score.copy()
    taught(score, (FACE, POINTS), complete=True)
    np.testing.assert_array_equal(score, before)
