"""Bent, warped and spoilt crops keep their labels where the picture went."""

import cv2
import numpy as np
import pytest

from tests.tools.data.test_points98 import face
from tools.data import crops, negatives
from tools.data.appearance import few_pixels
from tools.data.expressions import GRID, displacement_field, moved_points, random_movement, sample_field
from tools.data.lid_lip_warps import close_eye, open_mouth
from tools.data.occluders import finger_mask, hand_mask, put_fingers
from tools.data.points98 import eye_opening, square_from_points


def dotted(points: np.ndarray, which: list[int]) -> np.ndarray:
    """Grey picture with one soft white dot on each of the named points."""
    y, x = np.mgrid[:220, :220].astype(np.float32)
    out = np.zeros((220, 220), np.float32)
    for i in which:
        out += 200 * np.exp(-((x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2) / 8)
    return np.repeat(np.clip(out, 0, 255).astype(np.uint8)[..., None], 3, -1)


@pytest.mark.parametrize("seed", range(8))
def test_labels_follow_the_picture_through_warps_mirrors_and_bends(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "relight", lambda crop, rng: crop)
    monkeypatch.setattr(crops, "degrade", lambda crop, rng: crop)
    monkeypatch.setattr(crops, "_dark_mouth", lambda crop, points, rng: crop)
    points = face(seed) + 10
    dots = [16, 38, 57, 60, 72, 82]
    strength = crops.Strength(bend=0.6, features=0.6, occlude=0, paint=0, hard_geometry=0.5)
    rng = np.random.default_rng(seed)
    while True:
        sample = crops.sample_face(dotted(points, dots), points, np.ones(98, np.float32), rng, strength, None)
        if sample.presence == 1:
            break
    grey = sample.crop[..., 0].astype(np.float32)
    shown = 0
    from tools.data.points98 import MIRROR

    for i in (*dots, *MIRROR[dots]):
        at = sample.points[i] * crops.SIZE - 0.5
        x, y = np.round(at).astype(int)
        if not (6 < x < 105 and 6 < y < 105):
            continue
        window = grey[y - 5 : y + 6, x - 5 : x + 6]
        if window.max() < 100:
            continue  # the mirrored sample shows the partner instead
        gy, gx = np.mgrid[y - 5 : y + 6, x - 5 : x + 6]
        weight = np.where(window > 40, window, 0)
        centroid = np.array(((gx * weight).sum(), (gy * weight).sum())) / weight.sum()
        assert np.linalg.norm(centroid - at) < 1.3
        shown += 1
    assert shown >= 3


def test_moved_points_solve_the_backward_field() -> None:
    matrix_points = face(3) / 220
    move = random_movement(matrix_points, np.random.default_rng(5))
    field = displacement_field(matrix_points, move)
    assert field.shape == (GRID, GRID, 2)
    at = moved_points(matrix_points, field)
    assert np.abs(at + sample_field(field, at) - matrix_points).max() < 2e-3
    assert np.corrcoef((at - matrix_points).ravel(), move.ravel())[0, 1] > 0.9


def slit_maps() -> np.ndarray:
    """Identity maps of a 112-pixel crop onto a 112-pixel picture."""
    return np.stack(np.meshgrid(np.arange(112), np.arange(112)), -1).astype(np.float32)


def striped(points: np.ndarray, indices: list[int]) -> np.ndarray:
    """A 112-pixel picture with a bright curve through the named points (crop units)."""
    picture = np.zeros((112, 112), np.uint8)
    cv2.polylines(picture, [np.round(points[indices] * 112 * 16 - 8).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    return picture


@pytest.mark.parametrize(("amount", "first"), [(1.0, 60), (0.5, 68), (-0.3, 60)])
def test_a_lid_moves_with_its_picture_and_the_other_eye_stays(amount: float, first: int) -> None:
    points = (face() / 220).astype(np.float32)
    maps = slit_maps()
    moved = close_eye(maps, points, first, amount)
    before, after = eye_opening(points), eye_opening(moved)
    eye = 0 if first == 60 else 1
    assert after[eye] == pytest.approx((1 - amount) * before[eye], abs=0.03)
    assert after[1 - eye] == pytest.approx(before[1 - eye])
    lid = [first + k for k in (1, 2, 3)]
    seen = cv2.remap(striped(points, lid), maps, None, cv2.INTER_LINEAR).astype(float)
    middle = moved[first + 2] * 112 - 0.5
    column = seen[:, round(float(middle[0]))]
    assert (np.arange(112) * column).sum() / column.sum() == pytest.approx(middle[1], abs=1.2)


def test_a_mouth_opens_and_the_chin_follows_its_picture() -> None:
    points = (face() / 220).astype(np.float32)
    maps = slit_maps()
    moved = open_mouth(maps, points, 0.08)
    gap = np.linalg.norm(moved[94] - moved[90]) - np.linalg.norm(points[94] - points[90])
    assert gap == pytest.approx(0.08, abs=0.01)
    assert moved[[*range(60, 82)]] == pytest.approx(points[[*range(60, 82)]])
    assert moved[16, 1] > points[16, 1] + 0.02
    seen = cv2.remap(striped(points, [15, 16, 17]), maps, None, cv2.INTER_LINEAR).astype(float)
    at = moved[16] * 112 - 0.5
    column = seen[:, round(float(at[0]))]
    assert (np.arange(112) * column).sum() / column.sum() == pytest.approx(at[1], abs=1.2)


@pytest.mark.parametrize("shift", [(0.0, 0.06), (0.0, -0.06), (0.06, 0.0)])
def test_a_mouth_opens_in_skin_that_was_bent_before(shift: tuple[float, float]) -> None:
    """The chin was moved by the same warp: where the lip lands, the picture must show what then lay at the lip."""
    points = (face() / 220).astype(np.float32)
    move = np.zeros((98, 2), np.float32)
    move[10:23] = shift
    field = displacement_field(points, move)
    maps = (slit_maps() + 112 * cv2.resize(field, (112, 112), interpolation=cv2.INTER_LINEAR)).astype(np.float32)
    moved = open_mouth(maps, moved_points(points, field), 0.1)
    for line, middle in (([83, 84, 85, 86, 87], 85), ([15, 16, 17], 16)):
        seen = cv2.remap(striped(points, line), maps, None, cv2.INTER_LINEAR).astype(float)
        at = moved[middle] * 112 - 0.5
        column = seen[:, round(float(at[0]))]
        assert (np.arange(112) * column).sum() / column.sum() == pytest.approx(at[1], abs=0.35)


@pytest.mark.parametrize("aside", [(1.2, 0.0), (0.0, -1.5)])
def test_an_eye_or_a_mouth_outside_the_crop_changes_nothing_of_it(aside: tuple[float, float]) -> None:
    points = (face() / 220 + aside).astype(np.float32)
    maps = slit_maps()
    assert close_eye(maps, points, 60, 0.9)[62, 1] > points[62, 1]
    assert open_mouth(maps, points, 0.1)[94, 1] > points[94, 1]
    assert (maps == slit_maps()).all()


def test_presence_falls_with_the_geometry() -> None:
    assert crops.square_iou(np.zeros(2), 1.0) == 1
    assert crops.square_iou(np.array((0.5, 0.0)), 1.0) == pytest.approx(1 / 3)
    assert crops.square_iou(np.zeros(2), 2.0) == pytest.approx(1 / 4)
    assert crops.ramp(60, 75, 52) == pytest.approx(15 / 23)
    assert crops.ramp(90, 75, 52) == 0
    assert crops.ramp(0.9, 0.35, 0.7) == 1


def test_nothing_is_never_a_face() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (220, 220, 3)).astype(np.uint8)
    squares = [square_from_points(face() + 10)]
    for _ in range(30):
        sample = negatives.sample_nothing(picture, squares, rng)
        assert sample.presence == 0
        assert not sample.weight.any()
        assert sample.crop.shape == (112, 112, 3)
        assert negatives.plain_nothing(rng).presence == 0


def test_same_seed_same_sample() -> None:
    picture, points = dotted(face(), [16, 60]), face()
    a, b = (
        crops.sample_face(picture, points, np.ones(98, np.float32), np.random.default_rng(9), crops.Strength(), None)
        for _ in range(2)
    )
    assert (a.crop == b.crop).all()
    assert (a.points == b.points).all()


def test_a_hand_has_a_palm_and_fingers() -> None:
    mask = hand_mask(np.random.default_rng(1), 112, np.array((56, 56), np.float32), 40.0)
    assert 0.05 < (mask > 0).mean() < 0.6
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea)
    assert cv2.contourArea(largest) < 0.96 * cv2.contourArea(cv2.convexHull(largest))  # gaps between the fingers


def test_fingers_lie_on_the_mouth_and_let_some_of_it_show() -> None:
    shares, white = [], np.full((112, 112, 3), 255, np.uint8)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        points = face(seed) / 200
        mask = finger_mask(rng, 112, points[76:88])
        mouth = np.zeros((112, 112), np.uint8)
        cv2.fillPoly(mouth, [(points[76:88] * 112).astype(np.int32)], 255)
        shares.append(float((mask[mouth > 0] > 127).mean()))
        crop, hidden = put_fingers(white, points, rng)
        assert (crop[hidden > 127] < 255).any()
    assert min(shares) > 0.1
    assert sum(share < 0.97 for share in shares) >= 9
    assert (white == 255).all()


def test_points_under_fingers_teach_less_and_the_clear_crop_stays_clear() -> None:
    calm = crops.Strength(bend=0, features=0, tear=0, occlude=0, paint=0, hard_geometry=0, spoil=0, cut=0, fingers=1)
    picture, points = np.full((220, 220, 3), 200, np.uint8), face() + 10
    weights = []
    for seed in range(6):
        sample = crops.sample_face(picture, points, np.ones(98), np.random.default_rng(seed), calm, None)
        assert (sample.clear == 200).all() or sample.clear.min() == 0  # the picture and, around it, the border
        assert (sample.crop != sample.clear).any()
        weights.append(sample.weight[76:96])
    assert 0.1 < (np.array(weights) < 1).mean() < 0.9


def test_a_face_of_few_pixels_keeps_its_light_and_loses_its_detail() -> None:
    rng = np.random.default_rng(2)
    crop = rng.integers(0, 256, (112, 112, 3)).astype(np.uint8)
    seen = few_pixels(crop, rng)
    assert seen.shape == crop.shape
    assert seen.std() < 0.5 * crop.std()
    assert abs(float(seen.mean()) - float(crop.mean())) < 2
