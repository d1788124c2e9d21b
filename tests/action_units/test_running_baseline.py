"""Which frames are taken for rest, what is made of them, and how a change of the baseline comes into force."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.descriptor import Descriptor
from realtime.action_units.estimator import shrunk
from realtime.action_units.model import POINT_FEATURES, ActionUnits
from realtime.action_units.reference import BLEND_SECONDS, Reference, ReferenceBlend
from realtime.action_units.running_baseline import RunningBaseline
from realtime.face.face_model import FACE_3D
from realtime.face.pose import HEAD_PITCH_ZERO
from realtime.types import FaceObservation, FacePart, Sides

RATE = 30.0
PICTURE = np.zeros((480, 640, 3), np.uint8)
STRAIGHT = (0.0, HEAD_PITCH_ZERO, 0.0)
UNITS = (12, 18, 25, 45)
QUIET = dict.fromkeys(UNITS, 0.1)


def both(**values: float) -> Sides[dict[int, float]]:
    """The same intensities on both sides; by AU number with a leading letter."""
    found = QUIET | {int(name[1:]): value for name, value in values.items()}
    return Sides(found, found)


def shapes(seed: int, count: int, offset: float = 0.0) -> list[Descriptor]:
    rng = np.random.default_rng(seed)
    return [Descriptor((offset + rng.normal(0, 5e-4, (98, 2))).astype(np.float32), STRAIGHT) for _ in range(count)]


def feed(
    running: RunningBaseline, frames: list[Descriptor], values: Sides[dict[int, float]], start: float = 0.0
) -> float:
    """Give it frames at 10 a second; the time of the next."""
    for number, found in enumerate(frames):
        running.watch(found, start + number / 10)
        running.update(found, start + number / 10, values, None)
    return start + len(frames) / 10


@pytest.mark.parametrize(
    ("values", "admitted"),
    [
        (both(), True),
        (both(u45=1.9), True),  # narrow eyes
        (both(u18=1.7), True),  # full lips
        (both(u45=3.2), False),  # shut eyes
        (both(u12=1.4), False),  # a smile
        (both(u18=3.5), False),  # a pout
        (both(u25=2.5), False),  # talking
        (Sides(QUIET, QUIET | {12: 2.0}), False),  # a smile on one side
    ],
)
def test_only_what_the_network_finds_quiet_is_rest(values: Sides[dict[int, float]], admitted: bool) -> None:
    assert (RunningBaseline().weight(values) > 0) == admitted


def test_the_calmer_a_frame_the_more_it_counts() -> None:
    weights = [RunningBaseline().weight(both(u12=value)) for value in (0.0, 0.4, 0.8, 1.1)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 4 * weights[-1] > 0


@pytest.mark.parametrize(
    ("pose", "still", "rests"),
    [
        (STRAIGHT, True, True),
        ((25.0, HEAD_PITCH_ZERO, 0.0), True, False),
        ((0.0, HEAD_PITCH_ZERO - 20, 0.0), True, False),
        (STRAIGHT, False, False),
    ],
)
def test_a_turned_or_moving_face_is_not_rest(pose: tuple[float, float, float], still: bool, rests: bool) -> None:
    running = RunningBaseline()
    frames = [
        Descriptor(found.shape + np.float32(0 if still else 0.05 * (number % 2)), pose)
        for number, found in enumerate(shapes(1, 40))
    ]
    feed(running, frames, both())
    assert (running.baseline() is not None) == rests


def test_a_better_view_of_rest_soon_outweighs_a_poorer_one() -> None:
    running = RunningBaseline("abc", "points")
    then = feed(running, shapes(1, 30, 0.1), both(u12=1.0))
    first = running.baseline()
    assert first is not None
    assert np.abs(first.shape - 0.1).max() < 0.004
    feed(running, shapes(2, 12, 0.0), both(), then)
    revised = running.baseline()
    assert revised is not None
    assert np.abs(revised.shape).max() < 0.004, "12 calm frames count more than 30 with half a smile"
    assert (revised.network, revised.landmarks) == ("abc", "points")


def test_it_is_settled_after_enough_rest_over_enough_time() -> None:
    running = RunningBaseline()
    then = feed(running, shapes(1, 45), both())
    assert not running.settled
    feed(running, shapes(2, 15), both(), then)
    assert running.settled
    running.forget()
    assert not running.settled
    assert running.baseline() is None


def test_a_change_of_reference_is_blended_over_a_second_and_waits_for_another() -> None:
    force = ReferenceBlend()
    new, newer = (Reference(Baseline(np.full((98, 2), level, np.float32))) for level in (1.0, 2.0))

    def against(reference: Reference) -> Sides[dict[int, float]]:
        level = 0.0 if reference.baseline is None else float(reference.baseline.shape[0, 0])
        return Sides({12: level}, {12: -level})

    def measured(time: float) -> tuple[Sides[dict[int, float]], float]:
        return force.blended([against(reference) for reference in force.in_force(time)], time)

    assert measured(9.9) == (Sides({12: 0.0}, {12: 0.0}), 1.0)
    force.change(new, 10.0)
    seen = []
    for step in range(12):
        assert force.may_change(10.0 + step / 10, at_once=True) == (step > 10)
        values, share = measured(10.0 + step / 10)
        seen.append(values.left[12])
        assert values.right[12] == -values.left[12]
        assert share == pytest.approx(min(1.0, step / 10))
    assert np.abs(np.diff(seen)).max() <= 0.1 / BLEND_SECONDS + 1e-9
    assert seen[-1] == 1.0
    force.change(newer, 12.0)
    assert not force.may_change(13.5), "revisions become rarer"
    force.restart(newer)
    assert measured(12.1) == (Sides({12: 2.0}, {12: -2.0}), 1.0), "another person: nothing to blend from"


def test_low_values_of_a_stranger_are_lowered_and_their_order_is_kept() -> None:
    levels = [0.0, 0.5, 1.0, 1.45, 2.0, 3.5, 5.0]
    lowered = [shrunk(Sides({12: level}, {})).left[12] for level in levels]
    assert lowered == sorted(lowered)
    assert (lowered[0], lowered[-1]) == (0.0, pytest.approx(5.0))
    assert lowered[3] < 1.0 < lowered[4]
    assert all(low <= level for low, level in zip(lowered, levels, strict=True))


def corner_network(blob: np.ndarray) -> dict[str, np.ndarray]:
    """AU 12 follows the height of the mouth's corners above the baseline, AU 45 how far the eyes' upper lids came down."""
    smile = np.clip(30 * blob[:, 2 * 82 + 1 : 2 * 82 + 2], 0, 5)
    shut = np.clip(-40 * blob[:, 2 * 70 + 1 : 2 * 70 + 2], 0, 5)
    return {
        "intensity": np.concatenate([smile, shut], axis=1).astype(np.float32),
        "look": np.zeros((2, EMBEDDING_SIZE), np.float32),
    }


def resting_points() -> np.ndarray:
    from realtime.face.face_model import HEAD_3D
    from realtime.face.pose import rotation

    turned = HEAD_3D @ rotation(*STRAIGHT).T
    return (turned[:, :2] * (100, -100) + (320, 240)).astype(np.float32)


def face(number: int, smile: float = 0.0, shut: float = 0.0) -> FaceObservation:
    """smile, shut: in the network's intensities."""
    points = resting_points() + np.random.default_rng(number).normal(0, 0.02, (98, 2)).astype(np.float32)
    width = float(np.hypot(*(FACE_3D[72, :2] - FACE_3D[60, :2]))) * 100
    points[[76, 82], 1] -= smile / 30 * width
    points[[62, 70], 1] += shut / 40 * width
    return FaceObservation(1, np.array([220, 140, 420, 340], np.float32), points, points, 0.9, False)


