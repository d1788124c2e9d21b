"""One recording from its file to its bundle, in one process and on one thread."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from realtime.analyze.models import landmark_tiers, open_face_models
from realtime.batch.bundle import Description, Summary, seal, write_rows
from realtime.batch.fingerprint import Fingerprint
from realtime.batch.follow import Networks
from realtime.batch.inputs import Input
from realtime.batch.options import Options
from realtime.batch.passes import Measures, Recording, points_pass
from realtime.batch.patient import NOBODY
from realtime.batch.rests import NAMED
from realtime.batch.spool import Spool
from realtime.batch.stored_face import stored_face
from realtime.config import Config
from realtime.errors import UserInputError
from realtime.face.face_embedding import StoredFaceSearch
from realtime.face.warm_up import warm_up
from realtime.files import file_sha256
from realtime.models import ModelSpec, Registry
from realtime.session.face_store import KnownFace
from realtime.session.folder import FRAMES
from realtime.types import Analysis

Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one recording gave.

    Attributes:
        sha256: of the recording's file.
        recording: what was found.
        notices: sentences that the user should read.
        figures: of the recording, for tables: what does not depend on the machine.
    """

    sha256: str
    recording: Recording
    notices: list[str]
    figures: dict[str, Any]


def specs_of(config: Config) -> list[ModelSpec]:
    """The models that a batch uses: the best of each kind, or those that the settings name.

    Raises:
        ModelFileError: there are none.
        UserInputError: a model family that is for live use only.
    """
    if config.models.family != "own":
        raise UserInputError("`batch` measures with the program's own models; --models openface3 is for `run`.")
    manifest = Registry(config.weights).manifest
    units = next(iter(manifest.tiers("action-units")), None)
    found = [manifest.find("detector", config.models.detector), landmark_tiers(manifest, config.models.landmarks)[0]]
    return [*found, *([units] if units is not None else [])]


def open_networks(config: Config) -> Networks:
    """Open and warm up what a worker needs; one thread each.

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
    """
    cv2.setNumThreads(1)
    warm_up(config.face)
    landmarks = next(spec.name for spec in specs_of(config) if spec.role == "landmarks")
    models = open_face_models(
        Registry(config.weights),
        detector=config.models.detector,
        landmarks=landmarks,
        settings=config.detector,
        threads=1,
        mirror_average=config.models.mirror_average,
        crop_average=config.models.crop_average,
    )
    return Networks(models, models.face_detector(config.detector), config)


def measure_recording(
    one: Input,
    folder: Path,
    networks: Networks,
    fingerprint: Fingerprint,
    options: Options,
    progress: Progress = lambda _frames, _seconds: None,
) -> Measured:
    """Measure one recording and write its bundle.

    Args:
        one: the recording.
        folder: new and empty; becomes the bundle.
        networks: open.
        fingerprint: of program, models and settings.
        options: what else the bundle holds.
        progress: told the frames and seconds of the first pass, then the frames of the second.

    Raises:
        UserInputError: it is no video, or the calibration window shows no rest.
        DeviceError: it cannot be read, or something cannot be written.
        OSError: the disk does not take it.
    """
    from realtime.batch.extras import Extras  # the overlay's parts are loaded only where one is asked for

    started = time.monotonic()
    sha256 = file_sha256(one.path)
    config = networks.config
    face = stored_face(one, config) if config.patient_rule == "person" and config.people > 1 else None
    extras = Extras(options, folder, networks)
    summary = Summary()
    with Spool(folder) as spool:
        first: list[float] = []

        def told(frames: int, seconds: float) -> None:
            if not first:
                first.append(time.monotonic())
            progress(frames, seconds)

        found = points_pass(
            one.path,
            networks,
            spool,
            window=one.calibration,
            listeners=extras.listeners,
            search=None if face is None else StoredFaceSearch(face.embedding),
            progress=told,
        )
        _check_window(one, found)
        extras.follow_patient(one.path, found, spool)
        measures = Measures(networks, spool, found.rests, named=one.calibration is not None, patient=found.patient)
        rows = _telling(measures.analyses(), found, progress)
        extras.draw(one.path, found, write_rows(folder, rows, summary, several=config.people > 1))
    extras.finish(folder / FRAMES)
    notices = [*found.notices, *_remarks(one, found, face)]
    figures = {
        "frames": found.frames,
        "face_frames": found.with_face,
        "seconds": round(found.seconds, 3),
        "width": found.width,
        "height": found.height,
        "fps": found.fps,
        "rest": _rest_word(found),
        "notices": notices,
        "action_units": summary.as_json(),
    }
    models = networks.models.specs
    Description(one, sha256, fingerprint, models, found, notices, summary.as_json()).write(folder)
    seal(folder)
    timings = {"wall": time.monotonic() - started, "start_up": (first[0] if first else started) - started}
    return Measured(sha256, found, notices, {**figures, "timings": timings})


def _telling(analyses: Iterator[Analysis], found: Recording, progress: Progress) -> Iterator[Analysis]:
    """The same, with a sign of life: the second pass over hours of video takes minutes."""
    for number, analysis in enumerate(analyses, 1):
        progress(number, found.seconds)
        yield analysis


def _check_window(one: Input, found: Recording) -> None:
    rest = found.rests.get(NAMED)
    if one.calibration is None or (rest is not None and rest.calibrated):
        return
    start, end = one.calibration
    frames = 0 if rest is None else rest.frames
    raise UserInputError(
        f"{one.path}: the calibration window {start:g} to {end:g} s shows an uncovered, frontal face on {frames} frames only "
        "(20 are needed); correct the window, or leave it out so that rest is looked for."
    )


def _remarks(one: Input, found: Recording, face: KnownFace | None) -> list[str]:
    if not found.with_face:
        return [f"{one.path}: no face was seen on any of its {found.frames} frames."]
    if face is not None and found.patient == NOBODY:
        return [f"{one.path}: none of the faces is surely {face.name}'s, so nobody is the patient."]
    return []


def _rest_word(found: Recording) -> str:
    """How well rest is known, of the face that was followed first."""
    rests = [found.rests[key] for key in sorted(found.rests)]
    if not rests:
        return ""
    return "calibrated" if rests[0].calibrated else "settled" if rests[0].settled else "provisional"
