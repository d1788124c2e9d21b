"""One face followed through a video, a camera or frames that are fed in: the live path, in line."""

import math
import threading
import time as clock
from collections.abc import Iterator
from dataclasses import replace
from numbers import Real
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from realtime.analyze.arguments import checked_scale, checked_wish, source_word, weights_folder
from realtime.analyze.results import Face, TrackedFace, data_frame
from realtime.errors import UserInputError
from realtime.files import one_line
from realtime.graph import StopToken
from realtime.types import U8, Frame, check_picture

if TYPE_CHECKING:
    import pandas as pd

    from realtime.clinic import LengthMeter, ScaleChoice
    from realtime.face.detector import FaceDetector
    from realtime.face.settings import FaceSettings, MirrorAverage
    from realtime.media.video_source import VideoSource


class FaceTracker:
    """Follows one face: detection schedule, landmarks, smoothing, and Action Units against the person's own running baseline.

    Either iterate a source, or feed pictures with `update`:

        with FaceTracker("clip.mp4") as tracker:
            for frame, face in tracker:
                ...

        with FaceTracker() as tracker:
            face = tracker.update(image, time)

    Everything runs in the calling thread; calls may come from any thread, one is served at a time. A file is read as fast as
    it can be analysed and no frame is left out; a camera or stream gives its newest picture.

    Args:
        source: a file, "camera", "camera:1" (or 1), "camera:NAME", a URL, "lavfi:GRAPH", "plugin:NAME" or "demo"; None: pictures
            are fed in.
        size: width and height wished for from a camera; None: its own.
        fps: frame rate wished for from a camera; None: its own.
        weights: a folder with manifest.toml; None: the embedded models.
        settings: parameters of the face path; None: the defaults.
        millimetres: measure lengths, with this scale; None: none are measured.
        mirror_average: "every": points are the mean of those of the picture and of its mirror image: nearer to the truth, the
            same for both sides, and twice the landmark network's work. "some": the mirror image is looked at on every eighth
            frame, and the points of the others are moved by what was found there. True and False are "every" and "off".
        crop_average: points are the mean of those of so many crops of the face (1 to 3): steadier, and as many times the work.

    Raises:
        UserInputError: an argument is none of what it may be.
    """

    def __init__(
        self,
        source: str | PathLike[str] | int | None = None,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        weights: Path | str | None = None,
        settings: "FaceSettings | None" = None,
        millimetres: "ScaleChoice | None" = None,
        mirror_average: "MirrorAverage | bool" = "off",
        crop_average: int = 1,
    ) -> None:
        from realtime.face.settings import as_mirror_average, checked_crop_average

        self._mirror_average = as_mirror_average(mirror_average)
        self._crop_average: int = checked_crop_average(crop_average)
        self._millimetres = checked_scale(millimetres)
        self._source = source_word(source)
        self._wish = checked_wish(size, fps)
        self._weights = weights_folder(weights)
        self._settings = settings
        self._lock = threading.Lock()
        self._parts: _Parts | None = None
        self._stop = StopToken()
        self._sequence = 0
        self._last_time: float | None = None

    def update(self, image: U8, time: float) -> Face | None:
        """The tracked face on the next picture; None where there is none.

        Args:
            image: (H, W, 3) uint8 BGR, C-contiguous. It is not written to, and must not be changed during the call.
            time: when it was taken, seconds on any clock; each picture's is later than the one's before.

        Raises:
            PictureError: the picture is of another kind.
            UserInputError: the time is no finite number or not later than the last one, or the tracker is closed.
            ModelFileError: a model is missing, damaged or of another kind.
        """
        check_picture(image)
        # NumPy's numbers are `Real`, too; NaN would make every later time wrong.
        if not isinstance(time, Real) or not math.isfinite(time):
            raise UserInputError(f"The picture's time is seconds, a finite number, not {one_line(repr(time))}.")
        with self._lock:
            if not (self._last_time is None or time > self._last_time):
                raise UserInputError(
                    f"The picture's time {time} is not later than the last one's, {self._last_time}; call reset() before another video."
                )
            found = self._opened().update(Frame(_read_only(image), self._sequence, float(time)))
            self._sequence, self._last_time = self._sequence + 1, float(time)
            return found

    def reset(self) -> None:
        """Forget the face and its baseline: the next picture belongs to another recording."""
        with self._lock:
            self._last_time = None
            if self._parts is not None:
                self._parts.reset()

    def __iter__(self) -> Iterator[TrackedFace]:
        """Each frame of the source with its face, from the source's beginning to its end or until `close`.

        Raises:
            UserInputError: there is no source, or it holds no video.
            DeviceError: the source is missing, busy, or failed.
        """
        source = self._open_source()
        self.reset()
        try:
            source.open(self._stop)
            while not self._stop.is_set() and (frame := source.read(self._stop)) is not None:
                with self._lock:
                    face = self._opened().update(frame)
                yield TrackedFace(frame, face)
        finally:
            source.close()

    def to_pandas(self) -> "pd.DataFrame":
        """The whole source as a data frame: one row a frame, columns as in a session's frames.csv. Needs pandas."""
        return data_frame(result.to_row() for result in self)

    def close(self) -> None:
        """End a running iteration and let go of the models. Safe to call twice, and from another thread."""
        self._stop.set()
        with self._lock:
            self._parts = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self) -> "_Parts":
        if self._stop.is_set():
            raise UserInputError("This FaceTracker is closed; make a new one.")
        if self._parts is None:
            self._parts = _Parts(
                self._weights, self._settings, self._millimetres, self._mirror_average, self._crop_average
            )
        return self._parts

    def _open_source(self) -> "VideoSource":
        from realtime.media.source_spec import parse_source
        from realtime.media.video_source import VideoSource

        if self._stop.is_set():
            raise UserInputError("This FaceTracker is closed; make a new one.")
        if self._source is None:
            raise UserInputError(
                "This FaceTracker has no source to iterate: give it one, or feed pictures with update()."
            )
        size, fps = self._wish
        return VideoSource(parse_source(self._source), clock.monotonic, speed="max", size=size, fps=fps)


