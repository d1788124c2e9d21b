"""One face from frame to frame: where it is looked for, what it looked like before, and how its points are steadied."""

from dataclasses import dataclass

from realtime.face import matching
from realtime.face.appearance import Appearance
from realtime.face.locator import Located, Locator
from realtime.face.mirror_correction import MirrorCorrection
from realtime.face.point_flow import Moved, PointFlow
from realtime.face.pose import facing_angles
from realtime.face.settings import FaceSettings
from realtime.face.smoothing import Smoother
from realtime.face.track import Past, Track
from realtime.face.visibility import ALL_PARTS, hidden_in_a_turn
from realtime.types import F32, FaceObservation, Frame

LONGEST_COVER = 5.0
"""Seconds for which a mouth counts as covered without being found so anew: then it is measured again, whatever is unsure about it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen where a face was expected.

    Args:
        found: the landmarks there.
        pattern: (256,) of their crop, see `Appearance`.
        likeness: of the pattern to the face so far, -1..1.
        moved: the last steady points, moved with the picture; None where that is not to be believed.
    """

    found: Located
    pattern: F32
    likeness: float
    moved: Moved | None


class FaceFollower:
    """Everything that is remembered of one face between two frames. The tracker that owns it decides what a look means.

    Args:
        locator: finds landmarks; several followers may share one.
        settings: of the face path.
    """

    def __init__(self, locator: Locator, settings: FaceSettings) -> None:
        self._locator = locator
        self._settings = settings.tracker
        self._flow = PointFlow(settings.flow)
        self._flow_enough = settings.flow.enough
        self._smoother = Smoother(settings.smoothing)
        self._mirror = MirrorCorrection(settings.mirror)
        self._appearance = Appearance()
        self._past = Past()
        self._mouth_covered: float | None = None  # when it was last found covered, as long as it counts as such

    def look(self, frame: Frame, track: Track, *, cut: bool = False) -> Look:
        """Find the face on the next frame, from where it was.

        Args:
            frame: the next one.
            track: where the face was.
            cut: the picture shows another scene than before.
        """
        moved = self._flow.move(frame.image) if self._settings.flow and not cut else None
        believed = moved if moved is not None and moved.trust >= self._flow_enough else None
        near = track.steady if believed is None else believed.points
        self._mirror.next_frame()
        covered = self._mouth_covered is not None and frame.capture_time - self._mouth_covered < LONGEST_COVER
        found = self._locator.from_points(frame.image, near, track.pose, self._mirror, mouth_covered=covered)
        pattern = self._appearance.of(found.landmarks.patch)
        return Look(found, pattern, self._appearance.likeness(pattern), believed)

    def learn(self, pattern: F32) -> None:
        """The face looks like this now.

        Args:
            pattern: (256,).
        """
        self._appearance.learn(pattern)

    def likeness(self, pattern: F32) -> float:
        """Correlation of a pattern (256,) with the face so far, -1..1."""
        return self._appearance.likeness(pattern)

    def take(self, frame: Frame, track: Track, look: Look) -> FaceObservation:
        """The face is where it was looked for.

        Args:
            frame: that was looked at.
            track: brought up to date.
            look: what was found.
        """
        landmarks = look.found.landmarks
        shown = self._smoother.update(
            landmarks.points, frame.capture_time, moved=look.moved, covariance=landmarks.covariance
        )
        return self._keep(frame, track, look.found, shown, detected=False)

    def start(self, frame: Frame, track: Track, found: Located, pattern: F32) -> FaceObservation:
        """The face is here, a detector having said so: nothing before counts.

        Args:
            frame: that was looked at.
            track: begun anew.
            found: the face.
            pattern: (256,) of its crop.
        """
        self._mouth_covered = None
        self._smoother.reset()
        self._past.clear()
        self._mirror.begin(found.landmarks.mirror_offset)
        self._appearance.reset()
        self._appearance.learn(pattern)
        shown = self._smoother.update(found.landmarks.points, frame.capture_time)
        return self._keep(frame, track, found, shown, detected=True)

    def at(self, sequence: int, track: Track) -> tuple[F32, F32]:
        """Where the face was on this frame, or the last one before it.

        Args:
            sequence: of the frame.
            track: of the face.

        Returns:
            (4,) box and (2, 2) eye centres.
        """
        return self._past.at(sequence, track)

    def leave_picture(self) -> None:
        """The next frames are not compared with the last one: the face is looked for elsewhere."""
        self._flow.clear()

    def lose(self) -> None:
        """The face is not followed any more; what it looked like is kept."""
        self._mouth_covered = None
        self._flow.clear()
        self._smoother.reset()
        self._past.clear()

    def forget(self) -> None:
        """Nothing is known of the face."""
        self.lose()
        self._appearance.reset()

    def _keep(self, frame: Frame, track: Track, found: Located, shown: F32, *, detected: bool) -> FaceObservation:
        """Record where the face is now. shown: (98, 2) its points as they are shown."""
        landmarks, pose = found.landmarks, found.pose
        hidden = found.visibility.hidden
        if found.visibility.mouth_covered:
            self._mouth_covered = frame.capture_time
        elif "mouth" not in hidden:
            self._mouth_covered = None
        if not detected:
            seconds = frame.capture_time - track.time
            blurred = hidden_in_a_turn(self._locator.limits, landmarks.points, track.pose, pose, seconds)
            hidden = tuple(part for part in ALL_PARTS if part in blurred or part in hidden)
        track.points, track.pose = landmarks.points, pose
        track.steady = landmarks.points if self._smoother.steady is None else self._smoother.steady
        track.box, track.time = matching.face_box(shown), frame.capture_time
        self._past.add(frame.sequence, track)
        if self._settings.flow:
            self._flow.anchor(frame.image, track.steady)
        return FaceObservation(
            face_id=track.face_id,
            box=track.box,
            points=shown,
            raw_points=landmarks.points,
            confidence=found.confidence,
            detected=detected,
            covariance=landmarks.covariance,
            pose=None if pose is None or not self._settings.pose else facing_angles(pose.angles),
            estimated=landmarks.presence is None,
            hidden=hidden,
            hidden_known=found.visibility.known,
        )
