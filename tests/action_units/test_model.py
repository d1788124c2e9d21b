"""Sides, order and honesty of the Action Units, with a network that is arithmetic."""

import json
import sys
from collections.abc import Mapping
from typing import cast

import cv2
import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline, RunningMedian
from realtime.action_units.descriptor import Descriptor, describe, mirror_shape
from realtime.action_units.model import (
    FEATURES,
    POINT_FEATURES,
    REST_FEATURES,
    ActionUnits,
    Compared,
    FaceWindows,
    Network,
    Taken,
    picture_features,
    point_features,
    rest_features,
)
from realtime.action_units.rest_frame import FLOW_FEATURES, LOWER, Windows, flow_features, rest_picture
from realtime.analyze.models import action_units
from realtime.face import wflw
from realtime.face.alignment import Aligner, canonical
from realtime.face.geometry import transform
from realtime.face.warm_up import warm_up
from realtime.models import Registry

F32 = np.ndarray
IMAGE = np.random.default_rng(2).integers(0, 255, (240, 320, 3)).astype(np.uint8)
POINTS = canonical(160) + np.float32(40)
WINDOWS = FaceWindows().cut(IMAGE, POINTS)


def corner_height(rows: F32) -> Mapping[str, F32]:
    """Two outputs per row: how high the own (left in the row's view) mouth corner is, and a constant beyond the scale."""
    height = rows[:, 2 * 82 + 1 : 2 * 82 + 2] * 10
    # The look tells what came in of the looks at rest.
    look = np.repeat(rows[:, POINT_FEATURES : POINT_FEATURES + 1] + 0.25, EMBEDDING_SIZE, axis=1)
    return {"intensity": np.concatenate([height, np.full_like(height, 9.0)], axis=1), "look": look}


def face(left_corner: float, right_corner: float) -> Descriptor:
    shape = np.zeros((98, 2), np.float32)
    shape[82, 1], shape[76, 1] = left_corner, right_corner
    return Descriptor(shape, (3.0, -2.0, 1.0))


def test_each_side_is_the_patients_own() -> None:
    units = ActionUnits(corner_height, [12, 25])
    left, right = units.measure(face(0.3, 0.1), None, WINDOWS)
    assert left == {12: np.float32(3.0), 25: 5.0}
    assert round(right[12], 5) == 1.0


def test_a_mirrored_face_swaps_the_values() -> None:
    units = ActionUnits(corner_height, [12, 25])
    found = face(0.3, 0.1)
    assert units.measure(found.mirrored(), None, WINDOWS) == units.measure(found, None, WINDOWS)[::-1]


def test_what_cannot_be_observed_is_left_out() -> None:
    units = ActionUnits(corner_height, [12, 25], unobservable=[25])
    assert units.units == (12,)
    left, right = units.measure(face(0.3, 0.1), None, WINDOWS)
    assert set(right) == set(left) == {12}


def test_the_neutral_is_subtracted_on_both_sides_and_its_absence_is_said() -> None:
    neutral = np.random.default_rng(0).normal(0, 0.05, (98, 2)).astype(np.float32)
    found = Descriptor(neutral + np.float32(0.01), (0.0, 0.0, 0.0))
    rows = point_features(found, neutral)
    assert rows.shape == (2, POINT_FEATURES)
    np.testing.assert_allclose(rows[0, :196], 0.01, atol=1e-6)
    np.testing.assert_allclose(rows[1, 196:392].reshape(98, 2), mirror_shape(neutral))
    assert rows[:, -1].tolist() == [1.0, 1.0]
    assert point_features(found, None)[:, -1].tolist() == [0.0, 0.0]


def test_pose_changes_sign_with_the_side() -> None:
    rows = point_features(face(0, 0), None)
    np.testing.assert_allclose(rows[0, 392:395] * 30, [3, -2, 1], atol=1e-5)
    np.testing.assert_allclose(rows[1, 392:395] * 30, [-3, -2, -1], atol=1e-5)