@pytest.mark.parametrize("opening", [{"smile": 4.0}, {"shut": 4.5}])
def test_what_a_person_opens_with_never_becomes_rest(opening: dict[str, float]) -> None:
    measures = ActionUnitEstimator(ActionUnits(corner_network, [12, 45]))
    unit = 12 if "smile" in opening else 45
    values, states = [], []
    script = [*[opening] * 120, *[{}] * 150, *[opening] * 30]
    for number, posed in enumerate(script):
        found = measures.update(face(number, **posed), PICTURE, time=number / RATE)
        values.append(found.left[unit])
        states.append((measures.neutral_state, measures.rest_state, measures.rest_share))
    assert min(values[:120]) > 3.0, "it is measured as what it is all the while"
    assert {state for state, *_ in states[:120]} == {"none"}
    assert max(values[125:268]) < 0.5, "and rest reads nothing"
    assert min(values[272:]) > 3.0
    assert states[-1][0] == "running"
    first = next(i for i, (state, *_) in enumerate(states) if state == "running")
    shares = [share for *_, share in states[first : first + 31]]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0), "the change is marked in the rows"


def test_a_held_smile_does_not_jump_when_rest_becomes_known() -> None:
    """Rest first, then a smile that is held while the baseline is revised again and again."""
    measures = ActionUnitEstimator(ActionUnits(corner_network, [12, 45]))
    script = [*[0.0] * 40, *np.linspace(0, 4, 10), *[4.0] * 150]
    values = [
        measures.update(face(number, smile=smile), PICTURE, time=number / RATE).left[12]
        for number, smile in enumerate(script)
    ]
    held = values[55:]
    assert max(abs(b - a) for a, b in itertools.pairwise(held)) < 0.2
    assert min(held) > 3.0


