"""Coefficients: sides, ranges, gaze."""

import numpy as np
import pytest

from tools.synth.expressions import (
    MIDDLE_UNITS,
    SQUINT,
    UNITS,
    coefficients,
    difficult,
    far_smile,
    gaze_directions,
    moved_by,
    random_expression,
    settle,
    shut_eyes,
    unequal_rest,
)
from tools.synth.kit import EXPRESSION_INDEX, EXPRESSION_NAMES


def test_every_sided_movement_moves_only_the_side_that_is_asked() -> None:
    for unit in UNITS:
        left = coefficients(unit, 1, 0)
        moved = {EXPRESSION_NAMES[i] for i in np.flatnonzero(left)}
        assert moved
        assert all(name.endswith("_L") for name in moved)
        mirrored = coefficients(unit, 0, 1)
        for name in moved:
            assert mirrored[EXPRESSION_INDEX[name[:-1] + "R"]] == left[EXPRESSION_INDEX[name]]


def test_movements_without_sides_take_the_mean() -> None:
    for unit in MIDDLE_UNITS:
        np.testing.assert_allclose(coefficients(unit, 1, 0), coefficients(unit, 0.5, 0.5))


def test_random_faces_cover_one_sided_two_sided_neutral_and_shut_eyes() -> None:
    rng = np.random.default_rng(0)
    faces = np.array([random_expression(rng) for _ in range(1500)])
    assert faces.min() >= 0
    assert faces.max() <= 1.1 + 1e-6
    left, right = (faces[:, EXPRESSION_INDEX[f"mouthSmile_{s}"]] for s in "LR")
    assert ((left > 0.5) & (right < 0.1)).sum() > 5
    assert ((right > 0.5) & (left < 0.1)).sum() > 5
    assert ((right > 0.5) & (left > 0.5)).sum() > 20
    blink = faces[:, [EXPRESSION_INDEX["eyeBlink_L"], EXPRESSION_INDEX["eyeBlink_R"]]]
    assert (blink > 0.9).all(1).mean() > 0.03
    assert ((blink > 0.3) & (blink < 0.8)).all(1).mean() > 0.03
    mimic = [i for i, n in enumerate(EXPRESSION_NAMES) if not n.startswith(("eyeLook", "eyeBlink"))]
    assert (faces[:, mimic].max(1) < 0.02).mean() > 0.02
    for name, column in zip(EXPRESSION_NAMES, faces.T, strict=True):
        assert name.startswith("PupilDilate") or column.max() > 0.3, name


def test_shut_lids_are_not_wide_and_a_pucker_is_no_smile() -> None:
    face = np.zeros(57, np.float32)
    for name in ("eyeBlink_L", "eyeWide_L", "eyeWide_R", "mouthPucker", "mouthSmile_R"):
        face[EXPRESSION_INDEX[name]] = 1
    calm = settle(face)
    assert calm[EXPRESSION_INDEX["eyeWide_L"]] == 0
    assert calm[EXPRESSION_INDEX["eyeWide_R"]] == 1
    assert calm[EXPRESSION_INDEX["mouthSmile_R"]] < 0.5


def test_a_squint_narrows_an_open_eye_and_stays_known_of_a_shut_one() -> None:
    face = np.zeros(57, np.float32)
    for name in ("eyeSquint_L", "eyeSquint_R", "eyeBlink_R"):
        face[EXPRESSION_INDEX[name]] = 1
    kept, drawn = settle(face), moved_by(settle(face))
    assert kept[EXPRESSION_INDEX["eyeSquint_R"]] == 1
    assert drawn[EXPRESSION_INDEX["eyeSquint_R"]] == 0
    assert drawn[EXPRESSION_INDEX["eyeSquint_L"]] == pytest.approx(SQUINT)
    assert drawn[EXPRESSION_INDEX["eyeBlink_R"]] == 1


