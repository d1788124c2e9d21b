"""The tracker's life: found, kept, lost, found again; never captured by somebody else."""

import threading

import numpy as np
import pytest

from realtime.face.settings import CadenceSettings, FaceSettings, TrackerSettings
from realtime.face.tracker import State
from realtime.types import FaceObservation, Frame
from tests.face.world import Disc, World, detect, picture


def near(observation: FaceObservation | None, disc: Disc, pixels: float = 3.0) -> bool:
    return observation is not None and bool(np.abs(observation.raw_points - disc.points()).max() < pixels)


def test_empty_picture_has_no_face_and_is_searched_every_frame() -> None:
    world = World()
    assert all(world.step() is None for _ in range(10))
    assert world.detections == 10
    assert world.tracker.state is State.SEARCHING


def test_sure_face_is_found_on_its_first_frame() -> None:
    world = World()
    disc = Disc(300, 180)
    first = world.step(disc)
    assert near(first, disc, 1.5)
    assert first.detected
    assert first.face_id == 1
    assert first.confidence == pytest.approx(0.95)
    assert not first.estimated


def test_detector_rests_while_tracking_is_sure() -> None:
    world = World()
    for i in range(120):
        disc = Disc(200 + i, 180 + 20 * np.sin(i / 15))
        assert near(world.step(disc), disc)
    assert world.detections <= 10
    assert sum(o.detected for o in world.observed) == world.detections
    assert {o.face_id for o in world.observed} == {1}


@pytest.mark.parametrize("late", [1, 2, 3])
def test_late_detections_of_a_moving_face_agree(late: int) -> None:
    """A detection of three frames ago lies where the face was: that is no drift."""
    world = World(late=late)
    for i in range(80):
        disc = Disc(100 + 6 * i, 180, radius=40)
        seen = world.step(disc)
        if i > 2 * late + 1:
            assert near(seen, disc)
    assert {o.face_id for o in world.observed if o} == {1}
    assert world.detections <= 20


def test_slow_landmarks_keep_up_with_a_moving_face() -> None:
    """150 ms per result: the face moves a fifth of its width from one update to the next."""
    world = World(every=5)
    found = []
    for i in range(130):
        disc = Disc(320 + 120 * np.sin(i / 20), 180)
        seen = world.step(disc)
        if i % 5 == 0 and i > 10:
            found.append(near(seen, disc, 8))
    assert all(found)


def test_face_that_leaves_is_lost_within_three_frames() -> None:
    world = World()
    for _ in range(60):
        world.step(Disc(300, 180))
    assert world.step() is None or world.step() is None or world.step() is None
    assert world.tracker.state is not State.TRACKING


def test_face_that_walks_out_of_the_picture_is_lost() -> None:
    world = World()
    seen = [world.step(Disc(500 + 12 * i, 180)) for i in range(25)]
    assert seen[0] is not None
    # at 500 + 12 * 17 its middle is over the border; three frames later at the latest it is gone
    assert all(s is None for s in seen[20:])


def test_face_that_returns_is_found_within_200_ms_and_keeps_its_id() -> None:
    world = World()
    for _ in range(40):
        world.step(Disc(300, 180))
    for _ in range(10):
        world.step()
    back = [world.step(Disc(310, 176)) for _ in range(6)]
    assert back[-1] is not None
    assert back[-1].face_id == 1


def test_face_that_returns_elsewhere_is_found_within_200_ms() -> None:
    world = World()
    for _ in range(40):
        world.step(Disc(150, 120))
    for _ in range(5):
        world.step()
    back = [world.step(Disc(500, 230)) for _ in range(6)]
    assert near(back[-1], Disc(500, 230))


def test_face_away_for_long_is_somebody_new() -> None:
    world = World()
    world.step(Disc(300, 180))
    for _ in range(60):
        world.step()
    assert world.step(Disc(300, 180)).face_id == 2


def test_lost_face_is_first_searched_near_where_it_was() -> None:
    world = World()
    for _ in range(20):
        world.step(Disc(150, 120, radius=40))
    while world.tracker.state is State.TRACKING:
        world.step()
    regions = []
    for _ in range(4):
        regions.append(world.tracker.region)
        world.step()
    first = regions[0]
    assert first is not None
    x0, y0, x1, y1 = first
    assert x0 <= 110
    assert x1 >= 190
    assert y0 <= 80
    assert y1 >= 160
    assert regions[-1] is None