def test_running_median_agrees_with_the_median_of_all_values() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 0.1, (501, 4)).astype(np.float32)
    median = RunningMedian(4)
    for value in values:
        median.update(value)
    np.testing.assert_allclose(median.median(), np.median(values, axis=0), atol=0.0026)


def test_flip_order_pairs_the_sides() -> None:
    assert wflw.FLIP_ORDER[82] == 76


def test_the_windows_are_free_of_brightness_and_contrast() -> None:
    left, right, mouth, lower = ((w.astype(float) * 0.5 + 60).astype(np.uint8) for w in WINDOWS)
    rows = picture_features(WINDOWS)
    np.testing.assert_allclose(picture_features((left, right, mouth, lower)), rows, atol=0.05)
    assert rows.shape[1] + POINT_FEATURES + REST_FEATURES + FLOW_FEATURES == FEATURES


def test_windows_have_mean_zero_and_spread_one_on_the_side_that_sees_them() -> None:
    left, right, mouth, lower = (w.astype(np.float64) for w in WINDOWS)
    seen = (left, mouth, lower, right[:, ::-1], mouth[:, ::-1], lower[:, ::-1])
    parts = [(w - w.mean()) / max(w.std(), 8.0) for w in seen]
    expected = np.concatenate([part.reshape(-1) for part in parts]).reshape(2, -1)
    np.testing.assert_allclose(picture_features(WINDOWS), expected, atol=1e-6)
    flat = tuple(np.full_like(w, 90) for w in WINDOWS)
    assert not picture_features((flat[0], flat[1], flat[2], flat[3])).any()