def test_gaze_out_of_the_left_eye_goes_to_the_patients_left_and_is_a_unit_vector() -> None:
    face = np.zeros(57, np.float32)
    rest = gaze_directions(face)
    face[EXPRESSION_INDEX["eyeLookOut_L"]] = face[EXPRESSION_INDEX["eyeLookIn_R"]] = 1
    face[EXPRESSION_INDEX["eyeLookUp_R"]] = 1
    right, left = gaze_directions(face)
    np.testing.assert_allclose(np.linalg.norm([right, left], axis=1), 1, rtol=1e-6)
    assert left[0] > 0.4
    assert right[0] > 0.4
    assert right[1] > rest[0, 1] + 0.3


def test_eyes_shut_one_by_one_and_a_squeeze_stays_on_its_side() -> None:
    rng = np.random.default_rng(0)
    faces = np.array([shut_eyes(rng) for _ in range(600)])
    blink, brow = (faces[:, [EXPRESSION_INDEX[f"{n}_{s}"] for s in "LR"]] for n in ("eyeBlink", "browDown"))
    alone = (blink.max(1) > 0.7) & (blink.min(1) < 0.5)
    assert 0.3 < alone.mean() < 0.8
    assert ((blink > 0.7).all(1)).mean() > 0.08
    hard = alone & (brow.max(1) > 0.4)
    assert hard.mean() > 0.1
    assert (brow[hard].argmax(1) == blink[hard].argmax(1)).mean() > 0.9
    assert (alone & (brow.max(1) < 0.05)).mean() > 0.08
    assert faces.min() >= 0
    assert faces.max() <= 1.1 + 1e-6


def test_smiles_go_far_on_one_side_or_both_and_keep_what_the_rest_had() -> None:
    rng = np.random.default_rng(0)
    rests = np.array([unequal_rest(rng) for _ in range(600)])
    faces = np.array([far_smile(rng, rest) for rest in rests])
    smile, calm = (set_[:, [EXPRESSION_INDEX[f"mouthSmile_{s}"] for s in "LR"]] for set_ in (faces, rests))
    assert calm.max() == 0
    assert (smile.max(1) > 0.6).mean() > 0.3
    alone = (smile.max(1) > 0.6) & (smile.min(1) < 0.05)
    assert 0.05 < alone.mean() < (smile.max(1) > 0.6).mean()
    hanging = rests[:, [EXPRESSION_INDEX[f"mouthFrown_{s}"] for s in "LR"]] > 0
    assert not hanging.all(1).any()
    assert 0.35 < hanging.any(1).mean() < 0.65
    wide = [EXPRESSION_INDEX[f"eyeWide_{s}"] for s in "LR"]
    held = rests[:, wide] > 0.1
    assert (faces[:, wide][held] > 0.5 * rests[:, wide][held]).mean() > 0.9


def test_what_is_hard_to_read_comes_with_what_makes_it_hard() -> None:
    rng = np.random.default_rng(0)
    faces = np.array([difficult(rng) for _ in range(800)])
    assert faces.min() >= 0
    assert faces.max() <= 1.1 + 1e-6

    def of(name: str) -> np.ndarray:
        sides = [i for i, n in enumerate(EXPRESSION_NAMES) if n.removesuffix("_L").removesuffix("_R") == name]
        return faces[:, sides].max(axis=1)

    smile, jaw = of("mouthSmile"), of("jawOpen")
    laughs = (smile > 0.3) & (jaw > 0.05)
    assert laughs.mean() > 0.1
    assert ((smile > 0.3) & (jaw < 0.02)).mean() > 0.06, "a smile alone opens no jaw"
    brow = of("browDown") > 0.1
    assert 0.12 < brow.mean() < 0.4
    assert 0.2 < (np.maximum(of("eyeSquint"), of("eyeBlink"))[brow] > 0.3).mean() < 0.8
    assert 0.1 < (of("mouthPress") > 0.2).mean() < 0.35
    half = of("eyeBlink")
    assert ((half > 0.35) & (half < 0.8)).mean() > 0.05