def test_second_larger_person_does_not_capture_the_track() -> None:
    world = World()
    own = Disc(180, 180, radius=45)
    for _ in range(10):
        world.step(own)
    other = Disc(480, 180, radius=90, looks=2, score=0.99)
    for _ in range(60):
        assert near(world.step(own, other), own)
    assert {o.face_id for o in world.observed} == {1}


def test_person_who_passes_close_by_does_not_capture_the_track() -> None:
    world = World()
    own = Disc(320, 180, radius=50)
    for _ in range(5):
        world.step(own)
    for i in range(100):
        seen = world.step(own, Disc(20 + 2 * i, 180, radius=50, looks=2)) if i < 90 else world.step(own)
        assert near(seen, own)
    assert {o.face_id for o in world.observed} == {1}


def test_scene_cut_to_somebody_else_is_a_new_face() -> None:
    world = World()
    for _ in range(40):
        world.step(Disc(300, 180))
    after = [world.step(Disc(310, 190, looks=7), scene=555) for _ in range(6)]
    assert all(a is None or a.face_id == 2 for a in after)
    assert after[-1].face_id == 2
    assert near(after[-1], Disc(310, 190))


def test_scene_cut_to_an_empty_room_ends_the_track() -> None:
    world = World()
    for _ in range(40):
        world.step(Disc(300, 180))
    after = [world.step(scene=555) for _ in range(4)]
    assert after[2] is None
    assert after[3] is None


def test_detection_made_before_a_cut_is_not_used_after_it() -> None:
    world = World(late=2)
    for _ in range(20):
        world.step(Disc(300, 180))
    stale = detect(Frame(picture(Disc(300, 180)), 19, 19 / 30), [Disc(300, 180)])
    # Somebody else is where the old box points, so that only the detection's age speaks against it.
    cut = Frame(picture(Disc(300, 180, looks=7), scene=555), 20, 20 / 30)
    assert world.tracker.update(cut, stale) is None
    fresh = detect(Frame(cut.image, 21, 21 / 30), [Disc(300, 180)])
    assert world.tracker.update(Frame(cut.image, 21, 21 / 30), fresh).face_id == 2


def test_weak_face_is_started_after_agreeing_looks() -> None:
    """0.58 where 0.7 starts at once: looked at again, it is a face all the same."""
    world = World()
    disc = Disc(300, 180, score=0.58)
    seen = [world.step(disc) for _ in range(5)]
    assert seen[0] is None
    assert seen[-1] is not None
    assert sum(s is None for s in seen) <= 2


def test_single_weak_look_starts_nothing() -> None:
    world = World()
    assert world.step(Disc(300, 180, score=0.58)) is None
    assert world.tracker.state is State.CANDIDATE
    assert all(world.step() is None for _ in range(5))
    assert world.tracker.state is State.SEARCHING


def test_very_weak_face_stays_unseen() -> None:
    world = World()
    assert all(world.step(Disc(300, 180, score=0.35)) is None for _ in range(20))


def test_weak_scores_keep_a_track_that_has_started() -> None:
    world = World()
    world.step(Disc(300, 180))
    assert all(world.step(Disc(300, 180, score=0.35)) is not None for _ in range(60))


def test_landmarks_that_slip_are_set_right_by_the_next_detection() -> None:
    world = World(FaceSettings(tracker=TrackerSettings(flow=False)))
    disc = Disc(300, 180)
    for _ in range(5):
        world.step(disc)
    track = world.tracker._track
    track.steady = track.steady + np.float32(45)
    before = track.points
    track.points = before + np.float32(45)
    world.tracker._follower._past.clear()
    seen = [world.step(disc) for _ in range(CadenceSettings().longest)]
    assert near(seen[-1], disc)


def test_size_change_of_the_stream_starts_anew() -> None:
    world = World()
    world.step(Disc(300, 180))
    small = np.ascontiguousarray(picture(Disc(300, 180))[:200, :400])
    assert world.tracker.update(Frame(small, 1, 1 / 30)) is None
    assert world.tracker.region is None


