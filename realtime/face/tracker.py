"""One face followed through the frames: search -> candidate -> track -> lost, and back.

Between detections the landmarks' own last points, moved with the picture, say where to look. A detection is evidence about
the frame it was made on, which may be a few frames ago: it is compared with where the tracker had the face then.
"""

from enum import Enum

from realtime.face import matching
from realtime.face.appearance import Appearance
from realtime.face.detection_schedule import Cadence, DetectionSchedule
from realtime.face.follower import FaceFollower
from realtime.face.geometry import iou
from realtime.face.landmarks import LandmarkModel
from realtime.face.locator import SURE, Located, Locator, share_inside
from realtime.face.patient import Patient
from realtime.face.scene_change import SceneChange
from realtime.face.settings import FaceSettings
from realtime.face.track import Candidate, Identities, Track
from realtime.types import F32, Detection, Detections, FaceObservation, Frame, Region

# a box without an upright face is searched for rolled ones in every fourth detection pass: that takes four times as long
_ANY_ROLL_EVERY = 4
# whole-picture detection passes in which the face that the user wants may turn up
_PASSES_FOR_NEXT = 8


class State(Enum):
    """What the tracker is doing."""

    SEARCHING = "searching"
    CANDIDATE = "candidate"
    TRACKING = "tracking"


