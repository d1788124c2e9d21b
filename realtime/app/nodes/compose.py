"""Draws the newest analysis on the current frame, and says how old it is."""

from collections import deque
from collections.abc import Callable
from statistics import median

from realtime.app.nodes.picture_progress import PictureProgress
from realtime.app.nodes.quality import Quality
from realtime.face.point_flow import PointFlow
from realtime.graph import Side
from realtime.render.blur import LiveBlur
from realtime.render.other_faces import OtherFaces
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures, rest_words
from realtime.types import F32, Frame, RenderedFrame, Status, TrackedFrame

_RATE_WINDOW = 60
_INTERVALS = 15


class Compose:
    """The picture path's only node: never waits for a model, only (briefly, in its join) for this frame's own analysis.

    Args:
        scene: draws.
        flow: moves a held face's points to the picture.
        clock: the frames' clock.
        quality: gets the results' latencies.
        live: ages mean something.
        too_old: the age (s) from which results are not given here; a picture without one counts as a result so late.
        blur: hides every face before anything is drawn.
        draws: False where no output takes pictures: none is drawn then.
        progress: is told of every picture that is done.
        rehearse: draws once before the first picture, on this node's thread: OpenCV unpacks its letters for each thread anew.
    """

    def __init__(
        self,
        scene: Scene,
        flow: PointFlow,
        clock: Callable[[], float],
        quality: Quality,
        *,
        live: bool = True,
        too_old: float | None = None,
        blur: LiveBlur | None = None,
        draws: bool = True,
        progress: PictureProgress | None = None,
        rehearse: Callable[[], None] = lambda: None,
    ) -> None:
        self._rehearse = rehearse
        self._progress = progress
        self._too_old = too_old
        self._draws = draws
        self._blur = blur
        self._scene = scene
        self._flow = flow
        self._clock = clock
        self._quality = quality
        self._live = live
        self._others = OtherFaces()
        self._dropped = 0
        self._last = -1
        self._anchor: int | None = None
        self._times: deque[float] = deque(maxlen=_RATE_WINDOW)
        self._intervals: deque[float] = deque(maxlen=_INTERVALS)

    def open(self) -> None:
        """Warm up, before frames flow."""
        self._rehearse()

    def process(self, frame: Frame, analysis: Side[TrackedFrame] | None = None) -> RenderedFrame:
        """The picture to show for this frame; the frame's own, with nothing drawn on it, where no output takes pictures.

        Args:
            frame: to be shown.
            analysis: the newest result, or None.
        """
        try:
            return self._compose(frame, analysis)
        finally:
            if self._progress is not None:
                self._progress.shown(frame.sequence)

    def _compose(self, frame: Frame, analysis: Side[TrackedFrame] | None) -> RenderedFrame:
        now = self._clock()
        self._note_picture(frame)
        found = analysis.payload.analysis if analysis is not None else None
        face = found.face if found is not None else None
        points = face.points if face is not None else None
        status: Status = "none"
        if analysis is None and self._too_old is not None:
            # Results come so late that none is given: without this the ladder would never step down.
            self._quality.update(self._too_old, now, self._interval())
        if analysis is not None:
            if analysis.fresh:
                latency = analysis.latency if analysis.latency is not None else now - analysis.capture_time
                self._quality.update(latency, now, self._interval())
            status = "measured" if analysis.sequence == frame.sequence else "held"
        result_age = analysis.age if analysis is not None else None
        number, time = frame.sequence, frame.capture_time
        if not self._draws:
            return RenderedFrame(frame.image, number, time, status, found, result_age, points, frame)
        if analysis is not None and status == "held" and face is not None:
            points = self._follow(frame, analysis.payload)
        state = (
            "no result" if found is None else "no face" if face is None else "held" if status == "held" else "tracked"
        )
        figures = LiveFigures(
            self._rate(),
            (now - frame.capture_time) * 1e3 if self._live else None,
            None if result_age is None else result_age * 1e3,
            self._dropped,
            state,
            "" if found is None else rest_words(found.rest, found.rest_share),
        )
        others = self._others.at(found, frame.capture_time)
        faces, drawn_on = None, frame
        if self._blur is not None:
            drawn_on, faces = self._blur.hide(frame, points, result_age or 0.0, found, others)
        image = self._scene.draw(drawn_on.image, found, points, figures, others)
        return RenderedFrame(image, number, time, status, found, result_age, points, frame, faces, others=others)

    def reset(self, reason: str) -> None:  # noqa: ARG002  the graph's contract
        """The stream was interrupted: what was seen before says nothing about what comes."""
        self._flow.clear()
        self._others.clear()
        if self._progress is not None:
            self._progress.restart()
        if self._blur is not None:
            self._blur.clear()
        self._anchor = None
        self._times.clear()
        self._intervals.clear()

    def _follow(self, frame: Frame, analysed: TrackedFrame) -> F32:
        face = analysed.analysis.face
        assert face is not None
        if self._anchor != analysed.frame.sequence:
            self._flow.anchor(analysed.frame.image, face.points)
            self._anchor = analysed.frame.sequence
        moved = self._flow.move(frame.image)
        return moved.points if moved is not None else face.points

    def _note_picture(self, frame: Frame) -> None:
        missed = max(0, frame.sequence - self._last - 1) if self._last >= 0 else 0
        if self._times:
            self._intervals.append((frame.capture_time - self._times[-1]) / (missed + 1))
        self._times.append(frame.capture_time)
        self._dropped += missed
        self._last = frame.sequence

    def _interval(self) -> float:
        """Seconds between two captured pictures, also while some of them are dropped; 0 while unknown."""
        return median(self._intervals) if self._intervals else 0.0

    def _rate(self) -> float:
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])
