"""The two passes over a recording: points of every frame first, then measures against the person's rest over all of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Protocol

from realtime.action_units.descriptor import describe
from realtime.action_units.recording_rest import AT_ONCE, Measurable, NearestRest, Rest, measure_against
from realtime.action_units.reference import Reference
from realtime.action_units.rest_frame import Windows, rest_picture
from realtime.batch.follow import Networks, follow_one, follow_several
from realtime.batch.patient import NOBODY, PatientTally
from realtime.batch.rests import NAMED, RestSearches
from realtime.batch.spool import Seen, Spool
from realtime.config import Config
from realtime.face.face_embedding import StoredFaceSearch
from realtime.graph import StopToken
from realtime.media.convert import ROTATIONS
from realtime.media.source_spec import SourceKind, SourceSpec
from realtime.media.video_source import VideoSource
from realtime.types import Analysis, FaceObservation, Frame, Sides


class FrameListener(Protocol):
    """Sees every frame of the first pass with the face that was tracked on it; None where there is none, or several people are."""

    def frame(self, frame: Frame, face: FaceObservation | None) -> None: ...


@dataclass(slots=True)
class Recording:
    """What a pass over a recording found.

    Attributes:
        frames: pictures read.
        with_face: those with a tracked face, anybody's.
        width, height: of the first picture, pixels.
        fps: the nominal rate, frames per second; None where the file names none.
        seconds: capture time of the last frame.
        notices: what the source had to say, as sentences.
        rests: by face id, the rest that was found; under `NAMED` that of a window that the user named.
        patient: face id of the patient, or `NOBODY`, where several people are followed.
    """

    frames: int = 0
    with_face: int = 0
    width: int = 0
    height: int = 0
    fps: float | None = None
    seconds: float = 0.0
    notices: list[str] = field(default_factory=list)
    rests: dict[int, Rest] = field(default_factory=dict)
    patient: int | None = None


def open_recording(path: Path, config: Config) -> VideoSource:
    """The source of a recording: every frame, on the caller's thread. Not opened yet.

    Args:
        path: of the file.
        config: of the run.
    """
    rotate = ROTATIONS[config.rotate]
    spec = SourceSpec(SourceKind.FILE, str(path))
    return VideoSource(spec, lambda: 0.0, speed="max", rotate=rotate, in_line=True)


def frames_of(source: VideoSource) -> Iterator[Frame]:
    """Every frame from the beginning to the end.

    Raises:
        UserInputError: it is no video.
        DeviceError: it cannot be read.
    """
    stop = StopToken()
    source.open(stop)
    try:
        while (frame := source.read(stop)) is not None:
            yield frame
    finally:
        source.close()


def points_pass(
    path: Path,
    networks: Networks,
    spool: Spool,
    *,
    window: tuple[float, float] | None = None,
    listeners: tuple[FrameListener, ...] = (),
    search: StoredFaceSearch | None = None,
    progress: Callable[[int, float], None] = lambda _frames, _seconds: None,
) -> Recording:
    """Decode, detect, track; keep points and windows of every face, and look for rest.

    Args:
        path: the video.
        networks: open.
        spool: gets one record for each face on each frame, and one for a frame without a face.
        window: (start, end) in seconds of rest that the user named; it then holds for the whole recording, and for the patient only.
        listeners: see every frame.
        search: knows the face of whoever is the patient; None: the rule of the settings decides.
        progress: told the frames and seconds gone by.

    Raises:
        UserInputError: it is no video.
        DeviceError: it cannot be read.
        OSError: the spool cannot be written.
    """
    units = networks.models.action_units
    several = networks.config.people > 1
    follow = follow_several(networks) if several else follow_one(networks)
    source, done = open_recording(path, networks.config), Recording()
    searches, tally = RestSearches(networks, window, several=several), PatientTally(networks.config.patient_rule)
    for frame in frames_of(source):
        done.frames += 1
        seen = follow(frame)
        tally.add(seen)
        if search is not None:
            for other in seen.others:
                search.look(frame.image, other, frame.capture_time)
        faces = [face for face in (seen.patient, *seen.others) if face is not None]
        done.with_face += bool(faces)
        for face in faces:
            found = describe(face.points)
            windows = None if units is None or found is None else units.cut(frame.image, face.points)
            spool.add(frame.sequence, frame.capture_time, face, found, windows)
            if found is not None and windows is not None:
                searches.add(face, found, windows, frame.capture_time)
        if not faces:
            spool.add(frame.sequence, frame.capture_time, None, None, None)
        for listener in listeners:
            listener.frame(frame, seen.patient)
        done.seconds = frame.capture_time
        progress(done.frames, frame.capture_time)
    if source.stream_info is not None:
        done.width, done.height, done.fps = (
            source.stream_info.width,
            source.stream_info.height,
            source.stream_info.fps,
        )
    done.notices = list(source.notices)
    if several:
        done.patient = tally.patient() if search is None else search.found()
        if search is not None and done.patient is None:
            done.patient = NOBODY
    done.rests = searches.rests(done.patient)
    spool.finish()
    return done


class Measures:
    """The second pass: every frame of a spool against its person's rest.

    Choose each person's picture at rest.

    Args:
        networks: open.
        spool: of the first pass, finished.
        rests: by face id, and under `NAMED` the patient's of a window that the user named.
        named: there is such a window.
        patient: face id of the patient, where several people are followed.
    """

    def __init__(
        self, networks: Networks, spool: Spool, rests: dict[int, Rest], *, named: bool, patient: int | None = None
    ) -> None:
        self._units = networks.models.action_units
        self._spool = spool
        self._rests = rests
        self._named = named
        self._patient = patient
        self._references = {key: Reference(rest.baseline, None, rest.calibrated) for key, rest in rests.items()}
        self._choose_pictures()

    def analyses(self) -> Iterator[Analysis]:
        """One analysis for each frame, in order: the patient's, with those of everybody else."""
        for sequence, of_frame in groupby(self._measured(), lambda record: record[0].sequence):
            patient, others = None, []
            for seen, analysis in of_frame:
                time = seen.time
                if self._is_patient(seen):
                    patient = analysis
                else:
                    others.append(analysis)
            patient = patient or Analysis(sequence, time, None)
            others.sort(key=lambda other: -1 if other.face is None else other.face.face_id)
            yield replace(patient, others=tuple(others)) if others else patient

    def _measured(self) -> Iterator[tuple[Seen, Analysis]]:
        """Every record with its analysis. Their number at a time is fixed, so that the same recording always gives the same numbers."""
        records = self._spool.with_windows()
        while some := list(islice(records, AT_ONCE)):
            frames = [self._measurable(*record) for record in some]
            measurable = [frame for frame in frames if frame is not None]
            found = iter(() if self._units is None else measure_against(self._units, measurable))
            for (seen, _), frame in zip(some, frames, strict=True):
                yield seen, self._analysis(seen, None if frame is None else next(found))

    def _measurable(self, seen: Seen, windows: Windows) -> Measurable | None:
        if self._units is None or seen.face is None or seen.found is None:
            return None
        return Measurable(seen.found, windows, seen.face.hidden, self._references[self._key(seen)])

    def _is_patient(self, seen: Seen) -> bool:
        return self._patient is None or seen.face is None or seen.face.face_id == self._patient

    def _analysis(self, seen: Seen, units: Sides[dict[int, float]] | None) -> Analysis:
        if units is None:
            return Analysis(seen.sequence, seen.time, seen.face)
        rest = self._rests[self._key(seen)]
        return Analysis(
            seen.sequence,
            seen.time,
            seen.face,
            units.left,
            units.right,
            neutral="none" if rest.baseline is None else "calibrated" if rest.calibrated else "recording",
            rest="calibrated" if rest.calibrated else "settled" if rest.settled else "provisional",
        )

    def _key(self, seen: Seen) -> int:
        assert seen.face is not None
        return NAMED if self._named and self._is_patient(seen) else seen.face.face_id

    def _choose_pictures(self) -> None:
        """The skin's movements are followed from the frame that comes nearest to rest over the whole recording."""
        nearest = {
            key: NearestRest(reference.baseline.shape)
            for key, reference in self._references.items()
            if reference.baseline is not None
        }
        shapes = {}
        for seen in self._spool.faces():
            if seen.face is None or seen.found is None or seen.face.hidden:
                continue
            key = self._key(seen)
            if key in nearest:
                nearest[key].offer(seen.place, seen.found)
                if nearest[key].place == seen.place:
                    shapes[key] = seen.found
        for key, found in shapes.items():
            place = nearest[key].place
            assert place is not None
            picture = rest_picture(found, self._spool.windows_of(place))
            old = self._references[key]
            self._references[key] = Reference(old.baseline, picture, old.calibrated)


def sides_of(analysis: Analysis) -> Sides[dict[int, float]]:
    """The intensities of both sides."""
    return Sides(analysis.au_left, analysis.au_right)