class Tracker:
    """Follows one face. `update` belongs to one thread; `try_claim_detection` and `region` may be asked from another.

    Args:
        landmarks: the network.
        settings: of the face path.
    """

    def __init__(self, landmarks: LandmarkModel, settings: FaceSettings = FaceSettings()) -> None:  # noqa: B008  frozen
        self._settings = settings.tracker
        self._locator = Locator(landmarks, settings.tracker.second_look)
        self._cadence = Cadence(settings.cadence)
        self._schedule = DetectionSchedule(self._cadence.next_pass)
        self._follower = FaceFollower(self._locator, settings)
        self._scene = SceneChange(settings.tracker.cut_difference, settings.tracker.cut_share)
        self._patient = Patient(settings.patient)
        self._other = settings.patient.other
        self._passes_for_next = 0
        self._track: Track | None = None
        self._candidate: Candidate | None = None
        self._identities = Identities(settings.tracker.return_seconds, settings.tracker.match_overlap)
        self._valid_from = 0
        self._failed_starts = 0
        self._size = (0, 0)

    @property
    def state(self) -> State:
        """What the tracker is doing now."""
        if self._track is not None:
            return State.TRACKING
        return State.SEARCHING if self._candidate is None else State.CANDIDATE

    def try_claim_detection(self, sequence: int) -> bool:
        """Claim this frame for the detector (see `DetectionSchedule.try_claim`).

        Args:
            sequence: of the frame.
        """
        return self._schedule.try_claim(sequence)

    @property
    def region(self) -> Region | None:
        """Where the detector should search now; None: the whole picture."""
        return self._schedule.region

    def reset(self) -> None:
        """Forget the face and what was seen (the source was restarted). Ids go on counting."""
        self._track = self._candidate = None
        self._identities.forget()
        self._follower.forget()
        self._patient.forget()
        self._passes_for_next = 0
        self._cadence.lost(0, None, *self._size)
        self._schedule.restart(self._cadence.next_pass)
        self._valid_from = self._failed_starts = 0

    def update(
        self, frame: Frame, detections: Detections | None = None, *, next_face: bool = False
    ) -> FaceObservation | None:
        """The tracked face on this frame, or None where there is none.

        Args:
            frame: the next one in capture order; any may be missing.
            detections: an answer of the detector not given before; it may belong to an earlier frame.
            next_face: the user wants another face: the next one to the right, from the rightmost the leftmost, is the patient
                from then on. Nothing happens where no other face is seen.
        """
        if next_face:
            self._passes_for_next = _PASSES_FOR_NEXT
        height, width = frame.image.shape[:2]
        if (height, width) != self._size:
            if self._size != (0, 0):
                self._lose(frame, anywhere=True)
            self._size = (height, width)
        cut = self._scene.update(frame.image)
        observation = None if self._track is None else self._follow(frame, self._track, cut=cut)
        if cut and self._track is None:
            self._valid_from = frame.sequence
            self._candidate = None
        if detections is not None and detections.sequence >= self._valid_from:
            observation = self._apply_detections(frame, detections, observation)
            observation = self._consider_others(frame, detections, observation)
        if self._track is not None and (self._passes_for_next or self._patient.sighted):
            self._cadence.doubtful(frame.sequence, None, *self._size)
        self._schedule.plan(self._cadence.next_pass)
        return observation

    def _follow(self, frame: Frame, track: Track, *, cut: bool) -> FaceObservation | None:
        """The face on the next frame, from where it was."""
        look = self._follower.look(frame, track, cut=cut)
        found, pattern = look.found, look.pattern
        like = look.likeness >= self._settings.appearance
        gone = found.presence < self._settings.lost_presence or not self._inside(found)
        if gone or (cut and not like):
            self._lose(frame, anywhere=cut)
            return None
        if found.presence < self._settings.keep_presence or not like or cut:
            track.doubt += 1
            self._cadence.doubtful(frame.sequence, None if cut else track.box, *self._size)
            if track.doubt > self._settings.doubt_frames:
                self._lose(frame)
                return None
        else:
            track.doubt = 0
            self._follower.learn(pattern)
            if found.presence >= SURE:
                self._patient.followed(track.face_id, pattern, track.box, frame.capture_time)
        return self._follower.take(frame, track, look)

    def _inside(self, found: Located) -> bool:
        return share_inside(found.landmarks.points, *self._size) >= self._settings.inside

    def _lose(self, frame: Frame, *, anywhere: bool = False) -> None:
        """Drop the track and plan the search."""
        track, self._track = self._track, None
        if track is not None:
            if anywhere:
                self._identities.forget()
            else:
                self._identities.lost(track)
        self._follower.lose()
        self._cadence.lost(frame.sequence, None if anywhere or track is None else track.box, *self._size)

    def _apply_detections(
        self, frame: Frame, seen: Detections, observation: FaceObservation | None
    ) -> FaceObservation | None:
        """Take a detector's answer into account."""
        track = self._track
        if track is None:
            return self._search(frame, seen)
        then, eyes = self._follower.at(seen.sequence, track)
        match = matching.best_match(seen.faces, then, self._settings.match_overlap)
        if match is None:
            if not matching.searched_region_covers(seen.region, then):
                return observation
            track.missed += 1
            if track.missed >= self._settings.missed_looks or track.doubt:
                self._lose(frame)
                return self._search(frame, seen)
            self._cadence.doubtful(frame.sequence, track.box, *self._size)
            return observation
        # Far from upright the detector puts its eyes where an upright face would have them.
        if matching.is_upright(eyes) and matching.eye_drift(match, eyes) > self._settings.drift_eyes:
            return self._restart(frame, track, match, then) or observation
        track.missed = track.doubt = 0
        if observation is None:
            return None
        # While the patient is away, every detection pass searches the whole picture.
        self._cadence.agreed(frame.sequence, track.box, *self._size, everywhere=self._patient.away)
        return matching.confirmed(observation)

    def _restart(self, frame: Frame, track: Track, match: Detection, then: F32) -> FaceObservation | None:
        """The landmarks have slipped off the face: start them again from the detector's box, moved as the track moved since."""
        shift = matching.middle(track.box) - matching.middle(then)
        found = self._locator.from_box(frame.image, match, shift)
        return None if found.presence < self._settings.start_presence else self._start(frame, track, found)

    def _search(self, frame: Frame, seen: Detections) -> FaceObservation | None:
        """No face is tracked: is this one?"""
        face = matching.choose(seen.faces, self._identities.place(frame.capture_time))
        if face is None or face.score < self._settings.candidate_score:
            self._candidate = None
            self._cadence.searched(frame.sequence, *self._size)
            return None
        candidate = Candidate.seen(face, self._candidate, self._settings.match_overlap)
        if face.score < self._settings.start_score and candidate.sightings < self._settings.candidate_looks:
            self._candidate = candidate
            self._cadence.doubtful(frame.sequence, face.box, *self._size)
            return None
        found = self._locate_start(frame, face)
        if found.presence < self._settings.start_presence or not self._inside(found):
            self._candidate = candidate
            self._failed_starts += 1
            self._cadence.searched(frame.sequence, *self._size)
            return None
        self._candidate = None
        if self._follower.likeness(Appearance.of(found.landmarks.patch)) < self._other:
            self._identities.forget()  # somebody else, where the lost face was
        return self._take(frame, self._identities.of(found.landmarks.points), face, found)

    def _take(self, frame: Frame, face_id: int, face: Detection, found: Located) -> FaceObservation:
        """Follow this face from here on."""
        points = found.landmarks.points
        self._track = Track(face_id, points, points, face.box, found.pose, frame.capture_time)
        return self._start(frame, self._track, found)

    def _consider_others(
        self, frame: Frame, seen: Detections, observation: FaceObservation | None
    ) -> FaceObservation | None:
        """Go to another face of this detection pass: the patient, who is back, or the one that the user wants."""
        track = self._track
        if track is None or seen.region is not None or not (self._passes_for_next or self._patient.away):
            return observation
        then, _ = self._follower.at(seen.sequence, track)
        others = [
            face
            for face in seen.faces
            if face.score >= self._settings.start_score and iou(face.box, then) < self._settings.match_overlap
        ]
        if self._passes_for_next:
            self._passes_for_next -= 1
            return self._follow_chosen(frame, matching.next_to_the_right(others, then)) or observation
        other = self._patient.likeliest(others)
        found = None if other is None else self._locator.from_box(frame.image, other)
        sure = found is not None and found.presence >= SURE
        pattern = Appearance.of(found.landmarks.patch) if found is not None and sure else None
        if not self._patient.is_back(pattern) or other is None or found is None or self._patient.face_id is None:
            return observation
        self._follower.leave_picture()
        return self._take(frame, self._patient.face_id, other, found)

    def _follow_chosen(self, frame: Frame, face: Detection | None) -> FaceObservation | None:
        """Follow the face that the user wants, if the landmark network sees one there."""
        found = None if face is None else self._locator.from_box(frame.image, face)
        if face is None or found is None or found.presence < self._settings.start_presence:
            return None
        self._passes_for_next = 0
        pattern, face_id = Appearance.of(found.landmarks.patch), self._identities.new()
        self._patient.choose(face_id, pattern, face.box, frame.capture_time)
        self._follower.leave_picture()
        return self._take(frame, face_id, face, found)

    def _locate_start(self, frame: Frame, face: Detection) -> Located:
        """The face in a detector's box; at any roll where upright is doubtful (of hopeless boxes, every n-th pass only)."""
        found = self._locator.from_box(frame.image, face)
        hopeless = found.presence < self._settings.start_presence
        if found.presence >= SURE or (hopeless and self._failed_starts % _ANY_ROLL_EVERY):
            return found
        return self._locator.at_any_roll(frame.image, face, first=found)

    def _start(self, frame: Frame, track: Track, found: Located) -> FaceObservation:
        """Follow the face from here, a detector having said where it is: nothing before counts."""
        track.doubt = track.missed = self._failed_starts = 0
        self._cadence.found(frame.sequence)
        return self._follower.start(frame, track, found, Appearance.of(found.landmarks.patch))
