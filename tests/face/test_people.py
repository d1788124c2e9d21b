"""Several faces followed at once: who is who after crossings, hidden moments and absences, and who is the patient."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from realtime.face.assignment import assign
from realtime.face.box_motion import BoxMotion
from realtime.face.landmarks import LandmarkModel
from realtime.face.liveness import Liveness
from realtime.face.patient_choice import PatientChoice, Seen
from realtime.face.people import Observed, PeopleTracker
from realtime.face.settings import FaceSettings, PatientSettings
from realtime.face.visibility import VisibilityLimits
from realtime.types import F32, FacePart, Frame
from tests.face.world import CONTRACT, Disc, detect, landmark_network, picture

Where = Callable[[int], list[Disc]]


def run(where: Where, frames: int, tracker: PeopleTracker | None = None) -> list[Observed]:
    """Everybody on each frame of a story."""
    tracker = tracker or PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings())
    found = []
    for number in range(frames):
        discs = where(number)
        frame = Frame(picture(*discs), number, number / 30)
        seen = detect(frame, discs) if tracker.try_claim_detection(number) else None
        found.append(tracker.update(frame, seen))
    return found


def numbers_at(observed: Observed, discs: list[Disc]) -> dict[int, int]:
    """The face id on each disc (by its looks)."""
    faces = [one for one in (observed.patient, *observed.others) if one is not None]
    return {
        disc.looks: face.face_id
        for disc in discs
        for face in faces
        if np.abs(face.raw_points - disc.points()).max() < 0.2 * disc.radius
    }


@pytest.mark.parametrize("seed", range(6))
def test_pairs_cost_the_least_there_is(seed: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0, 1, (int(rng.integers(1, 7)), int(rng.integers(1, 9))))
    cost[rng.random(cost.shape) < 0.2] = np.inf
    limit = 0.6
    pairs = assign(cost, limit)
    assert all(cost[i, j] <= limit for i, j in pairs)
    alone = np.full((len(cost), len(cost)), limit)
    wide = np.hstack([np.where(cost > limit, 10.0, cost), alone])
    rows, columns = optimize.linear_sum_assignment(wide)
    ours = sum(cost[i, j] for i, j in pairs) + limit * (len(cost) - len(pairs))
    assert ours == pytest.approx(wide[rows, columns].sum())


def test_nothing_to_pair() -> None:
    assert assign(np.zeros((0, 3)), 1.0) == []
    assert assign(np.zeros((2, 0)), 1.0) == []


def box_at(x: float) -> F32:
    return np.array([x - 30, 70, x + 30, 150], np.float32)


def test_a_hidden_face_goes_on_as_it_went_and_slows_down() -> None:
    motion = BoxMotion(box_at(100), 0.0)
    for i in range(1, 31):
        motion.update(box_at(100 + 4 * i), i / 30)
    soon, late, later = (motion.at(1.0 + s) for s in (0.2, 3.0, 10.0))
    assert float(soon[[0, 2]].mean()) == pytest.approx(220 + 24, abs=6)
    assert np.abs(late - later).max() < 8
    np.testing.assert_allclose(soon[2:] - soon[:2], [60, 80], rtol=0.05)


def test_two_people_who_cross_keep_their_numbers() -> None:
    def where(number: int) -> list[Disc]:
        x = 120 + 5 * number
        return [Disc(x, 170, 55, 2), Disc(640 - x, 190, 62, 9)]

    found = run(where, 82)
    before, after = numbers_at(found[20], where(20)), numbers_at(found[-1], where(81))
    assert len(before) == 2
    assert after == before


def test_a_person_who_left_for_three_seconds_is_known_again_on_the_other_side() -> None:
    stay = Disc(320, 180, 60, 4)

    def where(number: int) -> list[Disc]:
        if number < 60:
            return [stay, Disc(110, 180, 50, 7)]
        return [stay] if number < 150 else [stay, Disc(540, 170, 52, 7)]

    found = run(where, 170)
    assert numbers_at(found[-1], where(169)) == numbers_at(found[50], where(50)) == {4: 1, 7: 2}
    assert [len(one.others) for one in found[70:150]] == [1] * 80


def test_somebody_else_in_the_same_place_is_somebody_else() -> None:
    found = run(lambda number: [Disc(200, 180, 60, 3 if number < 40 else 11)] if abs(number - 40) > 3 else [], 80)
    first, last = found[30].others[0], found[-1].others[0]
    assert first.face_id != last.face_id


def test_no_more_people_are_followed_than_asked_for() -> None:
    tracker = PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings(), most=2)
    found = run(lambda _n: [Disc(100, 180, 40, 1), Disc(300, 180, 60, 2), Disc(520, 180, 50, 3)], 20, tracker)
    assert max(len(one.others) for one in found) == 2


def test_the_others_take_turns_and_the_patient_is_looked_at_on_every_frame() -> None:
    tracker = PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings())
    discs = [Disc(90, 180, 40, 1), Disc(250, 180, 60, 2), Disc(400, 180, 50, 3), Disc(550, 180, 50, 4)]
    run(lambda _n: discs, 12, tracker)
    frame = Frame(picture(*discs), 12, 0.4)
    tracker.update(frame, chosen=(250.0, 180.0))
    assert tracker.patient is not None
    later = []
    for number in range(13, 43):
        frame = Frame(picture(*discs), number, number / 30)
        seen = detect(frame, discs) if tracker.try_claim_detection(number) else None
        later.append(tracker.update(frame, seen, others_every=2))
    assert all(one.patient is not None and one.patient.face_id == tracker.patient for one in later)
    looked = [other.face_id for one in later for other in one.others]
    assert {looked.count(number) for number in set(looked)} <= {14, 15, 16}
    assert max(len(one.others) for one in later) == 2


def test_the_others_keep_their_rate_where_frames_are_missed() -> None:
    missed = {20, 21, 33, 40, 41, 60, 61, 62}
    tracker = PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings())
    discs = [Disc(90, 180, 40, 1), Disc(250, 180, 60, 2), Disc(400, 180, 50, 3), Disc(550, 180, 50, 4)]
    run(lambda _n: discs, 12, tracker)
    image = picture(*discs)
    tracker.update(Frame(image, 12, 0.4), chosen=(250.0, 180.0))
    looked: list[int] = []
    for number in range(13, 73):
        if number in missed:
            continue
        frame = Frame(image, number, number / 30)
        seen = detect(frame, discs) if tracker.try_claim_detection(number) else None
        others = tracker.update(frame, seen, others_every=30 / 16).others
        looked += [other.face_id for other in others]
        assert len(others) <= 2, "a frame's cost stays bounded"
    counts = [looked.count(number) for number in set(looked)]
    assert len(counts) == 3
    assert min(counts) >= 30, "15 a second in two seconds"
    assert max(counts) <= 33


def test_reset_forgets_everybody_but_counts_on() -> None:
    tracker = PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings())
    assert run(lambda _n: [Disc(200, 180)], 5, tracker)[-1].others[0].face_id == 1
    tracker.reset()
    assert run(lambda _n: [Disc(200, 180)], 5, tracker)[-1].others[0].face_id == 2


def test_a_face_without_life_never_is_the_patient_by_rule() -> None:
    choice = PatientChoice("largest", PatientSettings())
    poster = Seen(1, np.array([0, 0, 300, 300], np.float32), alive=False, seconds=9)
    person = Seen(2, np.array([400, 0, 500, 120], np.float32), alive=True, seconds=9)
    assert choice.update([poster, person], 0.0) is None  # it may still show that it lives
    assert choice.update([poster, person], 5.9) is None
    assert choice.update([poster, person], 6.1) == 2
    assert choice.update([poster], 30.0) == 2  # away for a while
    choice.choose(1, 31.0)
    assert choice.update([poster, person], 32.0) == 1  # the user says so


@pytest.mark.parametrize(("rule", "patient"), [("largest", 2), ("left-most", 3), ("first", 1)])
def test_rules_name_the_patient(rule: str, patient: int) -> None:
    people = [
        Seen(number, np.array([x, 0, x + size, size], np.float32), alive=True, seconds=3)
        for number, x, size in ((1, 200, 50), (2, 400, 90), (3, 10, 60))
    ]
    assert PatientChoice(rule, PatientSettings()).update(people, 1.0) == patient  # type: ignore[arg-type]


def test_a_blink_is_life_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    disc = Disc(300, 180, 60)
    still, blinks = Liveness(), Liveness()
    scale = float(np.hypot(*(disc.points()[72] - disc.points()[60])))
    for number in range(90):
        noisy = disc.points() + rng.normal(0, 0.006 * scale, (98, 2)).astype(np.float32)
        still.update(noisy, number / 30)
        if 50 <= number < 55:
            lower, upper = [67, 66, 65, 75, 74, 73], [61, 62, 63, 69, 70, 71]
            noisy[upper] = noisy[lower]
        blinks.update(noisy, number / 30)
    assert not still.alive
    assert blinks.alive


@pytest.mark.parametrize(
    ("hidden", "counts"),
    [
        ((), {"lids", "lips"}),
        (("left eye", "right eye"), {"lips"}),
        (("left eye",), {"lids", "lips"}),
        (("mouth",), set()),
    ],
)
def test_hidden_eyes_show_no_life_but_the_lips_beside_them_do(hidden: tuple[FacePart, ...], counts: set[str]) -> None:
    disc, alive = Disc(300, 180, 60), set[str]()
    shown = {"lids": ([67, 66, 65, 75, 74, 73], [61, 62, 63, 69, 70, 71]), "lips": ([94, 94, 94], [93, 94, 95])}
    for name, (still, moved) in shown.items():
        life = Liveness()
        for number in range(30):
            points = disc.points()
            if 10 <= number < 20:
                points[moved] = points[still] + np.array((0, 20 if name == "lips" else 0), np.float32)
            life.update(points, number / 30, hidden)
        alive |= {name} if life.alive else set()
    assert alive == counts


def test_a_small_face_whose_eyes_cannot_be_measured_lives_by_its_lips() -> None:
    contract = replace(CONTRACT, visibility=VisibilityLimits(least_eye=1000.0))
    speaking = [False]

    def network(blob: F32) -> dict[str, F32]:
        found = landmark_network(blob)
        found["points"][:, [93, 94, 95], 1] += 0.1 * speaking[0]
        return found

    tracker = PeopleTracker(LandmarkModel(network, contract), FaceSettings())
    assert run(lambda _n: [Disc(200, 180)], 12, tracker)[-1].others[0].hidden == ("left eye", "right eye")
    assert not tracker.is_alive(1)
    speaking[0] = True
    for number in range(12, 20):
        tracker.update(Frame(picture(Disc(200, 180)), number, number / 30))
    assert tracker.is_alive(1)


@pytest.mark.parametrize(("people", "rarest"), [(2, 16.5), (4, 16.5)])
def test_on_the_detectors_frames_the_others_wait_and_still_keep_their_rate(people: int, rarest: float) -> None:
    tracker = PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings(), most=people)
    discs = [Disc(90, 180, 40, 1), Disc(250, 180, 60, 2), Disc(400, 180, 50, 3), Disc(550, 180, 50, 4)][:people]
    run(lambda _n: discs, 12, tracker)
    image = picture(*discs)
    tracker.update(Frame(image, 12, 0.4), chosen=(250.0, 180.0))
    looks: list[int] = []
    for number in range(13, 193):
        frame = Frame(image, number, number / 30)
        busy = tracker.is_detected_on(number)
        claimed = tracker.try_claim_detection(number)
        assert busy == claimed
        assert tracker.is_detected_on(number) == claimed, "also once the detector has the frame"
        seen = detect(frame, discs) if claimed else None
        others = tracker.update(frame, seen, others_every=30 / 17, others_wait=busy).others
        assert not (claimed and others), "the detector's frame is the patient's alone"
        assert len(others) <= 2
        looks += [other.face_id for other in others]
    counts = [looks.count(number) / 6 for number in set(looks)]
    assert len(counts) == people - 1
    assert min(counts) >= rarest


def test_looks_that_could_not_be_made_up_for_are_not_put_off() -> None:
    tracker = PeopleTracker(LandmarkModel(landmark_network, CONTRACT), FaceSettings(), most=2)
    discs = [Disc(250, 180, 60, 2), Disc(450, 180, 50, 3)]
    run(lambda _n: discs, 12, tracker)
    image = picture(*discs)
    tracker.update(Frame(image, 12, 0.4), chosen=(250.0, 180.0))
    for number in range(13, 33):
        others = tracker.update(Frame(image, number, number / 30), others_every=1, others_wait=True).others
        assert len(others) == 1, "each frame is wanted, so none is left to make up on"
