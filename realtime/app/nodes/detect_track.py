"""Detection and tracking as nodes. They share the tracker, which decides when and where a detection pass is due."""

import time

from realtime.app.nodes.face_count import FaceCount
from realtime.app.nodes.picture_progress import PictureProgress
from realtime.app.nodes.quality import COARSE_DETECTION, HALF_RATE, SPARSE_DETECTION, Quality
from realtime.face.detector import FaceDetector
from realtime.face.people import Observed, PeopleTracker
from realtime.face.tracker import State, Tracker
from realtime.graph import Envelope, Side
from realtime.session.decision_log import DecisionLog
from realtime.types import Analysis, Detections, Frame, TrackedFrame

# A detection pass gives way to the frame's own picture for this long: half of the time between two frames at 30 fps.
_GIVE_WAY_SECONDS = 0.015


class Detect:
    """RetinaFace on the frames the tracker asks for; all others pass it by at no cost.

    Args:
        detector: on a picture of the configured width.
        coarse: the same network on a smaller picture, for when the quality ladder asks for it.
        tracker: says when and where a detection pass is due.
        quality: the quality ladder.
        decisions: logs every detection pass.
        pictures: while a face is followed, a pass begins when the frame's picture is drawn: its answer is for later frames, and
            beside tracking and drawing it would take the processor and the interpreter from a picture that somebody waits for.
    """

    def __init__(
        self,
        detector: FaceDetector,
        coarse: FaceDetector,
        tracker: Tracker | PeopleTracker,
        quality: Quality,
        *,
        decisions: DecisionLog | None = None,
        pictures: PictureProgress | None = None,
    ) -> None:
        self._pictures = pictures
        self._decisions = decisions
        self._detector = detector
        self._coarse = coarse
        self._tracker = tracker
        self._quality = quality
        self._skip = False
        self.count = 0

    def accepts(self, envelope: Envelope[Frame]) -> bool:
        """The gate, asked before the thread hop."""
        if not self._tracker.try_claim_detection(envelope.sequence):
            return False
        if SPARSE_DETECTION in self._quality.active and self._tracker.state is State.TRACKING:
            self._skip = not self._skip
            return not self._skip
        return True

    def process(self, frame: Frame) -> Detections:
        """Every face of the frame, or of the region the tracker wants looked at."""
        self.count += 1
        if self._pictures is not None and self._tracker.state is State.TRACKING:
            self._pictures.wait_for(frame.sequence, _GIVE_WAY_SECONDS)
        coarse, region = COARSE_DETECTION in self._quality.active, self._tracker.region
        if self._decisions is not None:
            self._decisions.detect(frame.sequence, region, coarse=coarse)
        return (self._coarse if coarse else self._detector).detect(frame, region)

    @property
    def problem(self) -> str | None:
        """One sentence once the detector has given values that are no numbers."""
        return self._detector.problem or self._coarse.problem

    @property
    def failed(self) -> bool:
        """Whether it has, and no other detector took its place."""
        return self._detector.failed or self._coarse.failed


class Track:
    """Landmarks on every frame it gets: the newest one whenever it is free.

    Args:
        tracker: of one person's face.
        quality: the quality ladder.
        inline: a detector to call in line when the tracker asks for it, so that results do not depend on timing (offline).
        delay: seconds by which each frame is held up, to see what becomes of the picture under load.
        decisions: logs every frame that was analysed, with the detections that entered.
    """

    def __init__(
        self,
        tracker: Tracker | PeopleTracker,
        quality: Quality,
        inline: Detect | None = None,
        delay: float = 0.0,
        *,
        decisions: DecisionLog | None = None,
    ) -> None:
        self._tracker = tracker
        self._quality = quality
        self._inline = inline
        self._delay = delay
        self._decisions = decisions
        self._next_asked = False
        self._count = FaceCount()
        self.face_id: int | None = None
        """Of the face followed last; None before the first."""
        self.face_frames = 0
        self.tracked_frames = 0

    def ask_for_next_face(self) -> None:
        """From the next frame on another face is followed, if one is seen. From any thread."""
        self._next_asked = True

    def accepts(self, envelope: Envelope[Frame]) -> bool:
        """Every frame, or every second one when the quality ladder asks for it."""
        return HALF_RATE not in self._quality.active or envelope.sequence % 2 == 0

    def process(self, frame: Frame, detections: Side[Detections] | None = None) -> TrackedFrame:
        """The tracked face, or word that there is none.

        Args:
            frame: to be tracked on.
            detections: of this frame or an earlier one, or None.
        """
        if self._delay:
            time.sleep(self._delay)
        seen = detections.payload if detections is not None else None
        asked, self._next_asked = self._next_asked, False
        if self._inline is not None and self._tracker.try_claim_detection(frame.sequence):
            seen = self._inline.process(frame)
        observed = self._observe(frame, seen, next_face=asked)
        face = observed.patient
        if face is not None:
            if self._decisions is not None and self.face_id not in (None, face.face_id):
                self._decisions.face(frame.sequence, self.face_id, face.face_id)
            self.face_id = face.face_id
            self.face_frames += 1
            self.tracked_frames += not face.detected
        return TrackedFrame(analysis_of(frame, observed, faces=self._count.update(seen)), frame)

    def _observe(self, frame: Frame, seen: Detections | None, *, next_face: bool) -> Observed:
        if self._decisions is not None:
            self._decisions.track(frame.sequence, None if seen is None else seen.sequence, next_face=next_face)
        found = self._tracker.update(frame, seen, next_face=next_face)
        return found if isinstance(found, Observed) else Observed(found)

    def reset(self, reason: str) -> None:  # noqa: ARG002  the graph's contract
        """The stream was interrupted: whoever comes now is not known yet."""
        if self._decisions is not None:
            self._decisions.reset()
        self._count.forget()
        self._tracker.reset()


def analysis_of(frame: Frame, observed: Observed, *, faces: int | None = None) -> Analysis:
    """The frame's analysis before anything is measured.

    Args:
        frame: that was looked at.
        observed: the patient's face and everybody else's.
        faces: see `Analysis`.
    """
    number, time = frame.sequence, frame.capture_time
    others = tuple(Analysis(number, time, other) for other in observed.others)
    return Analysis(number, time, observed.patient, faces=faces, others=others, sure=observed.sure)
