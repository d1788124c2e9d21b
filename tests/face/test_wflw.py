"""The tables agree with each other, so that one typing error cannot hide."""

import numpy as np
import pytest

from realtime.face import wflw
from realtime.face.face_model import FACE_2D, FACE_3D


def test_groups_cover_every_point_once() -> None:
    assert sorted(i for group in wflw.GROUPS.values() for i in group) == list(range(98))


def test_curves_are_the_groups_without_the_pupils() -> None:
    assert [c.points for c in wflw.CURVES] == [g for name, g in wflw.GROUPS.items() if "pupil" not in name]
    assert [c.closed for c in wflw.CURVES] == [False, True, True, False, False, True, True, True, True]


def test_flip_pairs_and_midline_cover_every_point_once() -> None:
    assert sorted([i for pair in wflw.FLIP_PAIRS for i in pair] + list(wflw.MIDLINE)) == list(range(98))
    assert np.array_equal(wflw.FLIP_ORDER[wflw.FLIP_ORDER], np.arange(98))


def test_flipping_maps_groups_onto_their_counterparts() -> None:
    for right, left in (("right brow", "left brow"), ("right eye", "left eye"), ("right pupil", "left pupil")):
        assert {int(wflw.FLIP_ORDER[i]) for i in wflw.GROUPS[right]} == set(wflw.GROUPS[left])
    for own in ("contour", "nose bridge", "nose base", "outer lip", "inner lip"):
        assert {int(wflw.FLIP_ORDER[i]) for i in wflw.GROUPS[own]} == set(wflw.GROUPS[own])


def test_mean_face_is_its_own_mirror_image() -> None:
    mirrored = FACE_3D[wflw.FLIP_ORDER] * (-1, 1, 1)
    # the mesh is symmetric; the table is rounded to a tenth of a millimetre
    assert np.abs(mirrored - FACE_3D).max() < 0.03


def test_flip_order_takes_the_patients_right_to_the_images_right() -> None:
    assert all(FACE_2D[right, 0] < FACE_2D[left, 0] for right, left in wflw.FLIP_PAIRS)


def test_68_points_have_the_ibug_order() -> None:
    assert len(wflw.TO_68) == 68
    assert len(set(wflw.TO_68)) == 68
    ibug = FACE_2D[list(wflw.TO_68)]
    assert ibug[8, 1] == FACE_2D[:, 1].max()
    assert np.all(np.diff(ibug[:17, 0]) > 0)
    assert np.all(np.diff(ibug[17:27, 0]) > 0)
    assert np.all(np.diff(ibug[27:31, 1]) > 0)
    assert ibug[36, 0] == ibug[36:42, 0].min()
    assert ibug[45, 0] == ibug[42:48, 0].max()
    assert ibug[48, 0] == ibug[48:60, 0].min()


def test_iod_of_the_mean_face_is_one() -> None:
    assert wflw.interocular(FACE_2D) == pytest.approx(1.0)


def test_eye_opening_by_hand() -> None:
    points = np.zeros((98, 2))
    # patient's right eye 8 wide, lids 2, 3 and 1 apart; the left eye the same mirrored, but only 4 wide
    points[60], points[64] = (0, 0), (8, 0)
    points[61], points[67] = (2, -1), (2, 1)
    points[62], points[66] = (4, -1.5), (4, 1.5)
    points[63], points[65] = (6, -0.5), (6, 0.5)
    points[72], points[68] = (24, 0), (20, 0)
    points[71], points[73] = (23, -1), (23, 1)
    points[70], points[74] = (22, -1.5), (22, 1.5)
    points[69], points[75] = (21, -0.5), (21, 0.5)
    assert wflw.eye_opening(points) == pytest.approx((6 / 12, 6 / 24))


def test_eye_without_width_is_not_measured() -> None:
    assert np.isnan(wflw.eye_opening(np.zeros((98, 2)))).all()


def test_glabella_is_between_the_brows() -> None:
    x, y = wflw.glabella(FACE_2D)
    assert abs(x) < 0.01
    assert FACE_2D[33:51, 1].min() < y < 0