@pytest.mark.parametrize("shift", [(0, 0), (-150, -40), (160, 90), (4000, 0)])
def test_windows_are_cut_from_the_whole_aligned_face(shift: tuple[int, int]) -> None:
    points = POINTS + np.array(shift, np.float32)
    aligner = Aligner(160)
    grey = cv2.cvtColor(aligner.picture(IMAGE, points), cv2.COLOR_BGR2GRAY)
    placed = transform(aligner.matrix(points), points)
    for margin in (0, 60):
        left, right, mouth, lower = FaceWindows(margin).cut(IMAGE, points)
        for window, indices, down in (
            (left, wflw.LEFT_EYE, -8),
            (right, wflw.RIGHT_EYE, -8),
            (mouth, (76, 82, 79, 85), 3),
        ):
            x, y = placed[list(indices)].mean(axis=0) + np.array((0, down), np.float32)
            expected = cv2.getRectSubPix(grey, window.shape[::-1], (float(x), float(y)))
            np.testing.assert_array_equal(window, expected)
        size = lower.shape[::-1]
        corner = np.array((x, y + 2)) - 0.65 * (np.array(size) - 1)
        reduced = np.column_stack([1.3 * np.eye(2), corner])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(grey, reduced, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        apart = np.abs(lower.astype(int) - expected)
        assert apart.max() <= 12
        assert apart.mean() < 0.2, "rounded places differ by a thirty-second of a pixel here and there"


def test_what_the_skin_did_reaches_the_network_between_looks_and_pictures() -> None:
    calls: list[F32] = []

    def network(rows: F32) -> Mapping[str, F32]:
        calls.append(rows.copy())
        return corner_height(rows)

    units = ActionUnits(network, [12, 25])
    picture = rest_picture(face(0, 0), WINDOWS)
    units.measure(face(0, 0), None, WINDOWS, picture)
    units.measure(face(0, 0), None, WINDOWS)
    place = slice(POINT_FEATURES + REST_FEATURES, POINT_FEATURES + REST_FEATURES + FLOW_FEATURES)
    np.testing.assert_array_equal(calls[0][:, place], flow_features(picture, (3.0, -2.0, 1.0), WINDOWS))
    assert calls[0][:, place.stop - 1].tolist() == [1, 1]
    assert not calls[1][:, place].any()


def shipped_network() -> tuple[Network, list[int], list[tuple[int, ...]]]:
    """The embedded network, its Action Units, and the shape of each call's input as calls are made."""
    registry, calls = Registry(), []
    spec = registry.manifest.find("action-units")
    session = registry.open(spec)

    def run(rows: F32) -> Mapping[str, F32]:
        calls.append(rows.shape)
        return session.run(rows)

    return run, [int(str(unit)) for unit in cast("list[int]", spec.parameters["units"])], calls


def test_several_references_in_one_call_give_what_one_call_for_each_gives() -> None:
    run, numbers, calls = shipped_network()
    together, apart = ActionUnits(run, numbers, [23], together=True), ActionUnits(run, numbers, [23])
    rng = np.random.default_rng(4)
    found = Descriptor(rng.normal(0, 0.03, (98, 2)).astype(np.float32), (5.0, -4.0, 2.0))
    look = rng.uniform(-0.8, 0.8, (2, EMBEDDING_SIZE)).astype(np.float32)
    rest = Baseline(rng.normal(0, 0.03, (98, 2)).astype(np.float32), look)
    references = [Compared(rest, rest_picture(found, WINDOWS)), Compared(Baseline(found.shape)), Compared(None)]
    wanted = [apart.measure(found, one.rest, WINDOWS, one.picture) for one in references]
    assert len(calls) == 3
    values = together.measure_against(found, WINDOWS, references)
    assert len(calls) == 4
    for mine, theirs in zip(values, wanted, strict=True):
        assert mine.left == pytest.approx(theirs.left, abs=1e-5)
        assert mine.right == pytest.approx(theirs.right, abs=1e-5)
    assert wanted[0].left != pytest.approx(wanted[2].left, abs=0.01), "the references do matter"
    assert together.embedding is not None
    np.testing.assert_allclose(together.embedding, cast("F32", apart.embedding), atol=1e-6)


def test_several_frames_in_one_call_give_what_one_call_for_each_gives() -> None:
    run, numbers, calls = shipped_network()
    at_once, apart = ActionUnits(run, numbers, [23], frames=True), ActionUnits(run, numbers, [23])
    rng, frames = np.random.default_rng(5), []
    for number in range(5):
        found = Descriptor(rng.normal(0, 0.03, (98, 2)).astype(np.float32), (5.0, -4.0, 2.0))
        cut = cast("Windows", tuple(rng.integers(0, 256, window.shape).astype(np.uint8) for window in WINDOWS))
        frames.append(
            Taken(found, cut, Compared(Baseline(found.shape), rest_picture(found, cut) if number % 2 else None))
        )
    answers = at_once.measure_frames(frames)
    assert len(calls) == 1
    for frame, (values, look) in zip(frames, answers, strict=True):
        alone = apart.measure(frame.found, frame.against.rest, frame.windows, frame.against.picture)
        assert values.left == pytest.approx(alone.left, abs=1e-5)
        assert values.right == pytest.approx(alone.right, abs=1e-5)
        np.testing.assert_allclose(look, cast("F32", apart.embedding), atol=1e-6)
    assert answers[0].values.left != pytest.approx(answers[1].values.left, abs=0.01), "the frames do differ"
    assert [one.values for one in apart.measure_frames(frames[:2])] == [
        apart.measure(one.found, one.against.rest, one.windows, one.against.picture) for one in frames[:2]
    ]


def test_a_new_form_of_the_file_keeps_the_calibrations_made_with_the_former_one() -> None:
    registry = Registry()
    spec = registry.manifest.find("action-units")
    units = action_units(registry.open(spec))
    assert units.identity == spec.parameters["embedding"] != spec.sha256


def test_the_lower_window_shows_the_chin_and_the_wings_of_the_nose() -> None:
    placed = canonical(160)
    chin, wing, corner = placed[16], placed[55], placed[76]
    for place in (chin - (0, 6), wing - (4, 0), corner - (4, 0)):
        image = np.full((160, 160, 3), 90, np.uint8)
        spot = np.rint(place).astype(int)
        cv2.circle(image, (int(spot[0]), int(spot[1])), 2, (250, 250, 250), -1)
        *_, lower = FaceWindows().cut(image, placed)
        assert lower.shape == LOWER
        assert lower.max() > 150, place


def test_a_mirrored_picture_gives_the_other_sides_windows() -> None:
    faces = FaceWindows()
    one = picture_features(faces.cut(IMAGE, POINTS))
    mirrored = (POINTS * np.array([-1, 1], np.float32) + np.array([319, 0], np.float32))[wflw.FLIP_ORDER]
    other = picture_features(faces.cut(np.ascontiguousarray(IMAGE[:, ::-1]), mirrored))
    for side in range(2):
        likeness = np.corrcoef(one[side], other[1 - side])[0, 1]
        assert likeness > 0.97, "the patient's left eye is the mirror image's right one"


def test_the_look_at_rest_reaches_the_network_on_its_own_side_and_its_absence_is_said() -> None:
    look = np.stack([np.full(EMBEDDING_SIZE, 0.5), np.full(EMBEDDING_SIZE, -0.5)]).astype(np.float32)
    rows = rest_features(look)
    assert rows[0, :EMBEDDING_SIZE].tolist() == [0.5] * EMBEDDING_SIZE
    assert rows[1, :EMBEDDING_SIZE].tolist() == [-0.5] * EMBEDDING_SIZE
    assert rows[:, EMBEDDING_SIZE].tolist() == [1, 1]
    assert not rest_features(None).any()
    units = ActionUnits(corner_height, [12, 25])
    units.measure(face(0, 0), Baseline(np.zeros((98, 2), np.float32), look), WINDOWS)
    assert units.embedding is not None
    assert units.embedding[:, 0].tolist() == [0.75, -0.25]


def test_a_rest_comes_back_from_json_and_its_look_is_its_networks_alone() -> None:
    rng = np.random.default_rng(4)
    rest = Baseline(
        rng.normal(0, 1, (98, 2)).astype(np.float32), rng.normal(0, 1, (2, EMBEDDING_SIZE)).astype(np.float32), "abc"
    )
    again = Baseline.from_json(json.loads(json.dumps(rest.as_json())))
    assert again.embedding is not None
    assert rest.embedding is not None
    assert np.array_equal(again.shape, rest.shape)
    assert np.array_equal(again.embedding, rest.embedding)
    assert again.known_to("abc") is again
    assert again.known_to("other").embedding is None
    assert np.array_equal(again.known_to("other").shape, rest.shape)
    for damaged in (
        {"shape": [[1, 2]], "look": None, "network": ""},
        {"shape": rest.shape, "look": [1], "network": ""},
    ):
        with pytest.raises(ValueError, match="at rest"):
            Baseline.from_json(damaged)
    former = Baseline.from_json(rest.as_json() | {"look": rest.embedding[:, :128].tolist()})
    assert former.embedding is None, "a look of another length is another network's"
    assert np.array_equal(former.shape, rest.shape)


def compiled_kernels() -> dict[tuple[str, str], int]:
    """By module and name, for how many kinds of arguments each kernel was compiled."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("realtime."):
            for word, value in vars(module).items():
                if isinstance(value, CPUDispatcher):
                    found[name, word] = len(value.signatures)
    return found


def test_a_frame_is_measured_with_kernels_that_the_warm_up_has_compiled() -> None:
    warm_up()
    before = compiled_kernels()
    image = IMAGE.copy()
    image.flags.writeable = False  # as captured frames are: to the compiler that is another type
    found, windows = describe(POINTS), FaceWindows().cut(image, POINTS)
    assert found is not None
    flow_features(rest_picture(found, windows), found.pose, windows)
    picture_features(windows)
    assert compiled_kernels() == before
