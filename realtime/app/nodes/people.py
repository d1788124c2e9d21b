"""Several people as nodes: tracking that tells them apart, and Action Units of each against their own rest."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.calibration import Calibration
from realtime.app.nodes.action_units import Measure
from realtime.app.nodes.detect_track import Detect, Track
from realtime.app.nodes.quality import FEWER_OTHERS, Quality
from realtime.face.face_embedding import FaceMemory, StoredFaceSearch
from realtime.face.people import Observed, PeopleTracker
from realtime.session.decision_log import DecisionLog
from realtime.types import Analysis, Detections, Frame, TrackedFrame

OTHERS_RATE = 17.0
"""Looks a second that are planned for everybody who is not the patient: 15 remain where some come to nothing."""
_INTERVALS = 30
"""Intervals between frames from which the camera's real rate is told: webcams halve theirs in the dark."""
_EVERY = 2
"""While they do, the others are looked at on so many times fewer frames."""
_PEOPLE = 16
"""Estimators kept: those of people not measured for longest go first."""
Point = tuple[float, float]


class FrameRate:
    """Frames a second that a source really gives, from the capture times of its last frames.

    Args:
        promised: by the source, until enough frames were seen.
    """

    def __init__(self, promised: float) -> None:
        self._promised = promised
        self._intervals: deque[float] = deque(maxlen=_INTERVALS)
        self._last: tuple[int, float] | None = None

    def update(self, frame: Frame) -> float:
        """The rate as of this frame.

        Args:
            frame: the next one that is seen; any may be missing.
        """
        last, self._last = self._last, (frame.sequence, frame.capture_time)
        if last is not None and frame.sequence > last[0] and frame.capture_time > last[1]:
            self._intervals.append((frame.capture_time - last[1]) / (frame.sequence - last[0]))
        if len(self._intervals) < _INTERVALS // 2:
            return self._promised
        return 1 / median(self._intervals)

    def reset(self) -> None:
        """The source was restarted: it may have another rate."""
        self._intervals.clear()
        self._last = None


class TrackPeople(Track):
    """Landmarks of several people on every frame it gets: the patient's first, the others' in turns.

    Args:
        tracker: of several people.
        quality: the quality ladder.
        inline: see `Track`.
        delay: see `Track`.
        rate: that the source promises, frames a second; what counts is the one its frames show. None: everybody is looked at on
            every frame (offline).
        decisions: see `Track`; with several people it also logs who was looked at how often, and who was chosen.
        search: knows the stored person's face, who is then chosen as if the user had done it; None: nobody is looked for.
    """

    def __init__(
        self,
        tracker: PeopleTracker,
        quality: Quality,
        inline: Detect | None = None,
        delay: float = 0.0,
        *,
        rate: float | None = None,
        decisions: DecisionLog | None = None,
        search: StoredFaceSearch | None = None,
    ) -> None:
        super().__init__(tracker, quality, inline, delay, decisions=decisions)
        self._people = tracker
        self._rate = None if rate is None else FrameRate(rate)
        self._search = search
        self._chosen: Point | None = None

    def choose(self, place: Point) -> bool:
        """From the next frame on the face at this place (x, y in pixels) is the patient's. From any thread.

        Returns:
            Whether a face is followed there.
        """
        if not self._people.has_face_at(*place):
            return False
        self._chosen = place
        return True

    def _observe(self, frame: Frame, seen: Detections | None, *, next_face: bool) -> Observed:
        every, wait = 1.0, False
        if self._rate is not None:
            every = max(1.0, round(self._rate.update(frame) / OTHERS_RATE, 3))
            # The detector runs beside this frame: the others' looks would delay its answer and the patient's picture.
            wait = self._people.is_detected_on(frame.sequence)
        every *= _EVERY if FEWER_OTHERS in self._quality.active else 1
        chosen, self._chosen = self._chosen, None
        if self._decisions is not None:
            number = None if seen is None else seen.sequence
            self._decisions.track(
                frame.sequence, number, next_face=next_face, others_every=every, others_wait=wait, chosen=chosen
            )
        observed = self._people.update(
            frame, seen, next_face=next_face, chosen=chosen, others_every=every, others_wait=wait
        )
        if self._search is not None and self._people.patient is None:
            self._choose_stored(self._search, frame, observed)
        return observed

    def reset(self, reason: str) -> None:
        """The stream was interrupted: whoever comes now is not known yet."""
        super().reset(reason)
        if self._rate is not None:
            self._rate.reset()

    def _choose_stored(self, search: StoredFaceSearch, frame: Frame, observed: Observed) -> None:
        """Choose the stored person once one of the faces is surely theirs, and lives."""
        for face in observed.others:
            search.look(frame.image, face, frame.capture_time)
        found = search.found([face.face_id for face in observed.others])
        if found is not None and self._chosen is None and self._people.is_alive(found):
            box = next(face.box for face in observed.others if face.face_id == found)
            self._chosen = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2


class MeasurePeople(Measure):
    """Adds everybody's Action Units to an analysis, the patient's first.

    Args:
        measures: of the patient: the only one who can be calibrated.
        another: makes an estimator for somebody else.
        decisions: see `Measure`.
        calibrated: see `Measure`.
        memory: see `Measure`.
    """

    def __init__(
        self,
        measures: ActionUnitEstimator,
        another: Callable[[], ActionUnitEstimator],
        decisions: DecisionLog | None = None,
        calibrated: Callable[[Analysis, Calibration], None] | None = None,
        memory: FaceMemory | None = None,
    ) -> None:
        super().__init__(measures, decisions, calibrated, memory)
        self._another = another
        self._estimators: dict[int, ActionUnitEstimator] = {}

    def process(self, analysed: TrackedFrame) -> TrackedFrame:
        """The same analysis with intensities of everybody."""
        measured = super().process(analysed)
        if not measured.analysis.others:
            return measured
        others = tuple(self._measure(other, analysed.frame) for other in analysed.analysis.others)
        return TrackedFrame(replace(measured.analysis, others=others), analysed.frame)

    def _measure(self, other: Analysis, frame: Frame) -> Analysis:
        face = other.face
        assert face is not None
        # The last one measured stands at the end, so the first is the one not measured for longest.
        estimator = self._estimators.pop(face.face_id, None) or self._another()
        self._estimators[face.face_id] = estimator
        if len(self._estimators) > _PEOPLE:
            del self._estimators[next(iter(self._estimators))]
        left, right = estimator.update(face, frame.image, time=other.capture_time)
        return replace(
            other,
            au_left=left,
            au_right=right,
            neutral=estimator.neutral_state,
            rest=estimator.rest_state,
            rest_share=estimator.rest_share,
        )

    def reset(self, reason: str) -> None:  # noqa: ARG002  the graph's contract
        """The stream was interrupted: whoever comes now has a new identity."""
        self._estimators.clear()
