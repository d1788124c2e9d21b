"""What the tracker knows of a face: the one it follows, the one that may be one, the one lately lost."""

from collections import deque
from dataclasses import dataclass

from realtime.face import matching
from realtime.face.geometry import iou
from realtime.face.pose import Pose
from realtime.types import F32, Detection

_REMEMBERED = 64


@dataclass(slots=True)
class Track:
    """The face as of the last frame looked at.

    Attributes:
        face_id: counts from 1.
        points: (98, 2).
        steady: the same, smoothed.
        box: (4,) x1, y1, x2, y2.
        pose: of the head, or None.
        time: capture time (s).
        doubt: frames in a row on which it was not sure.
        missed: detection passes in a row that did not see it.
    """

    face_id: int
    points: F32
    steady: F32
    box: F32
    pose: Pose | None
    time: float
    doubt: int = 0
    missed: int = 0


class Past:
    """Where the tracked face was on the last frames."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, F32, F32]] = deque(maxlen=_REMEMBERED)

    def add(self, sequence: int, track: Track) -> None:
        """The face on this frame, the newest.

        Args:
            sequence: of the frame.
            track: the face on it.
        """
        self._frames.append((sequence, track.box, matching.eye_centres(track.steady)))

    def at(self, sequence: int, track: Track) -> tuple[F32, F32]:
        """Box and eye centres the track had at (or just before) this frame; those of now where that is forgotten.

        Args:
            sequence: of the frame.
            track: the face now.
        """
        for when, box, eyes in reversed(self._frames):
            if when <= sequence:
                return box, eyes
        return track.box, matching.eye_centres(track.steady)

    def clear(self) -> None:
        """The face is another one, or was somewhere else than believed."""
        self._frames.clear()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A detection that may be a face.

    Attributes:
        box: (4,).
        sightings: how often in a row it was seen there.
    """

    box: F32
    sightings: int = 1

    @classmethod
    def seen(cls, face: Detection, before: "Candidate | None", overlap: float) -> "Candidate":
        """The same one as before where the boxes overlap by this IoU, else a new one.

        Args:
            face: the detection.
            before: the candidate of the pass before.
            overlap: least IoU.
        """
        again = before is not None and iou(before.box, face.box) >= overlap
        return cls(face.box, 1 + before.sightings if before is not None and again else 1)


@dataclass(frozen=True, slots=True)
class _Memory:
    face_id: int
    box: F32
    time: float


class Identities:
    """The ids of faces: one that comes back soon, and to its place, keeps its own. Ids count from 1 and never begin anew.

    Args:
        return_seconds: how soon.
        overlap: IoU of the boxes from which the place is the same.
    """

    def __init__(self, return_seconds: float, overlap: float) -> None:
        self._return_seconds = return_seconds
        self._overlap = overlap
        self._memory: _Memory | None = None
        self._faces_seen = 0

    def lost(self, track: Track) -> None:
        """This face is not followed any more.

        Args:
            track: the face.
        """
        self._memory = _Memory(track.face_id, track.box, track.time)

    def forget(self) -> None:
        """The next face is another one."""
        self._memory = None

    def place(self, now: float) -> F32 | None:
        """The box of the face lately lost, None where none is or it is too long ago.

        Args:
            now: capture time (s).
        """
        if self._memory is not None and now - self._memory.time > self._return_seconds:
            self._memory = None
        return None if self._memory is None else self._memory.box

    def of(self, points: F32) -> int:
        """The id of a face just found with these (98, 2) points."""
        memory, self._memory = self._memory, None
        if memory is not None and iou(memory.box, matching.face_box(points)) >= self._overlap:
            return memory.face_id
        return self.new()

    def new(self) -> int:
        """An id that no face had."""
        self._faces_seen += 1
        return self._faces_seen