def test_reset_forgets_but_counts_on() -> None:
    world = World()
    world.step(Disc(300, 180))
    world.tracker.reset()
    assert world.tracker.state is State.SEARCHING
    assert world.tracker.try_claim_detection(0)
    assert world.step(Disc(300, 180)).face_id == 2


def test_a_claimed_frame_is_not_given_away_again() -> None:
    tracker = World().tracker
    assert tracker.try_claim_detection(0)
    assert not tracker.try_claim_detection(0)
    assert tracker.try_claim_detection(1)


def test_no_frame_is_claimed_twice_by_two_threads() -> None:
    tracker = World().tracker
    claimed: list[int] = []

    def ask() -> None:
        claimed.extend(sequence for sequence in range(2000) if tracker.try_claim_detection(sequence))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(claimed) == list(range(2000))


def test_pose_can_be_left_out() -> None:
    world = World(FaceSettings(tracker=TrackerSettings(pose=False)))
    assert world.step(Disc(300, 180)).pose is None
    assert World().step(Disc(300, 180)).pose is not None


PATIENT, HELPER = {"radius": 80, "looks": 1}, {"radius": 45, "looks": 5}


def test_the_patient_is_followed_again_after_another_face_was() -> None:
    """The patient leaves for 1.5 s with somebody behind; back in the picture, the patient is measured again, under the same id."""
    world = World()
    for _ in range(60):
        world.step(Disc(250, 180, **PATIENT), Disc(520, 120, **HELPER))
    away = [world.step(Disc(520, 120, **HELPER)) for _ in range(45)]
    assert away[-1].face_id == 2
    back = [world.step(Disc(250 + i % 3, 180, **PATIENT), Disc(520, 120, **HELPER)) for i in range(60)]
    assert near(back[-1], Disc(250 + 59 % 3, 180, **PATIENT))
    assert {seen.face_id for seen in back[45:]} == {1}


def test_a_helper_alone_stays_followed_and_is_never_called_the_patient() -> None:
    world = World()
    for _ in range(60):
        world.step(Disc(250, 180, **PATIENT))
    for _ in range(45):
        world.step()
    seen = [world.step(Disc(300, 180, **HELPER)) for _ in range(120)]
    assert {face.face_id for face in seen if face is not None} == {2}
    assert near(seen[-1], Disc(300, 180, **HELPER))


def test_somebody_else_where_the_patient_was_gets_another_id() -> None:
    world = World()
    for _ in range(60):
        world.step(Disc(250, 180, **PATIENT))
    world.step()
    seen = [world.step(Disc(250, 180, radius=80, looks=5)) for _ in range(12)]
    assert seen[-1].face_id == 2


def test_two_others_beside_the_patient_change_nothing() -> None:
    world = World()
    own = Disc(320, 180, **PATIENT)
    for _ in range(150):
        seen = world.step(own, Disc(90, 100, **HELPER), Disc(560, 100, radius=45, looks=9))
        assert near(seen, own)
        assert seen.face_id == 1


def test_the_user_chooses_the_next_face_and_it_stays() -> None:
    world = World()
    left, right = Disc(150, 180, **PATIENT), Disc(480, 180, **HELPER)
    for _ in range(60):
        world.step(left, right)
    chosen = [world.step(left, right, next_face=number == 0) for number in range(90)]
    assert near(chosen[3], right)
    assert {seen.face_id for seen in chosen[3:]} == {2}
    again = [world.step(left, right, next_face=number == 0) for number in range(40)]
    assert near(again[-1], left)


def test_choosing_another_face_where_there_is_none_changes_nothing() -> None:
    world = World()
    for number in range(60):
        seen = world.step(Disc(150, 180, **PATIENT), next_face=number == 30)
        assert seen.face_id == 1
    assert world.detections < 30


def test_an_interruption_forgets_the_patient() -> None:
    world = World()
    for _ in range(60):
        world.step(Disc(250, 180, **PATIENT))
    world.tracker.reset()
    for _ in range(60):
        seen = world.step(Disc(520, 120, **HELPER), Disc(250, 180, **PATIENT, score=0.5))
    assert near(seen, Disc(520, 120, **HELPER))
