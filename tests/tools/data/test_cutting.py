"""Scanning collages, cutting crops, families and labels."""

from pathlib import Path

import numpy as np
import pytest

from tests.tools.data.test_points98 import face
from tools.data import scan
from tools.data.collages import cut, families
from tools.data.labels import mesh_to_98


def test_anchors_number_and_place() -> None:
    prior = scan.anchors(640, 640)
    assert len(prior) == 16_800
    assert prior[0] == pytest.approx((4 / 640, 4 / 640, 16 / 640, 16 / 640))
    assert prior[1] == pytest.approx((4 / 640, 4 / 640, 32 / 640, 32 / 640))
    assert len(scan.anchors(1080, 1920)) == 85_200


def test_decoding_no_offset_gives_the_anchor_itself() -> None:
    count = len(scan.anchors(64, 96))
    boxes, points = scan.decode(np.zeros((count, 4), np.float32), np.zeros((count, 10), np.float32), 64, 96)
    assert boxes[0] == pytest.approx((-4, -4, 12, 12), abs=1e-4)
    assert points[0] == pytest.approx(np.full((5, 2), 4.0), abs=1e-4)


def test_suppression_drops_nested_and_shifted_boxes() -> None:
    boxes = np.array([(0, 0, 100, 100), (20, 20, 60, 60), (5, 0, 105, 100), (200, 0, 260, 60)], np.float32)
    assert scan.suppress(boxes, np.array((0.9, 0.95, 0.8, 0.7), np.float32)) == [1, 3]


def test_cut_keeps_a_box_length_around_and_maps_back() -> None:
    picture = np.zeros((900, 1200, 3), np.uint8)
    box = np.array((500, 300, 740, 580), np.float32)
    crop, scale, low = cut(picture, box)
    assert max(crop.shape[:2]) <= 384
    assert scale == pytest.approx(384 / 840, rel=0.01)
    inside = (box.reshape(2, 2) - low) * scale
    assert inside[0].min() > 0.9 * 280 * scale
    assert low[0] == pytest.approx(200, abs=1)


def test_families_join_over_a_chain() -> None:
    a = np.array((1, 0, 0), np.float32)
    b = np.array((0.95, np.sqrt(1 - 0.95**2), 0), np.float32)
    c = np.array((np.cos(2 * np.arccos(0.95)), np.sin(2 * np.arccos(0.95)), 0), np.float32)
    group = families(np.stack([a, b, c, np.array((0, 0, 1), np.float32)]), 0.94)
    assert group[0] == group[1] == group[2] != group[3]


def test_mesh_regression_recovers_a_linear_relation() -> None:
    rng = np.random.default_rng(0)
    base = np.stack([face(i) for i in range(60)])
    base += rng.normal(0, 2, (60, 1, 2)) + rng.normal(0, 2, (60, 98, 2))
    mesh = np.concatenate([base, base[:, :98] * 0.5 + 3, base, base, base[:, :86]], 1).astype(np.float32)
    assert mesh.shape[1] == 478
    mapped = mesh_to_98(mesh, np.repeat(base[:, None], 3, 1).astype(np.float32), np.ones(60, bool), ridge=1e-6)
    raw = np.linalg.norm(base - base.mean(0), axis=-1).mean()
    assert np.linalg.norm(mapped - base, axis=-1).mean() < 0.7 * raw


@pytest.mark.tools
def test_teachers_agree_on_a_real_crop(shared: Path) -> None:
    import cv2

    from tools.data.points98 import inter_ocular, square_from_box
    from tools.data.teachers import PfldEnsemble

    collage = cv2.imread(str(shared / "faces/sfhq/SFHQ_sample_1x2.jpg"))
    assert collage is not None
    picture = cv2.resize(collage[:, : collage.shape[1] // 2], None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    ensemble = PfldEnsemble(shared / "models/pfld_ghostone_98", crops=2)
    side = picture.shape[0]
    box = np.array((0.28 * side, 0.25 * side, 0.68 * side, 0.8 * side), np.float32)
    five = np.array([(0.4, 0.45), (0.56, 0.45), (0.48, 0.55), (0.42, 0.65), (0.55, 0.65)], np.float32) * side
    assert square_from_box(box, five)[1] > 0
    each, spread = ensemble.label(picture, ensemble.first_guess(picture, box, five))
    span = inter_ocular(each.mean(0))
    assert np.linalg.norm(each - each.mean(0), axis=-1).mean() < 0.03 * span
    assert spread.mean() < 0.05 * span
