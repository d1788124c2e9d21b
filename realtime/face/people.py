"""Several faces followed at once, each with an identity that outlives crossings, hidden moments and absences.

Each face has a `FaceFollower` of its own; the detector finds newcomers and confirms the rest. Detections are joined to faces
in two stages, sure ones first, weak ones only to faces that are followed already (ByteTrack, Zhang et al. 2022), each by the
best assignment. A face that is hidden by another is lost at once rather than followed on the other head; its motion is
carried on by a Kalman filter (SORT, Bewley et al. 2016), and who comes back is known by place while that is fresh, and by looks.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from realtime.face import matching, wflw
from realtime.face.appearance import Appearance
from realtime.face.assignment import assign
from realtime.face.detection_schedule import DetectionPass, DetectionSchedule
from realtime.face.follower import FaceFollower
from realtime.face.geometry import iou
from realtime.face.landmarks import LandmarkModel
from realtime.face.locator import SURE, Located, Locator, share_inside
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
_TOGETHER = 0.3  # mean distance of two faces' points, in inter-ocular distances, below which they are one face
_TOUCHING = 0.02  # overlap (IoU) of two heads from which one may hide the other
_HEAD = 1.15  # size of a head, hair and ears included, in sizes of its face's box
_BESIDE = 1.5  # the same where a face comes into view: hair and shoulders hide part of it for longer
_BEHIND = 4.0  # seconds for which a person who vanished beside another head is expected to come out from behind it
_MIXED = 1.0  # seconds after two heads touched in which their identities are doubted
_SWAPS = 3  # looks in a row that must say so before two identities change places
_STRANGE = 4  # clear looks in a row that must say that a face is somebody else
_MERGE_AFTER = 4  # crops of a newcomer before it is compared with people who are away


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


@dataclass(slots=True, eq=False)
class _Followed:
    """A person whose face is followed. sequence: of the frame on which it was last looked at."""

    person: Person
    follower: FaceFollower
    track: Track
    observation: FaceObservation
    pattern: F32
    sequence: int
    since: float
    mixed_until: float = -1.0
    strange: int = 0

    @property
    def box(self) -> F32:
        """(4,) of the face, as last seen."""
        return self.track.box


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
        self._locator = Locator(landmarks, settings.tracker.second_look)
        self._scene = SceneChange(settings.tracker.cut_difference, settings.tracker.cut_share)
        self._choice = PatientChoice(rule, settings.patient)
        self._schedule = DetectionSchedule(DetectionPass(0, 1))
        self._most = most
        self._followed: list[_Followed] = []
        self._away: list[Person] = []
        self._candidates: list[Candidate] = []
        self._swaps: dict[frozenset[int], int] = {}
        self._people_seen = 0
        self._last_pass = -1
        self._valid_from = 0
        self._doubt = False
        self._size = (0, 0)

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

    def reset(self) -> None:
        """Forget everybody (the source was restarted). Identities go on counting."""
        self._followed.clear()
        self._away.clear()
        self._candidates.clear()
        self._swaps.clear()
        self._choice.forget()
        self._last_pass, self._valid_from = -1, 0
        self._schedule.restart(DetectionPass(0, 1))

    def update(
        self,
        frame: Frame,
        detections: Detections | None = None,
        *,
        next_face: bool = False,
        chosen: tuple[float, float] | None = None,
        others_every: int = 1,
    ) -> Observed:
        """Everybody who is looked at on this frame.

        Args:
            frame: the next one in capture order; any may be missing.
            detections: an answer of the detector not given before; it may belong to an earlier frame.
            next_face: the next face to the right of the patient's, from the rightmost the leftmost, is the patient from then on.
            chosen: x, y in pixels: the face there is the patient from then on. Nothing happens where there is none.
            others_every: whoever is not the patient is looked at on every n-th frame.
        """
        self._doubt = False
        size = frame.image.shape[0], frame.image.shape[1]
        if size != self._size:
            self._size = size
            self._lose_all()
        cut = self._scene.update(frame.image)
        for one in self._due(frame.sequence, others_every):
            self._follow(frame, one, cut=cut)
        if cut:
            self._valid_from = frame.sequence
            self._candidates.clear()
        self._separate(frame)
        if detections is not None and detections.sequence >= self._valid_from:
            self._apply_detections(frame, detections)
        self._unmix(frame)
        patient = self._patient(frame, next_face=next_face, chosen=chosen)
        self._plan(frame)
        looked_at = [one for one in self._followed if one.sequence == frame.sequence]
        found = {one.person.face_id: _named(one.observation, one.person.face_id) for one in looked_at}
        of_patient = None if patient is None else found.pop(patient, None)
        sure = any(self._is_sure(one, frame.capture_time) for one in looked_at if one.person.face_id == patient)
        return Observed(of_patient, tuple(found[number] for number in sorted(found)), sure)

    def has_face_at(self, x: float, y: float) -> bool:
        """Whether a face that is followed now lies at this point of the picture. From any thread.

        Args:
            x: pixels from the left.
            y: pixels from the top.
        """
        return self._at_place(x, y) is not None

    def _due(self, sequence: int, others_every: int) -> list[_Followed]:
        """The patient, and of the others those who have waited longest."""
        patient = [one for one in self._followed if one.person.face_id == self._choice.face_id]
        others = [one for one in self._followed if one.person.face_id != self._choice.face_id]
        waiting = sorted(
            (one for one in others if sequence - one.sequence >= others_every), key=lambda one: one.sequence
        )
        return patient + waiting[: -(-len(others) // others_every)]

    def _follow(self, frame: Frame, one: _Followed, *, cut: bool) -> None:
        """Look for the face where it was."""
        settings = self._settings
        look = one.follower.look(frame, one.track, cut=cut)
        found = look.found
        inside = share_inside(found.landmarks.points, *self._size) >= settings.inside
        touched = self._touched(one, frame.capture_time)
        like = look.likeness >= settings.appearance and not (touched and self._looks_strange(one, look.pattern))
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
            one.mixed_until = frame.capture_time + _MIXED
        elif one.track.doubt == 0 and found.presence >= SURE:
            if self._is_stranger(one, look.pattern, frame.capture_time):
                return
            yaw = 0.0 if one.observation.pose is None else one.observation.pose[0]
            one.person.looks.learn(look.pattern, yaw)
            if not found.visibility.hidden:
                one.person.life.update(one.observation.points, frame.capture_time)

    def _is_stranger(self, one: _Followed, pattern: F32, time: float) -> bool:
        """Whether a face taken for somebody by its place turns out, in clear view, to be somebody else."""
        one.strange = one.strange + 1 if self._looks_strange(one, pattern) and one.mixed_until >= time else 0
        if one.strange >= _STRANGE:
            self._away.append(one.person)
            one.person = self._somebody_new(one.box, time)
            one.strange = 0
        return one.strange > 0

    def _looks_strange(self, one: _Followed, pattern: F32) -> bool:
        """Whether a crop (256,) is not what the person looks like, where that is known."""
        looks = one.person.looks
        return looks.seen >= _MERGE_AFTER and looks.likeness(pattern) < self._identity.stranger

    def _somebody_new(self, box: F32, time: float) -> Person:
        self._people_seen += 1
        return Person.first_seen(self._people_seen, box, time)

    def _is_sure(self, one: _Followed, time: float) -> bool:
        """Whether nothing speaks against this face being the person's."""
        looks = one.person.looks
        quiet = one.mixed_until < time and not one.track.doubt and not one.track.missed
        return quiet and looks.seen >= _MERGE_AFTER and looks.likeness(one.pattern) >= self._identity.beside

    def _touched(self, one: _Followed, time: float) -> bool:
        """Whether another head may hide this one, or come out from behind it."""
        behind = (person for person in self._away if time - person.last <= _BEHIND)
        if any(_overlap(person.motion.at(time), one.box, _HEAD) for person in behind):
            return True
        return any(other is not one and _overlap(other.box, one.box, _HEAD) for other in self._followed)

    def _separate(self, frame: Frame) -> None:
        """Of two followers on one face, the one whose person looks less like it is lost: that one is hidden."""
        for one in list(self._followed):
            for other in list(self._followed):
                if one is other or one not in self._followed or other not in self._followed:
                    continue
                if not _same_face(one.track.points, other.track.points):
                    continue
                likes = [who.person.looks.likeness(who.pattern) for who in (one, other)]
                loser = other if likes[0] >= likes[1] else one
                self._lose(loser)
                winner = one if loser is other else other
                winner.mixed_until = frame.capture_time + _MIXED

    def _lose(self, one: _Followed) -> None:
        self._followed.remove(one)
        self._away.append(one.person)
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

    def _confirm(self, frame: Frame, one: _Followed, face: Detection, then: F32, eyes: F32) -> None:
        """The detector sees this person's face, too."""
        slipped = matching.is_upright(eyes) and matching.eye_drift(face, eyes) > self._settings.drift_eyes
        if slipped:
            shift = matching.middle(one.box) - matching.middle(then)
            found = self._locator.from_box(frame.image, face, shift)
            pattern = Appearance.of(found.landmarks.patch)
            likely = one.person.looks.likeness(pattern) >= self._identity.beside or one.person.looks.seen < _MERGE_AFTER
            if found.presence < self._settings.start_presence or not likely:
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
                and not any(_same_face(points, other) for other in known)
            ):
                newcomers.append(_Newcomer(face, found, Appearance.of(found.landmarks.patch)))
        for newcomer, person in self._recognised(newcomers, frame.capture_time):
            self._take(frame, newcomer, person)

    def _recognised(self, newcomers: list[_Newcomer], time: float) -> list[tuple[_Newcomer, Person | None]]:
        """Each newcomer with the person it is; None: somebody new."""
        cost = np.full((len(newcomers), len(self._away)), np.inf)
        for row, newcomer in enumerate(newcomers):
            box = matching.face_box(newcomer.found.landmarks.points)
            hidden = any(_overlap(box, one.box, _BESIDE) for one in self._followed)
            for column, person in enumerate(self._away):
                score = person.recognition(newcomer.pattern, box, time, self._identity, partly_hidden=hidden)
                if score > 0:
                    cost[row, column] = 2.0 - score
        persons = {row: self._away[column] for row, column in assign(cost, 2.0)}
        return [(newcomer, persons.get(row)) for row, newcomer in enumerate(newcomers)]

    def _take(self, frame: Frame, newcomer: _Newcomer, person: Person | None) -> None:
        """Follow this face, if there is room."""
        time, points = frame.capture_time, newcomer.found.landmarks.points
        if len(self._followed) >= self._most:
            if person is None or person.face_id != self._choice.face_id:
                return
            # The patient is back: the smallest face gives way.
            self._lose(min(self._followed, key=lambda one: float(one.box[2] - one.box[0])))
        if person is None:
            person = self._somebody_new(newcomer.face.box, time)
        else:
            self._away.remove(person)
        track = Track(person.face_id, points, points, newcomer.face.box, newcomer.found.pose, time)
        follower = FaceFollower(self._locator, self._all)
        observation = follower.start(frame, track, newcomer.found, newcomer.pattern)
        person.seen(track.box, time)
        taken = _Followed(person, follower, track, observation, newcomer.pattern, frame.sequence, since=time)
        self._followed.append(taken)
        if self._touched(taken, time):
            taken.mixed_until = time + _MIXED

    def _unmix(self, frame: Frame) -> None:
        """Set right what went wrong while heads touched, or when somebody came back and was not recognised."""
        time = frame.capture_time
        mixed = [one for one in self._followed if one.mixed_until >= time and one.sequence == frame.sequence]
        for place, one in enumerate(mixed):
            for other in mixed[place + 1 :]:
                pair = frozenset((one.person.face_id, other.person.face_id))
                self._swaps[pair] = self._swaps.get(pair, 0) + 1 if self._fits_better_swapped(one, other) else 0
                if self._swaps[pair] >= _SWAPS:
                    one.person, other.person = other.person, one.person
                    self._swaps[pair] = 0
        for one in self._followed:
            if _MERGE_AFTER <= one.person.looks.seen <= self._identity.late_looks:
                self._recognise_late(one)
        self._away = [person for person in self._away if time - person.last <= self._identity.remembered]

    def _fits_better_swapped(self, one: _Followed, other: _Followed) -> bool:
        if _overlap(one.box, other.box, _HEAD):
            return False
        a, b = one.person.looks, other.person.looks
        straight = a.likeness(one.pattern) + b.likeness(other.pattern)
        return b.likeness(one.pattern) + a.likeness(other.pattern) > straight + self._identity.margin

    def _recognise_late(self, one: _Followed) -> None:
        """A person who was taken for somebody new gets the old identity back."""
        likes = [
            (person.looks.likeness_to(one.person.looks), person)
            for person in self._away
            if person.face_id < one.person.face_id and person.last <= one.since
        ]
        best = max(likes, key=lambda pair: pair[0], default=None)
        if best is None or best[0] < self._identity.same:
            return
        person = best[1]
        person.looks.absorb(one.person.looks)
        person.life.alive = person.life.alive or one.person.life.alive
        person.motion, person.last = one.person.motion, one.person.last
        person.seconds += one.person.seconds
        if self._choice.face_id == one.person.face_id:
            self._choice.choose(person.face_id, person.last)
        self._away.remove(person)
        one.person = person

    def _patient(self, frame: Frame, *, next_face: bool, chosen: tuple[float, float] | None) -> int | None:
        """Whose session it is."""
        time = frame.capture_time
        if chosen is not None:
            there = self._at_place(*chosen)
            if there is not None:
                self._choice.choose(there.person.face_id, time)
        elif next_face:
            now = [one for one in self._followed if one.person.face_id == self._choice.face_id]
            here = float(now[0].box[0] + now[0].box[2]) if now else -np.inf
            others = [one for one in self._followed if one not in now]
            right = [one for one in others if float(one.box[0] + one.box[2]) > here]
            if others:
                leftmost = min(right or others, key=lambda one: float(one.box[0] + one.box[2]))
                self._choice.choose(leftmost.person.face_id, time)
        return self._choice.update(
            [Seen(one.person.face_id, one.box, one.person.life.alive, one.person.seconds) for one in self._followed],
            time,
        )

    def _at_place(self, x: float, y: float) -> _Followed | None:
        """The face under a point of the picture, or next to it by less than half a face."""
        best = min(list(self._followed), key=lambda one: _away_from(one.box, x, y), default=None)
        return best if best is not None and _away_from(best.box, x, y) <= 1.0 else None

    def _plan(self, frame: Frame) -> None:
        """When the detector runs next."""
        identity, time = self._identity, frame.capture_time
        expected = any(time - person.last <= identity.beside_seconds for person in self._away)
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


def _overlap(box: F32, other: F32, size: float) -> bool:
    """Whether the heads of two faces (4,) overlap. size: of a head, in sizes of its box."""
    return iou(_grown(box, size), _grown(other, size)) > _TOUCHING


def _grown(box: F32, size: float) -> F32:
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * np.float32(size / 2)
    return np.concatenate([middle - half, middle + half])


def _same_face(points: F32, other: F32) -> bool:
    """Whether two sets of (98, 2) points lie on one face."""
    scale = max(wflw.interocular(points), wflw.interocular(other), 1e-3)
    return bool(np.hypot(*(points - other).T).mean() < _TOGETHER * scale)


def _named(observation: FaceObservation, face_id: int) -> FaceObservation:
    return observation if observation.face_id == face_id else replace(observation, face_id=face_id)


def _away_from(box: F32, x: float, y: float) -> float:
    """How far a point lies from a box's middle, in halves of its sides; up to 1 inside."""
    width, height = max(float(box[2] - box[0]), 1.0), max(float(box[3] - box[1]), 1.0)
    return max(abs(2 * x - float(box[0] + box[2])) / width, abs(2 * y - float(box[1] + box[3])) / height)
