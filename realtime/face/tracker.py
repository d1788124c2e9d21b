"""One face followed through the frames: search -> candidate -> track -> lost, and back.

Between detections the landmarks' own last points, moved with the picture, say where to look. A detection is evidence about
the frame it was made on, which may be a few frames ago: it is compared with where the tracker had the face then.
"""

import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum

import numpy as np

from realtime.face import matching
from realtime.face.cadence import Cadence
from realtime.face.crops import crop_from_box, crop_from_points, crop_shift
from realtime.face.flow import PointFlow
from realtime.face.geometry import F32, iou, scale_of
from realtime.face.head import HEAD_3D
from realtime.face.landmarks import LandmarkModel, Landmarks
from realtime.face.observation import Detection, Detections, FaceObservation, Region
from realtime.face.pose import Pose, estimate_pose
from realtime.face.presence import Appearance, plausibility
from realtime.face.scene import SceneChange
from realtime.face.settings import FaceSettings
from realtime.face.smoothing import Smoother
from realtime.media.frame import Frame

_STILL = np.zeros(2, np.float32)


class State(Enum):
    """What the tracker is doing."""

    SEARCHING = "searching"
    CANDIDATE = "candidate"
    TRACKING = "tracking"


@dataclass(slots=True)
class _Track:
    """The face as of the last frame looked at."""

    face_id: int
    points: F32
    steady: F32
    box: F32
    pose: Pose | None
    time: float
    doubt: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class _Memory:
    """A face lately lost."""

    face_id: int
    box: F32
    time: float


