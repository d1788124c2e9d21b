"""Several faces followed at once, each with an identity that outlives crossings, hidden moments and absences.

Each face has a `FaceFollower` of its own; the detector finds newcomers and confirms the rest. Detections are joined to faces
in two stages, sure ones first, weak ones only to faces that are followed already (ByteTrack, Zhang et al. 2022), each by the
best assignment. A face that is hidden by another is lost at once rather than followed on the other head; its motion is
carried on by a Kalman filter (SORT, Bewley et al. 2016). This is the frame's loop; `KnownPeople` says who is who.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from realtime.face import matching
from realtime.face.appearance import Appearance
from realtime.face.assignment import assign
from realtime.face.detection_schedule import DetectionPass, DetectionSchedule
from realtime.face.followed import Followed, half_sizes_away, same_face
from realtime.face.follower import FaceFollower
from realtime.face.geometry import iou
from realtime.face.known_people import KnownPeople
from realtime.face.landmarks import LandmarkModel
from realtime.face.locator import SURE, Located, Locator, share_inside
from realtime.face.looks_in_turn import LooksInTurn
from realtime.face.patient_choice import PatientChoice, PatientRule, Seen
from realtime.face.person import Person
from realtime.face.scene_change import SceneChange
from realtime.face.settings import FaceSettings
from realtime.face.track import Candidate, Track
from realtime.face.tracker import State
from realtime.types import F32, Detection, Detections, FaceObservation, Frame, Region

MOST = 8
"""People that can be followed at once."""
_NEWCOMERS = 3  # looked at in one detection pass: each costs two calls of the landmark network


class Observed(NamedTuple):
    """Who was looked at on one frame.

    Attributes:
        patient: None where the patient is not seen, or nobody is the patient.
        others: everybody else.
        sure: nothing on this frame speaks against the patient's identity: no head touches or touched it just now, and it looks as
            ever.
    """

    patient: FaceObservation | None
    others: tuple[FaceObservation, ...] = ()
    sure: bool = True


class _Newcomer(NamedTuple):
    face: Detection
    found: Located
    pattern: F32


class PeopleTracker:
    """Follows up to `most` faces. `update` belongs to one thread; `try_claim_detection` may be asked from another.

    Args:
        landmarks: the landmark network, asked for one face after the other.
        settings: of the face path.
        most: people followed at once.
        rule: who is the patient while the user has chosen nobody.
    """

    region: Region | None = None
    """Where the detector should search: always the whole picture."""

    def __init__(
        self,
        landmarks: LandmarkModel,
        settings: FaceSettings = FaceSettings(),  # noqa: B008  frozen
        *,
        most: int = MOST,
        rule: PatientRule = "largest",
    ) -> None:
        self._all = settings
        self._settings = settings.tracker
        self._identity = settings.identity
        self._known = KnownPeople(settings.identity)
        self._locator = Locator(landmarks, settings.tracker.second_look)
        self._scene = SceneChange(settings.tracker.cut_difference, settings.tracker.cut_share)
        self._choice = PatientChoice(rule, settings.patient)
        self._schedule = DetectionSchedule(DetectionPass(0, 1))
        self._most = most
        self._followed: list[Followed] = []
        self._candidates: list[Candidate] = []
        self._last_pass = -1
        self._valid_from = 0
        self._doubt = False
        self._size = (0, 0)
        self._turns = LooksInTurn()

    @property
    def state(self) -> State:
        """Whether anybody is followed."""
        return State.TRACKING if self._followed else State.SEARCHING

    @property
    def patient(self) -> int | None:
        """The patient's identity; None while nobody is the patient."""
        return self._choice.face_id

    def try_claim_detection(self, sequence: int) -> bool:
        """Claim this frame for the detector (see `DetectionSchedule.try_claim`)."""
        return self._schedule.try_claim(sequence)

    def is_detected_on(self, sequence: int) -> bool:
        """Whether the detector has this frame or is about to get it. From any thread.

        Args:
            sequence: of a frame.
        """
        return self._schedule.takes(sequence)

    def reset(self) -> None:
        """Forget everybody (the source was restarted). Identities go on counting."""
        self._followed.clear()
        self._known.forget()
        self._candidates.clear()
        self._choice.forget()
        self._last_pass, self._valid_from = -1, 0
        self._turns.restart()
        self._schedule.restart(DetectionPass(0, 1))

    def update(
        self,
        frame: Frame,
        detections: Detections | None = None,
        *,
        next_face: bool = False,
        chosen: tuple[float, float] | None = None,
        others_every: float = 1,
        others_wait: bool = False,
    ) -> Observed:
        """Everybody who is looked at on this frame.

        Args:
            frame: the next one in capture order; any may be missing.
            detections: an answer of the detector not given before; it may belong to an earlier frame.
            next_face: the next face to the right of the patient's, from the rightmost the leftmost, is the patient from then on.
            chosen: x, y in pixels: the face there is the patient from then on. Nothing happens where there is none.
            others_every: whoever is not the patient is looked at on every n-th frame, on average; at least 1.
            others_wait: this frame is busy enough: whoever is not the patient is looked at on the frames that follow, if those
                have room for it before the detector's next pass.
        """
        self._doubt = False
        size = frame.image.shape[0], frame.image.shape[1]
        if size != self._size:
            self._size = size
            self._lose_all()
        cut = self._scene.update(frame.image)
        for one in self._due(frame.sequence, others_every, wait=others_wait):
            self._follow(frame, one, cut=cut)
        if cut:
            self._valid_from = frame.sequence
            self._candidates.clear()
        self._separate(frame)
        if detections is not None and detections.sequence >= self._valid_from:
            self._apply_detections(frame, detections)
        for given_up, person in self._known.put_right(self._followed, frame.sequence, frame.capture_time):
            if self._choice.face_id == given_up:
                self._choice.choose(person.face_id, person.last)
        patient = self._patient(frame, next_face=next_face, chosen=chosen)
        self._plan(frame)
        looked_at = [one for one in self._followed if one.sequence == frame.sequence]
        found = {one.person.face_id: _named(one.observation, one.person.face_id) for one in looked_at}
        of_patient = None if patient is None else found.pop(patient, None)
        sure = any(self._known.is_sure(one, frame.capture_time) for one in looked_at if one.person.face_id == patient)
        return Observed(of_patient, tuple(found[number] for number in sorted(found)), sure)

    def is_alive(self, face_id: int) -> bool:
        """Whether this face is followed and has moved as no picture of a face does.

        Args:
            face_id: whose.
        """
        return any(one.person.face_id == face_id and one.person.life.alive for one in self._followed)

    def has_face_at(self, x: float, y: float) -> bool:
        """Whether a face that is followed now lies at this point of the picture. From any thread.

        Args:
            x: pixels from the left.
            y: pixels from the top.
        """
        return self._at_place(x, y) is not None

    def _due(self, sequence: int, others_every: float, *, wait: bool) -> list[Followed]:
        """The patient, and as many of the others as keep their rate."""
        patient = [one for one in self._followed if one.person.face_id == self._choice.face_id]
        others = [one for one in self._followed if one.person.face_id != self._choice.face_id]
        return patient + self._turns.due(others, sequence, others_every, wait=self._schedule.every if wait else None)

    def _follow(self, frame: Frame, one: Followed, *, cut: bool) -> None:
        """Look for the face where it was."""
        settings = self._settings
        look = one.follower.look(frame, one.track, cut=cut)
        found = look.found
        inside = share_inside(found.landmarks.points, *self._size) >= settings.inside
        touched = self._known.is_touched(one, self._followed, frame.capture_time)
        otherwise = touched and self._known.looks_otherwise(one, look.pattern)
        like = look.likeness >= settings.appearance and not otherwise
        if found.presence < settings.lost_presence or not inside or (cut and not like):
            self._lose(one)
            return
        if found.presence < settings.keep_presence or not like or cut:
            one.track.doubt += 1
            self._doubt = True
            # Near another head, a face that looks otherwise is that other one.
            if one.track.doubt > settings.doubt_frames or (not like and touched):
                self._lose(one)
                return
        else:
            one.track.doubt = 0
            if not touched:  # the other head would be learnt bit by bit
                one.follower.learn(look.pattern)
        one.observation = one.follower.take(frame, one.track, look)
        one.pattern, one.sequence = look.pattern, frame.sequence
        one.person.seen(one.box, frame.capture_time)
        if touched:
            self._known.doubt(one, frame.capture_time)
        elif one.track.doubt == 0 and found.presence >= SURE:
            if self._known.is_mismatch(one, look.pattern, frame.capture_time):
                return
            yaw = 0.0 if one.observation.pose is None else one.observation.pose[0]
            one.person.looks.learn(look.pattern, yaw)
            one.person.life.update(one.observation.points, frame.capture_time, one.observation.hidden)

    def _separate(self, frame: Frame) -> None:
        """Of two followers on one face, the one whose person looks less like it is lost: that one is hidden."""
        for one in list(self._followed):
            for other in list(self._followed):
                if one is other or one not in self._followed or other not in self._followed:
                    continue
                if not same_face(one.track.points, other.track.points):
                    continue
                likes = [who.person.looks.likeness(who.pattern) for who in (one, other)]
                loser = other if likes[0] >= likes[1] else one
                self._lose(loser)
                winner = one if loser is other else other
                self._known.doubt(winner, frame.capture_time)

    def _lose(self, one: Followed) -> None:
        self._followed.remove(one)
        self._known.left(one.person)
        self._doubt = True

    def _lose_all(self) -> None:
        for one in list(self._followed):
            self._lose(one)

    def _apply_detections(self, frame: Frame, seen: Detections) -> None:
        """Take a detector's answer into account."""
        self._last_pass = max(self._last_pass, seen.sequence)
        then = {id(one): one.follower.at(seen.sequence, one.track) for one in self._followed}
        sure = [face for face in seen.faces if face.score >= self._settings.start_score]
        weak = [face for face in seen.faces if face.score < self._settings.start_score]
        unseen, free = list(self._followed), list(sure)
        for faces in (sure, weak):
            boxes = [then[id(one)][0] for one in unseen]
            pairs = assign(_distances(boxes, faces), 1 - self._settings.match_overlap)
            for row, column in pairs:
                self._confirm(frame, unseen[row], faces[column], *then[id(unseen[row])])
            taken = {column for _, column in pairs}
            unseen = [one for row, one in enumerate(unseen) if row not in {r for r, _ in pairs}]
            if faces is sure:
                free = [face for column, face in enumerate(sure) if column not in taken]
            else:
                free += self._steady_candidates([face for column, face in enumerate(weak) if column not in taken])
        for one in unseen:
            if one.since > seen.capture_time:
                continue  # it was found after that frame was taken
            one.track.missed += 1
            self._doubt = True
            if one.track.missed >= self._settings.missed_looks or one.track.doubt:
                self._lose(one)
        places = [box for box, _ in then.values()] + [one.box for one in self._followed]
        free = [face for face in free if all(iou(face.box, box) < self._settings.match_overlap for box in places)]
        self._meet(frame, free)

    def _confirm(self, frame: Frame, one: Followed, face: Detection, then: F32, eyes: F32) -> None:
        """The detector sees this person's face, too."""
        slipped = matching.is_upright(eyes) and matching.eye_drift(face, eyes) > self._settings.drift_eyes
        if slipped:
            shift = matching.middle(one.box) - matching.middle(then)
            found = self._locator.from_box(frame.image, face, shift)
            pattern = Appearance.of(found.landmarks.patch)
            if found.presence < self._settings.start_presence or not self._known.may_be(one, pattern):
                return
            one.observation = one.follower.start(frame, one.track, found, pattern)
            one.pattern, one.sequence = pattern, frame.sequence
        one.track.missed = one.track.doubt = 0
        if one.sequence == frame.sequence:
            one.observation = matching.confirmed(one.observation)

    def _steady_candidates(self, faces: list[Detection]) -> list[Detection]:
        """Weak detections that were seen again and again in one place."""
        settings = self._settings
        seen: list[tuple[Candidate, Detection]] = []
        for face in faces:
            if face.score >= settings.candidate_score:
                before = max(self._candidates, key=lambda one: iou(one.box, face.box), default=None)
                seen.append((Candidate.seen(face, before, settings.match_overlap), face))
        self._candidates = [candidate for candidate, _ in seen]
        return [face for candidate, face in seen if candidate.sightings >= settings.candidate_looks]

    def _meet(self, frame: Frame, faces: list[Detection]) -> None:
        """Follow faces that nobody follows yet: people who are back, and people never seen."""
        newcomers: list[_Newcomer] = []
        for face in sorted(faces, key=lambda face: -float(face.box[2] - face.box[0]))[:_NEWCOMERS]:
            found = self._locator.from_box(frame.image, face)
            if SURE > found.presence >= self._settings.start_presence:
                found = self._locator.at_any_roll(frame.image, face, first=found)
            points = found.landmarks.points
            known = [one.track.points for one in self._followed] + [one.found.landmarks.points for one in newcomers]
            if (
                found.presence >= self._settings.start_presence
                and share_inside(points, *self._size) >= self._settings.inside
                and not any(same_face(points, other) for other in known)
            ):
                newcomers.append(_Newcomer(face, found, Appearance.of(found.landmarks.patch)))
        looks = [(one.pattern, matching.face_box(one.found.landmarks.points)) for one in newcomers]
        persons = self._known.recognise(looks, self._followed, frame.capture_time)
        for newcomer, person in zip(newcomers, persons, strict=True):
            self._take(frame, newcomer, person)

    def _take(self, frame: Frame, newcomer: _Newcomer, person: Person | None) -> None:
        """Follow this face, if there is room."""
        time, points = frame.capture_time, newcomer.found.landmarks.points
        if len(self._followed) >= self._most:
            if person is None or person.face_id != self._choice.face_id:
                return
            # The patient is back: the smallest face gives way.
            self._lose(min(self._followed, key=lambda one: float(one.box[2] - one.box[0])))
        if person is None:
            person = self._known.new(newcomer.face.box, time)
        else:
            self._known.returned(person)
        track = Track(person.face_id, points, points, newcomer.face.box, newcomer.found.pose, time)
        follower = FaceFollower(self._locator, self._all)
        observation = follower.start(frame, track, newcomer.found, newcomer.pattern)
        person.seen(track.box, time)
        taken = Followed(person, follower, track, observation, newcomer.pattern, frame.sequence, since=time)
        self._followed.append(taken)
        if self._known.is_touched(taken, self._followed, time):
            self._known.doubt(taken, time)

    def _patient(self, frame: Frame, *, next_face: bool, chosen: tuple[float, float] | None) -> int | None:
        """Whose session it is."""
        time = frame.capture_time
        people = [
            Seen(one.person.face_id, one.box, one.person.life.alive, one.person.seconds) for one in self._followed
        ]
        if chosen is not None:
            there = self._at_place(*chosen)
            if there is not None:
                self._choice.choose(there.person.face_id, time)
        elif next_face:
            self._choice.choose_next(people, time)
        return self._choice.update(people, time)

    def _at_place(self, x: float, y: float) -> Followed | None:
        """The face under a point of the picture, or next to it by less than half a face."""
        best = min(list(self._followed), key=lambda one: half_sizes_away(one.box, x, y), default=None)
        return best if best is not None and half_sizes_away(best.box, x, y) <= 1.0 else None

    def _plan(self, frame: Frame) -> None:
        """When the detector runs next."""
        identity, time = self._identity, frame.capture_time
        expected = self._known.anybody_expected(time)
        full = len(self._followed) >= self._most and not expected
        every = 1 if self._doubt or self._candidates or not self._followed else identity.interval
        if every > 1 and not full:
            every = identity.open_interval
        self._schedule.plan(DetectionPass(self._last_pass + every if self._last_pass >= 0 else 0, every))


def _distances(boxes: list[F32], faces: list[Detection]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(N, M) one minus the overlap of each box with each detection."""
    table = np.ones((len(boxes), len(faces)))
    for row, box in enumerate(boxes):
        for column, face in enumerate(faces):
            table[row, column] = 1 - iou(box, face.box)
    return table


def _named(observation: FaceObservation, face_id: int) -> FaceObservation:
    return observation if observation.face_id == face_id else replace(observation, face_id=face_id)
