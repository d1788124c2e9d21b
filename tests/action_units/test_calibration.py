"""Calibration: collected only at rest, in time of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.calibration import Calibration, CalibrationSettings
from realtime.action_units.descriptor import Descriptor, describe
from realtime.action_units.estimator import light_on
from realtime.action_units.model import POINT_FEATURES, REST_FEATURES, ActionUnits
from realtime.action_units.rest_frame import FLOW_FEATURES
from realtime.face.face_model import FACE_3D
from realtime.face.pose import HEAD_PITCH_ZERO
from realtime.types import F32, FaceObservation

RATE = 30.0
REST = np.random.default_rng(3).normal(0, 0.03, (98, 2)).astype(np.float32)
LIGHT = 120.0
PICTURE = np.zeros((480, 640, 3), np.uint8)


def jittered(seed: int, size: float = 0.004) -> np.ndarray:
    return REST + np.random.default_rng(seed).normal(0, size, (98, 2)).astype(np.float32)


def feed(
    calibration: Calibration,
    frames: range,
    *,
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0),
    light: Any = LIGHT,
    shape: Callable[[int], F32 | None] | None = None,
    face_id: int = 1,
    step: int = 1,
) -> list[str]:
    """Give it frames; the phases it went through."""
    phases: list[str] = []
    for number in frames[::step]:
        found = jittered(number) if shape is None else shape(number)
        seen = None if found is None else Descriptor(found.astype(np.float32), pose)
        calibration.update(number / RATE, face_id if seen else None, seen, light)
        phases.append(calibration.progress.phase)
    return phases


def started(**settings: Any) -> Calibration:
    calibration = Calibration(CalibrationSettings(**settings))
    calibration.start()
    return calibration


def test_nothing_happens_before_the_start() -> None:
    calibration = Calibration()
    assert set(feed(calibration, range(200))) == {"idle"}
    assert calibration.neutral is None


@pytest.mark.parametrize("step", [1, 2, 5])
def test_rest_gives_the_median_after_the_asked_time_whatever_the_rate(step: int) -> None:
    calibration = started(seconds=4.0)
    phases = feed(calibration, range(300), step=step)
    assert phases[0] == "waiting"
    assert "collecting" in phases
    done = phases.index("done") * step / RATE
    assert 4.0 <= done <= 4.0 + 0.5 + 2 * step / RATE, "the settling window, then the rest itself"
    assert calibration.neutral is not None
    assert np.abs(calibration.neutral.shape - REST).max() < 0.004
    assert calibration.frames >= 20


def test_the_share_grows_steadily_and_the_neutral_is_that_of_the_frames_collected() -> None:
    calibration = started(seconds=3.0)
    shares, shapes = list[float](), list[F32]()
    for number in range(200):
        before = calibration.frames or len(shapes)
        shape = jittered(number)
        calibration.update(number / RATE, 1, Descriptor(shape, (0.0, 0.0, 0.0)), LIGHT)
        if calibration.progress.phase in ("collecting", "done") and len(shapes) == before:
            shapes.append(shape)
        shares.append(calibration.progress.share)
        if not calibration.running:
            break
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert calibration.frames == len(shapes)
    assert np.array_equal(calibration.neutral.shape, np.median(np.stack(shapes), axis=0).astype(np.float32))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"pose": (25.0, 0.0, 0.0)}, "straight"),
        ({"pose": (0.0, -22.0, 0.0)}, "straight"),
        ({"pose": (0.0, 0.0, 24.0)}, "upright"),
        ({"light": 20.0}, "dark"),
        ({"light": 245.0}, "bright"),
        ({"light": None}, "light"),
        ({"shape": lambda n: None}, "No face"),
        ({"shape": lambda n: jittered(n, 0.06)}, "still"),
        ({"shape": lambda n: REST + 0.1 * np.sin(n / 3)}, "still"),
    ],
)
def test_what_keeps_it_waiting_is_said_and_nothing_is_collected(seen: dict[str, Any], words: str) -> None:
    calibration = started()
    assert set(feed(calibration, range(250), **seen)) == {"waiting"}
    assert words in calibration.progress.sentence
    assert calibration.progress.share == 0.0


@pytest.mark.parametrize("nod", [-12.0, 0.0, 12.0])
def test_a_person_who_looks_straight_ahead_is_taken_wherever_the_models_zero_lies(nod: float) -> None:
    calibration = started(seconds=1.0)
    assert feed(calibration, range(120), pose=(0.0, HEAD_PITCH_ZERO + nod, 0.0))[-1] == "done"


def test_a_turning_head_is_not_still_even_inside_the_allowed_angles() -> None:
    calibration = started()
    for number in range(200):
        pose = (8.0 * np.sin(number / 4), 0.0, 0.0)
        calibration.update(number / RATE, 1, Descriptor(jittered(number), pose), LIGHT)
    assert calibration.progress.phase == "waiting"
    assert "head still" in calibration.progress.sentence


def test_a_blink_does_not_interrupt_and_does_not_enter() -> None:
    def blinking(number: int) -> np.ndarray:
        shape = jittered(number)
        if 60 <= number < 66:
            shape[60:76, 1] -= 0.12
        return shape

    calibration = started(seconds=3.0)
    phases = feed(calibration, range(140), shape=blinking)
    assert phases.count("waiting") <= 12, "only the settling at the start"
    assert phases[-1] == "done"
    assert np.abs(calibration.neutral.shape - REST).max() < 0.004


def test_a_short_disturbance_pauses_and_a_long_one_begins_anew() -> None:
    calibration = started(seconds=3.0)
    feed(calibration, range(60))
    before = calibration.progress.share
    feed(calibration, range(60, 75), light=10.0)
    assert calibration.progress.phase == "waiting"
    assert calibration.progress.share == before
    feed(calibration, range(75, 80))
    assert calibration.progress.share >= before
    feed(calibration, range(80, 115), light=10.0)
    assert calibration.progress.share == 0.0


def test_another_face_begins_anew() -> None:
    calibration = started(seconds=3.0)
    feed(calibration, range(60))
    assert calibration.progress.share > 0.3
    feed(calibration, range(60, 61), face_id=2)
    assert calibration.progress.share == 0.0


def test_it_gives_up_in_the_end_and_can_be_started_again() -> None:
    calibration = started(give_up=5.0)
    phases = feed(calibration, range(170), light=10.0)
    assert phases[-1] == "failed"
    assert "dark" in calibration.progress.sentence
    calibration.start()
    assert feed(calibration, range(1000, 1200))[-1] == "done"


EMBEDDINGS = slice(POINT_FEATURES, POINT_FEATURES + EMBEDDING_SIZE)


def displaced(network_calls: list[F32]) -> ActionUnits:
    def network(blob: F32) -> dict[str, F32]:
        network_calls.append(blob.copy())
        look = np.full((2, EMBEDDING_SIZE), len(network_calls) % 7 / 10, np.float32)
        return {"intensity": np.zeros((2, 1), np.float32), "look": look}

    return ActionUnits(network, [12])


def face(number: int, face_id: int = 1) -> FaceObservation:
    points = (FACE_3D[:, :2] * (100, -100) + (320, 240)).astype(np.float32)
    points += np.random.default_rng(number).normal(0, 0.05, points.shape).astype(np.float32)
    return FaceObservation(face_id, np.array([220, 140, 420, 340], np.float32), points, points, 0.9, False)


def test_values_before_and_after_a_calibration_are_told_apart() -> None:
    calls: list[F32] = []
    measures = ActionUnitEstimator(displaced(calls))
    states = []
    for number in range(300):
        if number == 90:
            measures.ask_for_calibration()
        measures.begin_if_asked()
        measures.update(face(number), PICTURE, time=number / RATE, light=LIGHT)
        states.append(measures.neutral_state)
    changes = [state for state, before in zip(states, ["", *states[:-1]], strict=True) if state != before]
    assert changes == ["none", "running", "calibrated"]
    neutral = measures.calibration.neutral
    assert neutral is not None
    assert neutral.embedding is not None
    assert np.array_equal(calls[-1][0, 196:392].reshape(98, 2), neutral.shape)
    assert np.array_equal(calls[-1][:, EMBEDDINGS], neutral.embedding)
    measures.update(face(301, face_id=2), PICTURE, time=301 / RATE, light=LIGHT)
    assert measures.neutral_state == "none", "a calibration made for nobody in particular is not another face's"


MOVED_SINCE = POINT_FEATURES + REST_FEATURES + FLOW_FEATURES - 1


def test_skin_is_followed_from_a_picture_of_this_face_as_soon_as_rest_is_known() -> None:
    calls: list[F32] = []
    measures = ActionUnitEstimator(displaced(calls))
    known = []
    for number, face_id in enumerate([1] * 80 + [2] * 40):
        before = len(calls)
        measures.update(face(number, face_id), PICTURE, time=number / RATE)
        known.append(any(bool(call[0, MOVED_SINCE]) for call in calls[before:]))
        assert known[-1] == (measures.neutral_state == "running")
    assert True in known[:40]
    assert all(known[40:80])
    assert not known[80], "another face is not measured from the first one's picture"


def test_a_stored_rest_needs_a_frame_that_is_like_it() -> None:
    number = 5
    found = describe(face(number).points)
    assert found is not None
    for stored, near in ((found.shape, True), (found.shape + np.float32(0.05), False)):
        calls: list[F32] = []
        ActionUnitEstimator(displaced(calls), Baseline(stored)).update(face(number), PICTURE, time=0.0)
        assert bool(calls[-1][0, MOVED_SINCE]) == near


def test_a_stored_calibration_stays_with_its_person() -> None:
    embedding = np.full((2, EMBEDDING_SIZE), 0.5, np.float32)
    stored = Baseline(np.full((98, 2), 0.01, np.float32), embedding)
    calls: list[F32] = []
    measures = ActionUnitEstimator(displaced(calls), stored)
    for number, face_id in enumerate([1, 1, 2, 3]):
        measures.update(face(number, face_id), PICTURE)
        assert measures.neutral_state == "calibrated"
        assert np.array_equal(calls[-1][0, 196:392].reshape(98, 2), stored.shape)
        assert np.array_equal(calls[-1][:, EMBEDDINGS], embedding)


def test_a_stored_embedding_of_another_network_is_not_used() -> None:
    stored = Baseline(np.full((98, 2), 0.01, np.float32), np.full((2, EMBEDDING_SIZE), 0.5, np.float32), "another")
    calls: list[F32] = []
    ActionUnitEstimator(displaced(calls), stored).update(face(1), PICTURE)
    assert np.array_equal(calls[-1][0, 196:392].reshape(98, 2), stored.shape)
    assert not calls[-1][:, POINT_FEATURES : POINT_FEATURES + REST_FEATURES].any()


def test_a_calibration_made_for_a_named_person_stays_too() -> None:
    measures = ActionUnitEstimator(displaced([]), named=True)
    measures.calibration.settings = CalibrationSettings(seconds=1.0)
    measures.ask_for_calibration()
    for number in range(120):
        measures.begin_if_asked()
        measures.update(face(number), PICTURE, time=number / RATE, light=LIGHT)
    assert measures.neutral_state == "calibrated"
    measures.update(face(121, face_id=2), PICTURE, time=121 / RATE, light=LIGHT)
    assert measures.neutral_state == "calibrated"
    assert measures.baseline is measures.calibration.neutral


def test_the_light_on_a_face_is_its_own_not_the_background() -> None:
    image = np.full((200, 300, 3), 250, np.uint8)
    image[50:150, 100:200] = 60
    assert light_on(image, np.array([90, 40, 210, 160], np.float32)) == pytest.approx(60)
    assert light_on(image, np.array([400, 40, 500, 160], np.float32)) is None