class Tracker:
    """Follows one face. `update` belongs to one thread; `wants_detection` and `region` may be asked from another."""

    def __init__(self, landmarks: LandmarkModel, settings: FaceSettings = FaceSettings()) -> None:  # noqa: B008  frozen
        self._landmarks = landmarks
        self._settings = settings.tracker
        self._cadence = Cadence(settings.cadence)
        self._flow = PointFlow(settings.flow)
        self._flow_enough = settings.flow.enough
        self._smoother = Smoother(settings.smoothing)
        self._scene = SceneChange(settings.tracker.cut_difference, settings.tracker.cut_share)
        self._appearance = Appearance()
        self._past: deque[tuple[int, F32, F32]] = deque(maxlen=64)
        self._track: _Track | None = None
        self._memory: _Memory | None = None
        self._candidate: tuple[F32, int] | None = None
        self._faces_seen = 0
        self._valid_from = 0
        self._size = (0, 0)
        self._lock = threading.Lock()
        self._look = self._cadence.look
        self._asked = -1

    @property
    def state(self) -> State:
        """What the tracker is doing now."""
        if self._track is not None:
            return State.TRACKING
        return State.SEARCHING if self._candidate is None else State.CANDIDATE

    def wants_detection(self, sequence: int) -> bool:
        """Should this frame go to the detector? Asking with the answer yes books it: the next yes is an interval away."""
        with self._lock:
            look = self._look
            if sequence < look.due or (self._asked >= look.due and sequence < self._asked + look.every):
                return False
            self._asked = sequence
            return True

    @property
    def region(self) -> Region | None:
        """Where the detector should look now; None: the whole picture."""
        return self._look.region

    def reset(self) -> None:
        """Forget the face and what was seen (the source was restarted). Ids go on counting."""
        self._track = self._memory = self._candidate = None
        self._flow.clear()
        self._smoother.reset()
        self._appearance.reset()
        self._past.clear()
        self._cadence.lost(0, None, *self._size)
        with self._lock:
            self._look, self._asked = self._cadence.look, -1
        self._valid_from = 0

    def update(self, frame: Frame, detections: Detections | None = None) -> FaceObservation | None:
        """The tracked face on this frame, or None where there is none.

        detections: an answer of the detector not given before; it may belong to an earlier frame.
        Frames come in capture order; any may be missing.
        """
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
            observation = self._weigh(frame, detections, observation)
        with self._lock:
            self._look = self._cadence.look
        return observation

    def _follow(self, frame: Frame, track: _Track, *, cut: bool) -> FaceObservation | None:
        """The face on the next frame, from where it was."""
        moved = self._flow.move(frame.image) if self._settings.flow and not cut else None
        believed = moved is not None and moved.trust >= self._flow_enough
        near = moved.points if moved is not None and believed else track.steady
        contract = self._landmarks.contract
        found = self._landmarks.locate(frame.image, crop_from_points(near, contract))
        if crop_shift(found.points, found.crop, contract) > self._settings.second_look:
            found = self._landmarks.locate(frame.image, crop_from_points(found.points, contract))
        pose, presence = self._judge(found, track.pose)
        pattern = self._appearance.of(found.patch)
        like = self._appearance.likeness(pattern) >= self._settings.appearance
        gone = presence < self._settings.lost_presence or not self._inside(found.points)
        if gone or (cut and not like):
            self._lose(frame, anywhere=cut)
            return None
        if presence < self._settings.keep_presence or not like or cut:
            track.doubt += 1
            self._cadence.doubtful(frame.sequence, None if cut else track.box, *self._size)
            if track.doubt > self._settings.doubt_frames:
                self._lose(frame)
                return None
        else:
            track.doubt = 0
            self._appearance.learn(pattern)
        shown = self._smoother.update(
            found.points, frame.capture_time, moved=moved if believed else None, covariance=found.covariance
        )
        return self._keep(frame, track, found, shown, pose, presence, detected=False)

    def _keep(
        self,
        frame: Frame,
        track: _Track,
        found: Landmarks,
        shown: F32,
        pose: Pose | None,
        presence: float,
        *,
        detected: bool,
    ) -> FaceObservation:
        track.points, track.pose = found.points, pose
        track.steady = found.points if self._smoother.steady is None else self._smoother.steady
        track.box, track.time = matching.face_box(shown), frame.capture_time
        self._past.append((frame.sequence, track.box, matching.eye_centres(track.steady)))
        if self._settings.flow:
            self._flow.anchor(frame.image, track.steady)
        return FaceObservation(
            face_id=track.face_id,
            box=track.box,
            points=shown,
            raw_points=found.points,
            confidence=presence,
            detected=detected,
            covariance=found.covariance,
            pose=None if pose is None or not self._settings.pose else pose.angles,
            estimated=found.presence is None,
        )

    def _judge(self, found: Landmarks, start: Pose | None) -> tuple[Pose | None, float]:
        """Head pose, and how surely the crop holds a face."""
        pose = estimate_pose(found.points, start, HEAD_3D)
        if not np.isfinite(found.points).all():
            return None, 0.0
        if found.presence is not None:
            return pose, found.presence
        contract = self._landmarks.contract
        ratio = scale_of(crop_from_points(found.points, contract)) / scale_of(found.crop)
        return pose, plausibility(pose, crop_shift(found.points, found.crop, contract), ratio)

    def _inside(self, points: F32) -> bool:
        height, width = self._size
        inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
        return float(inside.mean()) >= self._settings.inside

    def _lose(self, frame: Frame, *, anywhere: bool = False) -> None:
        """Drop the track and plan the search."""
        track, self._track = self._track, None
        box = None
        if track is not None:
            box = track.box
            self._memory = None if anywhere else _Memory(track.face_id, track.box, track.time)
        self._flow.clear()
        self._smoother.reset()
        self._past.clear()
        self._cadence.lost(frame.sequence, None if anywhere else box, *self._size)

    def _weigh(self, frame: Frame, seen: Detections, observation: FaceObservation | None) -> FaceObservation | None:
        """Take a detector's answer into account."""
        track = self._track
        if track is None:
            return self._search(frame, seen)
        then, eyes = self._at(seen.sequence, track)
        match = matching.best_match(seen.faces, then, self._settings.match_overlap)
        if match is None:
            if not matching.looked_at(seen.region, then):
                return observation
            track.missed += 1
            if track.missed >= self._settings.missed_looks or track.doubt:
                self._lose(frame)
                return self._search(frame, seen)
            self._cadence.doubtful(frame.sequence, track.box, *self._size)
            return observation
        if matching.eye_drift(match, eyes) > self._settings.drift_eyes:
            return self._restart(frame, track, match, then) or observation
        track.missed = track.doubt = 0
        if observation is None:
            return None
        self._cadence.agreed(frame.sequence, track.box, *self._size)
        return matching.confirmed(observation)

    def _at(self, sequence: int, track: _Track) -> tuple[F32, F32]:
        """Box and eye centres the track had at (or just before) this frame."""
        for when, box, eyes in reversed(self._past):
            if when <= sequence:
                return box, eyes
        return track.box, matching.eye_centres(track.steady)

    def _restart(self, frame: Frame, track: _Track, match: Detection, then: F32) -> FaceObservation | None:
        """The landmarks have slipped off the face: start them again from the detector's box, moved as the track moved since."""
        shift = matching.middle(track.box) - matching.middle(then)
        found, pose, presence = self._locate(frame, match, shift)
        if presence < self._settings.start_presence:
            return None
        self._smoother.reset()
        self._past.clear()
        self._appearance.reset()
        self._appearance.learn(self._appearance.of(found.patch))
        track.doubt = track.missed = 0
        self._cadence.found(frame.sequence)
        shown = self._smoother.update(found.points, frame.capture_time)
        return self._keep(frame, track, found, shown, pose, presence, detected=True)

    def _locate(self, frame: Frame, face: Detection, shift: F32) -> tuple[Landmarks, Pose | None, float]:
        """Landmarks from a detector's box, then once more from their own crop."""
        contract = self._landmarks.contract
        first = self._landmarks.locate(frame.image, crop_from_box(face.box + np.tile(shift, 2), face.points, contract))
        found = self._landmarks.locate(frame.image, crop_from_points(first.points, contract))
        pose, presence = self._judge(found, None)
        return found, pose, presence

    def _search(self, frame: Frame, seen: Detections) -> FaceObservation | None:
        """No face is tracked: is this one?"""
        memory = self._memory
        if memory is not None and frame.capture_time - memory.time > self._settings.return_seconds:
            memory = self._memory = None
        face = matching.choose(seen.faces, None if memory is None else memory.box)
        if face is None or face.score < self._settings.candidate_score:
            self._candidate = None
            self._cadence.searched(frame.sequence, *self._size)
            return None
        looks = 1
        if self._candidate is not None and iou(self._candidate[0], face.box) >= self._settings.match_overlap:
            looks += self._candidate[1]
        if face.score < self._settings.start_score and looks < self._settings.candidate_looks:
            self._candidate = (face.box, looks)
            self._cadence.doubtful(frame.sequence, face.box, *self._size)
            return None
        found, pose, presence = self._locate(frame, face, _STILL)
        if presence < self._settings.start_presence or not self._inside(found.points):
            self._candidate = (face.box, looks)
            self._cadence.searched(frame.sequence, *self._size)
            return None
        self._candidate = None
        track = _Track(
            self._identity(memory, found.points), found.points, found.points, face.box, pose, frame.capture_time
        )
        self._track, self._memory = track, None
        self._appearance.reset()
        self._appearance.learn(self._appearance.of(found.patch))
        self._smoother.reset()
        self._cadence.found(frame.sequence)
        shown = self._smoother.update(found.points, frame.capture_time)
        return self._keep(frame, track, found, shown, pose, presence, detected=True)

    def _identity(self, memory: _Memory | None, points: F32) -> int:
        """The id of a face just found: the lost one's where it is back in its place, else a new one."""
        if memory is not None and iou(memory.box, matching.face_box(points)) >= self._settings.match_overlap:
            return memory.face_id
        self._faces_seen += 1
        return self._faces_seen