def test_rest_is_provisional_until_enough_was_seen() -> None:
    measures = ActionUnitEstimator(ActionUnits(corner_network, [12, 45]))
    states = []
    for number in range(240):
        measures.update(face(number), PICTURE, time=number / RATE)
        states.append(measures.rest_state)
    assert [state for state, _ in itertools.groupby(states)] == ["provisional", "settled"]
    assert 5.0 <= states.index("settled") / RATE <= 7.0


def test_the_judgement_costs_one_call_in_three_at_first_and_few_later() -> None:
    calls = []

    def network(blob: np.ndarray) -> dict[str, np.ndarray]:
        calls.append(bool(blob[0, POINT_FEATURES - 1]))
        return corner_network(blob)

    measures = ActionUnitEstimator(ActionUnits(network, [12, 45]), Baseline(np.zeros((98, 2), np.float32)))
    for number in range(60):
        measures.update(face(number), PICTURE, time=number / RATE)
    assert len(calls) <= 60 + 31, "a stored baseline is never judged; only the first picture at rest is blended in"
    measures, counts = ActionUnitEstimator(ActionUnits(network, [12, 45])), []
    for number in range(900):
        before = len(calls)
        measures.update(face(number), PICTURE, time=number / RATE)
        counts.append(len(calls) - before)
    assert max(counts) <= 3
    assert np.mean(counts[700:]) < 1.15


def test_a_stored_baseline_of_other_landmarks_is_refused_with_a_sentence() -> None:
    stored = Baseline(np.zeros((98, 2), np.float32), landmarks="theirs")
    units = ActionUnits(corner_network, [12, 45], identity="net")
    measures = ActionUnitEstimator(units, stored, landmarks="ours")
    assert "calibrate once more" in measures.refusal
    measures.update(face(1), PICTURE, time=0.0)
    assert measures.neutral_state == "none"
    assert not ActionUnitEstimator(units, Baseline(stored.shape, landmarks="ours"), landmarks="ours").refusal
    # Files of earlier versions name no landmarks, but the network that was shipped with them.
    assert not ActionUnitEstimator(units, Baseline(stored.shape, network="net"), landmarks="ours").refusal
    assert ActionUnitEstimator(units, Baseline(stored.shape, network="older"), landmarks="ours").refusal


def test_a_covered_mouth_does_not_keep_a_person_without_a_baseline_but_a_covered_face_does() -> None:
    everything: tuple[FacePart, ...] = ("left brow", "right brow", "left eye", "right eye", "mouth")
    mouth: tuple[FacePart, ...] = ("mouth",)
    for hidden, known in (mouth, "running"), (everything, "none"):
        measures = ActionUnitEstimator(ActionUnits(corner_network, [12, 45]))
        for number in range(90):
            covered = replace(face(number, smile=4.0), hidden=hidden)
            values = measures.update(covered, PICTURE, time=number / RATE)
        assert measures.neutral_state == known
        assert np.isnan(values.left[12])