class _Parts:
    """What an open tracker consists of."""

    def __init__(
        self,
        weights: Path | None,
        settings: "FaceSettings | None",
        millimetres: "ScaleChoice | None",
        mirror_average: "MirrorAverage",
        crop_average: int,
    ) -> None:
        from realtime.action_units import ActionUnitEstimator
        from realtime.analyze.models import open_face_models
        from realtime.face.settings import FaceSettings
        from realtime.face.tracker import Tracker
        from realtime.models import Registry

        chosen = settings or FaceSettings()
        models = open_face_models(
            Registry(weights),
            settings=chosen.detector,
            irises=millimetres is not None,
            mirror_average=mirror_average,
            crop_average=crop_average,
        )
        self._detector: FaceDetector = models.face_detector(chosen.detector)
        self._tracker: Tracker = Tracker(models.landmarks, chosen)
        self._units = models.action_units
        self._estimator: ActionUnitEstimator = ActionUnitEstimator(models.action_units)
        self._scale, self._irises = millimetres, models.irises
        self._lips = None if millimetres is None else models.lips
        self._meter = self._new_meter()

    def _new_meter(self) -> "LengthMeter | None":
        """One that has seen nobody; None where lengths were not asked for."""
        if self._scale is None:
            return None
        from realtime.clinic import LengthMeter

        return LengthMeter(self._scale, self._irises, self._lips)

    def update(self, frame: Frame) -> Face | None:
        """The face on the next frame."""
        claimed = self._tracker.try_claim_detection(frame.sequence)
        seen = self._detector.detect(frame, self._tracker.region) if claimed else None
        found = self._tracker.update(frame, seen)
        if found is None:
            self._estimator.nobody(frame.capture_time)
            return None
        units = self._estimator.update(found, frame.image, time=frame.capture_time)
        meter = self._meter
        lengths = None if meter is None else meter.update(found, frame.image, frame.capture_time)
        estimator = self._estimator
        face = Face.of(found, units, estimator.neutral_state, lengths)
        return replace(face, rest=estimator.rest_state, rest_share=estimator.rest_share)

    def reset(self) -> None:
        """Forget the face and its baseline."""
        from realtime.action_units import ActionUnitEstimator

        self._tracker.reset()
        self._estimator = ActionUnitEstimator(self._units)
        self._meter = self._new_meter()


def _read_only(image: U8) -> U8:
    """Captured frames are read-only, and compiled code is kept for one kind of array."""
    image = image.view()
    image.flags.writeable = False
    return image
